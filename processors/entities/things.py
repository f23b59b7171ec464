"""What the gazetteer knows, as plain values: things, and the names under which they go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from processors.entities.tokens import fold_name
from schemas.articles import EntityType


class Condition(Enum):
    """When a name counts."""

    ALWAYS = auto()
    LINKED = auto()
    """The article also has the full name: last names, short forms."""
    CUED = auto()
    """A cue word stands before it, at least once in the article."""
    STRICT = auto()
    """A cue word stands before it, each time."""
    QUOTED = auto()
    """It stands in quotation marks, or after "newspaper", "agency" ..."""
    SHARED = auto()
    """Several things go by it; the article must speak for one of them."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One real thing.

    Attributes:
        id: ``q:Q30`` or ``n:<type>:<key>``; equal ids are the same thing.
        type: PER, ORG, LOC or MISC.
        name: Canonical name.
        iso: ISO 3166-1 alpha-2 of the country it is or lies in.
        not_after: Folded words after which its one-word names mean something else.
        not_before: The same, for the word that follows.
    """

    id: str
    type: EntityType
    name: str
    iso: str | None = None
    not_after: frozenset[str] = frozenset()
    not_before: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of a thing and when it counts."""

    thing: Thing
    condition: Condition


def name_key(kind: EntityType, name: str) -> str:
    """The id of a thing without a Wikidata id: stable across articles."""
    return f"n:{kind.lower()}:{'_'.join(fold_name(name)).lower()}"
