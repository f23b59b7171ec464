"""The runner: every message gets one fate, and is let go only when that is delivered."""

from __future__ import annotations

import asyncio

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.errors import BrokerError, Outcome, PoolError, Reason
from schemas.topics import CLEAN, DEAD_LETTERS, ENRICHED
from stream.deadletter import PREFIX
from stream.slot import Answer, Lost
from stream.stage import AGAIN, Dead, Drop, Message, Out, Publish, Result, Stage
from tests.stream.fakes import FakeProducer, message, stage
from tests.stream.runner_kit import FakeProcessor, handle, runner, settle, until
from tests.stream.test_seen import FakeTopic


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


FATES = Stage(name="cleaner", source=stage().source, outputs=(CLEAN, ENRICHED), fn=fate)


async def test_each_message_is_counted_once_and_sent_where_it_belongs() -> None:
    producer = FakeProducer()
    given, engine = runner(producer, FATES)
    await handle(given, [message(value) for value in (b"ok", b"dead", b"drop", b"bug")])
    assert producer.acked == [
        (CLEAN.name, b"ok"),
        (ENRICHED.name, b"ok"),
        (DEAD_LETTERS.name, b"dead"),
        (DEAD_LETTERS.name, b"bug"),
    ]
    assert engine.released == [0, 1, 2, 3]
    assert given.counts.snapshot() == {
        "published": 1,
        "duplicate": 0,
        "skipped": 1,
        "dead_letter": 2,
        "dead_letter.empty": 1,
        "dead_letter.step-failed": 1,
        "skipped.tombstone": 1,
    }


async def test_a_repeat_is_known_from_what_was_published_and_from_the_topic() -> None:
    producer = FakeProducer()
    topic = FakeTopic((3, b"old"))
    given, _ = runner(producer, stage(dedup=True), topic)
    await given.take(message(b"old"), partitions=[3, 4])
    await handle(given, [message(each) for each in (b"new", b"new")])
    await handle(given, [message(b"new", headers={AGAIN: b"1"}), message(b"new")])
    assert [value for _, value in producer.acked] == [b"new", b"new"]
    assert given.counts.snapshot()["duplicate"] == 3
    assert topic.reads == [{3, 4}]


async def test_a_repeat_is_told_to_the_process_which_need_not_work_on_it() -> None:
    def broken(_: Message) -> Result:
        raise AssertionError("it was to be known by then")

    given, _ = runner(FakeProducer(), stage(broken, dedup=True), FakeTopic((3, b"old")))
    await handle(given, [message(b"old", key=b"old")])
    assert given.counts.snapshot()["duplicate"] == 1


async def test_an_article_that_goes_back_to_its_first_words_is_published_again() -> None:
    producer = FakeProducer()
    given, _ = runner(producer, stage(dedup=True), FakeTopic())
    words = (b"a=1", b"a=2", b"a=2", b"a=1", b"a=1", b"a=2")
    await handle(given, [message(each) for each in words])
    assert [value for _, value in producer.acked] == [b"a=1", b"a=2", b"a=1", b"a=2"]


async def test_an_output_too_large_becomes_one_dead_letter() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return MessageSizeTooLargeError() if value == b"big" and attempt <= 4 else None

    producer = FakeProducer(errors)
    given, engine = runner(producer, FATES)
    await handle(given, [message(b"big"), message(b"ok")])
    assert producer.acked.count((DEAD_LETTERS.name, b"big")) == 1
    assert (CLEAN.name, b"ok") in producer.acked
    assert given.counts.snapshot()["dead_letter.too-large"] == 1
    assert engine.released == [0, 1]


async def test_a_letter_that_is_refused_goes_without_the_bytes() -> None:
    def errors(attempt: int, value: bytes | None) -> KafkaError | None:
        return MessageSizeTooLargeError() if value == b"dead" else None

    producer = FakeProducer(errors)
    given, _ = runner(producer, FATES)
    await handle(given, [message(b"dead")])
    assert producer.acked == [(DEAD_LETTERS.name, b"")]


