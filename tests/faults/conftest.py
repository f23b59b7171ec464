"""How much of the fault suite runs: all of it with ``make faults``, a part with test-kafka."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream.admin import apply_topics
from stream.config import Config, WorkerConfig
from stream.kafkacluster import KafkaCluster
from tests.support.kafka_kit import require_kafka


@dataclass(frozen=True, slots=True)
class Size:
    """How long a fault run is.

    Attributes:
        articles: Records replayed.
        rate: Records a second, so that the replay lasts as long as the faults.
        kills: Random kill -9 of workers.
        rolls: Rolling restarts by SIGTERM.
        broker_restarts: Of the only broker.
        scalings: Times that the workers of a role go from 1 to 3 and back.
    """

    articles: int
    rate: int
    kills: int
    rolls: int
    broker_restarts: int
    scalings: int


PART = Size(articles=1_500, rate=60, kills=4, rolls=1, broker_restarts=1, scalings=1)
ALL = Size(articles=20_000, rate=100, kills=50, rolls=10, broker_restarts=5, scalings=3)


@pytest.fixture(scope="session", autouse=True)
def size() -> Size:
    """By the variable ``FAULTS``: ``all`` or ``part``; without it these minutes are spared."""
    sizes = {"all": ALL, "part": PART}
    name = os.environ.get("FAULTS", "")
    if name not in sizes:
        pytest.skip("takes minutes: `make faults` runs it (FAULTS=part, a shorter one)")
    require_kafka()
    return sizes[name]


@pytest.fixture
def one_kafka(tmp_path: Path) -> Iterator[KafkaCluster]:
    """A fresh Kafka of one node with all topics."""
    with KafkaCluster(data_dir=str(tmp_path / "kafka")) as kafka:
        asyncio.run(apply_topics(Config(kafka=kafka.kafka_config())))
        yield kafka


@pytest.fixture
def kafka_config(one_kafka: KafkaCluster, tmp_path: Path) -> Config:
    """Default settings for that broker, but for the clock: equal pages make equal bytes."""
    return Config(
        kafka=one_kafka.kafka_config(),
        worker=WorkerConfig(clock="page"),
        data_dir=str(tmp_path / "data"),
    )
