"""What a runner does with messages of partitions that go away, and with older revisions."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from schemas.topics import CLEAN, ENRICHED, LATEST
from stream.runner import Runner
from stream.seen import Seen
from stream.stage import AGAIN, Dedup, Mark, Message, Out, Publish, Stage
from tests.stream.fakes import FakeProducer, message, stage
from tests.stream.runner_kit import Engine, handle, runner, settle, until
from tests.stream.test_faust_compat import A, Rig
from tests.stream.test_seen import FakeTopic


def revised(number: int, offset: int = 0, headers: dict[str, bytes] | None = None) -> Message:
    value = b"%d" % number
    return message(value, key=b"a", offset=offset, topic=CLEAN.name, headers=headers or {})


def both(given: Message) -> Publish:
    topics, headers = (ENRICHED, LATEST), (("r", given.value),)
    return Publish(
        tuple(
            Out(topic=topic, key=b"a", value=given.value, headers=headers, timestamp_ms=1)
            for topic in topics
        )
    )


def of(value: bytes | None) -> Mark | None:
    return None if value is None else Mark(b"a", value, int(value))


ENRICHER = Stage(
    name="enricher",
    source=CLEAN,
    outputs=(ENRICHED, LATEST),
    fn=both,
    dedup=Dedup(
        output=ENRICHED,
        mark=lambda given: of(given.value),
        mark_of=lambda headers: of(headers.get("r")),
    ),
)


async def test_an_older_revision_does_not_replace_a_newer_one_on_the_compacted_topic() -> None:
    producer = FakeProducer()
    given, _ = runner(producer, ENRICHER, FakeTopic())
    requeued = revised(1, 2, {AGAIN: b"1"})
    await handle(given, [revised(1), revised(3, 1), requeued, revised(3, 3, {AGAIN: b"1"})])
    latest = [value for topic, value in producer.acked if topic == LATEST.name]
    enriched = [value for topic, value in producer.acked if topic == ENRICHED.name]
    assert latest == [b"1", b"3", b"3"]
    assert enriched == [b"1", b"3", b"1", b"3"], "the event is told all the same"
    assert given.counts.snapshot()["published"] == 4


class Reading(FakeTopic):
    """A reading back that takes until ``go``."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def read(self, partitions: frozenset[int]):  # type: ignore[no-untyped-def]
        await self.go.wait()
        async for record in super().read(partitions):
            yield record


async def begun(
    topic: Reading, producer: FakeProducer
) -> tuple[Runner, Engine, asyncio.Task[None]]:
    given, engine = runner(producer, stage(dedup=True), topic)
    taking = asyncio.ensure_future(given.take(message(b"x", partition=3), "token"))
    await asyncio.sleep(0.01)
    return given, engine, taking


async def test_one_revoked_during_the_reading_back_is_not_taken() -> None:
    topic, producer = Reading(), FakeProducer()
    given, engine, taking = await begun(topic, producer)
    given.drop([3])
    topic.go.set()
    await taking
    await settle(given)
    assert (producer.sent, engine.released) == ([], [])


async def test_one_that_waits_for_the_reading_back_is_given_back() -> None:
    topic, producer = Reading(), FakeProducer()
    given, engine, taking = await begun(topic, producer)
    assert given.take_back() == ["token"], "a revoke need not wait for the reading"
    topic.go.set()
    await taking
    await settle(given)
    assert (producer.sent, engine.released) == ([], [])


async def test_what_was_sent_for_a_revoked_partition_is_not_remembered_for_it() -> None:
    class Slow(FakeProducer):
        async def send(self, *args: object, **options: object) -> asyncio.Future[object]:
            await super().send(*args, **options)  # type: ignore[arg-type]
            return asyncio.ensure_future(asyncio.sleep(0.05))

    topic = FakeTopic()
    given, _ = runner(Slow(), stage(dedup=True), topic)
    await given.take(message(b"x", partition=3))
    await until(lambda: given._delivery is not None)
    sending = given._delivery
    assert sending is not None
    given.drop([3])
    assert isinstance(given.seen, Seen)
    await given.seen.load([3])  # it is ours again, with what its owner in between has left
    await sending
    assert given.seen.size == 0


async def test_a_delivery_for_partitions_of_others_is_ended_and_the_rest_sent_again() -> None:
    class Stuck(FakeProducer):
        """Never acknowledges what was sent before ``is_free``."""

        is_free = False

        async def send(self, *args: object, **options: object) -> asyncio.Future[object]:
            future = await super().send(*args, **options)  # type: ignore[arg-type]
            return future if self.is_free else asyncio.get_running_loop().create_future()

    producer = Stuck()
    given, engine = runner(producer)
    await given.take(message(b"gone", partition=1, key=b"a"), 0)
    await given.take(message(b"kept", partition=2, key=b"b"), 1)
    await until(lambda: len(producer.sent) == 2)
    producer.is_free = True
    await given.disown([1])
    await settle(given)
    assert producer.sent[2:] == [(CLEAN.name, b"kept")]
    assert engine.released == [1]
    assert engine.errors == []


async def test_c_one_that_was_expelled_from_the_group_waits_for_nothing() -> None:
    ours = Rig(ours=True)
    in_work, done = ours.take(5, 6)
    ours.done(done)
    client = SimpleNamespace(_coordinator=SimpleNamespace(generation=-1))
    ours.consumer._thread._consumer = client
    async with asyncio.timeout(5):
        await ours.consumer.on_partitions_revoked({A})
    assert not in_work.acked
    assert ours.committed == {}
    ours.close()
