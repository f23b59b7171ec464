"""In which order the records of a message go out."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.topics import CLEAN, DEAD_LETTERS, ENRICHED, LATEST
from stream.outbox import Outbox
from stream.stage import Dead, Dedup, Message, Out, Publish, Stage
from tests.stream.fakes import NOW, FakeProducer, deliverer, mark_of, message


def publish(given: Message) -> Publish:
    value = given.value
    return Publish(
        tuple(
            Out(topic=topic, key=given.key, value=value, timestamp_ms=1)
            for topic in (ENRICHED, LATEST)
        )
    )


STAGE = Stage(
    name="enricher",
    source=CLEAN,
    outputs=(ENRICHED, LATEST),
    fn=publish,
    dedup=Dedup(output=ENRICHED, mark=lambda _: None, mark_of=mark_of),
)


def outbox(producer: FakeProducer) -> Outbox:
    return Outbox(stage=STAGE, deliverer=deliverer(producer), clock=lambda: NOW)


class Held(FakeProducer):
    """Acknowledges nothing on the compacted topic until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def send(self, topic: str, *args: Any, **options: Any) -> asyncio.Future[object]:
        future = await super().send(topic, *args, **options)
        if topic == LATEST.name and not self.go.is_set():
            return asyncio.ensure_future(self.go.wait())
        return future


async def test_what_marks_a_message_as_done_goes_after_its_other_records() -> None:
    producer = Held()
    both = [message(b"a", key=b"a"), message(b"b", key=b"b")]
    sending = asyncio.ensure_future(outbox(producer).deliver(both, [publish(m) for m in both]))
    await asyncio.sleep(0.02)
    # Killed here, the next worker finds no mark of them and does both again.
    assert producer.sent == [(LATEST.name, b"a"), (LATEST.name, b"b")]
    producer.go.set()
    await sending
    assert producer.sent[2:] == [(ENRICHED.name, b"a"), (ENRICHED.name, b"b")]


async def test_a_message_with_a_refused_record_is_not_marked_as_done() -> None:
    class Refusing(FakeProducer):
        async def send(self, topic: str, *args: Any, **options: Any) -> asyncio.Future[object]:
            self.topic = topic
            return await super().send(topic, *args, **options)

    def errors(_: int, value: bytes | None) -> KafkaError | None:
        is_refused = value == b"big" and producer.topic == LATEST.name
        return MessageSizeTooLargeError() if is_refused else None

    producer = Refusing(errors)
    both = [message(b"big", key=b"a"), message(b"ok", key=b"b")]
    fates = await outbox(producer).deliver(both, [publish(m) for m in both])
    assert isinstance(fates[0], Dead)
    assert isinstance(fates[1], Publish)
    assert (ENRICHED.name, b"big") not in producer.sent
    assert producer.acked == [
        (LATEST.name, b"ok"),
        (ENRICHED.name, b"ok"),
        (DEAD_LETTERS.name, b"big"),
    ]
