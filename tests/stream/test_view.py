from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console, RenderableType

from schemas.records import (
    Article,
    CleanArticle,
    DeadLetter,
    Entity,
    Extraction,
    Mention,
    Published,
    Removal,
)
from stream import view

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
# "Rain in Sfax"
HEADLINE = "أمطار في صفاقس"

ARTICLE = Article(
    id="0" * 32,
    content_hash="0" * 64,
    headline=HEADLINE,
    agencies=("AFP",),
    body="Sfax and Sfax",
    language="ar",
    published_at=AT,
    published=Published(
        raw="31/1/2026", source="text-line", precision="day", local="2026-01-31", zone="unknown"
    ),
    removals=(
        Removal(start=0, end=1, text="\n", rule="layout", reason="white space"),
        Removal(start=1, end=3, text="ad", rule="common/ad", reason="an advertisement"),
        Removal(start=3, end=5, text="ad", rule="common/ad", reason="an advertisement"),
    ),
    entities=(
        Entity(
            name="Sfax",
            type="LOC",
            id="n:loc:sfax",
            mentions=(Mention(text="Sfax", start=0, end=4), Mention(text="Sfax", start=9, end=13)),
        ),
    ),
    extraction=Extraction(method="text"),
    fetched_at=AT,
    cleaned_at=AT,
    enriched_at=AT,
)
LETTER = DeadLetter(
    key=b"k",
    original=b"12345",
    stage="cleaner",
    step="extract",
    reason="not-text",
    message="no\ntext",
    topic="nashra.pages.v1",
    partition=3,
    offset=7,
    timestamp_ms=0,
    failed_at=AT,
)


def _plain(lines: Iterable[RenderableType], width: int = 100) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    for line in lines:
        console.print(line)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_card_has_arabic_on_lines_of_its_own() -> None:
    lines = _plain(view.article_card(ARTICLE))
    assert "    " + HEADLINE in lines
    assert "    AFP" in lines
    assert "    Sfax" in lines
    assert "    2: common/ad 2" in lines
    assert any("2026-01-31T08:00:00Z  to the day, zone unknown" in line for line in lines)


def test_long_values_wrap_below_their_beginning() -> None:
    lines = _plain(view.article_card(replace(ARTICLE, agencies=("AFP",) * 20)), width=40)
    wrapped = [line for line in lines if "AFP" in line]
    assert len(wrapped) > 1
    assert all(line.startswith(("    AFP", "    ·")) for line in wrapped)


def test_an_article_is_one_plain_line() -> None:
    (line,) = _plain([view.article_line(ARTICLE)], width=500)
    assert line == (
        f"article {'0' * 32} ar published=2026-01-31T08:00:00Z agencies=1 entities=1 removed=2 "
        f"| {HEADLINE}"
    )


def test_an_article_without_anything() -> None:
    bare = replace(
        ARTICLE, headline=None, published=None, published_at=None, entities=(), removals=()
    )
    assert "(no headline)" in view.article_line(bare).plain
    lines = _plain(view.article_card(bare))
    assert "  published  unknown" in lines
    assert "    nothing" in lines


def test_a_clean_article_is_one_plain_line() -> None:
    clean = CleanArticle(
        id="1" * 32,
        content_hash="0" * 64,
        body="x",
        extraction=Extraction(method="text"),
        fetched_at=AT,
        cleaned_at=AT,
    )
    assert view.clean_line(clean).plain.startswith(
        f"clean-article {'1' * 32} und published=unknown"
    )


def test_dead_letters() -> None:
    assert view.dead_letter_line(LETTER).plain == (
        "dead-letter k reason=not-text stage=cleaner step=extract "
        "nashra.pages.v1 partition 3 offset 7, 5 bytes | no text"
    )
    lines = _plain(view.dead_letter_card(replace(LETTER, original=None, key=None)))
    assert any("offset 7, tombstone" in line for line in lines)


def test_text_of_strangers_cannot_drive_the_terminal() -> None:
    article = replace(ARTICLE, headline="a\x1b[2Jb\rc\u202ed")
    shown = view.article_line(article).plain
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "\u202e" not in shown


def test_the_body_has_its_entities_marked() -> None:
    (line,) = view.marked_body(ARTICLE)
    assert [(span.start, span.end) for span in line.spans] == [(0, 4), (9, 13)]
