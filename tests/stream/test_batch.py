"""One batch: every message gets one fate, everything is sent before it returns."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.errors import BrokerError, Outcome, Reason
from schemas.topics import CLEAN, DEAD_LETTERS, ENRICHED
from stream.batch import BatchRunner
from stream.seen import Seen
from stream.stage import Dead, Drop, Message, Out, Publish, Result, Stage
from tests.stream.fakes import NOW, FakeProducer, deliverer, message, stage
from tests.stream.test_seen import FakeTopic


def runner(
    producer: FakeProducer, given: Stage | None = None, topic: FakeTopic | None = None
) -> BatchRunner:
    given = given or stage()
    memory = None
    if topic is not None and given.dedup is not None:
        memory = Seen(100, topic.read, given.dedup)
    return BatchRunner(stage=given, deliverer=deliverer(producer), clock=lambda: NOW, seen=memory)


def fate(given: Message) -> Result:
    """The value says what becomes of it."""
    if given.value == b"dead":
        return Dead(Reason.EMPTY, "nothing in it", "extract")
    if given.value == b"drop":
        return Drop(Outcome.SKIPPED, Reason.TOMBSTONE)
    if given.value == b"bug":
        raise ZeroDivisionError
    return Publish(
        tuple(
            Out(topic=topic, key=given.key, value=given.value, timestamp_ms=1)
            for topic in (CLEAN, ENRICHED)
        )
    )


async def test_each_message_is_counted_once_and_sent_where_it_belongs() -> None:
    producer = FakeProducer()
    batch = runner(producer, stage(fate))
    await batch.handle([message(value) for value in (b"ok", b"dead", b"drop", b"bug")])
    assert producer.acked == [
        (CLEAN.name, b"ok"),
        (ENRICHED.name, b"ok"),
        (DEAD_LETTERS.name, b"dead"),
        (DEAD_LETTERS.name, b"bug"),
    ]
    assert batch.counts.snapshot() == {
        "published": 1,
        "duplicate": 0,
        "skipped": 1,
        "dead_letter": 2,
        "dead_letter.empty": 1,
        "dead_letter.step-failed": 1,
        "skipped.tombstone": 1,
    }


async def test_a_repeat_is_known_within_a_batch_and_from_what_stands_on_the_topic() -> None:
    producer = FakeProducer()
    topic = FakeTopic((3, b"old"))
    batch = runner(producer, stage(dedup=True), topic)
    await batch.handle([message(each) for each in (b"old", b"new", b"new")], partitions=[3, 4])
    await batch.handle([message(b"new")])
    assert [value for _, value in producer.acked] == [b"new"]
    assert batch.counts.snapshot()["duplicate"] == 3
    assert topic.reads == [{3, 4}]


async def test_an_article_that_goes_back_to_its_first_words_is_published_again() -> None:
    producer = FakeProducer()
    batch = runner(producer, stage(dedup=True), FakeTopic())
    await batch.handle([message(each) for each in (b"a=1", b"a=2", b"a=2", b"a=1")])
    await batch.handle([message(each) for each in (b"a=1", b"a=2")])
    values = [value for _, value in producer.acked]
    assert values == [b"a=1", b"a=2", b"a=1", b"a=2"]


async def test_an_output_too_large_becomes_one_dead_letter() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return MessageSizeTooLargeError() if value == b"big" and attempt <= 4 else None

    producer = FakeProducer(errors)
    batch = runner(producer, stage(fate))
    await batch.handle([message(b"big"), message(b"ok")])
    assert producer.acked.count((DEAD_LETTERS.name, b"big")) == 1
    assert (CLEAN.name, b"ok") in producer.acked
    assert batch.counts.snapshot()["dead_letter.too-large"] == 1


async def test_a_letter_that_is_refused_goes_without_the_bytes() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return MessageSizeTooLargeError() if value == b"dead" else None

    producer = FakeProducer(errors)
    await runner(producer, stage(fate)).handle([message(b"dead")])
    assert producer.acked == [(DEAD_LETTERS.name, b"")]


async def test_a_topic_that_refuses_even_that_is_a_broker_error() -> None:
    producer = FakeProducer(lambda *_: MessageSizeTooLargeError())
    batch = runner(producer, stage(fate))
    with pytest.raises(BrokerError, match=r"max\.message\.bytes"):
        await batch.handle([message(b"dead")])
    assert not any(batch.counts.snapshot().values()), "nothing counts before it is delivered"


async def test_a_header_without_a_value_costs_no_batch() -> None:
    producer = FakeProducer()
    await runner(producer, stage(fate)).handle([message(b"dead", headers={"nothing": None})])
    assert producer.acked == [(DEAD_LETTERS.name, b"dead")]
