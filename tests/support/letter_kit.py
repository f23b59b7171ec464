"""A dead-letter topic in memory: letters in, requeues and settlements out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from schemas.errors import Reason
from schemas.topics import DEAD_LETTERS, Topic
from stream import letters, settle
from stream.config import KafkaConfig
from stream.deadletter import is_settlement, out_of
from stream.stage import Dead, Message
from stream.tail import TailOptions
from tests.stream.fakes import message, stage

FAILED_AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


class FakeTopic:
    """The dead-letter topic; what is sent elsewhere stands in ``others``.

    Attributes:
        records: All that lies on the topic, in the order of arrival.
        others: What was sent to other topics.
        error_of: Gives the error that a send's acknowledgement brings; ``None``: none.
    """

    def __init__(self) -> None:
        self.records: list[Message] = []
        self.others: list[Message] = []
        self.error_of: Callable[[Message], Exception | None] = lambda _: None

    def put(self, given: Message, dead: Dead | None = None, *, partition: int = 0) -> str:
        """Lay down the letter of a message, a minute after the last; returns its place."""
        dead = dead or Dead(Reason.UNDECODABLE, "no page", "decode")
        now = FAILED_AT + timedelta(minutes=len(self.records))
        out = out_of(stage(), given, dead, now=now)
        return self.put_raw(
            message(
                out.value, key=out.key, headers=dict(out.headers), timestamp_ms=out.timestamp_ms
            ),
            partition,
        )

    def put_raw(self, record: Message, partition: int = 0) -> str:
        """Lay down a record as it is; returns its place."""
        offset = sum(each.partition == partition for each in self.records)
        place = replace(record, topic=DEAD_LETTERS.name, partition=partition, offset=offset)
        self.records.append(place)
        return f"{partition}:{offset}"

    async def tail(
        self, _kafka: KafkaConfig, topic: Topic, options: TailOptions
    ) -> AsyncGenerator[Message, None]:
        assert topic is DEAD_LETTERS
        for record in list(self.records):
            at = letters.moment(record.timestamp_ms)
            is_since = options.since is None or (at is not None and at >= options.since)
            if is_since and (options.has_settlements or not is_settlement(record)):
                yield record

    @asynccontextmanager
    async def connected(
        self, _kafka: KafkaConfig, topics: Iterable[Topic] = ()
    ) -> AsyncIterator[FakeTopic]:
        del topics
        yield self

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> asyncio.Future[Any]:
        assert key is not None or value is not None, "aiokafka refuses such a record"
        record = message(
            value, key=key, headers=dict(headers or ()), topic=topic, timestamp_ms=timestamp_ms
        )
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        error = self.error_of(record)
        if error is not None:
            future.set_exception(error)
            return future
        if topic == DEAD_LETTERS.name:
            assert partition is not None, "a settlement lies beside its letter"
            self.put_raw(record, partition)
        else:
            self.others.append(record)
        future.set_result(None)
        return future


@pytest.fixture
def dead_letters(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    """A dead-letter topic in place of the broker's."""
    topic = FakeTopic()
    monkeypatch.setattr(letters, "tail", topic.tail)
    monkeypatch.setattr(settle, "connected", topic.connected)
    return topic


class BrokenError(KafkaError):  # type: ignore[misc]
    """The broker is gone."""
