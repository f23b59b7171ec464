"""The published contract: JSON Schemas, the AsyncAPI document, and writing them to files.

The files under ``schemas/generated/`` are what subscribers build on; nobody imports our classes.
Everything here is derived from the records and the topic table, so the files cannot say anything
that the code does not do. The output is deterministic: a second run changes no byte.

``$id`` addresses stand under ``nashra.example``, a name reserved for examples (RFC 2606) that never
resolves: an id is a name, not a place to fetch from. An operator who publishes the files changes
:data:`BASE_URL` once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.asyncapi import asyncapi_document
from schemas.errors import InputError
from schemas.records import PUBLIC_RECORDS

BASE_URL = "https://nashra.example/schemas/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI_FILE = "asyncapi.json"
EXAMPLES_FOLDER = "examples"

Json = dict[str, Any]


def schema_file(record: type) -> str:
    """File name of a record's JSON Schema, e.g. ``article.v1.json``."""
    name, major = _name_and_major(record)
    return f"{name}.v{major}.json"


def schema_id(record: type) -> str:
    """Absolute id of a record's JSON Schema: its ``$id`` and the header ``ce_dataschema``."""
    return BASE_URL + schema_file(record)


def json_schemas() -> dict[str, Json]:
    """Describe each public record as a self-contained JSON Schema 2020-12.

    A reader must ignore fields it does not know, so no schema forbids additional properties.

    Returns:
        File name to schema, in the order of ``PUBLIC_RECORDS``.
    """
    return {schema_file(record): _schema(record) for record in PUBLIC_RECORDS}


def asyncapi() -> Json:
    """Describe all topics as one AsyncAPI 3.0.0 document, its payloads being the schema files."""
    return asyncapi_document({record: schema_file(record) for record in PUBLIC_RECORDS})


def write(directory: Path, examples: Mapping[str, bytes]) -> list[Path]:
    """Write the whole contract: all files are put in place, or none is touched.

    Files that the contract no longer has are deleted.

    Args:
        directory: Where to write; made if missing. Examples go to ``examples/`` inside it.
        examples: File name (``<record>.v<major>.<label>.json``) to the record as JSON.

    Returns:
        The files of the contract, sorted.

    Raises:
        InputError: If the directory cannot be written; the message names it.
    """
    documents = _documents(examples)
    try:
        _put_in_place(directory, documents)
        for stale in _files_in(directory) - documents.keys():
            (directory / stale).unlink()
    except OSError as error:
        raise InputError(f"{directory}: the contract cannot be written: {error}") from error
    return [directory / name for name in sorted(documents)]


def check(directory: Path, examples: Mapping[str, bytes] | None = None) -> list[str]:
    """Tell how the files in ``directory`` differ from what :func:`write` would write.

    Args:
        directory: Where the contract was written.
        examples: As for :func:`write`; ``None`` leaves the examples out of the comparison.

    Returns:
        One sentence a difference, each naming the file; empty if the files are current.
    """
    documents = _documents(examples or {})
    found = _files_in(directory)
    if examples is None:
        found = {name for name in found if not name.startswith(f"{EXAMPLES_FOLDER}/")}
    missing = [f"{name}: missing" for name in documents.keys() - found]
    extra = [f"{name}: no longer part of the contract" for name in found - documents.keys()]
    changed = [
        f"{name}: not what the code says now"
        for name in found & documents.keys()
        if (directory / name).read_bytes() != documents[name]
    ]
    return sorted(missing + extra + changed)


def pretty(document: object) -> bytes:
    """JSON for people and diffs: two spaces of indent, UTF-8 unescaped, one final newline."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _documents(examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of the contract: path relative to its directory, and content."""
    schemas = {name: pretty(schema) for name, schema in json_schemas().items()}
    shown = {
        f"{EXAMPLES_FOLDER}/{name}": pretty(orjson.loads(data)) for name, data in examples.items()
    }
    return schemas | shown | {ASYNCAPI_FILE: pretty(asyncapi())}


def _files_in(directory: Path) -> set[str]:
    """JSON files that stand where the contract stands, as relative POSIX paths."""
    found = [*directory.glob("*.json"), *directory.glob(f"{EXAMPLES_FOLDER}/*.json")]
    return {path.relative_to(directory).as_posix() for path in found}


def _put_in_place(directory: Path, documents: Mapping[str, bytes]) -> None:
    """Write everything beside its place first, so that a full disk changes nothing."""
    (directory / EXAMPLES_FOLDER).mkdir(parents=True, exist_ok=True)
    beside = {directory / name: directory / f"{name}.new" for name in documents}
    try:
        for path, temporary in beside.items():
            temporary.write_bytes(documents[path.relative_to(directory).as_posix()])
        for path, temporary in beside.items():
            temporary.replace(path)
    finally:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)


def _schema(record: type) -> Json:
    """One record with everything it refers to inside."""
    _, components = msgspec.json.schema_components([record])
    parts = {
        part.__name__: _tidied(part, components[part.__name__])
        for part in _dataclasses_of(record, components)
    }
    top = parts.pop(record.__name__)
    head: Json = {"$schema": DIALECT, "$id": schema_id(record)}
    return head | top | ({"$defs": dict(sorted(parts.items()))} if parts else {})


def _dataclasses_of(record: type, components: Mapping[str, Json]) -> Iterator[type]:
    """The record and the dataclasses among its components, which msgspec knows by name only."""
    for part in _reachable(msgspec.inspect.type_info(record)):
        if part.__name__ in components:
            yield part


def _reachable(node: object) -> set[type]:
    """All dataclasses that a described type mentions, itself included."""
    if isinstance(node, msgspec.inspect.DataclassType):
        inner = [_reachable(member.type) for member in node.fields]
        return {node.cls}.union(*inner)
    if isinstance(node, msgspec.inspect.Metadata):
        return _reachable(node.type)
    if isinstance(node, msgspec.inspect.UnionType):
        return set().union(*(_reachable(member) for member in node.types))
    if isinstance(node, msgspec.inspect.VarTupleType):
        return _reachable(node.item_type)
    if isinstance(node, msgspec.inspect.DictType):
        return _reachable(node.value_type)
    return set()


def _tidied(part: type, schema: Json) -> Json:
    """The schema of one dataclass for readers: fields in their order, plain descriptions."""
    order = [member.name for member in fields(part)]
    properties = schema["properties"]
    required = schema["required"]
    if "schema" in properties:
        name, major = _name_and_major(part)
        properties["schema"]["pattern"] = rf"^{name}/{major}\.[0-9]+$"
    return schema | {
        "description": _plain(part.__doc__ or ""),
        "properties": {name: properties[name] for name in order},
        "required": [name for name in order if name in required],
    }


def _plain(docstring: str) -> str:
    """A docstring as Markdown-ish text: no indentation, single back-ticks."""
    return inspect.cleandoc(docstring).replace("``", "`")


def _name_and_major(record: type) -> tuple[str, str]:
    """``article/1.0`` is record ``article``, major version ``1``."""
    default: str = record.__dataclass_fields__["schema"].default  # type: ignore[attr-defined]
    name, _, version = default.partition("/")
    return name, version.partition(".")[0]
