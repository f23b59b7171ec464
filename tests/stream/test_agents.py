"""What Faust may acknowledge: only a batch that was delivered whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from types import SimpleNamespace

import pytest
from faust.types.tuples import TP, ConsumerMessage

from schemas.topics import PAGES
from stream.agents import as_message, handle_events
from stream.stage import Message
from tests.stream.fakes import stage


class Runner:
    """Takes a batch and then does what it is told."""

    stage = stage()

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.batches: list[tuple[list[int], list[int]]] = []

    async def handle(self, messages: Sequence[Message], partitions: Iterable[int]) -> None:
        self.batches.append(([each.offset for each in messages], sorted(partitions)))
        if self.error:
            raise self.error


class Consumer:
    """Notes what Faust would commit."""

    def __init__(self) -> None:
        self.acked: list[int] = []

    def ack(self, message: ConsumerMessage) -> bool:
        self.acked.append(message.offset)
        return True

    def assignment(self) -> set[TP]:
        return {TP(PAGES.name, 3), TP(PAGES.name, 4), TP("another", 9)}


def kafka_message(offset: int) -> ConsumerMessage:
    """A message as Faust's conductor hands it to one agent."""
    headers = [("traceparent", b"00-1")]
    message = ConsumerMessage(
        PAGES.name, 3, offset, 1_700_000_000.123, 0, headers, b"k", b"v", None, tp=TP(PAGES.name, 3)
    )
    message.incref()
    return message


async def committable(runner: Runner, error: type[BaseException] | None) -> list[int]:
    """Offsets that Faust may commit: ``take_events`` acknowledges a batch however it ended."""
    consumer = Consumer()
    events = [SimpleNamespace(message=kafka_message(offset)) for offset in (7, 8)]
    app = SimpleNamespace(runner=runner, consumer=consumer)
    if error is None:
        await handle_events(app, events)  # type: ignore[arg-type]
    else:
        with pytest.raises(error):
            await handle_events(app, events)  # type: ignore[arg-type]
    for event in events:
        event.message.ack(consumer)
    return consumer.acked


async def test_a_delivered_batch_may_be_committed() -> None:
    runner = Runner()
    assert await committable(runner, None) == [7, 8]
    assert runner.batches == [([7, 8], [3, 4])]


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
async def test_a_batch_that_was_broken_off_is_never_committed(error: type[BaseException]) -> None:
    assert await committable(Runner(error()), error) == []


def test_a_faust_message_becomes_ours() -> None:
    message = as_message(kafka_message(5))
    assert message.headers == {"traceparent": b"00-1"}
    assert (message.timestamp_ms, message.offset) == (1_700_000_000_123, 5)
