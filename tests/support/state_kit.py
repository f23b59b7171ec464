"""State in tests: a changelog in memory, a clock to turn, and a state over both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.state import HOSTS, POLLS, ChangelogTopic, FeedPollState, HostBudget
from schemas.topics import ENTRIES, Topic
from stream.changelog import Bounds, Change, Logged, Place
from stream.seenwindow import SEEN_TABLE
from stream.state import State
from stream.statetables import TableSpec

POLLS_TABLE = TableSpec(POLLS, FeedPollState)
HOSTS_TABLE = TableSpec(HOSTS, HostBudget)
PARTITIONS_OF_TESTS = 4
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


class MemoryChangelog:
    """What Kafka would hold.

    Attributes:
        error: Raised by the next append, once.
        on_chunk: Called before the first chunk is handed out, once.
    """

    def __init__(self) -> None:
        self.logs: dict[Place, list[Change | None]] = {}
        self.error: Exception | None = None
        self.on_chunk: Callable[[], object] | None = None
        self.records_read = 0

    async def append(self, changes: Sequence[Change]) -> list[int]:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return [self.write(change) for change in changes]

    def write(self, change: Change) -> int:
        """Append one change, as another worker would; returns its offset."""
        log = self.logs.setdefault(change.place, [])
        log.append(change)
        return len(log) - 1

    async def bounds(self, places: Sequence[Place]) -> dict[Place, Bounds]:
        return {place: Bounds(0, len(self.logs.get(place, []))) for place in places}

    async def read(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> AsyncIterator[list[Logged]]:
        for place, end in ends.items():
            log = self.logs.get(place, [])
            chunk = [
                (offset, change)
                for offset in range(starts[place], end)
                if (change := log[offset]) is not None
            ]
            self.records_read += len(chunk)
            for start in range(0, len(chunk), 3):
                if self.on_chunk is not None:
                    on_chunk, self.on_chunk = self.on_chunk, None
                    on_chunk()
                    await asyncio.sleep(0)
                yield chunk[start : start + 3]

    def compact(self, place: Place) -> None:
        """Keep the last value of each key, and no tombstone but the newest record."""
        log = self.logs[place]
        last = {change.key: offset for offset, change in enumerate(log) if change is not None}
        for offset, change in enumerate(log[:-1]):
            if change is not None and (last[change.key] != offset or change.value is None):
                log[offset] = None

    def live(self, place: Place) -> dict[bytes, bytes]:
        """The values that a reader from the beginning ends with."""
        found: dict[bytes, bytes | None] = {}
        for change in self.logs.get(place, []):
            if change is not None:
                found[change.key] = change.value
        return {key: value for key, value in found.items() if value is not None}

    async def stop_reading(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **step: float) -> None:
        self.now += timedelta(**step)


class Setup:
    """A folder, a changelog and a clock that outlive any number of states."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changelog = MemoryChangelog()
        self.clock = Clock()

    def state(self) -> State:
        """A new process's state."""
        return State(
            [POLLS_TABLE, HOSTS_TABLE, SEEN_TABLE],
            folder=self.folder,
            changelog=self.changelog,
            clock=self.clock,
            lock_wait_s=0.3,
        )

    async def ready(self, *partitions: int) -> State:
        """A state that owns these partitions (none named: 0)."""
        state = self.state()
        await state.own(partitions or (0,))
        return state


def poll(feed: str, failures: int = 0) -> FeedPollState:
    return FeedPollState(feed_id=feed, next_poll_at=NOW, failures=failures)


async def put(state: State, key: bytes, failures: int, partition: int = 0) -> None:
    state.table(POLLS_TABLE).put(partition, key, poll("f", failures))
    await state.commit()


def failures(state: State, key: bytes, partition: int = 0) -> int | None:
    value = state.table(POLLS_TABLE).get(partition, key)
    return None if value is None else value.failures


def asides(setup: Setup) -> list[Path]:
    return sorted(setup.folder.glob("p00000.aside-*"))


async def reopened(setup: Setup, state: State) -> State:
    await state.close()
    return await setup.ready()


def state_topics(prefix: str) -> tuple[Topic, ChangelogTopic]:
    """A source and a changelog of a test's own."""
    source = replace(ENTRIES, name=f"{prefix}.in", partitions=PARTITIONS_OF_TESTS)
    return source, replace(POLLS, name=f"{prefix}.polls", partitions=PARTITIONS_OF_TESTS)
