"""With a clock that stands still the same pages give the same bytes: alone, through the broker,
on any number of partitions, with any order of Python's sets.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import orjson
import pytest
from aiokafka import ConsumerRecord

from schemas.topics import CLEAN, ENRICHED, LATEST
from stream.admin import apply_topics, list_topics, sized
from stream.broker import EmbeddedBroker
from stream.cli.common import child_environ
from stream.config import Config, replace
from stream.kafkacluster import KafkaCluster
from stream.supervisor import Command, Supervisor, worker_commands
from tests.support.cli_kit import ROOT, nashra
from tests.support.stream_kit import config_for, consume

pytestmark = pytest.mark.broker

AT = "2026-01-15T09:30:00Z"
SAMPLES = str(ROOT / "samples")

Articles = dict[bytes, bytes]
"""Value by key."""


def _run(*args: str, seed: int, environ: dict[str, str] | None = None) -> bytes:
    """Standard output of ``nashra`` as a process with this seed of Python's hashes."""
    env = (environ or dict(os.environ)) | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(nashra(*args), cwd=ROOT, env=env, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr.decode()  # 1: the two samples that are no text
    return done.stdout


@pytest.fixture(scope="module")
def alone() -> Articles:
    """What ``nashra run`` makes of the samples."""
    lines = _run("run", SAMPLES, "--clock", AT, seed=1).splitlines()
    return {orjson.loads(line)["id"].encode(): line for line in lines}


@pytest.mark.parametrize("seed", [0, 2])
def test_run_gives_the_same_bytes_whatever_the_order_of_sets(alone: Articles, seed: int) -> None:
    assert _run("run", SAMPLES, "--clock", AT, seed=seed).splitlines() == list(alone.values())


@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_the_broker_path_gives_the_same_bytes_on_any_number_of_partitions(
    alone: Articles, bare: EmbeddedBroker | KafkaCluster, tmp_path: Path, partitions: int
) -> None:
    config = _config(bare, tmp_path, partitions)
    states = asyncio.run(apply_topics(config))
    assert [each.state for each in states] == ["created"] * len(states)
    counts = {each.topic.name: each.partitions for each in states}
    assert counts.pop("nashra.heartbeat.v1") == 1
    assert set(counts.values()) == {partitions}
    if partitions != 12:
        assert "differs" in {each.state for each in asyncio.run(list_topics(config.kafka))}
    found = asyncio.run(_through_workers(config, list(alone)))
    for topic in (ENRICHED, LATEST):
        assert {(each.key, each.value) for each in found[topic.name]} == set(alone.items())
    for record in found[CLEAN.name] + found[ENRICHED.name]:
        headers = dict(record.headers)
        assert headers["ce_id"] == record.key + b":1"
        assert headers["ce_time"] == AT.encode()
        assert b"traceparent" not in headers
    places = {record.partition for record in found[ENRICHED.name]}
    assert len(places) == 1 if partitions == 1 else len(places) > 1


def _config(broker: EmbeddedBroker | KafkaCluster, folder: Path, partitions: int) -> Config:
    config = config_for(broker.bootstrap, folder / "data")
    return replace(
        config,
        topics=replace(config.topics, partitions=partitions),
        worker=replace(config.worker, clock="page"),
    )


async def _through_workers(config: Config, keys: list[bytes]) -> dict[str, list[ConsumerRecord]]:
    """Replay the samples while a cleaner and an enricher run; each with a seed of its own."""
    environ = child_environ(config)
    seed = config.topics.partitions
    commands = [
        Command(name=each.name, argv=each.argv, env=environ | {"PYTHONHASHSEED": str(seed + more)})
        for more, each in enumerate(worker_commands({"cleaner": 1, "enricher": 1}))
    ]
    said: list[str] = []
    async with Supervisor(commands, emit=lambda _, line: said.append(line)) as supervisor:
        found = await asyncio.to_thread(_replayed, config, keys, environ)
        assert [status.restarts for status in supervisor.status()] == [0, 0], said
    return found


def _replayed(
    config: Config, keys: list[bytes], environ: dict[str, str]
) -> dict[str, list[ConsumerRecord]]:
    """What stands on each topic of articles after the samples were replayed twice."""
    for options in ([], ["--again"]):
        assert _run("replay", SAMPLES, "--clock", AT, *options, seed=9, environ=environ) == b""
    return {
        topic.name: consume(config, topic, lambda got: len(got) >= 2 * len(keys))
        for topic in sized((CLEAN, ENRICHED, LATEST), config.topics.partitions)
    }
