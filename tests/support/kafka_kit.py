"""Real Apache Kafka in tests: started once a session, and only if a test asks for it.

Without Java 17 and Maven its tests are skipped, with the reason in the summary. With
``NASHRA_TEST_ENGINE=kafka`` the end-to-end tests run on it (``make test-kafka``), and then a
download that fails is a failure.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Whatever speaks Kafka is imported in the fixtures: unit tests need none of it.
if TYPE_CHECKING:
    from stream.broker import EmbeddedBroker
    from stream.config import Config
    from stream.kafkacluster import KafkaCluster
    from stream.pki import Security

ENGINE = os.environ.pop("NASHRA_TEST_ENGINE", "embedded")
"""``embedded`` or ``kafka``. Taken out: nashra itself refuses a variable that it does not know."""


def is_on_kafka() -> bool:
    """Whether the suite runs on Apache Kafka instead of the embedded broker."""
    return ENGINE == "kafka"


def require_kafka() -> None:
    """Skip this test where Apache Kafka cannot run; downloads it the first time."""
    from schemas.errors import BrokerError
    from stream.kafkajars import find_java, jars_folder, kafka_jars

    try:
        find_java(os.environ)
    except BrokerError as error:
        pytest.skip(f"no Apache Kafka here: {error}")
    if shutil.which("mvn") is None and not jars_folder(os.environ).is_dir():
        pytest.skip("no Apache Kafka here: its jars are not in the cache and there is no Maven")
    try:
        kafka_jars(os.environ)
    except BrokerError as error:
        if is_on_kafka():
            raise
        pytest.skip(f"no Apache Kafka here: {error}")


def new_broker(folder: Path) -> EmbeddedBroker | KafkaCluster:
    """A broker of the suite's engine on a free port, without topics; not started."""
    from stream.broker import EmbeddedBroker
    from stream.kafkacluster import KafkaCluster

    if is_on_kafka():
        require_kafka()
        return KafkaCluster(data_dir=str(folder))
    return EmbeddedBroker(port=0, data_dir=str(folder))


def kafka_config_for(running: KafkaCluster, folder: Path, user: str | None = None) -> Config:
    """A configuration with short time-outs for this cluster.

    Args:
        running: The cluster.
        folder: Data folder of whoever uses it.
        user: Who they are on a secure cluster (by password).
    """
    from stream.config import replace
    from tests.support.stream_kit import config_for

    config = config_for(running.bootstrap, folder)
    topics = replace(config.topics, replication_factor=len(running.nodes))
    return replace(config, kafka=running.kafka_config(user), topics=topics)


def started(
    folder: Path, nodes: int = 1, security: Security | None = None
) -> Iterator[KafkaCluster]:
    """A running cluster with all topics, until the generator is closed."""
    require_kafka()
    from stream.admin import apply_topics
    from stream.kafkacluster import KafkaCluster

    with KafkaCluster(nodes, data_dir=str(folder), security=security) as running:
        user = security.admins[0] if security else None
        asyncio.run(apply_topics(kafka_config_for(running, folder / "data", user)))
        yield running


def heal(running: KafkaCluster) -> None:
    """Bring every node back that a test stopped, killed or froze."""
    for node in running.nodes:
        node.thaw()
        if not node.is_running():
            node.launch()
    for node in running.nodes:
        node.wait(brokers=len(running.nodes))


@pytest.fixture(scope="session")
def kafka_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node, plain, with all topics. Tests ask for ``kafka``."""
    yield from started(tmp_path_factory.mktemp("kafka"))


@pytest.fixture(scope="session")
def secure_kafka_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node with TLS, SCRAM and ACLs. Tests ask for ``secure_kafka``."""
    from stream.pki import Security

    yield from started(tmp_path_factory.mktemp("secure-kafka"), security=Security())


@pytest.fixture(scope="session")
def cluster_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three nodes, plain, with all topics in three copies. Tests ask for ``cluster``."""
    yield from started(tmp_path_factory.mktemp("cluster"), nodes=3)


@pytest.fixture
def kafka(kafka_of_session: KafkaCluster) -> KafkaCluster:
    """A running Apache Kafka of one node, shared; its node may be killed."""
    heal(kafka_of_session)
    return kafka_of_session


@pytest.fixture
def secure_kafka(secure_kafka_of_session: KafkaCluster) -> KafkaCluster:
    """The same with security: nobody but the super users may do anything without an ACL."""
    heal(secure_kafka_of_session)
    return secure_kafka_of_session


@pytest.fixture
def cluster(cluster_of_session: KafkaCluster) -> KafkaCluster:
    """Three nodes, shared; any of them may be killed, stopped or frozen."""
    heal(cluster_of_session)
    return cluster_of_session
