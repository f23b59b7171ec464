"""Ctrl-C as a wish to finish: what is in flight is completed, nothing new is begun."""

from __future__ import annotations

import asyncio
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

_POLL_S = 0.2


class Stop:
    """A request to stop; make it on the loop that waits for it."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self.is_asked = False
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def ask(self) -> None:
        """Ask; may be called from a signal handler or another thread."""
        self.is_asked = True
        self._loop.call_soon_threadsafe(self._event.set)

    async def sleep(self, seconds: float) -> None:
        """Sleep so long, or until somebody asks to stop."""
        if seconds <= 0 or self.is_asked:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return

    async def wait(self) -> None:
        """Wait until somebody asks."""
        await self._event.wait()

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """SIGINT and SIGTERM ask to stop; a second SIGINT ends the process at once.

        Plain handlers, not the loop's: they run even while the loop is busy.
        """

        def handle(number: int, _frame: object) -> None:
            if self.is_asked and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.ask()

        before = {number: signal.signal(number, handle) for number in (2, 15)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class LiveInput:
    """Standard input that ends when asked to stop, though no line comes (POSIX)."""

    def __init__(self, stream: BufferedReader, stop: Stop) -> None:
        """Read ``stream`` until its end or until ``stop`` is asked."""
        self._stream = stream
        self._stop = stop

    def read1(self, size: int) -> bytes:
        """What is there, as soon as something is there; ``b""`` at the end."""
        while not self._stop.is_asked:
            if select.select([self._stream], [], [], _POLL_S)[0]:
                return self._stream.read1(size)
        return b""
