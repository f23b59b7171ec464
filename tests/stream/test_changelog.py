"""The changelog's writer: what fails is sent again, and only that, until the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
)

from schemas.errors import StateError
from stream import changelog
from stream.changelog import Change, KafkaChangelog, Place
from stream.config import KafkaConfig
from stream.delivery import DeliveryStoppedError

PLACE = Place("t", 0)


class FakeProducer:
    """Acknowledges, or fails as ``errors`` says, one entry for each send."""

    def __init__(self, errors: Sequence[KafkaError | None]) -> None:
        self.errors = list(errors)
        self.log: list[bytes] = []
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1

    async def stop(self) -> None:
        """Nothing to do."""

    async def send(
        self, topic: str, value: bytes | None, *, key: bytes, partition: int
    ) -> asyncio.Future[object]:
        assert (topic, partition, value) == ("t", 0, b"v")
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        error = self.errors.pop(0) if self.errors else None
        if error is None:
            self.log.append(key)
            answer.set_result(SimpleNamespace(offset=len(self.log) - 1))
        else:
            answer.set_exception(error)
        return answer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "back_off_s", lambda _attempt: 0.001)
    monkeypatch.setattr(changelog, "_STEP_S", 0.001)
    monkeypatch.setattr(changelog, "STOP_GRACE_S", 0.003)


def log_over(
    monkeypatch: pytest.MonkeyPatch, producer: FakeProducer, *, is_stopping: bool = False
) -> KafkaChangelog:
    monkeypatch.setattr(changelog, "new_producer", lambda *_, **__: producer)
    return KafkaChangelog(KafkaConfig(), client_id="x", should_stop=lambda: is_stopping)


def changes(*keys: bytes) -> list[Change]:
    return [Change(PLACE, key, b"v") for key in keys]


async def test_each_change_gets_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_over(monkeypatch, FakeProducer([]))
    assert await log.append(changes(b"a", b"b")) == [0, 1]
    assert await log.append(changes(b"c")) == [2]
    await log.stop()


async def test_only_what_failed_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = NotLeaderForPartitionError()
    producer = FakeProducer([None, away, None, TopicAuthorizationFailedError()])
    log = log_over(monkeypatch, producer)
    assert await log.append(changes(b"a", b"b", b"c")) == [0, 2, 1]
    assert producer.log == [b"a", b"c", b"b"]
    await log.stop()


async def test_a_producer_that_goes_on_failing_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    producer = FakeProducer([NotLeaderForPartitionError()] * 6)
    log = log_over(monkeypatch, producer)
    assert await log.append(changes(b"a")) == [0]
    assert producer.starts == 2
    await log.stop()


async def test_a_record_too_large_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_over(monkeypatch, FakeProducer([MessageSizeTooLargeError()]))
    with pytest.raises(StateError, match="too large for its topic"):
        await log.append(changes(b"a"))
    await log.stop()


async def test_a_stopping_process_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = FakeProducer([NotLeaderForPartitionError()] * 1000)
    log = log_over(monkeypatch, producer, is_stopping=True)
    with pytest.raises(DeliveryStoppedError, match="1 state records unsent"):
        await log.append(changes(b"a"))
    await log.stop()
