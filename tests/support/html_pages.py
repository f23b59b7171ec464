"""Pages for the tests of extraction: ``tests/processors/data/html`` and how to feed them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from processors.draft import Draft, PageFacts
from processors.htmltext import parse_html
from processors.pagefacts import read_facts
from schemas.records import RawPage

DATA = Path(__file__).parents[1] / "processors" / "data" / "html"
NOW = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
URL = "https://marfa.example.org/news/1204"


def fixture(name: str) -> str:
    return (DATA / f"{name}.html").read_text(encoding="utf-8")


def draft(**page: object) -> Draft:
    fields = {"article_id": "0" * 32, "url": URL, "fetched_at": NOW} | page
    return Draft(page=RawPage(**fields), now=NOW)  # type: ignore[arg-type]


def facts_of(markup: str, **page: object) -> PageFacts:
    return read_facts(parse_html(markup), draft(**page).page)