async def test_a_topic_that_refuses_even_that_ends_the_worker() -> None:
    given, engine = runner(FakeProducer(lambda *_: MessageSizeTooLargeError()), FATES)
    await given.take(message(b"dead"), 0)
    await given.take(message(b"ok"), 1)
    await until(lambda: bool(engine.errors))
    (error,) = engine.errors
    assert isinstance(error, BrokerError)
    assert "max.message.bytes" in str(error)
    assert not any(given.counts.snapshot().values()), "nothing counts before it is delivered"
    assert engine.released == []


async def test_a_header_without_a_value_costs_nothing() -> None:
    producer = FakeProducer()
    given, _ = runner(producer, FATES)
    await handle(given, [message(b"dead", headers={"nothing": None})])
    assert producer.acked == [(DEAD_LETTERS.name, b"dead")]


async def test_what_the_pool_lost_is_a_dead_letter_with_its_tries() -> None:
    producer = LetterReader()
    lost = Lost(Reason.WORKER_DIED, "its process ended at it 2 times (SIGSEGV)", 2)
    given, engine = runner(producer, processor=FakeProcessor(stage(), lost=lost))
    await handle(given, [message(b"poison")])
    assert producer.letters == [("worker-died", "pool", "2")]
    assert engine.released == [0]


async def test_a_broken_pool_ends_the_worker_and_lets_nothing_go() -> None:
    class Broken(FakeProcessor):
        def submit(self, request: bytes) -> Answer:
            answer: Answer = asyncio.get_running_loop().create_future()
            answer.set_exception(PoolError("no process starts"))
            return answer

    given, engine = runner(FakeProducer(), processor=Broken(stage()))
    await given.take(message(b"x"), 0)
    await asyncio.sleep(0.01)
    assert [str(error) for error in engine.errors] == ["no process starts"]
    assert engine.released == []


async def test_stop_sends_nothing_more_and_lets_nothing_go() -> None:
    producer = FakeProducer()
    slow = FakeProcessor(stage(), delay_s=lambda: 0.05)
    given, engine = runner(producer, processor=slow)
    await given.take(message(b"x"), 0)
    await given.stop()
    await asyncio.sleep(0.1)
    assert slow.is_stopped
    assert (producer.sent, engine.released) == ([], [])


async def test_what_is_not_in_work_is_given_back_and_the_rest_goes_on() -> None:
    slow = FakeProcessor(stage(), room=1, delay_s=lambda: 0.02)
    given, engine = runner(FakeProducer(), processor=slow)
    for number in range(3):
        await given.take(message(b"%d" % number, key=b"%d" % number), number)
    assert given.take_back() == [1, 2]
    await settle(given)
    assert engine.released == [0]
    await handle(given, [message(b"later")])
    assert engine.released == [0, 0], "and it takes new ones"


async def test_of_a_revoked_partition_nothing_more_is_sent() -> None:
    producer = FakeProducer()
    slow = FakeProcessor(stage(), delay_s=lambda: 0.02)
    given, engine = runner(producer, processor=slow)
    await given.take(message(b"gone", partition=1), 0)
    await given.take(message(b"kept", partition=2), 1)
    given.drop([1])
    await settle(given)
    assert producer.sent == [(CLEAN.name, b"kept")]
    assert engine.released == [1]


class LetterReader(FakeProducer):
    """Reads reason, step and tries of the letters that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[tuple[str, ...]] = []

    async def send(self, topic: str, *args: object, **options: object) -> asyncio.Future[object]:
        headers = dict(options["headers"])  # type: ignore[call-overload]
        if topic == DEAD_LETTERS.name:
            names = ("reason", "step", "attempts")
            self.letters.append(tuple(headers.get(PREFIX + name, b"").decode() for name in names))
        return await super().send(topic, *args, **options)  # type: ignore[arg-type]


async def test_results_wait_for_company_only_while_there_is_work() -> None:
    """With work left they are delivered together; the last ones wait for nobody."""
    delays_s = iter([0.0, 0.0, 0.08])
    processor = FakeProcessor(stage(), delay_s=lambda: next(delays_s))
    given, engine = runner(FakeProducer(), processor=processor)
    for number, value in enumerate((b"1", b"2", b"3")):
        await given.take(message(value, key=value, offset=number), number)
    await asyncio.sleep(0.05)
    assert engine.released == [], "the third is still in work"
    await asyncio.wait_for(until(lambda: len(engine.released) == 3), 5)
