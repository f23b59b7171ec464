"""Topics: create what the topic table says, list what is there, name what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import BrokerError
from schemas.topics import ALL, Topic
from stream.config import Config, KafkaConfig
from stream.kafka import admin_client

State = Literal["created", "exists", "differs", "missing"]

_TOPIC_EXISTS = 36
"""Kafka's error code TOPIC_ALREADY_EXISTS: somebody else created it just now; fine."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the table as the broker has it.

    Attributes:
        topic: What the table asks for.
        state: ``differs``: it is there, but not as the table says.
        partitions: Partition count on the broker; ``None``: missing.
        differences: One sentence each, e.g. ``partitions: 4, wanted 12``.
    """

    topic: Topic
    state: State
    partitions: int | None = None
    differences: tuple[str, ...] = field(default=())


async def apply_topics(config: Config, topics: Sequence[Topic] = ALL) -> list[TopicState]:
    """Create the topics that are missing; change nothing that is there.

    Partitions of a live topic must never grow (keys would move) and another retention may be the
    operator's wish, so differences are told, not repaired.

    Raises:
        BrokerError: The broker does not answer or refuses to create a topic.
    """
    async with admin_client(config.kafka) as client:
        before = await _describe(client, topics)
        missing = [state.topic for state in before if state.state == "missing"]
        if missing:
            await _create(client, missing, config.topics.replication_factor)
        after = await _describe(client, topics)
    names = {topic.name for topic in missing}
    return [_as_created(state) if state.topic.name in names else state for state in after]


async def list_topics(kafka: KafkaConfig, topics: Sequence[Topic] = ALL) -> list[TopicState]:
    """State of each topic of the table on the broker.

    Raises:
        BrokerError: The broker does not answer.
    """
    async with admin_client(kafka) as client:
        return await _describe(client, topics)


async def missing_topics(kafka: KafkaConfig, topics: Iterable[Topic] = ALL) -> list[Topic]:
    """Topics that the broker does not have.

    Raises:
        BrokerError: The broker does not answer.
    """
    async with admin_client(kafka) as client:
        there = set(await client.list_topics())
    return [topic for topic in topics if topic.name not in there]


async def require_topics(kafka: KafkaConfig, topics: Iterable[Topic]) -> None:
    """Refuse to go on without these topics (a broker might invent them with 1 partition).

    Raises:
        BrokerError: Names the missing ones and the command that creates them.
    """
    missing = await missing_topics(kafka, topics)
    if missing:
        names = ", ".join(topic.name for topic in missing)
        raise BrokerError(
            f"missing on the broker at {kafka.bootstrap}: {names}; "
            "create them with `nashra topics apply`"
        )


def _as_created(state: TopicState) -> TopicState:
    """Created just now; it may still differ where the broker ignored a setting."""
    if state.state != "exists":
        return state
    return TopicState(state.topic, "created", state.partitions)


async def _create(client: AIOKafkaAdminClient, topics: Sequence[Topic], copies: int) -> None:
    wanted = [
        NewTopic(topic.name, topic.partitions, copies, topic_configs=topic.config())
        for topic in topics
    ]
    answer = await client.create_topics(wanted)
    refused = [
        f"{name}: {message or f'error {code}'}"
        for name, code, message in (tuple(entry)[:3] for entry in answer.topic_errors)
        if code not in (0, _TOPIC_EXISTS)
    ]
    if refused:
        raise BrokerError(
            "the broker refused to create topics (" + "; ".join(refused) + "); "
            "check topics.replication_factor and the ACLs"
        )


async def _describe(client: AIOKafkaAdminClient, topics: Sequence[Topic]) -> list[TopicState]:
    # All topics are asked for: asking by name lets Tansu create what is missing.
    there = {entry["topic"]: entry for entry in await client.describe_topics()}
    known = [topic for topic in topics if topic.name in there]
    configs = await _configs(client, known)
    return [_state(topic, there.get(topic.name), configs.get(topic.name, {})) for topic in topics]


def _state(
    topic: Topic, described: Mapping[str, Any] | None, config: Mapping[str, str]
) -> TopicState:
    if described is None:
        return TopicState(topic, "missing")
    count = len(described["partitions"])
    differences = (
        [] if count == topic.partitions else [f"partitions: {count}, wanted {topic.partitions}"]
    )
    differences += [
        f"{name}: {config.get(name, 'not set')}, wanted {value}"
        for name, value in topic.config().items()
        if _normal(config.get(name, "")) != _normal(value)
    ]
    return TopicState(topic, "differs" if differences else "exists", count, tuple(differences))


def _normal(value: str) -> tuple[str, ...]:
    """``delete,compact`` says the same as ``compact,delete``."""
    return tuple(sorted(value.split(",")))


async def _configs(
    client: AIOKafkaAdminClient, topics: Sequence[Topic]
) -> dict[str, dict[str, str]]:
    """Configuration entries of each topic, by topic name."""
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found: dict[str, dict[str, str]] = {}
    for answer in await client.describe_configs(resources):
        for _code, _message, _type, name, entries in (tuple(item) for item in answer.resources):
            found[name] = {entry[0]: entry[1] for entry in (tuple(pair) for pair in entries)}
    return found
