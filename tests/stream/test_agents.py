"""What Faust may acknowledge: only a message that was delivered whole."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types.tuples import TP, ConsumerMessage

from schemas.topics import PAGES
from stream.agents import as_message, hooks_for, take
from tests.stream.fakes import FakeProducer, stage
from tests.stream.runner_kit import FakeProcessor, runner, settle

TOPIC = PAGES.name


class Consumer:
    """Notes what Faust would commit and which partitions it fetches."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.full: set[TP] = set()

    def ack(self, message: ConsumerMessage) -> bool:
        self.acked.append(message.offset)
        return True

    def assignment(self) -> set[TP]:
        return {TP(TOPIC, 3), TP(TOPIC, 4), TP("another", 9)}

    def on_buffer_full(self, tp: TP) -> None:
        self.full.add(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        self.full.discard(tp)


def kafka_message(offset: int) -> ConsumerMessage:
    """A message as Faust's conductor hands it to one agent."""
    headers = [("traceparent", b"00-1")]
    message = ConsumerMessage(
        TOPIC, 3, offset, 1_700_000_000.123, 0, headers, b"k", b"v", None, tp=TP(TOPIC, 3)
    )
    message.incref()
    return message


def app_of(delay_s: float = 0.0) -> Any:
    made, _ = runner(FakeProducer(), processor=FakeProcessor(stage(), delay_s=lambda: delay_s))
    crashes: list[BaseException] = []

    async def crash(error: BaseException) -> None:
        crashes.append(error)

    app = SimpleNamespace(
        runner=made, consumer=Consumer(), crash=crash, crashes=crashes, has_failed=False
    )
    made.hooks = hooks_for(app)  # type: ignore[arg-type]
    return app


async def test_a_message_may_be_committed_once_it_is_delivered() -> None:
    app = app_of()
    messages = [kafka_message(offset) for offset in (7, 8)]
    for message in messages:
        await take(app, message)
        message.ack(app.consumer)  # as Faust does when the agent asks for the next one
    assert app.consumer.acked == []
    await settle(app.runner)
    assert app.consumer.acked == [7, 8]


async def test_one_that_was_not_finished_is_never_committed() -> None:
    app = app_of(delay_s=0.05)
    message = kafka_message(7)
    await take(app, message)
    message.ack(app.consumer)  # as Faust does when the agent is cancelled
    await app.runner.stop()
    await asyncio.sleep(0.1)
    assert app.consumer.acked == []


async def test_a_failure_crashes_the_app_at_once() -> None:
    app = app_of()
    app.runner.hooks.fail(RuntimeError("broken"))
    await asyncio.sleep(0)
    assert app.has_failed
    assert [str(error) for error in app.crashes] == ["broken"]


async def test_what_comes_after_a_failure_is_neither_taken_nor_committed() -> None:
    app = app_of()
    app.runner.hooks.fail(RuntimeError("broken"))
    message = kafka_message(7)
    await take(app, message)
    message.ack(app.consumer)  # as Faust does when the agent returns
    assert app.runner.in_flight == 0
    assert app.consumer.acked == []


async def test_pressure_stops_the_fetching_of_our_partitions() -> None:
    app = app_of()
    app.runner.hooks.set_pressure(True)
    assert app.consumer.full == {TP(TOPIC, 3), TP(TOPIC, 4)}
    app.runner.hooks.set_pressure(False)
    assert app.consumer.full == set()


async def test_what_is_published_on_all_assigned_partitions_is_read_back_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = app_of()
    asked: list[set[int]] = []

    async def load(partitions: set[int]) -> None:
        asked.append(set(partitions))

    app.runner.seen = SimpleNamespace(knows=lambda _: False, load=load, digest_of=lambda *_: None)
    await take(app, kafka_message(7))
    assert asked == [{3, 4}]


def test_a_faust_message_becomes_ours() -> None:
    message = as_message(kafka_message(5))
    assert message.headers == {"traceparent": b"00-1"}
    assert (message.timestamp_ms, message.offset) == (1_700_000_000_123, 5)
