"""Persons that no list has: a given name and a last name beside a role.

Only beside a role, and only with a known given name: precision before recall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from processors.entities.gazetteer import Gazetteer
from processors.entities.lexicon import Lexicon
from processors.entities.resolve import Found, place
from processors.entities.roles import Role, follows, reaches
from processors.entities.things import Alias, Condition, Thing, name_key
from processors.entities.tokens import CLOSING_QUOTES, OPENING_QUOTES, Text, tidy
from processors.entities.trie import Hit, Trie

_ARABIC: Final = re.compile("[\u0620-\u064a]{2,}")
_MAX_NAME_WORDS: Final = 8


def find_names(
    text: Text, roles: Sequence[Role], found: Sequence[Found], gazetteer: Gazetteer
) -> Trie[Alias] | None:
    """Persons beside roles, as names to look for in the whole article; ``None``: nobody."""
    covered = _covered(found)
    names: Trie[Alias] = Trie()
    things: dict[str, Thing] = {}
    for first, last in _spans(text, roles, gazetteer):
        if covered.isdisjoint(range(first, last)):
            thing = _add(text, first, last, names, things)
            if thing is not None and _may_link(text, last - 1, gazetteer.lexicon):
                names.add((text.words[last - 1].folded,), Alias(thing, Condition.LINKED))
    return names if things else None


def look_up(text: Text, names: Trie[Alias], found: Sequence[Found]) -> list[Found]:
    """All places of ``names`` among the words that ``found`` leaves free, last names too."""
    covered = _covered(found)
    extra: list[Found] = []
    index = 0
    while index < len(text.words):
        hit = names.longest(text, index)
        if hit is None or not covered.isdisjoint(range(hit.first, hit.last)):
            index += 1
            continue
        extra.append(_person(text, hit))
        index = hit.last
    return extra


def _person(text: Text, hit: Hit[Alias]) -> Found:
    one = place(text, hit)
    full = [alias for alias in hit.values if alias.condition is Condition.ALWAYS]
    one.thing = (full or hit.values)[0].thing
    one.is_full = bool(full)
    return one


def _add(
    text: Text, first: int, last: int, names: Trie[Alias], things: dict[str, Thing]
) -> Thing | None:
    """Register the full name; ``None``: it is registered already."""
    words = tuple(word.folded for word in text.words[first:last])
    name = tidy(text.text[text.words[first].start : text.words[last - 1].end])
    key = name_key("PER", name)
    if key in things:
        return None
    things[key] = Thing(id=key, type="PER", name=name)
    names.add(words, Alias(things[key], Condition.ALWAYS))
    return things[key]


def _may_link(text: Text, index: int, lexicon: Lexicon) -> bool:
    """Whether this last name alone may stand for the person: no given name, no plain noun."""
    folded = text.words[index].folded
    return (
        folded not in lexicon.given_arab
        and text.words[index - 1].folded not in lexicon.name_joiners
        and (not folded.startswith("ال") or folded.endswith("ي"))
    )


def _spans(text: Text, roles: Iterable[Role], gazetteer: Gazetteer) -> Iterator[tuple[int, int]]:
    """Word ranges that read as a name beside a role."""
    for role in roles:
        if role.is_finished and role.last < len(text.words):
            last = _name_end(text, role.last, gazetteer)
            if last is not None and reaches(text, role, role.last):
                yield role.last, last
        for first in range(max(0, role.first - _MAX_NAME_WORDS), role.first - 1):
            last = _name_end(text, first, gazetteer)
            if last == role.first and follows(text, role, last, is_full_name=True):
                yield first, last
                break


def _name_end(text: Text, first: int, gazetteer: Gazetteer) -> int | None:
    """Index behind the full name that starts at word ``first``; ``None``: no name."""
    lexicon = gazetteer.lexicon
    if not _is_given(text, first, lexicon):
        return None
    start = text.words[first].start
    if start and text.text[start - 1] in OPENING_QUOTES:
        return _quoted_end(text, first, gazetteer)
    if text.words[first].folded in lexicon.given_foreign:
        return _foreign_end(text, first, gazetteer)
    return _arab_end(text, first, gazetteer)


def _quoted_end(text: Text, first: int, gazetteer: Gazetteer) -> int | None:
    """The words up to the closing mark, if they are few."""
    for last in range(first + 1, min(first + _MAX_NAME_WORDS, len(text.words) + 1)):
        end = text.words[last - 1].end
        if end < len(text.text) and text.text[end] in CLOSING_QUOTES:
            is_name = last - first > 1 and _may_end(text, last - 1, gazetteer)
            return last if is_name else None
        if last < len(text.words) and text.gap(last - 1) != " ":
            return None
    return None


def _foreign_end(text: Text, first: int, gazetteer: Gazetteer) -> int | None:
    """Given names, "van" and the like, and one more word."""
    lexicon = gazetteer.lexicon
    last = first + 1
    while text.is_joined_to(last + 1) and (
        text.words[last].folded in lexicon.name_joiners
        or text.words[last].folded in lexicon.given_foreign
    ):
        last += 1
    if not text.is_joined_to(last) or text.words[last].folded.startswith("ال"):
        return None
    return last + 1 if _may_end(text, last, gazetteer) else None


def _arab_end(text: Text, first: int, gazetteer: Gazetteer) -> int | None:
    """Given names, "son of" and the like, and at most one family name with the article."""
    lexicon = gazetteer.lexicon
    last = first + 1
    while text.is_joined_to(last) and last - first < _MAX_NAME_WORDS:
        folded = text.words[last].folded
        if folded in lexicon.name_joiners:
            last = _behind_joiners(text, last, lexicon)
        elif folded in lexicon.given_arab:
            last += 1
        elif folded.startswith("ال") and _may_end(text, last, gazetteer):
            return last + 1
        else:
            break
    return last if last - first > 1 and _may_end(text, last - 1, gazetteer) else None


def _behind_joiners(text: Text, index: int, lexicon: Lexicon) -> int:
    """Index behind "son of", "servant of" ... and the word that they join."""
    while text.is_joined_to(index + 1) and text.words[index].folded in lexicon.name_joiners:
        index += 1
    return index + 1


def _is_given(text: Text, index: int, lexicon: Lexicon) -> bool:
    """Whether a full name may start here: a given name that no other name stands before."""
    return text.words[index].folded in lexicon.given and not (
        text.is_joined_to(index)
        and (
            text.words[index - 1].folded in lexicon.given
            or text.words[index - 1].folded in lexicon.name_joiners
        )
    )


def _may_end(text: Text, index: int, gazetteer: Gazetteer) -> bool:
    """Whether a full name may end in this word."""
    folded = text.words[index].folded
    lexicon = gazetteer.lexicon
    others = (lexicon.never_names, lexicon.role_heads, lexicon.role_inside, lexicon.place_cues)
    return (
        _ARABIC.fullmatch(folded) is not None
        and folded not in gazetteer.adjectives
        and not any(folded in words for words in others)
        and not text.has_tanwin(index)
    )


def _covered(found: Iterable[Found]) -> set[int]:
    return {index for one in found for index in range(one.first, one.last)}
