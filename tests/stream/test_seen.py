"""The bounded memory of what was published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from stream import seen as module
from stream.config import KafkaConfig
from stream.seen import Seen, Tail, tail_reader
from stream.stage import Mark, timestamp_ms
from tests.stream.fakes import NOW, mark, stage

AT_MS = timestamp_ms(NOW)
DEDUP = stage(dedup=True).dedup
assert DEDUP is not None


class FakeTopic:
    """What stands on the output topic: partition and mark."""

    def __init__(self, *records: tuple[int, bytes | None]) -> None:
        self.records = records
        self.reads: list[frozenset[int]] = []
        self.error: Exception | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    async def read(self, partitions: frozenset[int]) -> Tail:
        self.reads.append(partitions)
        for partition, value in self.records:
            headers: Mapping[str, bytes] = {} if value is None else {"m": value}
            if partition in partitions:
                yield partition, headers, AT_MS
        self.meanwhile()
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
    assert memory.has(0, mark(b"a"))
    assert memory.has(2, mark(b"c"))
    assert not memory.has(0, mark(b"b")), "marks belong to their partition"


async def test_the_least_recent_goes_first() -> None:
    memory = seen(FakeTopic((0, b"a"), (0, b"b"), (0, b"c"), (0, b"a"), (0, b"d")))
    await memory.load([0])
    assert [memory.has(0, mark(each)) for each in (b"a", b"b", b"c", b"d")] == [
        True,
        False,
        True,
        True,
    ]


async def test_a_revoked_partition_is_read_again() -> None:
    topic = FakeTopic((0, b"a"))
    memory = seen(topic)
    await memory.load([0])
    memory.forget([0, 5])
    assert not memory.has(0, mark(b"a"))
    memory.add(0, mark(b"late"), AT_MS)
    await memory.load([0])
    assert memory.has(0, mark(b"a")), "a late mark must not pass for a loaded partition"
    assert len(topic.reads) == 2


async def test_only_the_last_of_an_article_is_known() -> None:
    memory = seen(FakeTopic((0, b"a=1"), (0, b"a=2")))
    await memory.load([0])
    assert [memory.has(0, mark(each)) for each in (b"a=1", b"a=2")] == [False, True]
    memory.add(0, mark(b"a=1"), AT_MS)
    assert [memory.has(0, mark(each)) for each in (b"a=1", b"a=2")] == [True, False]


async def test_a_partition_revoked_while_it_is_read_stays_unknown() -> None:
    topic = FakeTopic((0, b"a"), (1, b"b"))
    memory = seen(topic)
    topic.meanwhile = lambda: memory.forget([0])
    await memory.load([0, 1])
    topic.meanwhile = lambda: None
    assert not memory.has(0, mark(b"a"))
    assert memory.has(1, mark(b"b"))
    await memory.load([0, 1])
    assert topic.reads == [{0, 1}, {0}]
    assert memory.has(0, mark(b"a"))


class FakeReader:
    """A consumer of one partition, 10,000 records long, that gives one record a poll."""

    place = TopicPartition("t", 0)

    def __init__(self, end: int = 10_000) -> None:
        self.end = end
        self.at = 0

    async def end_offsets(self, places: object) -> dict[TopicPartition, int]:
        return {self.place: self.end}

    async def beginning_offsets(self, places: object) -> dict[TopicPartition, int]:
        return {self.place: 0}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def assign(self, places: object) -> None:
        pass

    def seek(self, place: object, offset: int) -> None:
        self.at = offset

    async def position(self, place: object) -> int:
        return self.at

    async def getmany(
        self, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[SimpleNamespace]]:
        if self.at >= self.end:
            return {}
        self.at += 1
        return {self.place: [SimpleNamespace(headers=[("m", b"a")], timestamp=AT_MS)]}


async def test_the_warm_up_reads_the_newest_and_ends_when_the_process_is_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "new_reader", lambda *_, **__: FakeReader())
    whole = [each async for each in tail_reader(KafkaConfig(), "t", 20_000)(frozenset([0]))]
    assert len(whole) == module.WARM_UP_RECORDS
    asked: list[None] = []

    def should_stop() -> bool:
        asked.append(None)
        return len(asked) == 3

    some = tail_reader(KafkaConfig(), "t", 20_000, should_stop)(frozenset([0]))
    assert len([each async for each in some]) == 3


async def test_a_reading_that_finds_all_at_once_lets_the_loop_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "new_reader", lambda *_, **__: FakeReader(end=50))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.ensure_future(turn())
    assert len([each async for each in tail_reader(KafkaConfig(), "t", 99)(frozenset([0]))]) == 50
    turning.cancel()
    assert turns >= 50


async def test_a_reading_waits_for_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(FakeReader):
        stopped = 0

        async def start(self) -> None:
            raise KafkaConnectionError

        async def stop(self) -> None:
            Away.stopped += 1

    readers = [Away(), Away(), FakeReader(end=4)]
    monkeypatch.setattr(module, "new_reader", lambda *_, **__: readers.pop(0))
    monkeypatch.setattr(module, "_AGAIN_S", 0.0)
    whole = [each async for each in tail_reader(KafkaConfig(), "t", 9)(frozenset([0]))]
    assert len(whole) == 4
    assert Away.stopped == 2, "what did not start is closed too"
    readers[:] = [Away()]
    assert [
        each async for each in tail_reader(KafkaConfig(), "t", 9, lambda: True)(frozenset([0]))
    ] == []


async def test_the_newest_revision_stays_known_when_an_older_one_follows() -> None:
    memory = seen(FakeTopic())
    await memory.load([0])
    for revision in (2, 3, 1):
        memory.add(0, Mark(b"a", b"%d" % revision, revision), AT_MS)
    assert memory.has(0, Mark(b"a", b"1")), "what was published last"
    assert [memory.is_outdated(0, Mark(b"a", b"", each)) for each in (2, 3, 4)] == [1, 0, 0]
    assert not memory.is_outdated(1, Mark(b"a", b"", 1)), "an unknown partition"
    memory.forget([0])
    assert not memory.is_outdated(0, Mark(b"a", b"", 1))


async def test_a_failed_read_leaves_nothing_half_known() -> None:
    topic = FakeTopic((0, b"a"))
    topic.error = OSError("broker away")
    memory = seen(topic)
    with pytest.raises(OSError, match="broker away"):
        await memory.load([0])
    topic.error = None
    await memory.load([0])
    assert memory.has(0, mark(b"a"))


async def test_a_window_of_none_remembers_nothing() -> None:
    topic = FakeTopic((0, b"a"))
    memory = seen(topic, window=0)
    await memory.load([0])
    memory.add(0, mark(b"x"), AT_MS)
    assert not memory.has(0, mark(b"a"))
    assert not memory.has(0, mark(b"x"))
    assert not topic.reads


async def test_what_is_older_than_the_window_is_forgotten() -> None:
    now = NOW

    def clock() -> datetime:
        return now

    assert DEDUP is not None
    memory = Seen(9, FakeTopic((0, b"old")).read, DEDUP, window_s=60.0, clock=clock)
    await memory.load([0])
    now = NOW + timedelta(seconds=59)
    memory.add(0, mark(b"new"), timestamp_ms(now))
    assert memory.has(0, mark(b"old"))
    now = NOW + timedelta(seconds=61)
    assert not memory.has(0, mark(b"old"))
    assert memory.digest_of(0, b"old") is None
    assert memory.has(0, mark(b"new"))


async def test_memory_gives_up_what_is_too_old_or_too_much() -> None:
    now = NOW

    def clock() -> datetime:
        return now

    assert DEDUP is not None
    memory = Seen(3, FakeTopic().read, DEDUP, window_s=60.0, clock=clock)
    await memory.load([0])
    for number in range(5):
        now += timedelta(seconds=1)
        memory.add(0, mark(b"%d" % number), timestamp_ms(now))
    assert memory.size == 3
    now += timedelta(seconds=70)
    memory.add(0, mark(b"last"), timestamp_ms(now))
    assert memory.size == 1
