from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from schemas.errors import InputError
from schemas.topics import ALL, DEAD_LETTERS, ENRICHED
from stream import tail as module
from stream.config import KafkaConfig
from stream.tail import TailOptions, parse_since, short_name, topic_named

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("2h", timedelta(hours=2)),
        ("30m", timedelta(minutes=30)),
        ("10s", timedelta(seconds=10)),
        ("3 D", timedelta(days=3)),
        ("1.5h", timedelta(minutes=90)),
    ],
)
def test_since_so_long_ago(text: str, age: timedelta) -> None:
    assert parse_since(text, NOW) == NOW - age


def test_since_a_moment() -> None:
    assert parse_since("2026-01-31T08:00:00+01:00", NOW) == NOW - timedelta(hours=1)
    assert parse_since("2026-01-31T08:00:00Z", NOW) == NOW


@pytest.mark.parametrize("text", ["", "yesterday", "2", "2w", "2026-01-31", "9999999999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InputError, match=r"is no time|is too long ago"):
        parse_since(text, NOW)


def test_short_names_are_unique_and_found() -> None:
    names = [short_name(topic) for topic in ALL]
    assert len(set(names)) == len(ALL)
    assert [topic_named(name) for name in names] == list(ALL)
    assert topic_named("enriched") is ENRICHED
    assert topic_named("nashra.dead-letters.v1") is DEAD_LETTERS


def test_an_unknown_topic_lists_the_names() -> None:
    with pytest.raises(InputError, match=r"no topic 'enrich'; there are feeds, .*enriched"):
        topic_named("enrich")


class SlowConsumer:
    """A broker that holds three records and is silent for so many polls before the last."""

    def __init__(self, silence: int) -> None:
        self.place = TopicPartition("t", 0)
        self.polls = [{self.place: [record(0), record(1)]}, *[{}] * silence]
        self.polls.append({self.place: [record(2)]})
        self.at = 0

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[SimpleNamespace]]:
        given = self.polls.pop(0) if self.polls else {}
        self.at += sum(map(len, given.values()))
        return given

    def assignment(self) -> set[TopicPartition]:
        return {self.place}

    async def end_offsets(self, places: object) -> dict[TopicPartition, int]:
        return {self.place: 3}

    async def position(self, place: object) -> int:
        return self.at


def record(offset: int) -> SimpleNamespace:
    where = {"topic": "t", "partition": 0, "offset": offset, "timestamp": offset}
    return SimpleNamespace(key=b"k", value=b"v", headers=(), **where)


async def test_a_slow_broker_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def one_partition(*_: object) -> list[int]:
        return [0]

    @asynccontextmanager
    async def slow_reader(*_: object) -> AsyncGenerator[SlowConsumer, None]:
        yield SlowConsumer(module.IDLE_POLLS * 2)

    monkeypatch.setattr(module, "partitions_of", one_partition)
    monkeypatch.setattr(module, "_reader", slow_reader)
    found = [each.offset async for each in module.tail(KafkaConfig(), ENRICHED, TailOptions())]
    assert found == [0, 1, 2]
