"""Lanes: messages of one key one after another, those of other keys side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stream.stage import Message

LaneKey = tuple[int, bytes | None, int]
"""Partition and key; a message without a key has a lane of its own, so its offset counts too."""


@dataclass(slots=True, eq=False)
class Entry:
    """A message on its way through the worker.

    Attributes:
        message: What came in.
        token: What the engine needs to acknowledge it.
        failures: Tries that failed and may work later.
        first_failed_s: Loop time of the first of them.
        is_in_work: It was handed out and is neither done nor held.
        is_dropped: Its partition was revoked: nothing may be sent for it any more.
    """

    message: Message
    token: object
    failures: int = 0
    first_failed_s: float = 0.0
    is_in_work: bool = False
    is_dropped: bool = False
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def size_bytes(self) -> int:
        """About what it takes of memory."""
        return len(self.message.value or b"")

    @property
    def lane(self) -> LaneKey:
        """Where it waits."""
        message = self.message
        offset = message.offset if message.key is None else -1
        return message.partition, message.key, offset


class Lanes:
    """What waits, what may go next, and how much there is of it."""

    def __init__(self, on_ready: Callable[[], None]) -> None:
        """Start empty.

        Args:
            on_ready: Called when a held message may go again.
        """
        self._on_ready = on_ready
        self._lanes: dict[LaneKey, deque[Entry]] = {}
        self._ready: deque[Entry] = deque()
        self.size_bytes = 0
        self.count = 0

    def add(self, entry: Entry) -> None:
        """Put a message behind those of its key."""
        self.count += 1
        self.size_bytes += entry.size_bytes
        lane = self._lanes.setdefault(entry.lane, deque())
        lane.append(entry)
        if len(lane) == 1:
            self._ready.append(entry)

    def next(self) -> Entry | None:
        """Hand out a message; its followers wait until :meth:`finish`. ``None``: none is ready."""
        if not self._ready:
            return None
        entry = self._ready.popleft()
        entry.is_in_work = True
        return entry

    def finish(self, entry: Entry) -> None:
        """Let the next of its key go. One that was dropped is no longer here."""
        lane = self._lanes.get(entry.lane)
        if lane is None or lane[0] is not entry:
            return
        entry.is_in_work = False
        lane.popleft()
        self._leave(entry)
        if lane:
            self._ready.append(lane[0])
        else:
            del self._lanes[entry.lane]

    def hold(self, entry: Entry, delay_s: float) -> None:
        """Let a message go again after a while; its followers wait behind it."""
        entry.is_in_work = False
        loop = asyncio.get_running_loop()
        entry.timer = loop.call_later(delay_s, self._again, entry)

    def take_back(self) -> list[Entry]:
        """Remove and return all that is not in work: waiting ones and held ones."""
        return self._remove(lambda entry: not entry.is_in_work)

    def drop(self, partitions: Iterable[int]) -> None:
        """Remove all of some partitions; what is in work of them is marked as dropped."""
        gone = frozenset(partitions)
        for entry in self._remove(lambda entry: entry.message.partition in gone):
            entry.is_dropped = True

    def _again(self, entry: Entry) -> None:
        entry.timer = None
        self._ready.append(entry)
        self._on_ready()

    def _remove(self, is_wanted: Callable[[Entry], bool]) -> list[Entry]:
        removed: list[Entry] = []
        for key, lane in list(self._lanes.items()):
            kept = deque(entry for entry in lane if not is_wanted(entry))
            removed += (entry for entry in lane if is_wanted(entry))
            if kept:
                self._lanes[key] = kept
            else:
                del self._lanes[key]
        gone = {id(entry) for entry in removed}
        self._ready = deque(entry for entry in self._ready if id(entry) not in gone)
        for entry in removed:
            self._leave(entry)
        return removed

    def _leave(self, entry: Entry) -> None:
        self.count -= 1
        self.size_bytes -= entry.size_bytes
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
