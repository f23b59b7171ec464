"""The examples are what the pipeline makes today, and what is on the wire is what we promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from schemas import codec, export
from schemas.errors import InputError
from schemas.records import PUBLIC_RECORDS, Article, DeadLetter, RawPage
from stream import contract
from stream.deadletter import MAX_KEY_BYTES, to_out
from stream.events import TRACEPARENT, article_event
from stream.marks import PAGE_DIGEST
from tests.support.contract import GENERATED, contract_errors

AT = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def examples() -> dict[str, bytes]:
    return contract.make_examples(contract.SAMPLES)


def test_generated_examples_are_current(examples: dict[str, bytes]) -> None:
    assert export.check(GENERATED, examples) == [], "run `make schemas` and review the difference"


def test_every_record_has_an_example_that_keeps_the_contract(examples: dict[str, bytes]) -> None:
    by_file = {export.schema_file(record): record for record in PUBLIC_RECORDS}
    shown = {name.rsplit(".", 2)[0] + ".json" for name in examples}
    assert shown == by_file.keys()
    for name, data in examples.items():
        assert contract_errors(data) == [], name
        record = by_file[name.rsplit(".", 2)[0] + ".json"]
        assert codec.encode(codec.decode(record, data)) == data


def test_examples_do_not_change_from_run_to_run(examples: dict[str, bytes]) -> None:
    assert contract.make_examples(contract.SAMPLES) == examples


def test_article_examples_are_worth_reading(examples: dict[str, bytes]) -> None:
    articles = [
        codec.decode(Article, data)
        for name, data in examples.items()
        if name.startswith("article.v1.")
    ]
    assert {article.direction for article in articles} == {"rtl", "ltr"}
    assert all(article.headline and article.body for article in articles)
    assert any(article.removals and article.entities for article in articles)
    assert any(article.dateline for article in articles)
    assert any(article.published_at for article in articles)
    for article in articles:
        for entity in article.entities:
            for mention in entity.mentions:
                assert article.body[mention.start : mention.end] == mention.text


def test_dead_letter_example_holds_the_refused_page(examples: dict[str, bytes]) -> None:
    (data,) = (data for name, data in examples.items() if name.startswith("dead-letter."))
    letter = codec.decode(DeadLetter, data)
    assert letter.original is not None
    assert codec.decode(RawPage, letter.original).article_id.encode() == letter.key


def test_missing_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample 01-"):
        contract.make_examples(tmp_path)


def test_export_and_check_go_together(tmp_path: Path) -> None:
    written = contract.export_contract(tmp_path)
    assert contract.check_contract(tmp_path) == []
    written[0].write_text("{}")
    assert len(contract.check_contract(tmp_path)) == 1


def test_article_headers_are_the_promised_ones(examples: dict[str, bytes]) -> None:
    name = next(name for name in examples if name.startswith("article.v1."))
    article = codec.decode(Article, examples[name])
    trace = {TRACEPARENT: b"00-0-0-00"}
    headers = dict(article_event(article, trace, stage="enricher", kind="enriched"))
    promised = _promised_headers("articlesEnrichedMessage")
    assert set(promised["required"]) | {TRACEPARENT} == headers.keys()
    assert headers.keys() | {PAGE_DIGEST} == promised["properties"].keys()
    schema = orjson.loads((GENERATED / "article.v1.json").read_bytes())
    assert headers["ce_dataschema"].decode() == schema["$id"]


def test_dead_letter_headers_are_the_promised_ones(examples: dict[str, bytes]) -> None:
    (data,) = (data for name, data in examples.items() if name.startswith("dead-letter."))
    letter = replace(codec.decode(DeadLetter, data), key=b"k" * (MAX_KEY_BYTES + 1))
    out = to_out(letter, max_value_bytes=10)
    names = {name for name, _ in out.headers if name.startswith("nashra-error-")}
    promised = _promised_headers("deadLettersMessage")
    assert names == promised["properties"].keys()
    assert set(promised["required"]) <= names


def _promised_headers(message: str) -> dict[str, dict[str, object]]:
    headers: dict[str, dict[str, object]] = export.asyncapi()["components"]["messages"][message][
        "headers"
    ]
    return headers
