"""Records to bytes and back: orjson writes, msgspec reads and validates.

Readers are tolerant: unknown fields are ignored, so a producer may add optional ones. What is
known must be right: a wrong type, a missing field, a naive time or another major version is a
:class:`~schemas.errors.DecodeError` that names the path.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any, Protocol, TypeVar, cast

import msgspec
import orjson

from schemas.errors import DecodeError, Reason


class _Record(Protocol):
    """What every record has."""

    schema: str


R = TypeVar("R")

_OPTIONS = orjson.OPT_UTC_Z
"""Times end in ``Z``; text is UTF-8, never ``\\u``-escaped (half the size for Arabic)."""


def encode(record: object) -> bytes:
    """Write a record as UTF-8 JSON.

    Raises:
        DecodeError: If a string holds a lone surrogate and thus is no Unicode text.
    """
    try:
        return orjson.dumps(record, default=_default, option=_OPTIONS)
    except TypeError as error:
        raise DecodeError(f"cannot be written as JSON: {error}") from error


def decode(record_type: type[R], data: bytes) -> R:
    """Read and validate one record.

    Args:
        record_type: One of the records of ``schemas.records``.
        data: UTF-8 JSON.

    Raises:
        DecodeError: The message names the path, e.g. ``Expected str, got int - at $.body``;
            ``reason`` is ``unknown-schema`` for another record or major version.
    """
    try:
        record = _decoder(cast("type", record_type)).decode(data)
    except RecursionError as error:
        raise DecodeError(f"not a {record_type.__name__}: nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"not a {record_type.__name__}: {error}") from error
    _check_schema(record_type, cast("_Record", record))
    return cast("R", record)


def _check_schema(record_type: type, record: _Record) -> None:
    """Refuse another record or another major version; a newer minor one is fine."""
    ours = _schema_name(record_type)
    theirs = record.schema
    if theirs.partition(".")[0] != ours.partition(".")[0]:
        error = DecodeError(f"schema is {theirs!r}, this reader knows {ours!r} - at $.schema")
        error.reason = Reason.UNKNOWN_SCHEMA
        raise error


@lru_cache(maxsize=32)
def _schema_name(record_type: type) -> str:
    default = record_type.__dataclass_fields__["schema"].default  # type: ignore[attr-defined]
    return cast("str", default)


@lru_cache(maxsize=32)
def _decoder(record_type: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(record_type)


def _default(value: object) -> Any:
    """What orjson does not know: bytes become base64, as msgspec reads them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"no JSON form for {type(value).__name__}")
