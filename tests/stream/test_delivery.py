"""Delivery: acknowledged, retried, or refused; never dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
)

from schemas.errors import Reason
from stream import delivery
from stream.delivery import Deliverer, DeliveryStoppedError, back_off_s
from tests.stream.fakes import FakeProducer, deliverer, out


async def test_all_are_acknowledged_in_order() -> None:
    producer = FakeProducer()
    sender = deliverer(producer)
    assert await sender.deliver([out(b"1"), out(b"2")]) == []
    assert [value for _, value in producer.acked] == [b"1", b"2"]
    await sender.stop()
    assert producer.is_stopped


async def test_trouble_is_retried_until_it_ends() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return NotLeaderForPartitionError() if attempt < 4 else None

    producer = FakeProducer(errors)
    assert await deliverer(producer).deliver([out(b"1")]) == []
    assert len(producer.sent) == 4


async def test_a_retry_keeps_the_order_of_its_key_and_repeats_nothing_else() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return KafkaTimeoutError() if value == b"a1" and attempt == 1 else None

    producer = FakeProducer(errors)
    outs = [out(b"b1", key=b"b"), out(b"a1", key=b"a"), out(b"a2", key=b"a"), out(b"b2", key=b"b")]
    await deliverer(producer).deliver(outs)
    acked = [value for _, value in producer.acked]
    assert acked == [b"b1", b"a2", b"b2", b"a1", b"a2"]


async def test_what_is_too_large_comes_back_and_its_neighbours_go_out() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return MessageSizeTooLargeError() if value == b"big" else None

    producer = FakeProducer(errors)
    (refused,) = await deliverer(producer).deliver([out(b"1"), out(b"big"), out(b"2")])
    assert (refused.index, refused.reason) == (1, Reason.TOO_LARGE)
    assert [value for _, value in producer.acked] == [b"1", b"2"]


@pytest.mark.parametrize("error", [MessageSizeTooLargeError, InvalidTimestampError])
async def test_a_record_refused_only_in_company_is_sent_alone(error: type[KafkaError]) -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return error() if attempt == 1 else None

    producer = FakeProducer(errors)
    assert await deliverer(producer).deliver([out(b"1"), out(b"2")]) == []


async def test_a_time_that_the_broker_forbids_is_refused() -> None:
    producer = FakeProducer(lambda *_: InvalidTimestampError())
    (refused,) = await deliverer(producer).deliver([out()])
    assert refused.reason is Reason.STEP_FAILED


async def test_a_stop_ends_the_retries_only_after_the_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "STOP_GRACE_S", 0.05)
    producer = FakeProducer(lambda *_: KafkaTimeoutError())
    with pytest.raises(DeliveryStoppedError, match="1 records unsent"):
        await deliverer(producer, should_stop=lambda: True).deliver([out()])
    assert len(producer.sent) > 1


async def test_what_the_broker_refused_ends_its_producer() -> None:
    """An idempotent one has counted the refused record as sent: all after it would be refused."""

    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return InvalidTimestampError() if value == b"old" else None

    made: list[FakeProducer] = []

    def make() -> FakeProducer:
        made.append(FakeProducer(errors))
        return made[-1]

    sender = Deliverer(make, delay_s=lambda _: 0.0)
    (refused,) = await sender.deliver([out(b"old"), out(b"1", key=b"other")])
    assert refused.index == 0
    assert await sender.deliver([out(b"2")]) == []
    assert [each.is_stopped for each in made] == [True, True, False], "in company, alone, after"


async def test_a_long_wait_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "_STEP_S", 0.01)
    monkeypatch.setattr(delivery, "WAITING_S", 0.03)

    class Slow(FakeProducer):
        async def send(self, *args: Any, **named: Any) -> asyncio.Future[object]:
            answer = await super().send(*args, **named)
            await asyncio.sleep(0.2)
            return answer

    assert await deliverer(Slow()).deliver([out()]) == []
    assert "delivery.waiting" in caplog.messages


async def test_a_bug_is_not_taken_for_trouble() -> None:
    class Broken(FakeProducer):
        async def send(self, *args: object, **named: object) -> object:  # type: ignore[override]
            raise TypeError("bug")

    with pytest.raises(TypeError, match="bug"):
        await deliverer(Broken()).deliver([out()])


async def test_a_heartbeat_may_be_lost() -> None:
    lost = FakeProducer(lambda *_: KafkaTimeoutError())
    assert not await deliverer(lost).try_once(out())
    assert len(lost.sent) == 1
    stopped = deliverer(FakeProducer())
    await stopped.stop()
    assert not await stopped.try_once(out())


def test_back_off_grows_to_its_cap() -> None:
    assert 0.1 <= back_off_s(1) <= 0.2
    assert 15 <= back_off_s(50) <= 30


class Producers:
    """Makes broken producers first, then good ones."""

    def __init__(self, error: KafkaError, broken: int = 1) -> None:
        self.made: list[FakeProducer] = []
        self._error = error
        self._broken = broken

    def make(self) -> FakeProducer:
        is_broken = len(self.made) < self._broken
        self.made.append(FakeProducer(lambda *_: self._error if is_broken else None))
        return self.made[-1]


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (KafkaError("Unexpected error during batch delivery"), 1),
        (KafkaTimeoutError(), delivery.TRIES_PER_PRODUCER),
        (OutOfOrderSequenceNumber(), 1),
        (ProducerClosed(), 1),
    ],
)
async def test_a_producer_that_will_not_recover_is_replaced(error: KafkaError, tries: int) -> None:
    producers = Producers(error)
    sender = Deliverer(producers.make, delay_s=lambda _: 0.0)
    assert await sender.deliver([out(b"1")]) == []
    broken, good = producers.made
    assert (len(broken.sent), broken.is_stopped) == (tries, True)
    assert good.acked == [(out().topic.name, b"1")]


async def test_a_producer_that_does_not_close_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Endless(FakeProducer):
        async def stop(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(delivery, "CLOSE_S", 0.05)
    sender = deliverer(Endless())
    await sender.deliver([out()])
    await asyncio.wait_for(sender.stop(), 5)


async def test_a_frozen_broker_keeps_a_stopping_worker_only_for_the_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Frozen(FakeProducer):
        async def send(self, *args: object, **named: object) -> asyncio.Future[object]:
            return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(delivery, "STOP_GRACE_S", 0.05)
    monkeypatch.setattr(delivery, "_STEP_S", 0.02)
    sender = deliverer(Frozen(), should_stop=lambda: True)
    with pytest.raises(DeliveryStoppedError, match="1 records not acknowledged"):
        await asyncio.wait_for(sender.deliver([out()]), 5)
