"""The bounded memory of what was published."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stream.seen import Seen, Tail
from tests.stream.fakes import stage

DEDUP = stage(dedup=True).dedup
assert DEDUP is not None


class FakeTopic:
    """What stands on the output topic: partition and mark."""

    def __init__(self, *records: tuple[int, bytes | None]) -> None:
        self.records = records
        self.reads: list[frozenset[int]] = []
        self.error: Exception | None = None

    async def read(self, partitions: frozenset[int]) -> Tail:
        self.reads.append(partitions)
        for partition, mark in self.records:
            headers: Mapping[str, bytes] = {} if mark is None else {"m": mark}
            if partition in partitions:
                yield partition, headers
        if self.error:
            raise self.error


def seen(topic: FakeTopic, window: int = 3) -> Seen:
    assert DEDUP is not None
    return Seen(window, topic.read, DEDUP)


async def test_unknown_partitions_are_read_back_once_and_together() -> None:
    topic = FakeTopic((0, b"a"), (1, b"b"), (1, None), (2, b"c"))
    memory = seen(topic)
    await memory.load([0, 1])
    await memory.load([0, 1, 2])
    assert topic.reads == [{0, 1}, {2}]
    assert memory.has(0, b"a")
    assert memory.has(2, b"c")
    assert not memory.has(0, b"b"), "marks belong to their partition"


async def test_the_least_recent_goes_first() -> None:
    memory = seen(FakeTopic((0, b"a"), (0, b"b"), (0, b"c"), (0, b"a"), (0, b"d")))
    await memory.load([0])
    assert [memory.has(0, mark) for mark in (b"a", b"b", b"c", b"d")] == [True, False, True, True]


async def test_a_revoked_partition_is_read_again() -> None:
    topic = FakeTopic((0, b"a"))
    memory = seen(topic)
    await memory.load([0])
    memory.forget([0, 5])
    assert not memory.has(0, b"a")
    memory.add(0, b"late")
    await memory.load([0])
    assert memory.has(0, b"a"), "a late mark must not pass for a loaded partition"
    assert len(topic.reads) == 2


async def test_a_failed_read_leaves_nothing_half_known() -> None:
    topic = FakeTopic((0, b"a"))
    topic.error = OSError("broker away")
    memory = seen(topic)
    with pytest.raises(OSError, match="broker away"):
        await memory.load([0])
    topic.error = None
    await memory.load([0])
    assert memory.has(0, b"a")


async def test_a_window_of_none_remembers_nothing() -> None:
    topic = FakeTopic((0, b"a"))
    memory = seen(topic, window=0)
    await memory.load([0])
    memory.add(0, b"x")
    assert not memory.has(0, b"a")
    assert not memory.has(0, b"x")
    assert not topic.reads
