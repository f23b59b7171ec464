"""The changelog topics of local state: every change acknowledged by Kafka, and read back.

Trouble with the broker is waited out, with a log line for each try.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from schemas.errors import StateError
from stream.config import KafkaConfig
from stream.delivery import CLOSE_S, STOP_GRACE_S, DeliveryStoppedError, back_off_s
from stream.kafka import new_producer, new_reader

log = logging.getLogger(__name__)

CHUNK_RECORDS = 2_000
"""Most records handed on at once: about 10 ms of the loop."""

_POLL_MS = 500
_LOOK_BEHIND_MS = 300
_STEP_S = 0.5
_TRIES_PER_PRODUCER = 5


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A partition of a changelog topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Change:
    """A key's new value; ``None`` removes it."""

    place: Place
    key: bytes
    value: bytes | None

    @property
    def checksum(self) -> int:
        """Tells this change from another at the same offset."""
        return zlib.crc32(self.value or b"", zlib.crc32(self.key))


@dataclass(frozen=True, slots=True)
class Bounds:
    """First offset that is there, and the one after the last."""

    first: int
    end: int


Logged = tuple[int, Change]
"""Offset and change."""


class Changelog(Protocol):
    """What state needs of Kafka."""

    async def append(self, changes: Sequence[Change]) -> list[int]:
        """Write changes; returns the offset of each once all are acknowledged."""

    async def bounds(self, places: Sequence[Place]) -> dict[Place, Bounds]:
        """What there is to read."""

    def read(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> AsyncIterator[list[Logged]]:
        """What stands from start to end, in chunks of one place each."""

    async def stop_reading(self) -> None:
        """Disconnect what reads; reading again connects again."""

    async def stop(self) -> None:
        """Disconnect."""


class KafkaChangelog:
    """The changelog on Kafka. One producer, and a reader without a group for each read back."""

    def __init__(
        self,
        kafka: KafkaConfig,
        *,
        client_id: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare; nothing connects before it is used."""
        self._kafka = kafka
        self._client_id = client_id
        self._should_stop = should_stop
        self._producer: AIOKafkaProducer | None = None
        self._reader: AIOKafkaConsumer | None = None

    async def append(self, changes: Sequence[Change]) -> list[int]:
        """Write changes and wait for every acknowledgement, however long it takes.

        Raises:
            DeliveryStoppedError: The process stops and the broker does not take them.
            StateError: A change is too large for its topic.
        """
        offsets: dict[int, int] = {}
        attempt = 0
        stopping_s = 0.0
        while len(offsets) < len(changes):
            waiting = [index for index in range(len(changes)) if index not in offsets]
            error = await self._send(changes, waiting, offsets)
            if error is None:
                continue
            _refuse(error)
            attempt += 1
            if attempt % _TRIES_PER_PRODUCER == 0:
                await self._drop_producer()  # it may be the trouble itself
            delay_s = back_off_s(attempt)
            left = len(changes) - len(offsets)
            log.warning("state.retry", extra={"records": left, "error": repr(error)})
            stopping_s += await self._pause(delay_s)
            if stopping_s >= STOP_GRACE_S:
                raise DeliveryStoppedError(f"stopping with {left} state records unsent: {error}")
        return [offsets[index] for index in range(len(changes))]

    async def bounds(self, places: Sequence[Place]) -> dict[Place, Bounds]:
        """What there is to read.

        Raises:
            DeliveryStoppedError: The process stops and the broker does not answer.
        """
        attempt = 0
        while True:
            try:
                reader = await self._connected_reader()
                asked = [TopicPartition(place.topic, place.partition) for place in places]
                first = await reader.beginning_offsets(asked)
                end = await _true_ends(reader, await reader.end_offsets(asked))
            except KafkaError as error:
                attempt += 1
                log.warning("state.retry", extra={"records": 0, "error": repr(error)})
                if await self._pause(back_off_s(attempt)):
                    raise DeliveryStoppedError("stopping: the broker does not answer") from error
            else:
                return {
                    place: Bounds(first[tp], end[tp])
                    for place, tp in zip(places, asked, strict=True)
                }

    async def read(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> AsyncIterator[list[Logged]]:
        """What stands from start to end. Trouble of the broker is waited out.

        Raises:
            DeliveryStoppedError: The process stops.
        """
        left = {
            TopicPartition(place.topic, place.partition): (place, end)
            for place, end in ends.items()
            if starts[place] < end
        }
        if not left:
            return
        reader = await self._connected_reader()
        reader.assign(list(left))
        for tp, (place, _) in left.items():
            reader.seek(tp, starts[place])
        while left:
            if self._should_stop():
                raise DeliveryStoppedError("stopping while state is read back")
            try:
                fetched = await reader.getmany(timeout_ms=_POLL_MS, max_records=CHUNK_RECORDS)
            except KafkaError as error:
                log.warning("state.retry", extra={"records": 0, "error": repr(error)})
                await self._pause(_STEP_S)
                continue
            for tp, records in fetched.items():
                place, end = left[tp]
                yield [
                    (record.offset, Change(place, record.key or b"", record.value))
                    for record in records
                    if record.offset < end
                ]
            # The position may be past holes that compaction left.
            done = [tp for tp, (_, end) in left.items() if await reader.position(tp) >= end]
            for tp in done:
                del left[tp]
                reader.pause(tp)

    async def stop_reading(self) -> None:
        """Disconnect the reader; the next read connects again."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    async def stop(self) -> None:
        """Disconnect."""
        await self.stop_reading()
        await self._drop_producer()

    async def _send(
        self, changes: Sequence[Change], waiting: Sequence[int], offsets: dict[int, int]
    ) -> KafkaError | None:
        """Try to send; fills ``offsets`` and returns one of the errors, ``None``: all are in."""
        try:
            producer = await self._connected_producer()
            sent = [
                await producer.send(
                    changes[index].place.topic,
                    changes[index].value,
                    key=changes[index].key,
                    partition=changes[index].place.partition,
                )
                for index in waiting
            ]
        except KafkaError as error:
            return error
        failed: KafkaError | None = None
        answers = await asyncio.gather(*sent, return_exceptions=True)
        for index, answer in zip(waiting, answers, strict=True):
            if isinstance(answer, KafkaError):
                failed = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                offsets[index] = answer.offset
        return failed

    async def _pause(self, delay_s: float) -> float:
        """Wait; returns the seconds of it that passed since the process was asked to stop."""
        stopping_s = 0.0
        while delay_s > 0:
            await asyncio.sleep(min(delay_s, _STEP_S))
            delay_s -= _STEP_S
            stopping_s += _STEP_S if self._should_stop() else 0.0
        return stopping_s

    async def _connected_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = new_producer(self._kafka, client_id=self._client_id)
            try:
                await producer.start()
            except KafkaError:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        closing = asyncio.wait_for(producer.stop(), CLOSE_S)
        answers = await asyncio.gather(closing, return_exceptions=True)
        if answers[0] is not None:
            log.warning("state.producer_not_closed", extra={"error": repr(answers[0])})

    async def _connected_reader(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = new_reader(self._kafka, client_id=self._client_id)
            try:
                await reader.start()
            except KafkaError:
                await reader.stop()
                raise
            self._reader = reader
        return self._reader


def _refuse(error: KafkaError) -> None:
    """Raise for what no retry can cure. A right that was taken away may come back: wait."""
    if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
        raise StateError(f"a state record is too large for its topic: {error}") from error


async def _true_ends(
    reader: AIOKafkaConsumer, told: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Look behind the ends that the broker tells: the embedded one's are too low within a batch."""
    ends = dict(told)
    reader.assign(list(ends))
    for tp, end in ends.items():
        reader.seek(tp, end)
    while fetched := await reader.getmany(timeout_ms=_LOOK_BEHIND_MS):
        ends |= {tp: records[-1].offset + 1 for tp, records in fetched.items()}
    return ends
