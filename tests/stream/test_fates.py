"""Every row of the table of fates, through the stage and the delivery in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError

from schemas.errors import Outcome
from schemas.topics import CLEAN, DEAD_LETTERS, MAX_MESSAGE_BYTES, PAGES
from stream.deadletter import PREFIX, TRUNCATED, from_message, is_settlement
from stream.delivery import Deliverer
from stream.hooks import Limits
from stream.letters import listed_of
from stream.pool import Inline
from stream.requeue import refusal, requeue_out
from stream.retry import RetryPolicy
from stream.runner import Runner
from stream.stage import AGAIN, Message, Stage
from tests.stream.fakes import NOW
from tests.support.fates import MAX_TRIES, POISON, Fate, fates, poisoned_stage

DOCS = Path(__file__).parents[2] / "docs" / "delivery.md"
AT_MS = 1_768_470_000_123

HERE = [fate for fate in fates() if fate.needs != "worker"]


@dataclass
class Broker:
    """A producer that refuses what Kafka refuses, and keeps the rest."""

    records: list[Message] = field(default_factory=list)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> asyncio.Future[object]:
        assert timestamp_ms is not None
        assert len(dict(headers or ())) == len(headers or ()), "a header name came twice"
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        error = _error(value, timestamp_ms)
        if error is not None:
            future.set_exception(error)
            return future
        record = {"topic": topic, "partition": 0, "offset": len(self.records)}
        self.records.append(
            Message(
                key=key,
                value=value,
                headers=dict(headers or ()),
                timestamp_ms=timestamp_ms,
                **record,  # type: ignore[arg-type]
            )
        )
        future.set_result(None)
        return future


def _error(value: bytes | None, at_ms: int) -> KafkaError | None:
    if len(value or b"") > MAX_MESSAGE_BYTES:
        return MessageSizeTooLargeError()
    is_future = at_ms > (time.time() + 3_600) * 1000
    return InvalidTimestampError() if is_future else None


@cache
def stage() -> Stage:
    return poisoned_stage()


def given(fate: Fate) -> Message:
    """The row as a worker gets it: of a header name used twice the last value stands."""
    return Message(
        key=fate.key,
        value=fate.value,
        headers=dict(fate.headers),
        topic=PAGES.name,
        partition=5,
        offset=77,
        timestamp_ms=AT_MS,
    )


async def walk(message: Message) -> tuple[list[Message], Mapping[str, int]]:
    """What the broker took, and the counts, once the message was let go."""
    broker, released = Broker(), asyncio.Event()
    runner = Runner(
        stage(),
        Deliverer(lambda: broker, delay_s=lambda _: 0.0),
        Inline(stage()),
        lambda: NOW,
        limits=Limits(retry=RetryPolicy(attempts=MAX_TRIES, first_s=0.01)),
    )
    runner.hooks.release = lambda _: released.set()
    try:
        await runner.take(message)
        await asyncio.wait_for(released.wait(), 30)
        return broker.records, {name: n for name, n in runner.counts.snapshot().items() if n}
    finally:
        await runner.stop()


@pytest.mark.parametrize("fate", HERE, ids=lambda fate: fate.name)
async def test_fate(fate: Fate) -> None:
    records, counts = await walk(given(fate))
    expected = {str(fate.outcome): 1}
    if fate.reason is not None:
        expected[f"{fate.outcome}.{fate.reason}"] = 1
    assert counts == expected
    topics = {Outcome.PUBLISHED: [CLEAN.name], Outcome.DEAD_LETTER: [DEAD_LETTERS.name]}
    assert [record.topic for record in records] == topics.get(fate.outcome, [])
    if fate.is_dead:
        check_letter(fate, records[0])


def check_letter(fate: Fate, record: Message) -> None:
    """The original byte for byte, and the whole story beside it."""
    assert (record.key, record.value) == (fate.key, fate.value)
    own = {name: value for name, value in record.headers.items() if name.startswith(PREFIX)}
    assert {name: record.headers[name] for name in record.headers.keys() - own.keys()} == dict(
        fate.headers
    )
    letter = from_message(record)
    assert (letter.stage, letter.reason) == ("cleaner", fate.reason)
    assert fate.words in letter.message
    assert (letter.topic, letter.partition, letter.offset) == (PAGES.name, 5, 77)
    assert (letter.timestamp_ms, letter.attempts) == (AT_MS, fate.tries)
    assert (letter.failed_at, letter.versions) == (NOW, dict(stage().versions))


@pytest.mark.parametrize("fate", [row for row in HERE if row.is_dead], ids=lambda row: row.name)
async def test_a_dead_page_can_go_back_and_dies_again_with_its_tries_grown(fate: Fate) -> None:
    (first,), _ = await walk(given(fate))
    assert refusal(listed_of(first)) is None
    back = requeue_out(listed_of(first), first, now=NOW)
    assert (back.topic, back.key, back.value) == (PAGES, fate.key, fate.value)
    headers = dict(back.headers)
    assert headers[AGAIN] == b"1"
    originals = {name: value for name, value in fate.headers if name != AGAIN}
    assert originals.items() <= headers.items()
    if POISON.encode() in (fate.value or b""):
        return  # the poisoned stage counts tries by itself
    (second,), _ = await walk(replace(given(fate), headers=headers))
    assert from_message(second).attempts == fate.tries * 2
    assert listed_of(second).requeued == 1


async def test_a_page_larger_than_its_topic_takes_is_cut_and_says_so() -> None:
    # A broker with another limit may hold one; ours never takes it (`nashra replay` says so).
    (row,) = (fate for fate in HERE if fate.name == "no JSON")
    big = replace(given(row), value=b"x" * (MAX_MESSAGE_BYTES + 1))
    (record,), counts = await walk(big)
    assert counts["dead_letter.undecodable"] == 1
    assert record.headers[TRUNCATED] == str(MAX_MESSAGE_BYTES + 1).encode()
    assert big.value is not None
    assert record.value == big.value[: len(record.value or b"")]
    assert "bytes were kept" in str(refusal(listed_of(record)))
    assert not is_settlement(record)


def test_the_docs_have_the_same_rows() -> None:
    if not DOCS.exists():
        pytest.skip("docs/delivery.md is not written yet")
    lines = DOCS.read_text("utf-8").partition("## Fates")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip(" `") for cell in line.split("|")[1:4]] for line in lines if "|" in line]
    documented = {row[0]: (row[1], row[2]) for row in cells[2:]}
    assert documented == {
        fate.name: (str(fate.outcome), str(fate.reason or "-")) for fate in fates()
    }


def test_the_rows_have_names_of_their_own() -> None:
    names = [fate.name for fate in fates()]
    assert len(set(names)) == len(names)
