"""State on real Kafka: joins, kills, lost disks, and a broker that lost its data.

One test is for the embedded broker too, which tells end offsets that are too low.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.codec import decode
from schemas.state import FeedPollState
from stream.admin import apply_topics, missing_topics
from stream.changelog import KafkaChangelog, Place
from stream.config import Config
from stream.kafka import admin_client, new_producer
from stream.kafkacluster import KafkaCluster
from stream.state import State
from stream.statedb import PartitionDb, StateMemory
from stream.statetables import TableSpec
from tests.support.kafka_kit import kafka_config_for
from tests.support.state_kit import NOW, PARTITIONS_OF_TESTS, poll, state_topics
from tests.support.stream_kit import Worker

pytestmark = pytest.mark.broker

STATE_WORKER = str(Path(__file__).with_name("state_worker.py"))
KEYS = 40


class Bench:
    """A source, a changelog, and workers on them."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.prefix = f"state-{uuid.uuid4().hex[:8]}"
        self.source, self.changelog = state_topics(self.prefix)
        self.config = config
        self.folder = folder
        self.workers: list[Worker] = []
        self.sent = 0
        asyncio.run(apply_topics(config, [self.source, self.changelog]))

    def send(self, rounds: int) -> None:
        """So many more values for each key."""
        first, self.sent = self.sent + 1, self.sent + rounds

        async def work() -> None:
            producer = new_producer(self.config.kafka, client_id="test")
            await producer.start()
            for value in range(first, self.sent + 1):
                for key in range(KEYS):
                    place = key % PARTITIONS_OF_TESTS
                    await producer.send(
                        self.source.name, b"%d" % value, key=b"%d" % key, partition=place
                    )
            await producer.stop()

        asyncio.run(work())

    def join(self, data: str) -> Worker:
        """Start a worker on a data folder."""
        log = self.folder / f"log-{len(self.workers)}"
        argv = [sys.executable, "-W", "ignore", STATE_WORKER, self.config.kafka.bootstrap]
        self.workers.append(Worker([*argv, self.prefix, str(self.folder / data)], log).start())
        return self.workers[-1]

    def lines(self, word: str) -> list[str]:
        """What all workers said that begins so."""
        said = [line for worker in self.workers for line in worker.said().splitlines()]
        return [line for line in said if line.startswith(word)]

    def kept(self) -> dict[bytes, int]:
        """Last value of each key in the changelog."""

        async def work() -> dict[bytes, int]:
            log = KafkaChangelog(self.config.kafka, client_id="test")
            places = [Place(self.changelog.name, number) for number in range(PARTITIONS_OF_TESTS)]
            bounds = await log.bounds(places)
            found: dict[bytes, int] = {}
            starts = {place: each.first for place, each in bounds.items()}
            ends = {place: each.end for place, each in bounds.items()}
            async for chunk in log.read(starts, ends):
                for _, change in chunk:
                    value = decode(FeedPollState, change.value or b"")
                    found[change.key] = value.failures
            await log.stop()
            return found

        return asyncio.run(work())

    def wait_done(self, timeout_s: float = 60.0) -> None:
        """Wait until the changelog holds the last value of every key."""
        expected = {b"%d" % key: self.sent for key in range(KEYS)}
        until(lambda: self.kept() == expected, timeout_s, self.said)

    def said(self) -> str:
        return "\n".join(worker.said()[-3_000:] for worker in self.workers)


def until(
    is_so: Callable[[], bool], timeout_s: float = 40.0, what: Callable[[], str] = str
) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, what()
        time.sleep(0.4)


