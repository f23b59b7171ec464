"""The idempotent producer on Apache Kafka: no second record, none lost, order kept."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.errors import Reason
from schemas.topics import CLEAN, Topic
from stream.config import Config, replace
from stream.delivery import Deliverer
from stream.kafka import client_settings, new_producer
from stream.kafkacluster import KafkaCluster
from stream.stage import Out
from tests.support.kafka_kit import kafka_config_for
from tests.support.stream_kit import consume

pytestmark = pytest.mark.broker

KEYS = 4
ROUNDS = 60


def out(topic: Topic, key: int, value: bytes) -> Out:
    return Out(topic=topic, key=b"%d" % key, value=value, headers=(), timestamp_ms=1)


async def new_topic(config: Config, name: str, **settings: str) -> Topic:
    admin = AIOKafkaAdminClient(**client_settings(config.kafka))
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1, topic_configs=settings)])
    await admin.close()
    await asyncio.sleep(0.2)  # until the broker's metadata have it
    return with_fields(CLEAN, name=name, partitions=2)


def values(config: Config, topic: Topic, enough: int) -> list[tuple[bytes, bytes]]:
    """Key and value of each record; all that come within a second after there are enough."""
    records = consume(config, topic, lambda found: len(found) >= enough)
    again = consume(config, topic, lambda found: len(found) >= len(records))
    return [(each.key, each.value) for each in again]


class Makers:
    """Makes producers, and keeps them."""

    def __init__(self, config: Config) -> None:
        self.made: list[AIOKafkaProducer] = []
        self._config = config

    def make(self) -> AIOKafkaProducer:
        self.made.append(new_producer(self._config.kafka, client_id="idempotence"))
        return self.made[-1]


async def send_through_trouble(config: Config, topic: Topic, kafka: KafkaCluster) -> int:
    """Send for four keys side by side while the broker freezes and dies; producers it took."""
    makers = Makers(config)
    deliverer = Deliverer(makers.make)

    async def lane(key: int) -> None:
        for number in range(ROUNDS):
            await deliverer.deliver([out(topic, key, b"%d" % number)])
            await asyncio.sleep(0.02)

    async def trouble() -> None:
        node = kafka.nodes[0]
        await asyncio.sleep(0.3)
        node.freeze()
        await asyncio.sleep(2.5)  # requests time out after one second, and are sent again
        node.thaw()
        await asyncio.sleep(0.5)
        node.kill()
        await asyncio.sleep(0.5)
        node.start()

    await asyncio.gather(trouble(), *map(lane, range(KEYS)))
    await deliverer.stop()
    return len(makers.made)


@pytest.mark.parametrize("idempotence", [True, False])
def test_a_frozen_and_a_killed_broker_cost_no_record(
    idempotence: bool,
    kafka: KafkaCluster,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = kafka_config_for(kafka, tmp_path)
    config = replace(
        config, kafka=replace(config.kafka, request_timeout_s=1.0, idempotence=idempotence)
    )
    topic = asyncio.run(new_topic(config, f"idempotence-{idempotence}"))
    producers = asyncio.run(send_through_trouble(config, topic, kafka))
    found = values(config, topic, KEYS * ROUNDS)
    with capsys.disabled():
        repeats = len(found) - len(set(found))
        sys.stdout.write(f" [idempotence {idempotence}: {repeats} repeats, {producers} producers] ")
    for key in range(KEYS):
        mine = [value for each, value in found if each == b"%d" % key]
        assert list(dict.fromkeys(mine)) == [b"%d" % number for number in range(ROUNDS)], "order"
        if idempotence:
            assert len(mine) == ROUNDS, "repeats"


def test_a_record_that_the_broker_refuses_harms_none_beside_or_after_it(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    """Its number in the producer's count is used up: the next would be out of order for ever."""
    config = kafka_config_for(kafka, tmp_path)

    async def send() -> tuple[Topic, Sequence[tuple[int, Reason]]]:
        topic = await new_topic(config, "refusing", **{"max.message.bytes": "2000"})
        deliverer = Deliverer(Makers(config).make)
        outs = [out(topic, 1, os.urandom(3_000) if n == 3 else b"%d" % n) for n in range(8)]
        refused = await deliverer.deliver(outs)
        assert await deliverer.deliver([out(topic, 1, b"after")]) == []
        await deliverer.stop()
        return topic, [(each.index, each.reason) for each in refused]

    topic, refused = asyncio.run(send())
    assert refused == [(3, Reason.TOO_LARGE)]
    found = [value for _, value in values(config, topic, 8)]
    assert found == [b"0", b"1", b"2", b"4", b"5", b"6", b"7", b"after"]


def test_the_embedded_broker_gets_a_plain_producer(config: Config) -> None:
    assert config.kafka.idempotence, "asked for, and the embedded broker knows no producer ids"

    async def send() -> list[object]:
        topic = await new_topic(config, "plain")
        deliverer = Deliverer(Makers(config).make)
        refused = await deliverer.deliver([out(topic, 1, b"{}")])
        await deliverer.stop()
        return list(refused)

    assert asyncio.run(send()) == []
