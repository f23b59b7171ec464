"""Role phrases ("the Russian foreign minister") and the persons they stand beside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from processors.entities.gazetteer import Gazetteer
from processors.entities.lexicon import Forms
from processors.entities.resolve import Found
from processors.entities.scan import adjective_at
from processors.entities.tokens import CLOSING_QUOTES, Text, cut_after

_MAX_WORDS: Final = 12
_SPACE: Final = "[ \u00a0]"
# Inside a role: a space, at most with quotation marks or a bracket round a name.
_INSIDE: Final = re.compile(rf'[»"”)]?{_SPACE}[«"“(]?')
# From a role to the name: also a comma.
_TO_NAME: Final = re.compile(rf'[»"”)]{{0,2}}،?{_SPACE}[«"“(]?')
# From a name to the role: a comma, or (for some roles) nothing but a space.
_COMMA: Final = re.compile(rf'[»"”)]?،{_SPACE}')
_PLAIN: Final = re.compile(rf'[»"”)]?{_SPACE}')


@dataclass(frozen=True, slots=True)
class Role:
    """A role phrase.

    Attributes:
        first: Index of its head word.
        last: Index behind its last word.
        text: The phrase without proclitics.
        is_finished: Whether a person's name may follow (not "leader of the movement ...").
        is_apposition: Whether its head may follow a full name without a comma.
    """

    first: int
    last: int
    text: str
    is_finished: bool
    is_apposition: bool


def find_roles(text: Text, found: Sequence[Found], gazetteer: Gazetteer) -> list[Role]:
    """Role phrases in ``text``, in order."""
    starts = {one.first: one for one in found if one.thing is not None}
    covered = {index for one in starts.values() for index in range(one.first, one.last)}
    heads = gazetteer.lexicon.role_heads
    roles: list[Role] = []
    for index, word in enumerate(text.words):
        if word.folded not in heads or index in covered:
            continue
        is_inside = bool(roles) and index < roles[-1].last
        if not is_inside and text.before(index) not in gazetteer.lexicon.eponyms:
            roles.append(_role(text, index, starts, gazetteer))
    return roles


def reaches(text: Text, role: Role, index: int) -> bool:
    """Whether the name at word ``index`` follows ``role`` directly."""
    return role.last == index and _TO_NAME.fullmatch(text.gap(index - 1)) is not None


def follows(text: Text, role: Role, last: int, *, is_full_name: bool) -> bool:
    """Whether ``role`` stands directly behind the name that ends before word ``last``."""
    if role.first != last or role.last - role.first < 2 or last == 0:
        return False
    gap = text.gap(last - 1)
    return _COMMA.fullmatch(gap) is not None or (
        is_full_name and role.is_apposition and _PLAIN.fullmatch(gap) is not None
    )


def roles_of(
    text: Text, roles: Sequence[Role], found: Sequence[Found]
) -> dict[str, tuple[str, ...]]:
    """Thing id -> the role phrases beside its mentions, in order, each once."""
    persons = [one for one in found if one.thing is not None and one.thing.type == "PER"]
    by_first = {one.first: one for one in persons}
    by_last = {one.last: one for one in persons}
    collected: dict[str, dict[str, None]] = {}
    for role in roles:
        holder = _holder(text, role, by_first, by_last)
        if holder is not None and holder.thing is not None:
            collected.setdefault(holder.thing.id, {})[role.text] = None
    return {key: _without_bare(texts) for key, texts in collected.items()}


def _holder(
    text: Text, role: Role, by_first: Mapping[int, Found], by_last: Mapping[int, Found]
) -> Found | None:
    after = by_first.get(role.last)
    if after is not None and reaches(text, role, after.first):
        return after
    before = by_last.get(role.first)
    if before is None:
        return None
    is_full_name = before.last - before.first > 1
    return before if follows(text, role, before.last, is_full_name=is_full_name) else None


def _without_bare(texts: Mapping[str, None]) -> tuple[str, ...]:
    """All phrases, but one-word ones ("the minister") only where there is nothing better."""
    longer = tuple(text for text in texts if " " in text)
    return longer or tuple(texts)


def _role(text: Text, first: int, starts: Mapping[int, Found], gazetteer: Gazetteer) -> Role:
    lexicon = gazetteer.lexicon
    last = end = first + 1
    for step in _steps(text, first + 1, starts, gazetteer):
        last = step.last
        end = end if step.is_aside else last
    head, restored, start = _head(text, first, lexicon.role_heads)
    final = text.words[last - 1].folded
    is_finished = final.startswith("ال") or last > first + 1
    return Role(
        first=first,
        last=last,
        text=restored + _closed(text, start, text.words[end - 1].end),
        is_finished=is_finished and final not in lexicon.role_groups,
        is_apposition=head in lexicon.roles_after_name,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    last: int
    is_aside: bool = False


def _steps(
    text: Text, index: int, starts: Mapping[int, Found], gazetteer: Gazetteer
) -> Iterator[_Step]:
    """Walk over the words that belong to the role, from the one behind its head."""
    stop = min(len(text.words), index + _MAX_WORDS)
    while index < stop and _INSIDE.fullmatch(text.gap(index - 1)):
        last = _next(text, index, starts, gazetteer)
        if last is None:
            return
        yield _Step(last, is_aside=text.gap(index - 1).endswith("("))
        index = last


def _next(text: Text, index: int, starts: Mapping[int, Found], gazetteer: Gazetteer) -> int | None:
    """Index behind the next piece of the role, or ``None`` where the role is over."""
    lexicon = gazetteer.lexicon
    one = starts.get(index)
    if one is not None:
        return one.last if one.thing is not None and one.thing.type != "PER" else None
    adjective = adjective_at(text, index, gazetteer)
    if adjective is not None:
        return index + adjective[0]
    folded = text.words[index].folded
    if folded in lexicon.role_inside:
        return index + 1
    following = starts.get(index + 1)
    if folded in lexicon.role_joiners and following is not None and following.thing is not None:
        return following.last if following.thing.type != "PER" else None
    return None


def _head(text: Text, first: int, heads: Forms) -> tuple[str, str, int]:
    """The folded head word, letters to put back before it, and its start in the text."""
    word = text.words[first]
    split = heads[word.folded]
    if not split.taken:
        return word.folded, "", word.start
    raw = text.text[word.start : word.end]
    return split.rest, split.restored, word.start + cut_after(raw, split.taken)


def _closed(text: Text, start: int, end: int) -> str:
    """The phrase; a quotation mark or bracket that opens in it takes its partner along."""
    phrase = text.text[start:end]
    is_open = sum(phrase.count(mark) for mark in '«"“(') > sum(phrase.count(m) for m in '»"”)')
    if is_open and end < len(text.text) and text.text[end] in CLOSING_QUOTES + ")":
        return text.text[start : end + 1]
    return phrase
