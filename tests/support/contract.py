"""Validate produced records against the generated JSON Schemas, as a subscriber would."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator

GENERATED = Path(__file__).parents[2] / "schemas" / "generated"


def contract_errors(data: bytes) -> list[str]:
    """What the generated schema of this record holds against it; empty if nothing.

    Args:
        data: A record as JSON; its own field ``schema`` tells which schema is meant.
    """
    record = orjson.loads(data)
    name, _, version = str(record.get("schema", "")).partition("/")
    path = GENERATED / f"{name}.v{version.partition('.')[0]}.json"
    if not path.exists():
        return [f"$.schema: {record.get('schema')!r} has no generated schema"]
    return [f"{error.json_path}: {error.message}" for error in validator(path).iter_errors(record)]


@lru_cache(maxsize=32)
def validator(path: Path) -> Any:
    """A validator for one schema file that also checks formats (date-time, date)."""
    schema = orjson.loads(path.read_bytes())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
