"""Kafka in tests: pages in, records out, worker processes that can be killed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from schemas.codec import encode
from schemas.records import DeadLetter, RawPage
from schemas.topics import DEAD_LETTERS, PAGES, Topic
from stream.config import Config, replace, with_bootstrap
from stream.deadletter import from_message
from stream.kafka import new_producer, new_reader
from stream.tail import message_of

REPOSITORY = Path(__file__).parents[2]
FETCHED_AT = datetime(2026, 1, 15, 9, 30, 0, 123000, tzinfo=UTC)
FAKE_WORKER = str(REPOSITORY / "tests" / "e2e" / "fake_worker.py")

Sent = tuple[bytes | None, bytes | None, dict[str, bytes | None]]
"""Key, value and headers of a record to send."""


def config_for(bootstrap: str, data_dir: Path) -> Config:
    """A configuration with short time-outs."""
    config = with_bootstrap(Config(data_dir=str(data_dir)), bootstrap)
    worker = replace(
        config.worker, session_timeout_s=6.0, heartbeat_interval_s=1.0, commit_interval_s=0.3
    )
    return replace(config, worker=worker)


def page(name: str, text: str) -> RawPage:
    """A text page whose id follows from ``name``."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return RawPage(
        article_id=digest[:32],
        url=f"https://news.example/{name}",
        origin=f"test:{name}",
        media_type="text",
        text=text,
        fetched_at=FETCHED_AT,
    )


def sent(record: RawPage, **headers: bytes | None) -> Sent:
    """A page as a record to send; ``_`` in header names becomes ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return record.article_id.encode(), encode(record), named


def produce(config: Config, records: Iterable[Sent], topic: Topic = PAGES) -> None:
    """Publish and wait for every acknowledgement."""

    async def work() -> None:
        producer = new_producer(config.kafka, client_id="test")
        await producer.start()
        try:
            futures = [
                await producer.send(topic.name, value, key=key, headers=list(headers.items()))
                for key, value, headers in records
            ]
            await asyncio.gather(*futures)
        finally:
            await producer.stop()

    asyncio.run(work())


def consume(
    config: Config,
    topic: Topic,
    is_enough: Callable[[Sequence[ConsumerRecord]], bool],
    timeout_s: float = 40.0,
) -> list[ConsumerRecord]:
    """Read a topic from its beginning until ``is_enough``; fails after the time-out."""

    async def work() -> list[ConsumerRecord]:
        reader = new_reader(config.kafka, client_id="test")
        await reader.start()
        try:
            places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            reader.assign(places)
            await reader.seek_to_beginning()
            found: list[ConsumerRecord] = []
            deadline = time.monotonic() + timeout_s
            while not is_enough(found):
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"only {len(found)} records on {topic.name}"
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += records
            return found
        finally:
            await reader.stop()

    return asyncio.run(work())


def consume_ids(
    config: Config, topic: Topic, ids: Iterable[str], timeout_s: float = 40.0
) -> list[ConsumerRecord]:
    """Read until each id stands there as a key; only records with these ids, repeats too."""
    wanted = {each.encode() for each in ids}
    found = consume(config, topic, lambda got: wanted <= {each.key for each in got}, timeout_s)
    return [record for record in found if record.key in wanted]


def letters_of(config: Config, keys: Iterable[bytes]) -> dict[bytes, DeadLetter]:
    """Dead letters by key, once there is one for each of these keys."""
    wanted = set(keys)
    found = consume(config, DEAD_LETTERS, lambda got: wanted <= {each.key for each in got})
    return {each.key: from_message(message_of(each)) for each in found if each.key in wanted}


def count_on(config: Config, topic: Topic, ids: Iterable[str], quiet_s: float = 1.0) -> int:
    """How many records with these ids stand on the topic once nothing came for ``quiet_s``.

    There must be some record on the topic.
    """
    wanted = {each.encode() for each in ids}
    seen_last: list[float] = [0, time.monotonic()]

    def is_quiet(found: Sequence[ConsumerRecord]) -> bool:
        if len(found) != seen_last[0]:
            seen_last[:] = [len(found), time.monotonic()]
        return bool(found) and time.monotonic() - seen_last[1] > quiet_s

    return sum(record.key in wanted for record in consume(config, topic, is_quiet))


class Worker:
    """A worker process whose output goes to a file."""

    def __init__(self, argv: Sequence[str], log: Path, **env: str) -> None:
        self._argv = list(argv)
        self._env = {**os.environ, **env}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._argv, stdout=log, stderr=subprocess.STDOUT, env=self._env, cwd=REPOSITORY
            )
        return self

    def signal(self, number: signal.Signals, timeout_s: float = 30.0) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Wait for its own end; returns the exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def wait_for(self, words: str, timeout_s: float = 30.0) -> None:
        """Wait until its output holds these words."""
        deadline = time.monotonic() + timeout_s
        while words not in self.said():
            assert time.monotonic() < deadline, f"never said {words!r}:\n{self.said()}"
            time.sleep(0.1)

    def __enter__(self) -> Self:
        return self if self.process else self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()  # a killed one would make the next wait 6 s for its place
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def fake_worker(config: Config, log: Path, **env: str) -> Worker:
    """A worker with a stage of no consequence, see ``tests/e2e/fake_worker.py``."""
    argv = [sys.executable, FAKE_WORKER, config.kafka.bootstrap, config.data_dir]
    return Worker(argv, log, **env)
