"""Everything that reached the topics, as a subscriber sees it, while faults go on."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

import orjson
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from processors.tools import Tools
from schemas.records import RawPage
from schemas.topics import CLEAN, DEAD_LETTERS, ENRICHED, Topic
from stream.config import Config
from stream.kafka import new_reader
from stream.local import LocalPipeline
from stream.stage import Dead

TOPICS = (CLEAN, ENRICHED, DEAD_LETTERS)


class Version(NamedTuple):
    """One revision of one article."""

    article: str
    revision: int


class Arrival(NamedTuple):
    """One record as it came to the subscriber.

    Attributes:
        partition: Of the topic, from 0.
        version: What it is.
        content: Digest of its bytes; the workers' clock is each page's, so repeats are equal.
        at_s: When it was read, by ``time.monotonic``.
    """

    partition: int
    version: Version
    content: bytes
    at_s: float


@dataclass(frozen=True, slots=True)
class Audit:
    """What a run lost, repeated and changed.

    Attributes:
        lost: Versions that never arrived.
        changed: Versions whose content is not that of the quiet run.
        repeats: Records beyond the first of each version.
        backwards: Articles of which an old revision came first after a newer one.
    """

    lost: frozenset[Version]
    changed: frozenset[Version]
    repeats: int
    backwards: frozenset[str]


@dataclass
class Ledger:
    """A subscriber of all output topics on a thread of its own; use as a context manager."""

    config: Config
    arrivals: dict[str, list[Arrival]] = field(
        default_factory=lambda: {topic.name: [] for topic in TOPICS}
    )
    letters: Counter[str] = field(default_factory=Counter)
    _is_over: bool = False

    def versions(self, topic: Topic) -> set[Version]:
        """What has arrived so far."""
        return {arrival.version for arrival in list(self.arrivals[topic.name])}

    def longest_pause_s(self, topic: Topic, since_s: float, until_s: float) -> float:
        """Longest time without a record of the busiest kind: per partition, then the longest."""
        times: dict[int, list[float]] = {}
        for arrival in list(self.arrivals[topic.name]):
            if since_s <= arrival.at_s <= until_s:
                times.setdefault(arrival.partition, []).append(arrival.at_s)
        gaps = [
            later - earlier
            for at_s in times.values()
            for earlier, later in zip([since_s, *at_s], [*at_s, until_s], strict=True)
        ]
        return max(gaps, default=until_s - since_s)

    def audit(self, topic: Topic, expected: Mapping[Version, bytes]) -> Audit:
        """Compare with the quiet run; of clean articles, which it does not keep, no contents."""
        first: dict[Version, bytes] = {}
        newest: dict[str, int] = {}
        changed, backwards = set(), set()
        repeats = 0
        for arrival in self.arrivals[topic.name]:
            version = arrival.version
            if version not in expected:
                continue
            repeats += version in first
            if version not in first and newest.get(version.article, 0) > version.revision:
                backwards.add(version.article)
            first.setdefault(version, arrival.content)
            newest[version.article] = max(newest.get(version.article, 0), version.revision)
            known = expected[version] if topic is ENRICHED else first[version]
            if arrival.content != known:
                changed.add(version)
        lost = frozenset(expected.keys() - first.keys())
        return Audit(lost, frozenset(changed), repeats, frozenset(backwards))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._follow()), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._thread.join(30)

    async def _follow(self) -> None:
        reader = new_reader(self.config.kafka, client_id="ledger")
        await reader.start()
        try:
            reader.assign(
                [TopicPartition(t.name, number) for t in TOPICS for number in range(t.partitions)]
            )
            await reader.seek_to_beginning()
            while not self._is_over:
                try:
                    fetched = await reader.getmany(timeout_ms=200)
                except KafkaError:  # the broker is one of those that die here
                    await asyncio.sleep(0.5)
                    continue
                for place, records in fetched.items():
                    self._enter(place, records)
        finally:
            await reader.stop()

    def _enter(self, place: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        now_s = time.monotonic()
        for record in records:
            if place.topic == DEAD_LETTERS.name:
                self.letters[(record.key or b"").decode()] += 1
                continue
            version, content = essence(record.value)
            self.arrivals[place.topic].append(Arrival(place.partition, version, content, now_s))


def essence(value: bytes) -> tuple[Version, bytes]:
    """Which revision of which article this is, and a digest of its bytes."""
    article = orjson.loads(value)
    version = Version(article["id"], article["revision"])
    return version, hashlib.blake2b(value, digest_size=16).digest()


def quiet_run(pages: Sequence[RawPage], tools: Tools) -> dict[Version, bytes]:
    """What a run without any fault publishes: the same stages without a broker."""
    pipeline = LocalPipeline(tools, clock=None)
    made = (pipeline.process(page) for page in pages)
    return dict(essence(value) for value in made if not isinstance(value, Dead))