@pytest.fixture
def bench(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(kafka_config_for(kafka, tmp_path), tmp_path)
    yield made
    for worker in made.workers:
        if worker.process is not None:
            worker.process.kill()
            worker.process.wait()


def test_joins_stops_and_kills_in_mid_stream_lose_nothing(bench: Bench) -> None:
    bench.send(40)
    first = bench.join("a")
    first.wait_for("did ")
    second = bench.join("b")
    second.wait_for("did ")
    first.signal(signal.SIGKILL)
    third = bench.join("a")  # the folder of the killed one
    third.wait_for("state.ready")
    bench.send(10)
    third.wait_for("did ")
    assert second.signal(signal.SIGTERM) == 0
    bench.wait_done()
    assert bench.lines("gap") == []


def test_a_restart_reads_nothing_back_and_a_lost_disk_all(bench: Bench) -> None:
    for data, is_read_back in (("a", False), ("a", False), ("new", True)):
        bench.send(5)
        worker = bench.join(data)
        bench.wait_done()
        assert ("state.read_back" in worker.said()) == is_read_back
        assert worker.signal(signal.SIGTERM) == 0
    assert bench.lines("gap") == []


def test_state_newer_than_a_changelog_that_was_made_anew_is_put_aside(bench: Bench) -> None:
    """Faust's own tables end in a crash loop here (ConsistencyError)."""
    bench.send(5)
    first = bench.join("a")
    bench.wait_done()
    assert first.signal(signal.SIGTERM) == 0
    make_anew(bench)
    second = bench.join("a")
    second.wait_for("state.ready")
    bench.send(1)
    until(lambda: len(bench.kept()) == KEYS, what=bench.said)
    assert second.said().count("newer than the broker's data") == PARTITIONS_OF_TESTS
    assert len(asides(bench.folder / "a" / "state")) == PARTITIONS_OF_TESTS
    assert len(bench.lines("gap")) == KEYS, "the old state is not in use"
    assert second.signal(signal.SIGTERM) == 0


def asides(folder: Path) -> list[Path]:
    return list(folder.glob("*.aside-*"))


def make_anew(bench: Bench) -> None:
    async def delete() -> None:
        async with admin_client(bench.config.kafka) as client:
            await client.delete_topics([bench.changelog.name])

    def is_gone() -> bool:
        return bool(asyncio.run(missing_topics(bench.config.kafka, [bench.changelog])))

    asyncio.run(delete())
    until(is_gone)
    asyncio.run(apply_topics(bench.config, [bench.changelog]))


def test_a_data_folder_in_use_ends_the_worker_with_a_sentence(bench: Bench) -> None:
    held = PartitionDb(bench.folder / "a" / "state" / "p00002", StateMemory())
    worker = bench.join("a")
    assert worker.wait(40) != 0
    assert "p00002: another process has this state folder open" in worker.said()
    held.close()
    bench.send(1)
    bench.join("a")
    bench.wait_done()


def test_a_broker_killed_between_commits_is_waited_out(bench: Bench, kafka: KafkaCluster) -> None:
    bench.send(30)
    worker = bench.join("a")
    worker.wait_for("did ")
    kafka.nodes[0].kill()
    time.sleep(1)
    kafka.nodes[0].start()
    bench.wait_done(timeout_s=90)
    assert bench.lines("gap") == []
    assert worker.process is not None
    assert worker.process.poll() is None


async def test_every_broker_gives_back_all_that_was_committed(
    config: Config, tmp_path: Path
) -> None:
    _, topic = state_topics(f"state-{uuid.uuid4().hex[:8]}")
    await apply_topics(config, [topic])
    table = TableSpec(topic, FeedPollState)

    def new_state(folder: str) -> State:
        log = KafkaChangelog(config.kafka, client_id="test")
        return State([table], folder=tmp_path / folder, changelog=log, clock=lambda: NOW)

    state = new_state("a")
    await state.own([0, 1])
    for number in range(50):
        state.table(table).put(1, b"%d" % number, poll("f", number))
    assert await state.commit() == 50
    await state.close()
    for folder in ("a", "lost"):
        state = new_state(folder)
        await state.own([0, 1])
        found = {key: value.failures for key, value in state.table(table).items(1)}
        assert found == {b"%d" % number: number for number in range(50)}
        await state.close()
    assert asides(tmp_path / "a") == []
