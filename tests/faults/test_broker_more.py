"""Leaders that move, a disk that is full, rights that are taken away and given back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteAclsRequest

from schemas.errors import BrokerError
from schemas.topics import PAGES
from stream.access import apply_acls
from stream.acl import grants
from stream.admin import apply_topics
from stream.config import Config, replace
from stream.kafka import admin_client
from stream.kafkacluster import KafkaCluster
from stream.pki import Security
from tests.faults.test_broker import MOST_LINES, impatient
from tests.faults.trouble import Scene, scene

pytestmark = pytest.mark.broker

DISK_MB = 96


async def coordinator(config: Config, group: str) -> int:
    """Node id of the group's coordinator."""
    async with admin_client(config.kafka) as client:
        assert isinstance(client, AIOKafkaAdminClient)
        return int(await client.find_coordinator(group))


def test_leaders_and_the_coordinator_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with KafkaCluster(3, data_dir=str(tmp_path / "kafka")) as cluster:
        config = Config(kafka=cluster.kafka_config(), data_dir=str(tmp_path / "data"))
        config = replace(config, topics=replace(config.topics, replication_factor=3))
        asyncio.run(apply_topics(config))
        with scene(config, tmp_path, seed=31) as played:
            number = asyncio.run(coordinator(config, "nashra-cleaner"))
            (node,) = (each for each in cluster.nodes if each.plan.node_id == number)
            node.kill()
            flows_s = played.flows_after_s(time.monotonic())
            time.sleep(10.0)
            node.start(brokers=3)
            time.sleep(5.0)
            played.settle()
            assert sum(played.lines().values()) < MOST_LINES
            played.say(capsys, "leader and coordinator killed, 1 of 3", flows_s)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for the broker; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if os.name != "posix" or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no small disk here: mounting one needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(disk: Path) -> Path:
    """Take all room that is left; returns the file to delete."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while out.write(b"\0" * 65_536):
                pass
        except OSError:
            return filler
    return filler


def test_a_full_disk(small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with KafkaCluster(data_dir=str(small_disk)) as kafka:
        config = Config(kafka=kafka.kafka_config(), data_dir=str(tmp_path / "data"))
        asyncio.run(apply_topics(config))
        (node,) = kafka.nodes
        with scene(config, tmp_path, seed=32) as played:
            filler = fill(small_disk)
            time.sleep(20.0)
            is_dead = not node.is_running()
            filler.unlink()
            node.kill()
            node.start()
            flows_s = played.flows_after_s(time.monotonic())
            played.settle()
            assert sum(played.lines().values()) < MOST_LINES
            played.say(capsys, f"disk full for 20 s (broker died: {is_dead})", flows_s)


@pytest.mark.parametrize("what", ["topic", "group"])
def test_rights_taken_away_and_given_back(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = ("root", "cleaner")
    security = Security(users=users, admins=("root",))
    with KafkaCluster(data_dir=str(tmp_path / "kafka"), security=security) as kafka:
        root = Config(kafka=kafka.kafka_config("root"), data_dir=str(tmp_path / "data"))
        asyncio.run(apply_topics(root))
        wanted = grants([("cleaner", "cleaner")])
        asyncio.run(apply_acls(root.kafka, wanted))
        config = impatient(replace(root, kafka=kafka.kafka_config("cleaner")))
        with scene(config, tmp_path, seed=33, watch=root) as played:
            asyncio.run(revoke_all(root, what))
            _watch(played, 30.0)
            asyncio.run(apply_acls(root.kafka, wanted))
            flows_s = played.flows_after_s(time.monotonic())
            played.settle()
            assert sum(played.lines().values()) < 2 * MOST_LINES
            played.say(capsys, f"rights on the {what} taken away for 30 s", flows_s)


async def revoke_all(root: Config, what: str) -> None:
    """Take away what the cleaner may do with its source topic, or with its group."""
    any_, literal = 1, 3
    resource, name = (2, PAGES.name) if what == "topic" else (3, "nashra-cleaner")
    async with admin_client(root.kafka) as client:
        inner = client._client
        request = DeleteAclsRequest(resource, name, literal, None, None, any_, any_)
        answer = await inner.send(inner.get_random_node(), request)
        if not answer.filter_responses[0][2]:
            raise BrokerError(f"no entries for {name}")


def _watch(played: Scene, seconds: float) -> None:
    """Let time pass as a supervisor does."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        played.revive()
        time.sleep(1.0)
