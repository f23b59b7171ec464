"""One broker for all end-to-end tests: the embedded one, or Kafka by ``NASHRA_TEST_ENGINE``."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.admin import apply_topics
from stream.broker import EmbeddedBroker
from stream.config import Config
from stream.kafkacluster import KafkaCluster
from tests.support.access_kit import guarded  # noqa: F401 - a fixture for two files
from tests.support.kafka_kit import is_on_kafka, new_broker
from tests.support.stream_kit import config_for


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Kafka run what the engine matters for; the rest is the same in both runs."""
    if not is_on_kafka():
        return
    ours = {"broker", "bare"}
    same = [
        item
        for item in items
        if item.path.parent == Path(__file__).parent
        and ours.isdisjoint(getattr(item, "fixturenames", ()))
    ]
    if same:
        items[:] = [item for item in items if item not in same]
        config.hook.pytest_deselected(items=same)


@pytest.fixture(autouse=True)
def transports_that_aiokafka_leaves() -> Iterator[None]:
    """A refused login leaves its connection to the garbage collector; here that fails no test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedBroker | KafkaCluster]:
    """A broker on a free port, with all topics."""
    if is_on_kafka():
        yield request.getfixturevalue("kafka_of_session")
        return
    folder = tmp_path_factory.mktemp("broker")
    with EmbeddedBroker(port=0, data_dir=str(folder)) as running:
        asyncio.run(apply_topics(config_for(running.bootstrap, folder)))
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[EmbeddedBroker | KafkaCluster]:
    """A broker of the same kind for one test alone, without topics."""
    with new_broker(tmp_path / "bare") as running:
        yield running


@pytest.fixture
def config(broker: EmbeddedBroker | KafkaCluster, tmp_path: Path) -> Config:
    """A configuration for that broker, with a data folder of its own."""
    return config_for(broker.bootstrap, tmp_path / "data")
