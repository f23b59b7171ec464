"""Every row of the table of fates, through a real worker with its pool on a real broker."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from schemas.errors import Outcome
from schemas.topics import CLEAN, DEAD_LETTERS, PAGES
from stream.config import Config
from stream.deadletter import PREFIX, from_message
from stream.kafka import new_producer
from stream.tail import message_of
from tests.support.fates import Fate, fates
from tests.support.kafka_kit import is_on_kafka
from tests.support.stream_kit import REPOSITORY, Worker, consume, consume_ids, count_on

pytestmark = pytest.mark.broker

FATE_WORKER = str(REPOSITORY / "tests" / "e2e" / "fate_worker.py")

Placed = tuple[int, int, int]
"""Partition, offset and timestamp (ms) that the broker gave a record."""


def put(config: Config, rows: Iterable[Fate]) -> dict[str, Placed]:
    """Publish the rows in their order; where each lies, by its name."""

    async def work() -> dict[str, Placed]:
        producer = new_producer(config.kafka, client_id="test")
        await producer.start()
        try:
            placed = {}
            for fate in rows:
                at_ms = int(time.time() * 1000) - 5
                headers = list(fate.headers)
                future = await producer.send(
                    PAGES.name, fate.value, key=fate.key, timestamp_ms=at_ms, headers=headers
                )
                record = await future
                placed[fate.name] = (record.partition, record.offset, at_ms)
            return placed
        finally:
            await producer.stop()

    return asyncio.run(work())


def letters_of(
    config: Config, rows: Sequence[Fate], placed: Mapping[str, Placed]
) -> dict[str, ConsumerRecord]:
    """The letters of these rows by name, once all are there.

    A row is known by key, value and time: other tests send some of these values too.
    """
    names = {(fate.key, fate.value, placed[fate.name][2]): fate.name for fate in rows}

    def name_of(record: ConsumerRecord) -> str | None:
        at_ms = int(dict(record.headers).get(f"{PREFIX}timestamp-ms", b"0"))
        return names.get((record.key, record.value, at_ms))

    def found(records: Iterable[ConsumerRecord]) -> dict[str, ConsumerRecord]:
        known = ((name_of(each), each) for each in records)
        return {name: each for name, each in known if name is not None}

    enough = consume(config, DEAD_LETTERS, lambda got: len(found(got)) == len(rows), timeout_s=90.0)
    return found(enough)


def check(fate: Fate, record: ConsumerRecord, placed: Placed) -> None:
    """The original byte for byte, where it lay, and why it is here."""
    headers = dict(record.headers)
    assert len(headers) == len(record.headers), "a header name came twice"
    originals = {name: value for name, value in headers.items() if not name.startswith(PREFIX)}
    assert (record.key, record.value, originals) == (fate.key, fate.value, dict(fate.headers))
    letter = from_message(message_of(record))
    assert (letter.stage, letter.reason, letter.topic) == ("cleaner", fate.reason, PAGES.name)
    assert (letter.partition, letter.offset, letter.timestamp_ms) == placed
    assert fate.words in letter.message
    assert letter.attempts == fate.tries
    assert {"nashra", "rules", "entities"} <= letter.versions.keys()


def test_every_row_has_its_fate(config: Config, tmp_path: Path) -> None:
    rows = [fate for fate in fates() if is_on_kafka() or fate.needs != "kafka"]
    calm = [fate for fate in rows if fate.needs != "worker" or not fate.is_dead]
    deadly = [fate for fate in rows if fate not in calm]
    dead = [fate for fate in rows if fate.is_dead]
    passing = [fate for fate in rows if fate.outcome is Outcome.PUBLISHED]
    placed = put(config, calm)
    argv = [sys.executable, FATE_WORKER, config.kafka.bootstrap, config.data_dir]
    with Worker(argv, tmp_path / "log") as worker:
        articles = consume_ids(config, CLEAN, [fate.article_id for fate in passing], 90.0)
        letters_of(config, [fate for fate in calm if fate.is_dead], placed)
        placed |= put(config, deadly)  # they end the process, which counts the tries of others
        letters = letters_of(config, dead, placed)
        assert worker.signal(signal.SIGTERM) == 0
        said = worker.said()
    for fate in dead:
        check(fate, letters[fate.name], placed[fate.name])
    assert len(articles) == len(passing)
    (again,) = (fate for fate in rows if fate.outcome is Outcome.DUPLICATE)
    assert count_on(config, CLEAN, [again.article_id]) == 1
    assert "skipped.tombstone" in said
    assert "duplicate" in said
