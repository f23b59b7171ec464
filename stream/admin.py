"""Topics: create what the topic table says, list what is there, name what is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import BrokerError
from schemas.topics import ALL, PARTITIONS, Topic
from stream.access import hidden_topics
from stream.config import Config, KafkaConfig
from stream.kafka import admin_client, not_allowed

State = Literal["created", "exists", "differs", "missing", "hidden"]

_TOPIC_EXISTS = 36
"""Kafka's error code TOPIC_ALREADY_EXISTS: somebody else created it just now; fine."""

IN_SYNC = 2
"""Copies that must have a record before it counts as written, where there are three or more.

Kafka's own default is 1: then `acks=all` may mean the leader alone. With two copies a second one
that must be there would stop all writing when either broker is down, so there it stays 1."""

_APPEARS_WITHIN_S = 3.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the table as the broker has it.

    Attributes:
        topic: What the table asks for.
        state: ``differs``: it is there, but not as the table says.
        partitions: Partition count on the broker; ``None``: missing.
        differences: One sentence each, e.g. ``partitions: 4, wanted 12``, or why they are not
            known.
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
    topics = sized(topics, config.topics.partitions)
    async with admin_client(config.kafka) as client:
        before = await _describe(client, topics)
        missing = [state.topic for state in before if state.state == "missing"]
        if missing:
            await _create(client, missing, config.topics.replication_factor)
        after = await _described_when_there(client, topics, missing)
    names = {topic.name for topic in missing}
    return [_as_created(state) if state.topic.name in names else state for state in after]


async def list_topics(
    kafka: KafkaConfig, topics: Sequence[Topic] = ALL, partitions: int = PARTITIONS
) -> list[TopicState]:
    """State of each topic of the table on the broker.

    Args:
        kafka: How to reach the broker.
        topics: Which of them.
        partitions: ``topics.partitions`` of the configuration.

    Raises:
        BrokerError: The broker does not answer.
    """
    async with admin_client(kafka) as client:
        states = await _describe(client, sized(topics, partitions))
    missing = [state.topic.name for state in states if state.state == "missing"]
    hidden = await hidden_topics(kafka, missing) if missing else frozenset()
    return [_as_hidden(state) if state.topic.name in hidden else state for state in states]


def sized(topics: Sequence[Topic], partitions: int) -> list[Topic]:
    """The topics with so many partitions; a count that the table fixes otherwise stays."""
    return [
        replace(topic, partitions=partitions) if topic.partitions == PARTITIONS else topic
        for topic in topics
    ]


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
        BrokerError: Names the missing ones and the command that creates them, or those that
            this user may not see.
    """
    missing = await missing_topics(kafka, topics)
    if missing:
        hidden = sorted(await hidden_topics(kafka, [topic.name for topic in missing]))
        if hidden:
            raise BrokerError(not_allowed(kafka, "describe", f"topic {', '.join(hidden)}"))
        names = ", ".join(topic.name for topic in missing)
        raise BrokerError(
            f"missing on the broker at {kafka.bootstrap}: {names}; "
            "create them with `nashra topics apply`"
        )


async def partitions_of(kafka: KafkaConfig, topic: Topic) -> list[int]:
    """Partition numbers of a topic.

    A reader's own metadata would not do: on Apache Kafka it has those of no topic at its start.

    Raises:
        BrokerError: The broker does not answer, has no such topic or hides it from this user.
    """
    await require_topics(kafka, [topic])
    async with admin_client(kafka) as client:
        described = [one for one in await client.describe_topics() if one["topic"] == topic.name]
    return sorted(part["partition"] for one in described for part in one["partitions"])


def _as_hidden(state: TopicState) -> TopicState:
    """There or not: this user may not know."""
    return TopicState(state.topic, "hidden", None, ("not shown to this user (describe)",))


def _as_created(state: TopicState) -> TopicState:
    """Created just now; it may still differ where the broker ignored a setting."""
    if state.state != "exists":
        return state
    return TopicState(state.topic, "created", state.partitions)


async def _create(client: AIOKafkaAdminClient, topics: Sequence[Topic], copies: int) -> None:
    safe = {"min.insync.replicas": str(IN_SYNC)} if copies > IN_SYNC else {}
    wanted = [
        NewTopic(topic.name, topic.partitions, copies, topic_configs=topic.config() | safe)
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


async def _described_when_there(
    client: AIOKafkaAdminClient, topics: Sequence[Topic], made: Sequence[Topic]
) -> list[TopicState]:
    """As :func:`_describe`, once what was made just now is there as the table says.

    Kafka's controller has made a topic some milliseconds before each broker has heard of it.
    """
    names = {topic.name for topic in made}
    deadline = time.monotonic() + _APPEARS_WITHIN_S
    while True:
        states = await _describe(client, topics)
        fresh = [each for each in states if each.topic.name in names]
        if all(each.state == "exists" for each in fresh) or time.monotonic() >= deadline:
            return states
        await asyncio.sleep(_POLL_S)


async def _describe(client: AIOKafkaAdminClient, topics: Sequence[Topic]) -> list[TopicState]:
    # All topics are asked for: asking by name lets Tansu create what is missing.
    there = {entry["topic"]: entry for entry in await client.describe_topics()}
    known = [topic for topic in topics if topic.name in there]
    configs = await _configs(client, known)
    return [_state(topic, there.get(topic.name), configs.get(topic.name)) for topic in topics]


def _state(
    topic: Topic, described: Mapping[str, Any] | None, config: Mapping[str, str] | None
) -> TopicState:
    if described is None:
        return TopicState(topic, "missing")
    count = len(described["partitions"])
    if config is None:
        notes = ("its settings are not shown to this user (describe-configs)",)
        return TopicState(topic, "exists" if count == topic.partitions else "differs", count, notes)
    differences = (
        [] if count == topic.partitions else [f"partitions: {count}, wanted {topic.partitions}"]
    )
    differences += _setting_differences(topic, config)
    return TopicState(topic, "differs" if differences else "exists", count, tuple(differences))


def _setting_differences(topic: Topic, config: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {config.get(name, 'not set')}, wanted {value}"
        for name, value in topic.config().items()
        if _normal(config.get(name, "")) != _normal(value)
    ]


def _normal(value: str) -> tuple[str, ...]:
    """``delete,compact`` says the same as ``compact,delete``."""
    return tuple(sorted(value.split(",")))


async def _configs(
    client: AIOKafkaAdminClient, topics: Sequence[Topic]
) -> dict[str, dict[str, str]]:
    """Configuration entries of each topic that lets us read them, by topic name."""
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found: dict[str, dict[str, str]] = {}
    for answer in await client.describe_configs(resources):
        for code, _message, _type, name, entries in (tuple(item) for item in answer.resources):
            if code:
                continue
            found[name] = {entry[0]: entry[1] for entry in (tuple(pair) for pair in entries)}
    return found
