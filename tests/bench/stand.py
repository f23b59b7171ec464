"""The stand that engines are measured on: a Kafka on core 0, workers pinned, one subscriber."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from aiokafka import TopicPartition

from schemas.topics import PAGES
from stream.admin import apply_topics
from stream.config import Config
from stream.kafka import admin_client, new_producer, new_reader
from stream.kafkacluster import KafkaCluster

BROKER_CORE, WORKER_CORES = 0, (1, 0)
"""The first worker has a core of its own; the second shares the broker's."""

SETTLE_S = 8.0
PATIENCE_S = 300.0

Record = tuple[bytes, bytes]
"""Key and value."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run measured.

    Attributes:
        per_s: Messages a second, from the first output to the last.
        cpu_us: CPU time of the workers for one message, microseconds.
        latencies_ms: From the record's timestamp to its reading, for each message, ascending.
    """

    per_s: float
    cpu_us: float
    latencies_ms: Sequence[float] = field(repr=False)

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the messages stayed below."""
        return self.latencies_ms[int(share * (len(self.latencies_ms) - 1))]


@dataclass(frozen=True, slots=True)
class Stand:
    """A broker to measure on."""

    config: Config
    folder: Path

    def make_topic(self, name: str) -> None:
        """A topic like that of the pages."""
        asyncio.run(self._make_topic(name))

    async def _make_topic(self, name: str) -> None:
        from aiokafka.admin import NewTopic

        async with admin_client(self.config.kafka) as admin:
            topic = NewTopic(name, PAGES.partitions, 1, topic_configs=PAGES.config())
            await admin.create_topics([topic])
            for _ in range(100):
                if name in await admin.list_topics():
                    return
                await asyncio.sleep(0.1)

    def measure(
        self,
        source: str,
        output: str,
        records: Sequence[Record],
        warm_up: Sequence[Record],
        *,
        rate: float | None = None,
    ) -> Callable[[Sequence[psutil.Process]], Run]:
        """Feed records and follow the output; the workers must be running.

        Args:
            source: Topic to feed.
            output: Topic to follow.
            records: What to send.
            warm_up: What to send before; nobody looks at the clock yet.
            rate: Records a second; ``None``: all at once.
        """

        def work(workers: Sequence[psutil.Process]) -> Run:
            asyncio.run(self.follow(source, output, warm_up))
            time.sleep(SETTLE_S)
            before_s = cpu_s(workers)
            arrivals = asyncio.run(self.follow(source, output, records, rate))
            used_s = cpu_s(workers) - before_s
            took_s = arrivals[-1][0] - arrivals[0][0]
            latencies = sorted(latency for _, latency in arrivals)
            return Run(len(arrivals) / took_s, used_s / len(arrivals) * 1e6, latencies)

        return work

    async def follow(
        self,
        source: str,
        output: str,
        records: Sequence[Record],
        rate: float | None = None,
    ) -> list[tuple[float, float]]:
        """Arrival time (s) and latency (ms) of as many outputs as there are records."""
        reader = new_reader(self.config.kafka, client_id="bench")
        producer = new_producer(self.config.kafka, client_id="bench")
        await reader.start()
        await producer.start()
        feeding: asyncio.Task[None] | None = None
        try:
            places = [TopicPartition(output, number) for number in range(PAGES.partitions)]
            reader.assign(places)
            await reader.seek_to_end()
            for place in places:
                await reader.position(place)
            feeding = asyncio.ensure_future(_feed(producer, source, records, rate))
            arrivals: list[tuple[float, float]] = []
            deadline = time.monotonic() + PATIENCE_S
            while len(arrivals) < len(records):
                assert time.monotonic() < deadline, f"{len(arrivals)} of {len(records)} came"
                for batch in (await reader.getmany(timeout_ms=100)).values():
                    now_s = time.time()
                    arrivals += [(now_s, now_s * 1e3 - record.timestamp) for record in batch]
            return arrivals
        finally:
            if feeding is not None:
                await feeding
            await producer.stop()
            await reader.stop()

    @contextmanager
    def workers(
        self, commands: Sequence[Sequence[str]], cores: Sequence[int]
    ) -> Iterator[list[psutil.Process]]:
        """Python processes, each pinned to a core, its children too; killed at the end."""
        variables = {"NASHRA_KAFKA__BOOTSTRAP": self.config.kafka.bootstrap}
        processes = []
        with (self.folder / "workers.log").open("ab") as log:
            for command, core in zip(commands, cores, strict=True):
                processes.append(
                    subprocess.Popen(
                        [sys.executable, *command],
                        env={**os.environ, **variables},
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        preexec_fn=lambda core=core: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - one thread
                    )
                )
        try:
            yield [psutil.Process(process.pid) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """A fresh Kafka of one node with nashra's topics."""
    os.sched_setaffinity(0, {BROKER_CORE})
    with KafkaCluster(data_dir=str(folder)) as kafka:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        config = Config(kafka=kafka.kafka_config(), data_dir=str(folder))
        asyncio.run(apply_topics(config))
        yield Stand(config, folder)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds that these and their children have used; pools end processes seldom."""
    everyone = [
        each for process in processes for each in [process, *process.children(recursive=True)]
    ]
    times = (each.cpu_times() for each in everyone)
    return sum(
        each.user + each.system + each.children_user + each.children_system for each in times
    )


async def _feed(
    producer: object, topic: str, records: Sequence[Record], rate: float | None
) -> None:
    started_s = time.monotonic()
    futures = []
    for number, (key, value) in enumerate(records):
        if rate is not None:
            await asyncio.sleep(max(0.0, started_s + number / rate - time.monotonic()))
        at_ms = int(time.time() * 1000)
        futures.append(await producer.send(topic, value, key=key, timestamp_ms=at_ms))  # type: ignore[attr-defined]
    await asyncio.gather(*futures)
