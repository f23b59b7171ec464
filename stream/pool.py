"""A pool of processes that can be killed: requests in, replies out, in order within a process.

Each process is one interpreter running ``stream/poolchild.py``, reached by two pipes on the event
loop: no threads, no locks that a killed process could take with it. A request that takes too long
costs its process, and only this request: those behind it go to the next process. A process that
ends by itself costs the request it was at a second try, alone at the head of a fresh process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from schemas.errors import PoolError
from stream.config import LogConfig, PoolConfig
from stream.slot import Answer, Slot, Work
from stream.stage import Stage
from stream.wire import answer

log = logging.getLogger(__name__)

DEPTH = 4
"""Requests on the way to one process: the next is there before it asks."""


class Processor(Protocol):
    """What answers requests: a pool, or a thread in its place."""

    @property
    def has_room(self) -> bool:
        """Whether one more request would be sent at once."""

    def submit(self, request: bytes) -> Answer:
        """Send one; never more than there is room for."""

    async def stop(self) -> None:
        """End; what is not answered never will be."""


class Pool:
    """``config.processes`` processes for one stage."""

    def __init__(self, work: Work, config: PoolConfig, logging_as: LogConfig | None = None) -> None:
        """Prepare; nothing runs yet.

        Args:
            work: What to load in each process.
            config: How many processes and their limits.
            logging_as: Format and level of what they log; ``None``: the defaults.
        """
        self._work = work
        self._config = config
        self._logging_as = logging_as or LogConfig()
        self._slots: list[Slot] = []
        self._running: list[asyncio.Task[None]] = []
        self.failure: asyncio.Future[PoolError] | None = None

    async def start(self) -> dict[str, str]:
        """Start all processes and wait until each has loaded what it needs.

        Returns:
            The versions that the stage states.

        Raises:
            PoolError: They cannot start; says what to look at.
        """
        started_s = time.monotonic()
        self.failure = asyncio.get_running_loop().create_future()
        for _ in range(self._config.processes):
            slot = Slot(self._work, self._config, self._logging_as)
            self._slots.append(slot)
            task = asyncio.ensure_future(slot.run())
            task.add_done_callback(self._on_end)
            self._running.append(task)
        waiting: set[asyncio.Future[Any]] = {slot.ready for slot in self._slots}
        while waiting and not self.failure.done():
            waiting.add(self.failure)
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting = {slot.ready for slot in self._slots if not slot.ready.done()}
        if self.failure.done():
            await self.stop()
            raise self.failure.result()
        took_s = round(time.monotonic() - started_s, 2)
        log.info("pool.ready", extra={"processes": len(self._slots), "took_s": took_s})
        return self._slots[0].ready.result()

    @property
    def has_room(self) -> bool:
        """Whether one more request would be sent at once."""
        return any(slot.load < DEPTH for slot in self._slots)

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [slot.process.pid for slot in self._slots if slot.process is not None]

    def submit(self, request: bytes) -> Answer:
        """Send a request to the process with the least to do.

        Returns:
            Ends with the reply, with :class:`Lost`, or with :class:`~schemas.errors.PoolError`.
        """
        answer = min(self._slots, key=lambda slot: slot.load).submit(request)
        if self.failure is not None and self.failure.done():
            answer.set_exception(self.failure.result())
        return answer

    async def stop(self) -> None:
        """End all processes, those that are busy by force; requests in them get no answer."""
        for task in self._running:
            task.remove_done_callback(self._on_end)
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*(slot.close() for slot in self._slots))

    def _on_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None or self.failure is None or self.failure.done():
            return
        cause = error if isinstance(error, PoolError) else PoolError(f"the pool broke: {error!r}")
        self.failure.set_result(cause)
        for slot in self._slots:
            slot.fail(cause)


class Inline:
    """A thread of this process in place of a pool: no limits, no kill switch."""

    def __init__(self, stage: Stage) -> None:
        """Prepare for one stage."""
        self._stage = stage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stage")
        self._load = 0

    @property
    def has_room(self) -> bool:
        """Whether one more request would be sent at once."""
        return self._load < DEPTH

    def submit(self, request: bytes) -> Answer:
        """Run the stage on a request."""
        self._load += 1
        task: Answer = asyncio.ensure_future(self._run(request))
        return task

    async def _run(self, request: bytes) -> bytes:
        try:
            loop = asyncio.get_running_loop()
            reply, _ = await loop.run_in_executor(self._thread, answer, self._stage, request)
            return reply
        finally:
            self._load -= 1

    async def stop(self) -> None:
        """Let the thread end with what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)
