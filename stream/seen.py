"""What was already published, so that a page replayed or redelivered makes no second article.

A bounded memory of marks per partition, without a Faust table (those lost messages on
rebalances). It is rebuilt from what stands on the output topic: after a crash exactly the pages
whose articles reached the broker are known.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError

from stream.config import KafkaConfig
from stream.kafka import close_soon, new_reader
from stream.stage import Dedup, Mark, Publish, utc_now
from stream.stage import timestamp_ms as timestamp_ms_of

log = logging.getLogger(__name__)

Tail = AsyncIterator[tuple[int, Mapping[str, bytes | None], int]]
"""Partition, headers and timestamp (ms) of each record, oldest first within a partition."""

ReadTail = Callable[[frozenset[int]], Tail]

WARM_UP_RECORDS = 2_000
"""Most records read back per partition, the newest: a rebalance must not stop the stream for
long. An older article that comes again after a restart may be published a second time."""

WARM_UP_LIMIT_S = 60.0
"""Longest time spent reading back; what is missing then may be published a second time."""

PASSING = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError)
"""What a broker that is away says; all else ends the worker."""

_POLL_MS = 1_000
_POLL_RECORDS = 500
"""Unpacked in one go; all that was fetched of 12 partitions blocked the loop for 0.4 s."""

_AGAIN_S = 1.0


class _Known(NamedTuple):
    """What is remembered of an article: its last digest and timestamp, its newest revision."""

    digest: bytes
    at_ms: int
    newest: int


class Seen:
    """The last mark of each published article: ``window`` articles a partition, for a while."""

    def __init__(
        self,
        window: int,
        read_tail: ReadTail,
        dedup: Dedup,
        *,
        window_s: float = math.inf,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Start empty.

        Args:
            window: Most articles per partition; each costs about 250 bytes.
            read_tail: Reads back the last records of the output's partitions.
            dedup: How a mark is found in a record's headers.
            window_s: Seconds after a record's Kafka timestamp for which it is remembered.
            clock: Gives ``now``, aware UTC.
        """
        self._window = window
        self._window_ms = window_s * 1000
        self._read_tail = read_tail
        self._dedup = dedup
        self._clock = clock
        # By article id. A dict keeps insertion order: the first is the least recently used.
        self._marks: dict[int, dict[bytes, _Known]] = {}
        self._epochs: dict[int, int] = {}

    @property
    def size(self) -> int:
        """Articles remembered, of all partitions."""
        return sum(map(len, self._marks.values()))

    def knows(self, partition: int) -> bool:
        """Whether the partition was read back, or nothing is to be remembered at all."""
        return partition in self._marks or not self._window

    def digest_of(self, partition: int, article: bytes) -> bytes | None:
        """Digest of what was published last of an article; ``None``: unknown, or too long ago."""
        found = self._marks.get(partition, {}).get(article)
        return None if found is None or found.at_ms < self._oldest_ms() else found.digest

    def has(self, partition: int, mark: Mark) -> bool:
        """Whether this is the last published of its article; of an unknown partition nothing is."""
        return self.digest_of(partition, mark.article) == mark.digest

    def is_outdated(self, partition: int, mark: Mark) -> bool:
        """Whether a newer revision of the article was published, as far as is remembered."""
        found = self._marks.get(partition, {}).get(mark.article)
        return found is not None and mark.revision < found.newest

    def without_outdated(self, partition: int, result: Publish) -> Publish:
        """What may go out: an older revision as an event, but not in place of a newer one.

        That is, not on a compacted topic, where the last record of a key is the one that stays.
        """
        kept = []
        for out in result.outs:
            mark = None if out.topic.cleanup == "delete" else self._dedup.mark_of(dict(out.headers))
            if mark is None or not self.is_outdated(partition, mark):
                kept.append(out)
        return Publish(tuple(kept))

    def add(self, partition: int, mark: Mark, timestamp_ms: int) -> None:
        """Remember a mark; only after the broker acknowledged the record.

        Nothing is added to a partition that is not loaded: it would pass for a known one.

        Args:
            partition: Where the record's source stood.
            mark: What to remember.
            timestamp_ms: Kafka timestamp of the record.
        """
        marks = self._marks.get(partition)
        if marks is None:
            return
        _put(marks, mark, timestamp_ms)
        self._trim(marks)

    def _trim(self, marks: dict[bytes, _Known]) -> None:
        """Give up what is too old or too much."""
        oldest_ms = self._oldest_ms()
        while marks:
            first = next(iter(marks))
            if len(marks) <= self._window and marks[first].at_ms >= oldest_ms:
                break
            del marks[first]

    def _oldest_ms(self) -> float:
        """Timestamps before this are forgotten."""
        if math.isinf(self._window_ms):
            return -math.inf
        return timestamp_ms_of(self._clock()) - self._window_ms

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop partitions that were revoked: their next owner may publish there."""
        for partition in partitions:
            self._marks.pop(partition, None)
            self._epochs[partition] = self._epochs.get(partition, 0) + 1

    async def load(self, partitions: Iterable[int]) -> None:
        """Read back what was published to the partitions that are not known yet.

        A partition that is revoked meanwhile stays unknown: what was read of it is out of date.
        """
        missing = frozenset(partitions) - self._marks.keys()
        if not missing or not self._window:
            return
        started = time.monotonic()
        epochs = {partition: self._epochs.get(partition, 0) for partition in missing}
        loaded: dict[int, dict[bytes, _Known]] = {partition: {} for partition in missing}
        async for partition, headers, timestamp_ms in self._read_tail(missing):
            mark = self._dedup.mark_of(headers)
            if mark is not None:
                _put(loaded[partition], mark, timestamp_ms)
        # Only now: a failed read must not leave half-known partitions behind.
        for partition in missing:
            if self._epochs.get(partition, 0) == epochs[partition]:
                self._trim(loaded[partition])
                self._marks[partition] = loaded[partition]
        log.info(
            "seen.loaded",
            extra={
                "partitions": len(missing),
                "marks": sum(map(len, loaded.values())),
                "took_s": round(time.monotonic() - started, 2),
            },
        )


def _put(marks: dict[bytes, _Known], mark: Mark, timestamp_ms: int) -> None:
    """Remember a mark as the last one of all."""
    before = marks.pop(mark.article, None)
    newest = mark.revision if before is None else max(mark.revision, before.newest)
    marks[mark.article] = _Known(mark.digest, timestamp_ms, newest)


def tail_reader(
    kafka: KafkaConfig,
    topic: str,
    window: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> ReadTail:
    """Read back the last records of partitions of a topic, without a group.

    Args:
        kafka: How to reach the broker.
        topic: The output topic.
        window: Most records per partition; never more than :data:`WARM_UP_RECORDS`.
        should_stop: Whether the process is to stop; then the reading ends where it is.

    Returns:
        A reader that waits for a broker that is away, and then begins anew.
    """
    window = min(window, WARM_UP_RECORDS)

    async def read(partitions: frozenset[int]) -> Tail:
        while True:
            places = [TopicPartition(topic, partition) for partition in sorted(partitions)]
            try:
                async for record in _read_once(kafka, places, window, should_stop):
                    yield record
            except PASSING as error:
                if should_stop():
                    return
                log.warning("seen.retry", extra={"again_in_s": _AGAIN_S, "error": repr(error)})
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    return read


async def _read_once(
    kafka: KafkaConfig,
    places: list[TopicPartition],
    window: int,
    should_stop: Callable[[], bool],
) -> Tail:
    reader = new_reader(kafka, client_id="nashra-seen")
    try:
        await reader.start()
        ends = await _seek_back(reader, places, window)
        if not ends:
            return
        async for record in _read_on(reader, ends, should_stop):
            yield record
    finally:
        await close_soon(reader.stop())


async def _seek_back(
    reader: AIOKafkaConsumer, places: list[TopicPartition], window: int
) -> dict[TopicPartition, int]:
    """Go ``window`` records back from the end; returns the ends of those that hold records."""
    last: dict[TopicPartition, int] = await reader.end_offsets(places)
    first: dict[TopicPartition, int] = await reader.beginning_offsets(places)
    ends = {place: end for place, end in last.items() if end > first[place]}
    reader.assign(list(ends))
    for place, end in ends.items():
        reader.seek(place, max(first[place], end - window))
    return ends


async def _read_on(
    reader: AIOKafkaConsumer, ends: dict[TopicPartition, int], should_stop: Callable[[], bool]
) -> Tail:
    """Read past the ends until nothing comes: Tansu's "latest" is too low within a batch."""
    deadline = time.monotonic() + WARM_UP_LIMIT_S
    while True:
        fetched = await reader.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
        await asyncio.sleep(0)  # a poll that finds records waiting does not let the loop turn
        for place, records in fetched.items():
            for record in records:
                yield place.partition, dict(record.headers), record.timestamp
        positions = [(await reader.position(place)) >= end for place, end in ends.items()]
        if not fetched and all(positions):
            return
        if should_stop() or time.monotonic() > deadline:
            log.warning("seen.incomplete", extra={"limit_s": WARM_UP_LIMIT_S})
            return
