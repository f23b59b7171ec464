"""Who may do what: the access-control list of each role, from the topic table.

Pure. A role is one kind of client with a Kafka user of its own; it gets what it needs and nothing
else. Allowing ``read`` or ``write`` allows ``describe`` too (Kafka's rule), so that is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.errors import InputError
from schemas.state import CHANGELOGS
from schemas.topics import (
    ALL,
    DEAD_LETTERS,
    ENTRIES,
    FEED_STATUS,
    FEEDS,
    HEARTBEAT,
    PAGES,
    Topic,
)
from stream import roles
from stream.stage import Stage

Resource = Literal["topic", "group", "cluster"]
Pattern = Literal["literal", "prefixed"]
Operation = Literal["read", "write", "create", "delete", "alter", "describe", "describe-configs"]

CLUSTER = "kafka-cluster"
"""The name that Kafka gives to the cluster itself in its lists."""

TOPIC_PREFIX = "nashra."
"""What all names of the topic table begin with."""

APP_PREFIX = "nashra-"
"""What the consumer groups of the workers begin with. Faust would name topics of its own after
them; it makes none, for it has no tables, no leader topic and may declare nothing."""

SUBSCRIBER_GROUPS = "nashra-subscriber-"
"""Consumer groups that subscribers may use: not those of the workers."""

USER = "User:"

_SOURCES = tuple(stage.source for stage in roles.ROLES.values())


@dataclass(frozen=True, slots=True)
class Acl:
    """One thing that is allowed.

    Attributes:
        resource: What kind of thing it is about.
        name: Its name, or what its name begins with.
        pattern: Which of the two.
        operation: What may be done, in Kafka's terms.
        why: What it is needed for, for people; two entries that differ only here are one.
    """

    resource: Resource
    name: str
    pattern: Pattern
    operation: Operation
    why: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Everything but the reason: what the broker knows of it."""
        return self.resource, self.name, self.pattern, self.operation


@dataclass(frozen=True, slots=True)
class Grant:
    """An entry for somebody: ``principal`` as Kafka writes it, e.g. ``User:cleaner``."""

    role: str
    principal: str
    acl: Acl


def app_id(role: str) -> str:
    """Faust app id and consumer group of a worker role."""
    return f"{APP_PREFIX}{role}"


def _topics(operation: Operation, topics: Iterable[Topic], why: str) -> tuple[Acl, ...]:
    return tuple(Acl("topic", topic.name, "literal", operation, why) for topic in topics)


def _worker(role: str) -> tuple[Acl, ...]:
    """What every worker needs."""
    return (
        Acl("group", app_id(role), "literal", "read", "join the group and commit"),
        *_topics("write", (DEAD_LETTERS,), "what cannot be processed"),
        *_topics("write", (HEARTBEAT,), "its sign of life"),
    )


def _stage(stage: Stage) -> tuple[Acl, ...]:
    """What a worker with a stage needs: its source, its outputs, and a look back at them."""
    looks = (stage.dedup.output,) if stage.dedup else ()
    return (
        *_worker(stage.name),
        *_topics("read", (stage.source,), "its source"),
        *_topics("read", looks, "what it published before"),
        *_topics("write", stage.outputs, "its output"),
    )


def _connector() -> tuple[Acl, ...]:
    """The worker that fetches; it alone keeps state."""
    return (
        *_worker("connector"),
        *_topics("read", (FEEDS, ENTRIES), "its sources"),
        *_topics("write", (ENTRIES, PAGES, FEED_STATUS), "its output"),
        *_topics("read", CHANGELOGS, "its state, read back"),
        *_topics("write", CHANGELOGS, "its state"),
    )


def _operator() -> tuple[Acl, ...]:
    """Sees everything, and sends dead letters back to where they came from."""
    return (
        *_topics("read", ALL, "nashra tail, nashra deadletters"),
        *_topics("write", (*_SOURCES, ENTRIES), "nashra deadletters requeue"),
        *_topics("write", (DEAD_LETTERS,), "settle dead letters"),
        *_topics("describe-configs", ALL, "nashra topics list"),
        Acl("group", APP_PREFIX, "prefixed", "describe", "where the workers are"),
    )


def _admin() -> tuple[Acl, ...]:
    """Makes topics and hands out rights; who may alter the cluster's lists may do anything."""
    return (
        Acl("topic", TOPIC_PREFIX, "prefixed", "create", "nashra topics apply"),
        Acl("topic", TOPIC_PREFIX, "prefixed", "describe", "nashra topics apply"),
        Acl("topic", TOPIC_PREFIX, "prefixed", "describe-configs", "nashra topics apply"),
        Acl("cluster", CLUSTER, "literal", "describe", "nashra acls apply: what is there"),
        Acl("cluster", CLUSTER, "literal", "alter", "nashra acls apply: add what is missing"),
    )


def _subscriber() -> tuple[Acl, ...]:
    public = tuple(topic for topic in ALL if topic.is_public)
    return (
        *_topics("read", public, "what subscribers may rely on"),
        Acl("group", SUBSCRIBER_GROUPS, "prefixed", "read", "consumer groups of its own"),
    )


ROLES: Mapping[str, tuple[Acl, ...]] = {
    "connector": _connector(),
    **{name: _stage(stage) for name, stage in roles.ROLES.items()},
    "replay": _topics("write", (PAGES,), "nashra replay"),
    "operator": _operator(),
    "admin": _admin(),
    "subscriber": _subscriber(),
}
"""Role to what it may do. Idempotent producers need nothing more since Kafka 3.0; transactions are
not used."""


def acls_of(role: str) -> tuple[Acl, ...]:
    """What a role may do.

    Raises:
        InputError: No such role; lists those there are.
    """
    if role not in ROLES:
        raise InputError(f"no role {role!r}; there are {', '.join(ROLES)}")
    return ROLES[role]


def grants(users: Iterable[tuple[str, str]]) -> list[Grant]:
    """The entries for pairs of role and principal, each once.

    Args:
        users: A principal may have several roles, and a role several principals. ``User:`` is put
            before a principal that has no type.

    Raises:
        InputError: No such role, or no principal.
    """
    found: dict[tuple[object, ...], Grant] = {}
    for role, name in users:
        principal = as_principal(name)
        for acl in acls_of(role):
            found.setdefault((principal, *acl.place), Grant(role, principal, acl))
    return list(found.values())


def as_principal(name: str) -> str:
    """``User:cleaner`` for ``cleaner``; the subject of a certificate may hold ``=`` and ``,``.

    Raises:
        InputError: It is empty, or of a type that Kafka's own authorizer does not know.
    """
    kind, colon, rest = name.partition(":")
    principal = name if colon and "=" not in kind else f"{USER}{name}"
    if not principal.startswith(USER) or not principal.removeprefix(USER).strip():
        hint = f" ({kind}: is not known)" if colon and rest else ""
        raise InputError(f"{name!r} is no principal{hint}; write a user's name, e.g. User:cleaner")
    return principal


def parse_user(text: str) -> tuple[str, str]:
    """Role and principal of ``ROLE=PRINCIPAL``, e.g. ``cleaner=CN=cleaner,O=news``.

    Raises:
        InputError: It is not of that form, or names no role.
    """
    role, equals, name = text.partition("=")
    if not equals or not name:
        raise InputError(f"{text!r} is not ROLE=PRINCIPAL; write e.g. cleaner=nashra-cleaner")
    acls_of(role)
    return role, as_principal(name)
