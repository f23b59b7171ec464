"""Dead letters back to where they came from, and the settlements that take them off the list.

The order makes a crash harmless: first the broker acknowledges the message on its old topic, then
the letter is settled. Between the two a crash leaves the letter on the list; requeueing it once
more repeats a record that readers de-duplicate by id + revision.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka.errors import KafkaError

from schemas.topics import DEAD_LETTERS, Topic
from stream.admin import require_topics
from stream.config import KafkaConfig
from stream.deadletter import settlement_headers
from stream.delivery import TOO_LARGE, Sender
from stream.kafka import as_broker_error, new_producer
from stream.letters import Listed, Place, fetch
from stream.requeue import refusal, requeue_out, topics_of
from stream.stage import Message, Out, timestamp_ms

MAX_CHUNK_LETTERS = 100
MAX_CHUNK_BYTES = 16 * 1024 * 1024
"""Letters are sent, acknowledged and settled in chunks; this bounds memory and what repeats."""


@dataclass(frozen=True, slots=True)
class Left:
    """A letter that stays on the list, and why, as a sentence."""

    place: Place
    why: str

    def __str__(self) -> str:
        return f"letter {self.place}: {self.why}"


@dataclass(slots=True)
class Report:
    """How it went.

    Attributes:
        settled: Letters off the list; copies of one letter count once.
        left: Letters that stay.
        is_stopped: Somebody asked to stop before all was done.
    """

    settled: int = 0
    left: list[Left] = field(default_factory=list)
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who settles letters, and when.

    Attributes:
        clock: Gives ``now``, aware UTC.
        by: Name for the settlement, for people.
        should_stop: Whether to end after the chunk in flight.
        advance: Called once a letter.
    """

    clock: Callable[[], datetime]
    by: str
    should_stop: Callable[[], bool] = lambda: False
    advance: Callable[[], None] = lambda: None


@asynccontextmanager
async def connected(kafka: KafkaConfig, topics: Iterable[Topic] = ()) -> AsyncIterator[Sender]:
    """A producer for requeues and settlements.

    Raises:
        BrokerError: The broker does not answer, or lacks one of the topics.
    """
    await require_topics(kafka, {DEAD_LETTERS, *topics})
    producer = new_producer(kafka, client_id="nashra-deadletters")
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise as_broker_error(error, kafka) from error
    finally:
        await producer.stop()


async def requeue(
    kafka: KafkaConfig, letters: Sequence[Listed], hand: Hand, *, is_forced: bool = False
) -> Report:
    """Put letters back and settle them; those that cannot go back are left and told.

    Raises:
        BrokerError: The broker takes no more. What it took before is settled.
    """
    refused = {each.place: refusal(each, is_forced=is_forced) for each in letters}
    report = Report(left=[Left(place, why) for place, why in refused.items() if why])
    able = [each for each in letters if not refused[each.place]]
    gone = {each.place for each in able}
    async with (
        connected(kafka, topics_of(able)) as producer,
        aclosing(fetch(kafka, able)) as found,
    ):
        chunk: list[tuple[Listed, Message]] = []
        async for pair in found:
            chunk.append(pair)
            gone.discard(pair[0].place)
            if _is_full(chunk):
                await _requeue_chunk(producer, chunk, hand, report)
                chunk = []
            if hand.should_stop():
                report.is_stopped = True
                break
        await _requeue_chunk(producer, chunk, hand, report)
    if not report.is_stopped:
        report.left += [Left(place, "is no longer on the topic") for place in sorted(gone)]
    return report


async def discard(kafka: KafkaConfig, letters: Sequence[Listed], hand: Hand) -> Report:
    """Settle letters without putting them back.

    Raises:
        BrokerError: The broker takes no more.
    """
    report = Report()
    async with connected(kafka) as producer:
        for start in range(0, len(letters), MAX_CHUNK_LETTERS):
            if hand.should_stop():
                report.is_stopped = True
                break
            await settle(
                producer, letters[start : start + MAX_CHUNK_LETTERS], hand, report, "discarded"
            )
    return report


async def _requeue_chunk(
    producer: Sender, chunk: Sequence[tuple[Listed, Message]], hand: Hand, report: Report
) -> None:
    """Send, wait, settle what was acknowledged; only then let an error of the broker out."""
    # One after the other: letters of one key keep their order.
    sends = [await _send(producer, requeue_out(*pair, now=hand.clock())) for pair in chunk]
    answers = await asyncio.gather(*sends, return_exceptions=True)
    acked: list[Listed] = []
    broken: list[BaseException] = []
    for (listed, _), answer in zip(chunk, answers, strict=True):
        if isinstance(answer, TOO_LARGE):
            report.left.append(Left(listed.place, "too large for its topic, as it is now"))
        elif isinstance(answer, BaseException):
            broken.append(answer)
        else:
            acked.append(listed)
    await settle(producer, acked, hand, report, "requeued")
    if broken:
        raise broken[0]


async def settle(
    producer: Sender, letters: Sequence[Listed], hand: Hand, report: Report, how: str
) -> None:
    """Write the settlements of letters and their copies; waits for all acknowledgements."""
    sends = []
    for listed in letters:
        # Never before its letter, whatever the clocks say: lists since a moment need both.
        at = max(hand.clock(), listed.written_at)
        for place in (listed.place, *listed.copies):
            headers = settlement_headers(place.offset, how=how, at=at, by=hand.by)
            future = await producer.send(
                DEAD_LETTERS.name,
                None,
                key=listed.key or b"",  # aiokafka sends no record without key and value
                partition=place.partition,
                timestamp_ms=timestamp_ms(at),
                headers=list(headers),
            )
            sends.append(future)
    await asyncio.gather(*sends)
    report.settled += len(letters)
    for _ in letters:
        hand.advance()


async def _send(producer: Sender, out: Out) -> asyncio.Future[object]:
    """Queue a record; an error at once comes as a future too."""
    try:
        return await producer.send(
            out.topic.name,
            out.value,
            key=out.key,
            timestamp_ms=out.timestamp_ms,
            headers=list(out.headers),
        )
    except KafkaError as error:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        return future


def _is_full(chunk: Sequence[tuple[Listed, Message]]) -> bool:
    size_bytes = sum(len(message.value or b"") for _, message in chunk)
    return len(chunk) >= MAX_CHUNK_LETTERS or size_bytes >= MAX_CHUNK_BYTES


def who() -> str:
    """``user@machine`` of this process, for a settlement."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container without a passwd entry
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
