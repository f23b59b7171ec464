"""Apache Kafka as ``nashra broker --engine kafka`` runs it: serves, keeps, refuses, and dies."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import BrokerError
from schemas.topics import PAGES
from stream.admin import IN_SYNC, apply_topics, list_topics
from stream.config import KafkaConfig, Secret, replace
from stream.kafka import admin_client, check_broker
from stream.kafkacluster import KafkaCluster, topic_leaders
from tests.support.cli_kit import spawn
from tests.support.kafka_kit import kafka_config_for, require_kafka
from tests.support.stream_kit import REPOSITORY, consume_ids, page, produce, sent

pytestmark = pytest.mark.broker

OF_THE_TOPIC = 1
"""Kafka's word for a setting that stands at the topic itself."""


def reach(kafka: KafkaConfig, wait_s: float = 0.0) -> None:
    asyncio.run(check_broker(kafka, wait_s))


def leaders_once_known(kafka: KafkaConfig) -> set[int]:
    """Who leads pages; all three while aiokafka's admin client still asks the dead one."""
    try:
        return set(asyncio.run(topic_leaders(kafka, PAGES.name)).values())
    except BrokerError:
        return {1, 2, 3}


async def in_sync_wanted(kafka: KafkaConfig) -> str | None:
    """What the topic of pages itself says; ``None``: it goes by the broker's default."""
    async with admin_client(kafka) as client:
        asked = ConfigResource(ConfigResourceType.TOPIC, PAGES.name)
        (answer,) = await client.describe_configs([asked])
    entries = {entry[0]: entry for entry in map(tuple, tuple(answer.resources[0])[4])}
    _, value, _, source, *_ = entries["min.insync.replicas"]
    return str(value) if source == OF_THE_TOPIC else None


def test_what_was_acknowledged_survives_a_kill_and_an_orderly_restart(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    config = kafka_config_for(kafka, tmp_path)
    pages = [page(f"kept-{number}", "text") for number in range(20)]
    ids = [each.article_id for each in pages]
    node, port = kafka.nodes[0], kafka.port
    produce(config, [sent(each) for each in pages[:10]])
    node.kill()
    assert not kafka.is_running()
    node.start()
    produce(config, [sent(each) for each in pages[10:]])
    node.restart()
    assert kafka.port == port
    assert len(consume_ids(config, PAGES, ids)) == 20


def test_a_frozen_node_answers_nothing_and_goes_on_when_thawed(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    config = replace(kafka_config_for(kafka, tmp_path).kafka, request_timeout_s=1.0)
    kafka.nodes[0].freeze()
    with pytest.raises(BrokerError, match="no answer"):
        reach(config)
    assert kafka.is_running()
    kafka.nodes[0].thaw()
    reach(config, wait_s=20)


@pytest.mark.parametrize("listener", ["SASL_SSL", "SSL"])
def test_the_admin_gets_in_by_password_and_by_certificate(
    secure_kafka: KafkaCluster, tmp_path: Path, listener: str
) -> None:
    by = secure_kafka.kafka_config("admin", "SSL" if listener == "SSL" else "SASL_SSL")
    config = replace(kafka_config_for(secure_kafka, tmp_path, "admin"), kafka=by)
    assert {state.state for state in asyncio.run(apply_topics(config))} == {"exists"}


def test_both_scram_mechanisms_work(secure_kafka: KafkaCluster) -> None:
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        reach(replace(secure_kafka.kafka_config("admin"), sasl_mechanism=mechanism))


def test_a_wrong_password_and_a_missing_certificate_are_refused(
    secure_kafka: KafkaCluster,
) -> None:
    wrong = replace(secure_kafka.kafka_config("admin"), sasl_password=Secret("wrong"))
    with pytest.raises(BrokerError):
        reach(wrong)
    by_certificate = secure_kafka.kafka_config("admin", "SSL")
    with pytest.raises(BrokerError):
        reach(replace(by_certificate, ssl_certfile=None, ssl_keyfile=None))
    with pytest.raises(BrokerError):  # in clear, where only TLS is spoken
        reach(KafkaConfig(bootstrap=secure_kafka.bootstrap, request_timeout_s=2.0))


def test_a_user_without_rights_sees_no_topic(secure_kafka: KafkaCluster) -> None:
    by_password = secure_kafka.kafka_config("subscriber", "SASL_SSL")
    by_certificate = secure_kafka.kafka_config("subscriber", "SSL")
    for kafka in (by_password, by_certificate):
        assert asyncio.run(list_topics(kafka, [PAGES]))[0].partitions is None


def test_no_password_stands_in_a_command_line_a_log_or_the_settings(
    secure_kafka: KafkaCluster,
) -> None:
    assert secure_kafka.secrets is not None
    node = secure_kafka.nodes[0]
    said = Path(f"/proc/{node.pid}/cmdline").read_bytes() + node.log_file.read_bytes()
    left = [path for path in node.plan.folder.iterdir() if path.is_file()]
    said += b"".join(path.read_bytes() for path in left)
    assert not any("args" in path.name for path in left)
    for user in ("admin", "cleaner"):
        assert secure_kafka.secrets.password(user).encode() not in said


def test_a_cluster_goes_on_when_a_leader_is_killed(cluster: KafkaCluster, tmp_path: Path) -> None:
    config = kafka_config_for(cluster, tmp_path)
    kafka = cluster.kafka_config()
    assert leaders_once_known(kafka) == {1, 2, 3}
    assert asyncio.run(in_sync_wanted(kafka)) == str(IN_SYNC)
    first = page("cluster-1", "text")
    produce(config, [sent(first)])
    victim = cluster.leader_of(PAGES.name, 0)
    victim.kill()
    deadline = time.monotonic() + 30
    while victim.plan.node_id in leaders_once_known(kafka):
        assert time.monotonic() < deadline, "nobody took over"
        time.sleep(0.2)
    second = page("cluster-2", "text")
    produce(config, [sent(second)])
    found = consume_ids(config, PAGES, [first.article_id, second.article_id])
    assert len({record.key for record in found}) == 2
    victim.start(brokers=3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_kafka_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    require_kafka()
    code = (
        "import sys, time; from stream.kafkacluster import KafkaCluster\n"
        "kafka = KafkaCluster(data_dir=sys.argv[1]); kafka.start()\n"
        "sys.stdout.write(f'{kafka.pid}\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=REPOSITORY) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _lives(child):
        assert time.monotonic() < deadline, "Kafka outlived its parent"
        time.sleep(0.05)


def test_the_command_shows_where_secrets_lie_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    require_kafka()
    argv = ("broker", "--engine", "kafka", "--secure", "--port", "0")
    with spawn(argv, cwd=tmp_path) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C stops it" not in said:
            line = process.stdout.readline().decode()
            assert line, process.stderr and process.stderr.read().decode()
            said += line
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    (secrets,) = tmp_path.glob(".nashra/kafka/port-*/secrets")
    assert f"nashra --config {secrets}/admin.toml topics apply" in said
    assert 'security_protocol = "SASL_SSL"' in said
    for path in secrets.glob("*.password"):
        assert path.read_text().strip() not in said
    assert not list(tmp_path.glob(".nashra/kafka/*/node-1/data")), "its data is gone with it"


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
