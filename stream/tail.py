"""Read a topic without a group: nothing is committed, nobody is disturbed."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import InputError
from schemas.topics import ALL, Topic
from stream.admin import partitions_of
from stream.config import KafkaConfig
from stream.deadletter import is_settlement
from stream.kafka import as_broker_error, new_reader
from stream.stage import Message, timestamp_ms

POLL_S = 0.5
IDLE_POLLS = 3
"""Empty polls in a row that mean the end, once the broker's end offsets are reached. These alone
would not do: Tansu 0.6.0 reports the start of the last batch there, records would be left out."""

_SINCE = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d)$", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class TailOptions:
    """What to read.

    Attributes:
        since: Only records with this Kafka timestamp or later; ``None``: all that are kept.
        max_records: Stop after so many; ``None``: no bound.
        is_follow: Wait for new records instead of ending.
        has_settlements: Also give the records that settle dead letters; they are no letters.
    """

    since: datetime | None = None
    max_records: int | None = None
    is_follow: bool = False
    has_settlements: bool = False


def topic_named(name: str, topics: Iterable[Topic] = ALL) -> Topic:
    """The topic of a full or short name: ``enriched`` is ``nashra.articles.enriched.v1``.

    Raises:
        InputError: Lists the names there are.
    """
    known = list(topics)
    for topic in known:
        if name in (topic.name, short_name(topic)):
            return topic
    names = ", ".join(short_name(topic) for topic in known)
    raise InputError(f"no topic {name!r}; there are {names} (or their full names)")


def short_name(topic: Topic) -> str:
    """``enriched`` of ``nashra.articles.enriched.v1``."""
    return topic.name.removeprefix("nashra.").removeprefix("articles.").rpartition(".v")[0]


def parse_since(text: str, now: datetime) -> datetime:
    """A moment from ``2h``, ``30m``, ``10s``, ``3d`` ago or an ISO 8601 time with a zone.

    Raises:
        InputError: If it is none of these.
    """
    match = _SINCE.match(text.strip())
    if match:
        try:
            return now - timedelta(**{_UNITS[match[2].lower()]: float(match[1])})
        except OverflowError as error:
            raise InputError(f"{text!r} is too long ago") from error
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"{text!r} is no time; write 2h, 30m, 3d or 2026-01-31T08:00:00Z")
    return at


async def tail(
    kafka: KafkaConfig, topic: Topic, options: TailOptions
) -> AsyncGenerator[Message, None]:
    """Records of a topic, in the order of their timestamps within what comes together.

    Raises:
        BrokerError: The broker does not answer, or has no such topic.
    """
    numbers = await partitions_of(kafka, topic)
    places = [TopicPartition(topic.name, number) for number in numbers]
    async with _reader(kafka, places, options.since) as consumer:
        seen = idle = 0
        from_ms = 0 if options.since is None else timestamp_ms(options.since)
        while options.is_follow or idle < IDLE_POLLS:
            records = await _poll(consumer, kafka)
            is_idle = not records and await _is_at_end(consumer, kafka)
            idle = idle + 1 if is_idle else 0
            # By time once more: Tansu answers offset 0 to every time, and the timestamps of
            # Kafka records need not rise with their offsets.
            for record in (one for one in records if one.timestamp >= from_ms):
                if options.max_records is not None and seen >= options.max_records:
                    return
                message = message_of(record)
                if is_settlement(message) and not options.has_settlements:
                    continue
                yield message
                seen += 1
            if options.max_records is not None and seen >= options.max_records:
                return


@asynccontextmanager
async def _reader(
    kafka: KafkaConfig, places: Sequence[TopicPartition], since: datetime | None
) -> AsyncGenerator[AIOKafkaConsumer, None]:
    consumer = new_reader(kafka, client_id="nashra-tail")
    try:
        await consumer.start()
        await _seek(consumer, places, since)
        yield consumer
    except KafkaError as error:
        raise as_broker_error(error, kafka, "read") from error
    finally:
        await consumer.stop()


async def _seek(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], since: datetime | None
) -> None:
    """Assign all partitions, each at its first record or the first one since then."""
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    if since is None:
        return
    at_ms = max(0, timestamp_ms(since))
    found = await consumer.offsets_for_times(dict.fromkeys(places, at_ms))
    for partition in places:
        if found.get(partition) is not None:
            consumer.seek(partition, found[partition].offset)
        else:
            await consumer.seek_to_end(partition)


async def _poll(consumer: AIOKafkaConsumer, kafka: KafkaConfig) -> list[Any]:
    """What came, in the order of its timestamps."""
    try:
        batches = await consumer.getmany(timeout_ms=int(POLL_S * 1000))
    except KafkaError as error:
        raise as_broker_error(error, kafka, "read") from error
    records = [record for batch in batches.values() for record in batch]
    return sorted(records, key=lambda record: (record.timestamp, record.partition, record.offset))


async def _is_at_end(consumer: AIOKafkaConsumer, kafka: KafkaConfig) -> bool:
    """Whether all is read that the broker says it has: a slow answer is no end."""
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        places = [await consumer.position(place) >= end for place, end in ends.items()]
    except KafkaError as error:
        raise as_broker_error(error, kafka, "read") from error
    return all(places)


def message_of(record: Any) -> Message:
    """A record of aiokafka as ours."""
    return Message(
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
    )
