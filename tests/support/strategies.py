"""Hypothesis strategies for whole records, read off the record types themselves.

A new field is covered the moment it is added; nothing here knows any record.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as described

_SAFE_INT = 2**53 - 1
_TEXT = 40


def records(record: type) -> st.SearchStrategy[Any]:
    """Instances of one record type, every field drawn within its declared bounds."""
    return _strategy(described.type_info(record))


def _strategy(node: Any) -> st.SearchStrategy[Any]:
    try:
        return _BY_KIND[type(node)](node)
    except KeyError:
        raise NotImplementedError(f"no strategy for {node!r}: add one here") from None


def _dataclass(node: described.DataclassType) -> st.SearchStrategy[Any]:
    # `schema` keeps its default: any other value is another record.
    drawn = {field.name: _strategy(field.type) for field in node.fields if field.name != "schema"}
    return st.builds(node.cls, **drawn)


def _text(node: described.StrType) -> st.SearchStrategy[str]:
    if node.pattern is not None:
        return st.from_regex(node.pattern.replace("$", r"\Z"))
    shortest = node.min_length or 0
    return st.text(min_size=shortest, max_size=shortest + _TEXT)


def _integer(node: described.IntType) -> st.SearchStrategy[int]:
    return st.integers(-_SAFE_INT if node.ge is None else node.ge, _SAFE_INT)


def _number(node: described.FloatType) -> st.SearchStrategy[float]:
    highest = 1e9 if node.le is None else node.le
    return st.floats(min_value=node.ge, max_value=highest, allow_nan=False)


_BY_KIND: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    described.DataclassType: _dataclass,
    described.Metadata: lambda node: _strategy(node.type),
    described.UnionType: lambda node: st.one_of([_strategy(member) for member in node.types]),
    described.VarTupleType: lambda node: st.lists(_strategy(node.item_type), max_size=3).map(tuple),
    described.DictType: lambda node: st.dictionaries(
        st.text(max_size=9), _strategy(node.value_type), max_size=3
    ),
    described.LiteralType: lambda node: st.sampled_from(node.values),
    described.StrType: _text,
    described.IntType: _integer,
    described.FloatType: _number,
    described.DateTimeType: lambda _: st.datetimes(timezones=st.just(UTC)),
    described.DateType: lambda _: st.dates(),
    described.BytesType: lambda _: st.binary(max_size=_TEXT),
    described.BoolType: lambda _: st.booleans(),
    described.NoneType: lambda _: st.none(),
}
