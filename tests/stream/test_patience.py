"""Failed looks for the cluster are followed by a pause."""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

from stream.config import KafkaConfig
from stream.kafka import new_producer
from stream.patience import with_pauses


class Client:
    """Finds nothing, as fast as it can."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_found = False

    async def _metadata_update(self, cluster: object, topics: object) -> bool:
        del cluster, topics
        self.looks += 1
        return self.is_found


async def test_failed_looks_are_paused() -> None:
    client = Client()
    with_pauses(client, pause_s=0.02)

    async def look_for_ever() -> None:
        while True:
            await client._metadata_update(None, None)
            await asyncio.sleep(0)

    task = asyncio.ensure_future(look_for_ever())
    await asyncio.sleep(0.2)
    task.cancel()
    assert 1 <= client.looks <= 11


async def test_a_look_that_finds_something_is_not_paused() -> None:
    client = Client()
    client.is_found = True
    with_pauses(client, pause_s=3_600)
    assert await asyncio.wait_for(client._metadata_update(None, None), 5)


async def test_looks_that_find_the_cluster_but_not_the_topic_are_slowed_down() -> None:
    client = Client()
    client.is_found = True
    with_pauses(client)

    async def look_for_ever() -> None:
        while True:
            await client._metadata_update(None, None)

    task = asyncio.ensure_future(look_for_ever())
    await asyncio.sleep(0.3)
    task.cancel()
    assert 1 <= client.looks <= 8


async def test_a_connection_lost_in_the_middle_is_a_failed_look() -> None:
    """aiokafka's own task for metadata would end by the KeyError, and nobody would hear of it."""
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")

    async def get_conn(*_: object) -> object:
        raise KeyError((1, 0))

    client._get_conn = get_conn
    client.cluster._brokers = {1: BrokerMetadata(1, "127.0.0.1", 1, None)}
    with_pauses(client, pause_s=0.0)
    synchronizer = asyncio.ensure_future(client._md_synchronizer())
    assert await asyncio.wait_for(client.force_metadata_update(), 5) is False
    assert not synchronizer.done()
    synchronizer.cancel()


async def test_producers_have_them() -> None:
    producer = new_producer(KafkaConfig(), client_id="test")
    assert producer.client._metadata_update.__name__ == "look_and_pause"
    producer._closed = True  # nothing to close: it was never started
