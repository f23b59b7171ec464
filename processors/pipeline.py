"""The ordered, visible list of steps from a raw page to an article.

A step takes a draft and the tools and returns a changed draft; it refuses a page with
:class:`~schemas.errors.ProcessingError` and otherwise never raises on odd text. To add one, write
the function and put it into :data:`CLEAN_STEPS` where it belongs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from processors.boilerplate import page_host, remove_boilerplate
from processors.credit import read_credit, read_publisher, read_sign_off
from processors.dateline import find_dateline
from processors.datestep import find_dates, find_events
from processors.draft import Draft, Line, assemble
from processors.extract import extract
from processors.language import detect_language, direction
from processors.metadata import read_byline, read_keywords
from processors.normalize import normalise
from processors.structure import find_structure
from processors.tools import Tools
from schemas.articles import ARTICLE_SCHEMA
from schemas.errors import ProcessingError, Reason
from schemas.records import Article, CleanArticle, RawPage, RelatedLink, Source


def tell_language(draft: Draft, tools: Tools) -> Draft:
    """Step: language of headline and body; the page's own claim only breaks ties."""
    del tools
    text = "\n".join([draft.headline or "", *(line.text for line in draft.body_lines())])
    hint = draft.page.source.language or draft.facts.language
    return replace(draft, language=detect_language(text, hint))


def require_body(draft: Draft, tools: Tools) -> Draft:
    """Step: refuse a page of which nothing is left."""
    del tools
    if not draft.body_lines():
        raise ProcessingError(
            "no line of the page is article text: all of it is boilerplate or metadata",
            step="require_body",
            reason=Reason.NO_MAIN_TEXT,
        )
    return draft


Step = Callable[[Draft, Tools], Draft]

CLEAN_STEPS: tuple[tuple[str, Step], ...] = (
    ("extract", extract),  # bytes -> text: charset, main text of HTML, what the markup states
    ("normalise", normalise),  # lines, script hygiene
    ("boilerplate", remove_boilerplate),  # rule files
    ("credit", read_credit),  # source line; before the dateline, which it could be taken for
    ("dateline", find_dateline),  # place and agency at the head; before dates: wires hold one
    ("dates", find_dates),  # date lines out, published_at chosen
    ("sign_off", read_sign_off),  # agency at the end of the text
    ("keywords", read_keywords),  # keyword line
    ("byline", read_byline),  # who wrote it
    ("structure", find_structure),  # headline, subheads, related tail
    ("publisher", read_publisher),  # who published it
    ("events", find_events),  # dates named in the text
    ("language", tell_language),
    ("require_body", require_body),
)


@dataclass(frozen=True, slots=True)
class StepTrace:
    """The draft as one step left it."""

    step: str
    draft: Draft


def trace(page: RawPage, tools: Tools, *, now: datetime) -> list[StepTrace]:
    """Run the cleaning steps and keep the draft after each (``nashra explain``).

    Raises:
        ProcessingError: A step refused the page.
    """
    draft = Draft(page=page, now=now)
    traces: list[StepTrace] = []
    for name, step in CLEAN_STEPS:
        draft = step(draft, tools)
        traces.append(StepTrace(name, draft))
    return traces


def clean(page: RawPage, tools: Tools, *, now: datetime) -> CleanArticle:
    """Turn a raw page into a clean article.

    Args:
        page: The page as fetched or read.
        tools: From :func:`processors.tools.load_tools`.
        now: The moment of cleaning, aware UTC; becomes ``cleaned_at``.

    Raises:
        ProcessingError: The page can never become an article; ``step`` and ``reason`` say why.
    """
    return finish(trace(page, tools, now=now)[-1].draft, tools)


def finish(draft: Draft, tools: Tools) -> CleanArticle:
    """Assemble the record from a draft that went through every step."""
    body, removals = assemble(draft)
    page = draft.page
    related = (*draft.related, *(link for link in draft.facts.related if _is_new(link, draft)))
    return CleanArticle(
        id=page.article_id,
        revision=page.revision,
        content_hash=_content_hash(draft.headline, body),
        url=page.final_url or page.url,
        canonical_url=draft.facts.canonical_url or page.final_url or page.url,
        origin=page.origin,
        source=_source(draft),
        headline=draft.headline,
        subheadline=draft.subheadline,
        subheads=draft.subheads,
        dateline=draft.dateline,
        authors=draft.authors,
        agencies=draft.agencies,
        credit_line=draft.credit_line,
        keywords=draft.keywords,
        section=draft.facts.section,
        published_at=draft.published_at,
        published=draft.published,
        modified_at=draft.modified_at,
        dates=draft.dates,
        event_dates=draft.event_dates,
        language=draft.language,
        direction=direction(draft.language),
        body=body,
        word_count=len(body.split()),
        is_truncated=draft.is_truncated,
        related=related,
        images=draft.facts.images,
        removals=removals,
        extraction=draft.extraction,
        charset_repair=draft.charset_repair,
        fetched_at=page.fetched_at,
        cleaned_at=draft.now,
        versions=dict(tools.versions),
    )


def enrich(article: CleanArticle, tools: Tools, *, now: datetime) -> Article:
    """Add entities to a clean article; ``now`` becomes ``enriched_at``. Never raises on text."""
    values = {field.name: getattr(article, field.name) for field in fields(CleanArticle)}
    values["schema"] = ARTICLE_SCHEMA
    entities = tools.entities.extract(article.headline, article.body)
    return Article(**values, entities=entities, enriched_at=now)


def _content_hash(headline: str | None, body: str) -> str:
    return hashlib.sha256(f"{headline or ''}\n\n{body}".encode("utf-8", "replace")).hexdigest()


def _is_new(link: RelatedLink, draft: Draft) -> bool:
    return link.title not in {known.title for known in draft.related}


def _source(draft: Draft) -> Source:
    source = draft.page.source
    return Source(
        feed_id=source.feed_id,
        publisher=draft.publisher,
        publisher_evidence=draft.publisher_evidence,
        host=page_host(draft),
        country=source.country,
        language=source.language or draft.facts.language,
    )


__all__ = ["CLEAN_STEPS", "Line", "Step", "StepTrace", "clean", "enrich", "finish", "trace"]
