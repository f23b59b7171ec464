"""Replay: page files as if they arrived live, at a chosen pace. Clock and sleep are parameters."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.files import STDIN, find_files
from connectors.readers import PageRead, Reader, ReadResult
from schemas.errors import InputError

_RATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|m|min|h|hour))?\s*$", re.IGNORECASE)
CATCH_UP_S = 0.05
"""How far a page may come late and still be made up for: sleeps overshoot by some milliseconds.
A longer pause (a silent pipe) shifts all that follows instead of ending in a burst."""

_UNIT_S = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast pages go out; the slower of the two bounds wins.

    Attributes:
        rate_per_s: At most so many pages a second; ``None``: no bound.
        speedup: Original spacing divided by this; ``None``: the spacing is ignored.
        is_loop: Start again at the end, for ever.
    """

    rate_per_s: float | None = None
    speedup: float | None = None
    is_loop: bool = False


class Schedule:
    """When each page is due. Pure: no clock.

    Pages without a time of their own, and pages older than the one before, are due at once.
    """

    def __init__(self, pace: Pace) -> None:
        """Start; the first page is due at 0 s."""
        self._pace = pace
        self._is_first = True
        self._round_s = 0.0
        self._first_at: datetime | None = None
        self._due_s = 0.0

    def next_round(self) -> None:
        """The same pages come again: their spacing starts anew, the rate goes on."""
        self._round_s = self._due_s
        self._first_at = None

    def due_s(self, original_at: datetime | None, now_s: float = 0.0) -> float:
        """Seconds after the start at which the next page is due.

        Args:
            original_at: When that page was first seen or published, aware; ``None``: unknown.
            now_s: Seconds since the start; a page that comes late starts the rate anew.
        """
        if self._pace.rate_per_s is not None and not self._is_first:
            next_s = self._due_s + 1 / self._pace.rate_per_s
            self._due_s = max(next_s, now_s - CATCH_UP_S)
        if self._pace.speedup is not None and original_at is not None:
            self._first_at = self._first_at or original_at
            offset_s = (original_at - self._first_at).total_seconds() / self._pace.speedup
            self._due_s = max(self._due_s, self._round_s + offset_s)
        self._is_first = False
        return self._due_s


def parse_rate(text: str) -> float:
    """Pages a second from ``50/s``, ``50``, ``600/m`` or ``3600/h``.

    Raises:
        InputError: If it is none of these, or 0.
    """
    match = _RATE.match(text)
    rate = float(match[1]) / _UNIT_S[(match[2] or "s").lower()] if match else 0.0
    if not rate:
        raise InputError(f"{text!r} is no rate; write e.g. 50/s, 600/m or 3600/h")
    return rate


@dataclass(frozen=True, slots=True)
class ReplayConnector:
    """Page files as a connector.

    Attributes:
        paths: Files, folders or ``-``.
        reader: How to read them.
        pace: How fast.
        monotonic_s: A clock that only goes forward, seconds.
        sleep_s: Waits so many seconds.
    """

    paths: Sequence[str]
    reader: Reader
    pace: Pace
    monotonic_s: Callable[[], float]
    sleep_s: Callable[[float], Awaitable[None]]
    name: str = "replay"

    async def poll(self) -> AsyncGenerator[ReadResult, None]:
        """Pages when they are due, failures and notes as they come.

        Ends after one round unless the pace loops; a round without a single page ends it too.

        Raises:
            InputError: If standard input is to be looped over: it can be read only once.
        """
        if self.pace.is_loop and STDIN in self.paths:
            raise InputError("standard input can be read only once: no --loop with `-`")
        schedule, start_s = Schedule(self.pace), self.monotonic_s()
        while True:
            pages = 0
            results = self.reader.read(find_files(self.paths))
            # In a thread: standard input may be silent for hours, a large file takes a moment.
            while (result := await asyncio.to_thread(next, results, None)) is not None:
                if isinstance(result, PageRead):
                    pages += 1
                    now_s = self.monotonic_s() - start_s
                    await self._wait(start_s + schedule.due_s(result.original_at, now_s))
                yield result
            if not self.pace.is_loop or not pages:
                return
            schedule.next_round()

    async def _wait(self, due_s: float) -> None:
        """Sleep until then; always gives the loop a turn."""
        await self.sleep_s(max(0.0, due_s - self.monotonic_s()))
