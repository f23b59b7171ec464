"""Access control on the broker: add entries that are missing, tell topics that are hidden from us.

aiokafka's admin client has no calls for this; its protocol classes do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    SecurityDisabled,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest
from aiokafka.protocol.metadata import MetadataRequest

from schemas.errors import BrokerError
from stream.acl import Acl, Grant
from stream.config import KafkaConfig
from stream.kafka import as_broker_error, check_broker, client_settings, not_allowed

State = Literal["exists", "missing", "added"]

_ANY = 1
_ALLOW = 3
_ANY_HOST = "*"
_RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
_PATTERNS = {"literal": 3, "prefixed": 4}
_OPERATIONS = {
    "read": 3,
    "write": 4,
    "create": 5,
    "delete": 6,
    "alter": 7,
    "describe": 8,
    "describe-configs": 10,
}
"""Kafka's numbers for our words (its enums ResourceType, PatternType, AclOperation)."""

_Entry = tuple[str, int, str, int, int]
"""Principal, resource, name, pattern, operation: as the broker numbers them."""


@dataclass(frozen=True, slots=True)
class GrantState:
    """One wanted entry, and whether the broker has it."""

    grant: Grant
    state: State


async def apply_acls(
    kafka: KafkaConfig, wanted: Sequence[Grant], *, is_dry_run: bool = False
) -> list[GrantState]:
    """Add the entries that are missing; a second time it adds nothing.

    Args:
        kafka: How to reach the broker, as a user who may alter its lists.
        wanted: Which entries.
        is_dry_run: Only look; what would be added is ``missing``.

    Raises:
        BrokerError: No answer, no authorizer, or this user may not do that.
    """
    await check_broker(kafka)
    async with _client(kafka) as client:
        there: set[_Entry] = set()
        for principal in dict.fromkeys(grant.principal for grant in wanted):
            there |= await _entries(client, principal)
        missing = [grant for grant in wanted if _entry(grant) not in there]
        if not is_dry_run:
            await asyncio.gather(*(_add(client, grant) for grant in missing))
    new: State = "missing" if is_dry_run else "added"
    return [GrantState(each, "exists" if _entry(each) in there else new) for each in wanted]


async def hidden_topics(kafka: KafkaConfig, names: Iterable[str]) -> frozenset[str]:
    """Those of the topics that the broker does not let us see; it lists them as if absent.

    A plain connection has no user, and is not asked: the embedded broker creates topics when
    asked for them by name.

    Raises:
        BrokerError: The broker does not answer.
    """
    if kafka.security_protocol == "PLAINTEXT":
        return frozenset()
    async with _client(kafka) as client:
        request = MetadataRequest(list(names), allow_auto_topic_creation=False)
        answer = await client.send(client.get_random_node(), request)
    return frozenset(
        entry["topic"]
        for entry in answer.to_object()["topics"]
        if entry["error_code"] == TopicAuthorizationFailedError.errno
    )


async def require_group(kafka: KafkaConfig, group: str) -> None:
    """Refuse to go on where this user may not use a consumer group; a plain connection has none.

    Raises:
        BrokerError: It may not, or the broker cannot say yet (a new one makes its offsets topic).
    """
    if kafka.security_protocol == "PLAINTEXT":
        return
    async with _client(kafka) as client:
        try:
            await client.coordinator_lookup(CoordinationType.GROUP, group)
        except GroupAuthorizationFailedError as error:
            raise BrokerError(not_allowed(kafka, "read", f"group {group}")) from error


@asynccontextmanager
async def _client(kafka: KafkaConfig) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**client_settings(kafka), client_id="nashra-acls")
    try:
        await client.bootstrap()
        yield client
    except SecurityDisabled as error:
        raise BrokerError(
            f"the broker at {kafka.bootstrap} checks no access-control lists: set its "
            "authorizer.class.name (org.apache.kafka.metadata.authorizer.StandardAuthorizer)"
        ) from error
    except (IncompatibleBrokerVersion, NotImplementedError) as error:
        raise BrokerError(
            f"the broker at {kafka.bootstrap} has no access-control lists "
            "(the embedded one has none): point --bootstrap at Apache Kafka"
        ) from error
    except KafkaError as error:
        raise as_broker_error(error, kafka, "alter the access lists of") from error
    finally:
        await client.close()


def _entry(grant: Grant) -> _Entry:
    return (grant.principal, *_numbers(grant.acl))


def _numbers(acl: Acl) -> tuple[int, str, int, int]:
    return (
        _RESOURCES[acl.resource],
        acl.name,
        _PATTERNS[acl.pattern],
        _OPERATIONS[acl.operation],
    )


async def _entries(client: AIOKafkaClient, principal: str) -> set[_Entry]:
    """What the principal is allowed from any host; other entries are of no concern here."""
    # aiokafka's types want texts here; the protocol reads null as "any".
    request = DescribeAclsRequest(
        _ANY,
        None,
        _ANY,
        principal,
        _ANY_HOST,
        _ANY,
        _ALLOW,
    )
    answer = await _ask(client, request)
    _raise_for(answer.error_code, answer.error_message)
    return {
        (who, resource, name, pattern, operation)
        for resource, name, pattern, acls in answer.resources
        for who, _host, operation, _permission in acls
    }


async def _add(client: AIOKafkaClient, grant: Grant) -> None:
    resource, name, pattern, operation = _numbers(grant.acl)
    request = CreateAclsRequest(
        resource, name, pattern, grant.principal, _ANY_HOST, operation, _ALLOW
    )
    answer = await _ask(client, request)
    _raise_all(answer.creation_responses)


async def _ask(client: AIOKafkaClient, request: Any) -> Any:
    """The answer of any broker.

    Raises:
        IncompatibleBrokerVersion: It cannot answer that; Tansu's answer breaks the connection.
    """
    try:
        return await client.send(client.get_random_node(), request)
    except KafkaConnectionError as error:  # it answered a moment ago
        raise IncompatibleBrokerVersion("no answer about access-control lists") from error


def _raise_all(answers: Iterable[tuple[Any, ...]]) -> None:
    for code, message in answers:
        _raise_for(code, message)


def _raise_for(code: int, message: str | None) -> None:
    """Raise the broker's error.

    Raises:
        KafkaError: For any code but 0.
    """
    if code:
        raise for_code(code)(message or "")
