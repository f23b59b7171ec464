"""A broker that dies, comes back, freezes, loses its leader or a topic; the worker stays whole.

The numbers that each test prints stand in the table of docs/delivery.md.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from schemas.topics import CLEAN, ENRICHED, PAGES, Topic
from stream.admin import apply_topics
from stream.config import Config, replace
from stream.kafka import admin_client
from stream.kafkacluster import KafkaCluster
from tests.faults.conftest import Size
from tests.faults.fleet import Fleet, wait_until
from tests.faults.ledger import Ledger
from tests.faults.newsday import newsday
from tests.faults.rehearsal import Rehearsal
from tests.faults.trouble import PLACE, scene
from tests.support.stream_kit import consume, consume_ids
from tests.support.text import tools

pytestmark = pytest.mark.broker

AWAY_S = 15.0
FROZEN_S = 20.0
MOST_LINES = 150
"""Of a worker in trouble for less than a minute; without limits aiokafka makes thousands."""

SUPERVISOR_GRACE_S = 45.0
"""Every SIGTERM must end a worker well within the 90 s that Kubernetes is told to give."""


def impatient(config: Config) -> Config:
    """The same with a watchdog that barks after 20 s instead of two minutes."""
    return replace(config, worker=replace(config.worker, stall_s=20.0))


def test_broker_restarts_during_a_replay(
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    size: Size,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(5)
    node = one_kafka.nodes[0]
    back: list[float] = []

    def faults(workers: Fleet, ledger: Ledger) -> None:
        for number in range(size.broker_restarts):
            time.sleep(chance.uniform(2.0, 6.0))
            (node.kill if (number + chance.randrange(2)) % 2 else node.stop)()
            time.sleep(chance.uniform(0.0, 5.0))
            node.start()
            started_s, before = time.monotonic(), len(ledger.versions(ENRICHED))
            wait_until(lambda n=before: len(ledger.versions(ENRICHED)) > n, "articles", 60)  # type: ignore[misc]
            workers.revive()
            back.append(time.monotonic() - started_s)

    day = newsday(size.articles, seed=5)
    account = Rehearsal(kafka_config, tmp_path, day, tools(), size.rate).run(faults)
    with capsys.disabled():
        sys.stdout.write(
            f"\n[{len(back)} broker restarts: {account}; "
            f"articles again after {max(back):.1f} s at most]\n"
        )
    account.assert_nothing_lost(day)


def test_a_broker_that_is_away_is_waited_for(
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (node,) = one_kafka.nodes
    with scene(kafka_config, tmp_path, seed=21) as played:
        node.kill()
        time.sleep(AWAY_S)
        lines = played.lines()
        node.start()
        flows_s = played.flows_after_s(time.monotonic())
        played.settle()
        assert played.restarts == 0
        assert lines["worker.waiting"], "says so while it lasts"
        assert sum(played.lines().values()) < MOST_LINES
        played.say(capsys, f"broker away for {AWAY_S:.0f} s", flows_s)


def test_a_broker_that_freezes_is_waited_for(
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (node,) = one_kafka.nodes
    with scene(kafka_config, tmp_path, seed=22) as played:
        node.freeze()
        time.sleep(FROZEN_S)
        node.thaw()
        flows_s = played.flows_after_s(time.monotonic())
        played.settle()
        assert sum(played.lines().values()) < MOST_LINES
        played.say(capsys, f"broker frozen for {FROZEN_S:.0f} s", flows_s)


@pytest.mark.parametrize("trouble", ["down", "frozen"])
def test_sigterm_ends_a_worker_whose_broker_is_in_trouble(
    trouble: str,
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (node,) = one_kafka.nodes
    with scene(kafka_config, tmp_path, seed=23) as played:
        (node.kill if trouble == "down" else node.freeze)()
        time.sleep(3.0)
        asked_s = time.monotonic()
        played.workers.end(PLACE, signal.SIGTERM)
        took_s = time.monotonic() - asked_s
        assert took_s <= SUPERVISOR_GRACE_S
        (node.start if trouble == "down" else node.thaw)()
        flows_s = played.flows_after_s(time.monotonic())
        played.settle()
        played.say(capsys, f"SIGTERM with the broker {trouble}: {took_s:.1f} s", flows_s)


def test_a_worker_may_start_before_its_broker(
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (node,) = one_kafka.nodes
    node.stop()
    workers = Fleet(kafka_config, tmp_path, is_static=False)
    try:
        worker = workers.start("cleaner")
        worker.wait_for("worker.waiting")
        time.sleep(5.0)
        node.start()
        started_s = time.monotonic()
        worker.wait_for("worker.ready")
        with capsys.disabled():
            took_s = time.monotonic() - started_s
            sys.stdout.write(f"\n[broker down at start: ready {took_s:.1f} s after it is up]\n")
    finally:
        workers.stop()


def test_a_topic_that_is_deleted_and_made_again(
    one_kafka: KafkaCluster,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What stood in it is gone by the operator's hand; what comes after is not."""

    async def delete() -> None:
        async with admin_client(kafka_config.kafka) as client:
            await client.delete_topics([PAGES.name])

    assert one_kafka.is_running()
    with scene(impatient(kafka_config), tmp_path, seed=24) as played:
        time.sleep(15.0)  # an offset that the new topic reaches only after a while
        asyncio.run(delete())
        time.sleep(3.0)
        asyncio.run(apply_topics(kafka_config))
        flows_s = played.flows_after_s(time.monotonic())
        time.sleep(5.0)
        played.source.end()
        played.revive()
        there = keys_on(kafka_config, PAGES)
        assert there, "pages came after it was made again"
        consume_ids(kafka_config, CLEAN, there, 90)
        played.say(capsys, "topic deleted and made again", flows_s)


def keys_on(config: Config, topic: Topic) -> list[str]:
    """Keys of all records that a topic holds now."""
    last: list[float] = [-1, time.monotonic()]

    def is_quiet(found: Sequence[ConsumerRecord]) -> bool:
        if len(found) != last[0]:
            last[:] = [len(found), time.monotonic()]
        return time.monotonic() - last[1] > 2.0

    return [(record.key or b"").decode() for record in consume(config, topic, is_quiet)]
