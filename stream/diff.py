"""What differs between two articles, field by field. Pure: no files, no colours."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import orjson

from schemas.errors import InputError
from schemas.records import Article

ALWAYS_NEW = ("fetched_at", "cleaned_at", "enriched_at", "versions")
"""Fields that no two live runs share: when we saw and processed the page, and with what. They say
nothing about the article, so they are compared only when asked for."""

_KEYED = {"entities": "id"}
"""Lists whose items have an identity: the field of the item that holds it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which fields are compared; a name stands for all below it, ``published`` for its ``raw``.

    Attributes:
        only: Dotted names; empty: all.
        ignored: Dotted names left out of those.
    """

    only: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ALWAYS_NEW

    def has(self, field: str) -> bool:
        """Whether a field is compared."""
        is_wanted = not self.only or _is_within(field, self.only)
        return is_wanted and not _is_within(field, self.ignored)

    def reaches(self, field: str) -> bool:
        """Whether a field is compared, or one below it."""
        is_above = any(name.startswith(f"{field}.") for name in self.only)
        return self.has(field) or (is_above and not _is_within(field, self.ignored))

    def digest_view(self, article: Mapping[str, Any]) -> dict[str, Any]:
        """The top-level fields that can matter; where they are equal, :func:`compare` is empty."""
        heads = {name.partition(".")[0] for name in self.only}
        return {
            name: value
            for name, value in article.items()
            if (not heads or name in heads) and name not in self.ignored
        }


def scope_of(only: Sequence[str], ignored: Sequence[str], *, is_all: bool = False) -> Scope:
    """The scope that the options of ``nashra diff`` name.

    Args:
        only: Fields to compare; empty: all but :data:`ALWAYS_NEW`.
        ignored: Fields to leave out besides.
        is_all: Leave out nothing but ``ignored``.

    Raises:
        InputError: An article has no such field; names the nearest one.
    """
    for name in (*only, *ignored):
        _check_field(name)
    standard = () if is_all or only else ALWAYS_NEW
    return Scope(tuple(only), (*standard, *ignored))


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A field that holds something else.

    Attributes:
        field: Dotted name, e.g. ``published.raw``.
        old: What A holds; ``None``: nothing.
        new: What B holds; ``None``: nothing.
        item: Id of the list's item that the field belongs to; ``None``: the article.
    """

    field: str
    old: Any
    new: Any
    item: str | None = None


@dataclass(frozen=True, slots=True)
class ListChange:
    """A list with other items; nothing removed and nothing added: the same in another order.

    Attributes:
        field: Dotted name, e.g. ``agencies``.
        removed: Items that only A has.
        added: Items that only B has.
        item: Id of the list's item that the field belongs to; ``None``: the article.
    """

    field: str
    removed: tuple[Any, ...]
    added: tuple[Any, ...]
    item: str | None = None


Change = ValueChange | ListChange


def compare(old: Mapping[str, Any], new: Mapping[str, Any], scope: Scope) -> list[Change]:
    """The fields in which two articles differ, in the order of the older one's fields.

    Absent, null and empty are the same: so readers of the contract take them.

    Args:
        old: Article as decoded JSON.
        new: The same article of another run.
        scope: Which fields to compare.
    """
    return list(_dict_changes("", old, new, scope, None))


def _dict_changes(
    prefix: str, old: Mapping[str, Any], new: Mapping[str, Any], scope: Scope, item: str | None
) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from _changes(prefix + name, old.get(name), new.get(name), scope, item)


def _changes(field: str, old: Any, new: Any, scope: Scope, item: str | None) -> Iterator[Change]:
    is_same = old == new if isinstance(old, str) else _is_empty(old) and _is_empty(new)
    if is_same or not scope.reaches(field):
        return
    if _are_both(dict, old, new):
        yield from _dict_changes(f"{field}.", old or {}, new or {}, scope, item)
    elif _are_both(list, old, new) and field in _KEYED:
        yield from _keyed_changes(field, old or [], new or [], scope)
    elif not scope.has(field):
        return
    elif _are_both(list, old, new):
        yield from _list_changes(field, old or [], new or [], item)
    elif _canonical(old) != _canonical(new):
        yield ValueChange(field, old, new, item)


def _list_changes(
    field: str, old: Sequence[Any], new: Sequence[Any], item: str | None = None
) -> Iterator[Change]:
    if orjson.dumps(old) == orjson.dumps(new):
        return  # nearly always, and much quicker than what follows
    before, after = [_canonical(one) for one in old], [_canonical(one) for one in new]
    if before != after:
        removed, added = _without(old, before, after), _without(new, after, before)
        yield ListChange(field, removed, added, item)


def _without(
    items: Sequence[Any], marks: Sequence[bytes], others: Sequence[bytes]
) -> tuple[Any, ...]:
    """The items that the other list has not, or not so often."""
    there = Counter(others)
    left: list[Any] = []
    for one, mark in zip(items, marks, strict=True):
        there[mark] -= 1
        if there[mark] < 0:
            left.append(one)
    return tuple(left)


def _keyed_changes(
    field: str, old: Sequence[Any], new: Sequence[Any], scope: Scope
) -> Iterator[Change]:
    """Items are told apart by their identity; those in both lists are compared field by field."""
    if orjson.dumps(old) == orjson.dumps(new):
        return
    before, after = _by_key(old, _KEYED[field]), _by_key(new, _KEYED[field])
    if before is None or after is None:
        if scope.has(field):
            yield from _list_changes(field, old, new)
        return
    removed = tuple(one for key, one in before.items() if key not in after)
    added = tuple(one for key, one in after.items() if key not in before)
    common = [key for key in before if key in after]
    is_reordered = common != [key for key in after if key in before]
    if scope.has(field) and (removed or added or is_reordered):
        yield ListChange(field, removed, added)
    for key in common:
        yield from _dict_changes(f"{field}.", before[key], after[key], scope, key)


def _by_key(items: Sequence[Any], key: str) -> dict[str, Mapping[str, Any]] | None:
    """Items by identity; ``None`` where one has none, or two have the same."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in items:
        name = one.get(key) if isinstance(one, dict) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = one
    return found


def _are_both(kind: type, old: Any, new: Any) -> bool:
    """Whether both are of a kind, or one is and the other is empty."""
    return all(isinstance(one, kind) or _is_empty(one) for one in (old, new)) and any(
        isinstance(one, kind) for one in (old, new)
    )


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {})


def _canonical(value: Any) -> bytes:
    """The same bytes for the same value: keys sorted, what is empty left out."""
    return orjson.dumps(_pruned(value), option=orjson.OPT_SORT_KEYS)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(one) for name, one in value.items() if not _is_empty(one)}
    return [_pruned(one) for one in value] if isinstance(value, list) else value


def _is_within(field: str, names: Iterable[str]) -> bool:
    return any(field == name or field.startswith(f"{name}.") for name in names)


def _check_field(name: str) -> None:
    known = [field.name for field in fields(Article)]
    head = name.partition(".")[0]
    if head not in known:
        near = difflib.get_close_matches(head, known, 1, 0.5)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise InputError(f"an article has no field {head!r}: {advice}")
