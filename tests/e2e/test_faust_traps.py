"""Faust's traps on a real broker, walked into by Faust as it comes and by ours.

Where the assertion about ``stock`` fails, Faust is cured: its workaround can go. The races that
do not happen in every run are pinned in ``tests/stream/test_faust_compat.py``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream.config import Config
from stream.kafka import client_settings, new_producer
from stream.kafkacluster import KafkaCluster
from tests.support.kafka_kit import kafka_config_for
from tests.support.stream_kit import Worker

pytestmark = pytest.mark.broker

TRAP_WORKER = str(Path(__file__).with_name("trap_worker.py"))
STOCK, OURS = KINDS = ("stock", "ours")


class Trap:
    """A topic of its own, and workers of one kind on it."""

    def __init__(self, config: Config, kind: str, name: str, folder: Path) -> None:
        self.topic = f"trap-{name}-{kind}-{uuid.uuid4().hex[:8]}".replace("_", "-")
        self._config = config
        self._kind = kind
        self._name = name
        self._folder = folder / kind
        self._folder.mkdir()
        self.workers: list[Worker] = []

    def fill(self, values: Sequence[bytes], partitions: int) -> None:
        """Make the topic, and put the values on its partitions in turn."""

        async def work() -> None:
            admin = AIOKafkaAdminClient(**client_settings(self._config.kafka))
            await admin.start()
            await admin.create_topics([NewTopic(self.topic, partitions, 1)])
            await admin.close()
            producer = new_producer(self._config.kafka, client_id="trap")
            await producer.start()
            for number, value in enumerate(values):
                place = number % partitions
                await producer.send(self.topic, value, key=b"%d" % number, partition=place)
            await producer.stop()

        asyncio.run(work())

    def join(self) -> Worker:
        """Start one more worker."""
        log = self._folder / f"log-{len(self.workers)}"
        argv = [sys.executable, "-W", "ignore", TRAP_WORKER, self._config.kafka.bootstrap]
        data = str(self._folder / f"data-{len(self.workers)}")
        self.workers.append(Worker([*argv, self.topic, self._kind, self._name, data], log).start())
        return self.workers[-1]

    def got(self) -> list[str]:
        """What all workers got, repeats too."""
        lines = [line for worker in self.workers for line in worker.said().splitlines()]
        return [line.removeprefix("got ") for line in lines if line.startswith("got ")]

    def committed(self) -> dict[int, int]:
        """The group's offsets."""

        async def work() -> dict[int, int]:
            admin = AIOKafkaAdminClient(**client_settings(self._config.kafka))
            await admin.start()
            # Asked by name: the embedded broker's answer to "all" cannot be read.
            places = [TopicPartition(self.topic, number) for number in range(4)]
            offsets = await admin.list_consumer_group_offsets(self.topic, partitions=places)
            await admin.close()
            return {tp.partition: at.offset for tp, at in offsets.items() if at.offset >= 0}

        return asyncio.run(work())


@pytest.fixture
def trap(config: Config, tmp_path: Path) -> Iterator[Callable[[str], dict[str, Trap]]]:
    """Makes the traps of a name, stock and ours."""
    made: dict[str, Trap] = {}

    def make(name: str) -> dict[str, Trap]:
        made.update({kind: Trap(config, kind, name, tmp_path) for kind in KINDS})
        return made

    yield make
    for worker in (each for some in made.values() for each in some.workers):
        if worker.process is not None:
            worker.process.kill()
            worker.process.wait()


def cured(letter: str) -> str:
    return f"Faust no longer does this: remove workaround {letter} from stream/faust_compat.py"


def until(is_so: Callable[[], bool], what: str = "", timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_b_no_commit_passes_a_message_in_work(trap: Callable[[str], dict[str, Trap]]) -> None:
    """The first message is still in work when 29 others are done."""
    traps = trap("out_of_order")
    for each in traps.values():
        each.fill([b"slow", *(b"%d" % number for number in range(29))], partitions=1)
        each.join()
    until(lambda: all(len(each.got()) == 30 for each in traps.values()), "not all came")
    until(lambda: traps[STOCK].committed() == {0: 30}, cured("B"), timeout_s=10)
    time.sleep(0.6)  # two more commit intervals
    assert traps[OURS].committed() in ({}, {0: 0})


def test_c_a_join_and_a_sigterm_repeat_nothing(trap: Callable[[str], dict[str, Trap]]) -> None:
    """All is done and nothing committed yet when a second worker joins and the first one ends."""
    traps = trap("rare_commits")
    for each in traps.values():
        each.fill([b"%d" % number for number in range(400)], partitions=4)
        each.join()
    until(lambda: all(len(each.got()) == 400 for each in traps.values()), "not all came")
    for each in traps.values():
        each.join()
    until(lambda: sum(traps[OURS].committed().values()) == 400, "not committed at the revoke")
    until(lambda: len(traps[STOCK].got()) > 400, cured("C"), timeout_s=20)
    assert traps[OURS].workers[0].signal(signal.SIGTERM) == 0
    time.sleep(1)
    assert len(traps[OURS].got()) == 400, "repeats"


def test_a_a_join_loses_nothing_with_a_table(trap: Callable[[str], dict[str, Trap]]) -> None:
    """Faust as it comes lost 25 of 3,000 here in one of six runs on Kafka 4.3: not each time."""
    ours = trap("with_table")[OURS]
    ours.fill([b"%d" % number for number in range(600)], partitions=4)
    ours.join()
    until(lambda: len(ours.got()) >= 100)
    ours.join()
    until(lambda: len(set(ours.got())) == 600)
    assert len(ours.got()) <= 600 + 8, "repeats"


def test_b_and_c_together_for_work_side_by_side(trap: Callable[[str], dict[str, Trap]]) -> None:
    """Hundreds in work, done in any order, while one worker joins and another is told to end."""
    ours = trap("lanes")[OURS]
    ours.fill([b"%d" % number for number in range(8_000)], partitions=4)
    first = ours.join()
    until(lambda: len(ours.got()) >= 500, "nothing came")
    ours.join()
    until(lambda: "got" in ours.workers[1].said(), "the second got nothing")
    assert first.signal(signal.SIGTERM) == 0
    until(lambda: len(set(ours.got())) == 8_000, "lost")
    assert len(ours.got()) - 8_000 <= 8, "more than one repeat per thousand"


def test_d_a_sigterm_ends_though_the_broker_is_away(kafka: KafkaCluster, tmp_path: Path) -> None:
    """Faust as it comes waits until the broker is back."""
    ours = Trap(kafka_config_for(kafka, tmp_path), OURS, "rare_commits", tmp_path)
    ours.fill([b"%d" % number for number in range(100)], partitions=4)
    worker = ours.join()
    until(lambda: len(ours.got()) == 100, "not all came")
    kafka.nodes[0].kill()
    assert worker.signal(signal.SIGTERM, timeout_s=40) == 0
