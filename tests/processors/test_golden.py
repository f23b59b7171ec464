"""The samples against what a person says must come out of them.

``tests/golden/samples/*.json`` is written by hand, from the page. ``tests/golden/articles/*.json``
is the whole record as the code makes it; ``make golden`` rewrites it and the difference is reviewed
like code. ``../shared/oracle/samples.json`` is the owner's own oracle.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from processors.draft import rebuild
from processors.pipeline import trace
from schemas import codec
from schemas.errors import ProcessingError
from schemas.records import Article
from tests.support.articles import article_of, golden_form, read_pages
from tests.support.text import NOW, tools

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
BY_HAND = sorted((ROOT / "tests" / "golden" / "samples").glob("*.json"))
WHOLE = ROOT / "tests" / "golden" / "articles"
ORACLE = ROOT.parent / "shared" / "oracle" / "samples.json"
ORACLE_FILES = sorted(orjson.loads(ORACLE.read_bytes())["files"]) if ORACLE.exists() else []


def gold_of(path: Path) -> dict[str, Any]:
    gold: dict[str, Any] = orjson.loads(path.read_bytes())
    return gold


def stated(article: Article, gold: dict[str, Any]) -> dict[str, Any]:
    """The fields that a hand-made gold states, in its own form."""
    dateline = article.dateline
    local = article.published.local if article.published else None
    return {
        "headline": article.headline,
        "subheadline": article.subheadline,
        "subheads": list(article.subheads),
        "dateline": dateline
        and {
            "raw": dateline.raw,
            "places": [place.name for place in dateline.places],
            "agencies": list(dateline.agencies),
        },
        "authors": list(article.authors),
        "agencies": list(article.agencies),
        "credit_line": article.credit_line,
        "publisher": article.source.publisher,
        "keywords": list(article.keywords),
        "published": local and local[: len(gold["published"] or "")],
        "event_dates": [day.isoformat() for day in article.event_dates],
        "language": article.language,
        "related": [link.title for link in article.related],
        "body_first60": article.body[:60],
        "body_last60": article.body[-60:],
        "paragraphs": len(article.body.split("\n\n")),
    }


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.stem)
def test_sample_as_stated_by_hand(path: Path) -> None:
    gold = gold_of(path)
    article = article_of(SAMPLES / gold["file"])
    found = stated(article, gold)
    assert found == {key: gold[key] for key in found}
    paragraphs = article.body.split("\n\n")
    assert [line for line in gold["boilerplate"] if line.strip() in paragraphs] == []
    assert [
        text for text in gold["must_keep"] if text not in article.body + (article.headline or "")
    ] == []


def test_prominent_names_are_found() -> None:
    """What a reader would name first, over all samples: the gazetteer knows well-known names.

    Private persons are out of its reach; the floor rises with the trained extractor.
    """
    found = wanted = 0
    for path in BY_HAND:
        gold = gold_of(path)
        entities = article_of(SAMPLES / gold["file"]).entities
        names = {(entity.name.casefold(), entity.type) for entity in entities}
        prominent = {(entity["name"].casefold(), entity["type"]) for entity in gold["entities"]}
        found += len(names & prominent)
        wanted += len(prominent)
    assert found / wanted >= 0.6, f"{found} of {wanted}"


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.stem)
def test_whole_record_as_reviewed(path: Path, validate_record: Callable[[bytes], None]) -> None:
    gold = gold_of(path)
    article = article_of(SAMPLES / gold["file"])
    validate_record(codec.encode(article))
    golden = WHOLE / path.name
    record = golden_form(article)
    if os.environ.get("NASHRA_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
    assert record == orjson.loads(golden.read_bytes())


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.stem)
def test_spans_and_edits_are_exact(path: Path) -> None:
    file = SAMPLES / gold_of(path)["file"]
    article = article_of(file)
    raw = trace(next(read_pages(file)), tools(), now=NOW)[-1].draft.raw
    assert rebuild(article.body, article.removals) == raw
    for entity in article.entities:
        for mention in entity.mentions:
            assert article.body[mention.start : mention.end] == mention.text


def test_every_sample_has_a_gold_or_must_fail() -> None:
    files = {p.name for p in SAMPLES.iterdir() if p.name != "README.md"}
    assert {gold_of(path)["file"] for path in BY_HAND} | {"90-empty.txt", "91-binary.txt"} == files


@pytest.mark.parametrize("name", ["91-binary.txt"])
def test_what_is_no_text_is_refused_by_name(name: str) -> None:
    with pytest.raises(ProcessingError) as caught:
        article_of(SAMPLES / name)
    assert caught.value.reason == "not-text"
    assert caught.value.step == "extract"


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.skipif(not ORACLE_FILES, reason=f"needs the owner's samples in {ORACLE.parent.parent}")
@pytest.mark.parametrize("name", ORACLE_FILES or ["none"])
def test_owners_sample_as_its_oracle_says(name: str) -> None:
    gold = orjson.loads(ORACLE.read_bytes())["files"][name]
    file = ORACLE.parent.parent / "samples" / name
    raw = file.read_bytes().decode("utf-8")
    article = article_of(file)
    dateline = article.dateline
    local = article.published.local if article.published else None
    assert article.headline == gold["title"]
    assert article.subheadline == gold["subtitle"]
    assert (local and local[: len(gold["published"] or "")]) == gold["published"]
    assert (dateline and dateline.raw) == (gold["dateline"] and gold["dateline"]["raw"])
    assert list(article.agencies) == gold["agencies"]
    assert article.source.publisher == gold["source"]
    assert list(article.keywords) == gold["keywords"]
    assert list(article.subheads) == gold["subheads"]
    assert [link.title for link in article.related] == gold["related"]
    assert [day.isoformat() for day in article.event_dates] == gold.get("event_dates", [])
    assert article.language == gold["language"]
    # No paragraph lost, none too many.
    assert lines_of(article.body) == lines_of(raw[gold["body_start"] : gold["body_end"]])
    assert rebuild(article.body, article.removals) == raw
