"""Child processes kept alive: started, restarted with back-off, stopped together.

For a laptop and the demo; in a cluster the orchestrator does this. The children die with us, even
on ``kill -9`` (Linux).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from stream.children import dies_with_parent

log = logging.getLogger(__name__)

STOP_GRACE_S = 30.0
HEALTHY_AFTER_S = 60.0
MAX_BACK_OFF_S = 30.0
_POLL_S = 0.5
_MAX_LINE_BYTES = 1024 * 1024

State = Literal["waiting", "running", "stopped"]
Emit = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One child to keep alive.

    Attributes:
        name: Prefix of its output lines, e.g. ``cleaner-1``.
        argv: Program and arguments.
        env: Its whole environment; ``None``: ours.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a child is.

    Attributes:
        name: Name of its command.
        state: ``waiting``: it ended and will be started again.
        pid: Process id; ``None`` unless running.
        restarts: How often it was started again.
        exit_code: Of its last end, -9 for a kill -9; ``None``: it never ended.
    """

    name: str
    state: State
    pid: int | None
    restarts: int
    exit_code: int | None


def worker_commands(roles: Mapping[str, int], options: Sequence[str] = ()) -> list[Command]:
    """Commands that run workers with this Python.

    Args:
        roles: Role to number of processes.
        options: Options for ``nashra worker ROLE``.
    """
    return [
        Command(
            name=role if count == 1 else f"{role}-{number}",
            argv=(sys.executable, "-m", "stream", "worker", role, *options),
        )
        for role, count in roles.items()
        for number in range(1, count + 1)
    ]


class Supervisor:
    """Keeps commands running from :meth:`start` to :meth:`stop`. Use it on the main thread."""

    def __init__(self, commands: Sequence[Command], emit: Emit | None = None) -> None:
        """Prepare.

        Args:
            commands: What to run.
            emit: Gets the command's name and each line of its output; ``None``: print both.
        """
        self._children = [_Child(command, emit or _print_line) for command in commands]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all; returns when each process runs (not when it has joined its group)."""
        self._tasks = [asyncio.create_task(child.keep_alive()) for child in self._children]
        await asyncio.gather(*(child.first_start.wait() for child in self._children))

    async def stop(self) -> None:
        """Ask all to stop (SIGTERM), wait 30 s, kill what is left; safe to call twice."""
        await asyncio.gather(*(child.stop() for child in self._children))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def status(self) -> list[Status]:
        """How each child is, in the order of the commands."""
        return [child.status() for child in self._children]

    async def run(self, is_needed: Callable[[], bool] = lambda: True) -> int:
        """Keep all running until SIGTERM or SIGINT (returns 0).

        Args:
            is_needed: Asked twice a second; ``False`` (the broker has died, say) ends all and
                returns 1.
        """
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked.set)
        try:
            async with self:
                while not asked.is_set() and is_needed():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(asked.wait(), _POLL_S)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return 0 if asked.is_set() else 1

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


def restart_delay_s(fast_ends: int) -> float:
    """Seconds before the next start: 1, 2, 4 ... 30 for each end in a row that came early."""
    return float(min(MAX_BACK_OFF_S, 2 ** max(0, fast_ends - 1)))


class _Child:
    """One command and its process."""

    def __init__(self, command: Command, emit: Emit) -> None:
        self.command = command
        self.first_start = asyncio.Event()
        self._emit = emit
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._spawning = asyncio.Lock()
        self._starts = 0
        self._exit_code: int | None = None

    def status(self) -> Status:
        """How it is now."""
        process = self._process
        state: State = "running" if process else "stopped" if self._stopping.is_set() else "waiting"
        return Status(
            name=self.command.name,
            state=state,
            pid=process.pid if process else None,
            restarts=max(0, self._starts - 1),
            exit_code=self._exit_code,
        )

    async def keep_alive(self) -> None:
        """Run the command again and again until asked to stop."""
        fast_ends = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            await self._run_once()
            if self._stopping.is_set():
                return
            lasted_s = time.monotonic() - started
            fast_ends = 1 if lasted_s >= HEALTHY_AFTER_S else fast_ends + 1
            delay_s = restart_delay_s(fast_ends)
            log.warning(
                "child.ended",
                extra={"child": self.command.name, "code": self._exit_code, "again_in_s": delay_s},
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def stop(self) -> None:
        """SIGTERM, patience, SIGKILL."""
        self._stopping.set()
        async with self._spawning:  # one that is just being born has to be stopped as well
            process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        except TimeoutError:
            log.warning("child.killed", extra={"child": self.command.name})
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _run_once(self) -> None:
        async with self._spawning:
            process = self._process = await self._spawn()
        self.first_start.set()
        if process is None:
            return
        try:
            await self._forward(process)
            self._exit_code = await process.wait()
        finally:
            self._process = None

    async def _spawn(self) -> asyncio.subprocess.Process | None:
        """Start the process; ``None``: it cannot be started, or nobody wants it any more."""
        if self._stopping.is_set():
            return None
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command.argv,
                env=self.command.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_MAX_LINE_BYTES,
                preexec_fn=dies_with_parent(),
                start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
            )
        except OSError as error:
            self._emit(self.command.name, f"cannot be started: {error}")
            self._exit_code = 127
            return None
        self._starts += 1
        return process

    async def _forward(self, process: asyncio.subprocess.Process) -> None:
        """Pass its output on, line by line, to the end."""
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue  # a line longer than the limit: dropped
            if not line:
                return
            self._emit(self.command.name, line.decode("utf-8", "replace").rstrip("\n"))


def _print_line(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<10} | {line}\n")
    sys.stdout.flush()
