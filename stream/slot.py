"""One place of the pool: a process on two pipes, and after its end the next one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.errors import PoolError, Reason
from stream.config import LogConfig, PoolConfig
from stream.poolchild import GOODBYE, HELLO, LENGTH_BYTES, Setup

log = logging.getLogger(__name__)

START_S = 60.0
"""Longest time for a process to start and load what it needs."""

STARTS = 3
"""Starts in a row that may fail before the pool gives up."""

TRIES = 2
"""How often a request may end its process before it is given up."""

_CLOSE_S = 1.0
_BUFFER_BYTES = 1 << 20
_MAX_FRAME_BYTES = 64 << 20
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Lost:
    """A request that has no reply and will have none.

    Attributes:
        reason: Word for the dead letter.
        message: Sentence for the dead letter.
        attempts: How often it was tried.
    """

    reason: Reason
    message: str
    attempts: int


Answer = asyncio.Future[bytes | Lost]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the processes are for.

    Attributes:
        factory: ``module:function`` that makes the stage in the process.
        arguments: By name, for that function; JSON values.
    """

    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Task:
    request: bytes
    answer: Answer
    deaths: int = 0


class Slot:
    """A process and the requests on their way to it, in order.

    Attributes:
        process: The one that runs now.
        ready: The versions that the first process stated, once it was ready.
    """

    def __init__(self, work: Work, config: PoolConfig, logging_as: LogConfig) -> None:
        """Prepare, inside the running loop; nothing runs yet."""
        self._work = work
        self._config = config
        self._logging_as = logging_as
        self._tasks: deque[_Task] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._late: _Task | None = None
        self._is_serving = False
        self.process: Process | None = None
        self.ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    @property
    def load(self) -> int:
        """Requests that wait for a reply."""
        return len(self._tasks)

    def submit(self, request: bytes) -> Answer:
        """Send a request, or keep it until there is a process."""
        task = _Task(request, asyncio.get_running_loop().create_future())
        self._tasks.append(task)
        if self._is_serving:
            self._send(task)
            if len(self._tasks) == 1:
                self._set_timer()
        return task.answer

    def fail(self, error: PoolError) -> None:
        """Answer all requests with an error."""
        while self._tasks:
            task = self._tasks.popleft()
            if not task.answer.done():
                task.answer.set_exception(error)

    async def run(self) -> None:
        """Keep a process running, and feed it, for ever.

        Raises:
            PoolError: Processes cannot be started.
        """
        while True:
            process = await self._start()
            self._is_serving = True
            for task in self._tasks:
                self._send(task)
            self._set_timer()
            is_planned = await self._serve(process)
            self._is_serving = False
            self._stop_timer()
            code = await _ended(process)
            if not is_planned:
                self._blame(code)

    async def close(self) -> None:
        """Let an idle process end by itself, and kill a busy one."""
        self._stop_timer()
        self._is_serving = False
        process, self.process = self.process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if self._tasks:
            kill(process)
        await _ended(process)

    async def _start(self) -> Process:
        """Start a process and wait until it is ready."""
        for number in range(1, STARTS + 1):
            process = self.process = await self._launch()
            try:
                frame = await asyncio.wait_for(_read(process), START_S)
            except TimeoutError:
                frame = None
                kill(process)
            if frame is not None and frame[:1] == HELLO:
                if not self.ready.done():
                    self.ready.set_result(msgspec.json.decode(frame[1:], type=dict[str, str]))
                log.info("pool.process_started", extra={"pid": process.pid})
                return process
            code = await _ended(process)
            log.error("pool.start_failed", extra={"attempt": number, "end": _told(code)})
        raise PoolError(
            f"a process of the pool ({self._work.factory}) did not start {STARTS} times "
            f"({_told(code)}); see its own words above, and pool.memory_mb if memory ran out"
        )

    async def _launch(self) -> Process:
        setup = Setup(
            factory=self._work.factory,
            arguments=self._work.arguments,
            parent=os.getpid(),
            task_timeout_s=self._config.task_timeout_s,
            memory_bytes=self._config.memory_mb * _MEGABYTE,
            tasks=self._config.tasks_per_process,
            log_format=self._logging_as.format,
            log_level=self._logging_as.level,
        )
        argv = [sys.executable, "-m", "stream.poolchild", msgspec.json.encode(setup).decode()]
        try:
            return await asyncio.create_subprocess_exec(
                *argv, stdin=PIPE, stdout=PIPE, limit=_BUFFER_BYTES
            )
        except OSError as error:
            raise PoolError(f"a process of the pool cannot be started: {error}") from error

    async def _serve(self, process: Process) -> bool:
        """Hand out replies until the process ends; whether it had said so before."""
        while (frame := await _read(process)) is not None:
            if frame[:1] == GOODBYE:
                return True
            if not self._tasks:  # an answer to nothing: a page has taken the process over
                kill(process)
                return False
            task = self._tasks.popleft()
            self._set_timer()
            if not task.answer.done():
                task.answer.set_result(frame[1:])
        return False

    def _send(self, task: _Task) -> None:
        pipe = None if self.process is None else self.process.stdin
        if pipe is None or pipe.is_closing():
            return  # it has just ended; the next one gets the task
        pipe.write(len(task.request).to_bytes(LENGTH_BYTES, "big") + task.request)

    def _set_timer(self) -> None:
        """Give the request at the head its time, from now."""
        self._stop_timer()
        if self._tasks:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._config.task_timeout_s, self._on_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_late(self) -> None:
        self._late = self._tasks[0]
        if self.process is not None:
            kill(self.process)

    def _blame(self, code: int) -> None:
        """Say what becomes of the request at which the process ended."""
        late, self._late = self._late, None
        fields = {"end": _told(code), "waiting": len(self._tasks)}
        log.warning("pool.process_ended", extra=fields)
        if not self._tasks:
            return
        head = self._tasks[0]
        if late is not None:
            if head is late:  # else it was answered in the last moment
                limit_s = self._config.task_timeout_s
                message = f"not done within {limit_s:g} s (pool.task_timeout_s)"
                self._lose(Reason.TIMED_OUT, message, head.deaths + 1)
            return
        head.deaths += 1
        if head.deaths >= TRIES:
            message = f"its process ended at it {TRIES} times ({_told(code)})"
            self._lose(Reason.WORKER_DIED, message, head.deaths)

    def _lose(self, reason: Reason, message: str, attempts: int) -> None:
        answer = self._tasks.popleft().answer
        if not answer.done():
            answer.set_result(Lost(reason, message, attempts))


async def _read(process: Process) -> bytes | None:
    """One frame; ``None``: the process closed its pipe, or speaks nonsense."""
    assert process.stdout is not None, "started with a pipe"
    try:
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        # No stage of ours says so much; a process that a page has taken over may, without end.
        return await process.stdout.readexactly(length) if length <= _MAX_FRAME_BYTES else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def kill(process: Process) -> None:
    """Kill a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _ended(process: Process) -> int:
    """Wait for the end of a process whose pipe is closed, which cannot take long; its code."""
    try:
        return await asyncio.wait_for(process.wait(), _CLOSE_S)
    except TimeoutError:
        kill(process)
        return await process.wait()


def _told(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
