"""Last pass: one entity per real thing, named by its best name in the article."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from processors.entities.resolve import Found, surface
from processors.entities.things import Thing
from processors.entities.tokens import Text
from schemas.records import Entity, Mention


@dataclass(slots=True)
class _Group:
    thing: Thing
    mentions: list[Mention] = field(default_factory=list)


_LAST_LATIN = "\u024f"
"""Last letter of the Latin blocks in use; Arabic ones come after it."""


def link(
    body: Text,
    found: Iterable[Found],
    names: Mapping[str, str],
    roles: Mapping[str, tuple[str, ...]],
) -> tuple[Entity, ...]:
    """Group mentions by thing, in order of first mention.

    Args:
        body: The text that the mentions are in.
        found: Settled names, ordered by place, not overlapping.
        names: Thing id -> best name, see :func:`best_names`.
        roles: Thing id -> role phrases.
    """
    groups: dict[str, _Group] = {}
    for one in found:
        if one.thing is not None:
            group = groups.setdefault(one.thing.id, _Group(one.thing))
            group.mentions.append(_mention(body, one))
    return tuple(
        Entity(
            name=names.get(key, group.thing.name),
            type=group.thing.type,
            id=key,
            roles=roles.get(key, ()),
            mentions=tuple(group.mentions),
        )
        for key, group in groups.items()
    )


def best_names(texts: Iterable[tuple[Text, Sequence[Found]]]) -> dict[str, str]:
    """The longest name of each person and body in the article; places keep the table's name.

    A name broken by a quotation mark, or cut by the word before it, is taken only if the
    article has no other. A place that stands in Latin letters only is named in them.
    """
    best: dict[str, tuple[bool, int, str]] = {}
    by_table: set[str] = set()
    for text, found in texts:
        for one in found:
            if one.thing is None:
                continue
            name = surface(text, one)
            if one.thing.type == "LOC" and name[:1] > _LAST_LATIN:
                by_table.add(one.thing.id)
            rank = (not text.opens_quote(one.first, one.last), len(name), name)
            if one.thing.id not in best or rank[:2] > best[one.thing.id][:2]:
                best[one.thing.id] = rank
    return {key: rank[2] for key, rank in best.items() if key not in by_table}


def _mention(body: Text, one: Found) -> Mention:
    return Mention(
        text=body.text[one.start : one.end],
        start=one.start,
        end=one.end,
        prefix=body.text[body.words[one.first].start : one.start],
    )
