"""Nothing that a subscriber relies on may change within a major version.

``data/released/`` holds the schemas as first published, ``data/article-1.0.json`` a record as
first produced. Neither is regenerated: where these tests fail, the change is a break, and a break
is a new topic version (docs/topics.md).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas import codec, export
from schemas.records import Article
from tests.support.contract import contract_errors
from tests.support.schema_diff import breaks

DATA = Path(__file__).parent / "data"
RELEASED = sorted((DATA / "released").glob("*.json"))


def test_every_public_schema_is_watched() -> None:
    assert {path.name for path in RELEASED} == export.json_schemas().keys()


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.name)
def test_no_released_schema_is_broken(path: Path) -> None:
    current = orjson.loads(export.pretty(export.json_schemas()[path.name]))
    assert breaks(orjson.loads(path.read_bytes()), current) == []


def test_old_article_still_decodes() -> None:
    data = (DATA / "article-1.0.json").read_bytes()
    article = codec.decode(Article, data)
    assert article.id == "0f3c9d8e7b6a5f4e3d2c1b0a99887766"
    assert article.dateline is not None
    assert [place.name for place in article.dateline.places] == ["Tunis"]
    mention = article.entities[0].mentions[0]
    assert article.body[mention.start : mention.end] == mention.text
    assert contract_errors(data) == []


def test_old_article_loses_nothing_on_the_way_through() -> None:
    data = (DATA / "article-1.0.json").read_bytes()
    again = orjson.loads(codec.encode(codec.decode(Article, data)))
    assert orjson.loads(data).items() <= again.items()


SCHEMA: dict[str, Any] = {
    "title": "Word",
    "properties": {
        "text": {"type": "string", "description": "a"},
        "kind": {"enum": ["noun", "verb"]},
        "root": {"anyOf": [{"$ref": "#/$defs/Root"}, {"type": "null"}], "default": None},
    },
    "required": ["text"],
    "$defs": {"Root": {"properties": {"letters": {"type": "string"}}, "required": []}},
}


def _edited(path: str, value: object) -> dict[str, Any]:
    """A copy of SCHEMA with one place set; ``...`` deletes it."""
    schema = copy.deepcopy(SCHEMA)
    *steps, last = path.split("/")
    node = schema
    for step in steps:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return schema


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Other"),
        ("properties/text/description", "other words"),
        ("properties/root/default", ...),
        ("properties/lemma", {"type": "string"}),
        ("$defs/New", {"properties": {}, "required": []}),
        ("$defs/Root/properties/new", {"type": "string"}),
    ],
)
def test_harmless_change_is_no_break(path: str, value: object) -> None:
    assert breaks(SCHEMA, _edited(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("properties/kind", ..., "$.kind: removed"),
        ("properties/text/type", "integer", "$.text: type was 'string', is 'integer'"),
        ("properties/text/pattern", "^a", "$.text: pattern was None, is '^a'"),
        ("required", ["text", "kind"], "$: newly required 'kind'"),
        ("required", [], "$: no longer promised 'text'"),
        ("properties/kind/enum", ["noun"], "$.kind: enum lost 'verb'"),
        ("properties/kind/enum", ["noun", "verb", "x"], "$.kind: enum got 'x'"),
        ("$defs/Root/properties/letters", ..., "$.Root.letters: removed"),
        ("$defs/Root/required", ["letters"], "$.Root: newly required 'letters'"),
        ("$defs/Root", ..., "$.Root: removed"),
    ],
)
def test_break_is_named(path: str, value: object, said: str) -> None:
    assert breaks(SCHEMA, _edited(path, value)) == [said]


def test_becoming_nullable_is_a_break() -> None:
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert breaks(SCHEMA, _edited("properties/text", nullable))
