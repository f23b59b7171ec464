"""The JSON Schema files: right, current, and strict where the promise is strict."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas import export
from schemas.errors import InputError
from schemas.records import PUBLIC_RECORDS
from tests.support.contract import GENERATED, contract_errors, validator

SCHEMAS = export.json_schemas()
EXAMPLES = sorted((GENERATED / "examples").glob("*.json"))


def test_generated_files_are_current() -> None:
    # The examples need the whole pipeline: tests/stream/test_contract.py compares those.
    assert export.check(GENERATED) == [], "run `make schemas` and review the difference"


def test_each_public_record_has_a_schema_and_an_example() -> None:
    stems = {name.removesuffix(".json") for name in SCHEMAS}
    assert len(SCHEMAS) == len(PUBLIC_RECORDS)
    assert stems == {".".join(path.name.split(".")[:2]) for path in EXAMPLES}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_valid_and_carries_its_own_id(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    assert schema["$id"].endswith(f"/{name}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_self_contained(name: str) -> None:
    refs = [value for key, value in _pairs(SCHEMAS[name]) if key == "$ref"]
    assert {ref.removeprefix("#/$defs/") for ref in refs} == SCHEMAS[name].get("$defs", {}).keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_and_unknown_fields_are_allowed(name: str) -> None:
    for part in (SCHEMAS[name], *SCHEMAS[name].get("$defs", {}).values()):
        assert part["description"].strip(), part["title"]
        assert "additionalProperties" not in part
        bare = [key for key, field in part["properties"].items() if not field.get("description")]
        assert bare == [], f"{part['title']}: fields without a description"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_good_example_is_valid(path: Path) -> None:
    assert contract_errors(path.read_bytes()) == []


def _changed(example: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    return copy.deepcopy(example) | {field: value}


BAD: list[tuple[str, object, str]] = [
    ("id", "not-hex", "does not match"),
    ("id", None, "is not of type 'string'"),
    ("schema", "article/2.0", "does not match"),
    ("schema", "clean-article/1.0", "does not match"),
    ("revision", 0, "minimum"),
    ("revision", "1", "is not of type 'integer'"),
    ("body", None, "is not of type 'string'"),
    ("headline", 7, "is not valid under any of the given schemas"),
    ("authors", "one name", "is not of type 'array'"),
    ("direction", "up", "is not one of"),
    ("fetched_at", "2026-01-02T03:04:05", "is not a 'date-time'"),
    ("published_at", "yesterday", "is not valid under any of the given schemas"),
    ("event_dates", ["2026-13-01"], "is not a 'date'"),
    ("is_truncated", "yes", "is not of type 'boolean'"),
    ("word_count", -1, "minimum"),
    ("versions", {"nashra": 1}, "is not of type 'string'"),
    ("dateline", {"places": []}, "is not valid under any of the given schemas"),
    ("removals", [{"start": -1, "end": 0, "text": "", "rule": "r", "reason": "r"}], "minimum"),
    ("entities", [{"name": "n", "type": "DATE", "id": "n:1"}], "is not one of"),
]


@pytest.mark.parametrize(("field", "value", "complaint"), BAD)
def test_bad_article_is_refused(field: str, value: object, complaint: str) -> None:
    bad = _changed(_article_example(), field, value)
    errors = [error.message for error in _article_validator().iter_errors(bad)]
    assert any(complaint in error for error in errors), errors


@pytest.mark.parametrize("field", SCHEMAS["article.v1.json"]["required"])
def test_article_without_a_required_field_is_refused(field: str) -> None:
    bad = _article_example()
    del bad[field]
    errors = [error.message for error in _article_validator().iter_errors(bad)]
    assert errors == [f"{field!r} is a required property"]


def test_article_with_an_unknown_field_is_welcome() -> None:
    assert _article_validator().is_valid(_changed(_article_example(), "mood", "calm"))


def test_contract_errors_name_the_path_and_unknown_records() -> None:
    assert contract_errors(b'{"schema": "sonnet/1.0"}') == [
        "$.schema: 'sonnet/1.0' has no generated schema"
    ]
    bad = orjson.dumps(_changed(_article_example(), "source", {"host": 5}))
    assert contract_errors(bad)[0].startswith("$.source.host: ")


def test_write_then_check_finds_nothing(tmp_path: Path) -> None:
    written = export.write(tmp_path / "new", {"feed.v1.one.json": b'{"id":"a"}'})
    assert export.check(tmp_path / "new", {"feed.v1.one.json": b'{"id":"a"}'}) == []
    assert [path for path in written if not path.exists()] == []
    assert len(written) == len(PUBLIC_RECORDS) + 2


def test_write_is_deterministic(tmp_path: Path) -> None:
    for run in ("first", "second"):
        export.write(tmp_path / run, {})
    for path in (tmp_path / "first").glob("*.json"):
        data = path.read_bytes()
        assert data == (tmp_path / "second" / path.name).read_bytes()
        assert data.endswith(b"}\n")


def test_check_names_each_difference(tmp_path: Path) -> None:
    export.write(tmp_path, {"feed.v1.one.json": b"{}"})
    (tmp_path / "article.v1.json").write_text("{}")
    (tmp_path / "feed.v1.json").unlink()
    (tmp_path / "poem.v1.json").write_text("{}")
    assert export.check(tmp_path, {}) == [
        "article.v1.json: not what the code says now",
        "examples/feed.v1.one.json: no longer part of the contract",
        "feed.v1.json: missing",
        "poem.v1.json: no longer part of the contract",
    ]


def test_write_deletes_what_the_contract_no_longer_has(tmp_path: Path) -> None:
    (tmp_path / "poem.v1.json").write_text("{}")
    (tmp_path / "README.md").write_text("kept")
    export.write(tmp_path, {})
    assert not (tmp_path / "poem.v1.json").exists()
    assert (tmp_path / "README.md").exists()


def test_failed_write_touches_nothing(tmp_path: Path) -> None:
    export.write(tmp_path, {})
    (tmp_path / "feed.v1.json").write_text("old")
    # A folder where a temporary file must go makes the write fail half way.
    (tmp_path / "page.v1.json.new").mkdir()
    with pytest.raises(InputError, match="contract cannot be written"):
        export.write(tmp_path, {})
    assert (tmp_path / "feed.v1.json").read_text() == "old"
    assert [path.name for path in tmp_path.glob("*.new")] == ["page.v1.json.new"]


def _article_example() -> dict[str, Any]:
    path = Path(__file__).parent / "data" / "article-1.0.json"
    example: dict[str, Any] = orjson.loads(path.read_bytes())
    return example


def _article_validator() -> Any:
    return validator(GENERATED / "article.v1.json")


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _pairs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pairs(value)
