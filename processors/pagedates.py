"""The dates that a page's markup states, or shows near its headline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from processors.jsonld import LinkedArticle, plain_text
from processors.pagenames import Meta

MAX_DATE_CHARS = 100
_MAX_DATES = 20

_PUBLISHED_KEYS = (
    "article:published_time",
    "datepublished",
    "og:published_time",
    "og:article:published_time",
    "citation_publication_date",
    "citation_online_date",
    "citation_date",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date",
    "dc.date.created",
    "parsely-pub-date",
    "sailthru.date",
    "publish-date",
    "publishdate",
    "published_time",
    "pubdate",
    "article.published",
    "date",
)
_MODIFIED_KEYS = (
    "article:modified_time",
    "datemodified",
    "og:updated_time",
    "dcterms.modified",
    "dc.date.modified",
    "lastmod",
    "last-modified",
)
# A year of four digits, also in Arabic-Indic ones.
_YEAR = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|[١٢][٩٠][٠-٩]{2})(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})(?!\d)")
_FIRST_COMMON_YEAR = 1900
"""Smaller years are Hijri ones; the Gregorian date stands beside them."""

_MAX_VISIBLE_WORDS = 14
_RUNNING_TEXT_CHARS = 250
_LEVELS_UP = 4
_DATE_TAGS = ("div", "span", "p", "li", "small", "em", "i", "b", "font", "td", "time")

Candidates = tuple[tuple[str, str], ...]


def _capped(raw: str | None) -> str | None:
    return plain_text(raw)[:MAX_DATE_CHARS].strip() or None if raw else None


def _visible_dates(heading: HtmlElement | None) -> Iterator[str]:
    """A short text with a year beside the headline, before the running text."""
    for scope in _scopes(heading):
        if found := next(_dates_in(scope, heading), None):
            yield found
            return


def _dates_in(scope: HtmlElement, heading: HtmlElement | None) -> Iterator[str]:
    """Texts of the innermost elements that are short and hold a year."""
    inside_heading = set(heading.iter()) if heading is not None else set()
    for element in scope.iter(*_DATE_TAGS):
        text = plain_text(element.text_content())
        if element.tag == "p" and len(text) > _RUNNING_TEXT_CHARS:
            return
        if len(text) > MAX_DATE_CHARS or element in inside_heading or not _YEAR.search(text):
            continue
        if any(
            _YEAR.search(inner.text_content()) for inner in element.iterdescendants(*_DATE_TAGS)
        ):
            continue
        if len(text.split()) <= _MAX_VISIBLE_WORDS and not _is_ambiguous(text):
            yield text


def _is_ambiguous(text: str) -> bool:
    """Day and month in unknown order (8/6/2026): as the only evidence, unknown beats wrong."""
    match = _NUMERIC.search(text)
    if match is None:
        return False
    first, second, year = map(int, match.groups())
    return year >= _FIRST_COMMON_YEAR and max(first, second) <= 12 and first != second


def page_dates(
    heading: HtmlElement | None, meta: Meta, linked: LinkedArticle, feed_date: str | None
) -> tuple[Candidates, Candidates]:
    """Publication and modification dates, each in order of trust, as (source, raw).

    ``heading`` is the element that shows the headline, if one does. Sources: ``json-ld``,
    ``meta``, ``itemprop``, ``feed``, ``time-tag``, and ``visible``: a short text near the headline
    that holds a year.
    """
    published = [("json-ld", linked.published)]
    published += [("meta", value) for key in _PUBLISHED_KEYS for value in meta.get(key, ())]
    published += [("itemprop", value) for value in meta.get("itemprop:datepublished", ())]
    published.append(("feed", feed_date))
    published += [("time-tag", value) for value in _time_tags(heading, modified=False)]
    published += [("visible", value) for value in _visible_dates(heading)]
    modified = [("json-ld", linked.modified)]
    modified += [("meta", value) for key in _MODIFIED_KEYS for value in meta.get(key, ())]
    modified += [("itemprop", value) for value in meta.get("itemprop:datemodified", ())]
    modified += [("time-tag", value) for value in _time_tags(heading, modified=True)]
    return _distinct(published), _distinct(modified)


def _distinct(candidates: Iterable[tuple[str, str | None]]) -> Candidates:
    """Capped, blank ones and repeats dropped, order kept."""
    kept = [(source, capped) for source, raw in candidates if (capped := _capped(raw))]
    return tuple(dict.fromkeys(kept))[:_MAX_DATES]


def _time_tags(heading: HtmlElement | None, *, modified: bool) -> Iterator[str]:
    """The first dated ``<time>`` near the headline: later ones belong to other articles."""
    for scope in _scopes(heading):
        tags = [(tag, _time_value(tag)) for tag in scope.iter("time")]
        dated = [(tag, value) for tag, value in tags if value]
        for tag, value in dated[:3]:
            if ("modif" in _marks(tag) or "updat" in _marks(tag)) is modified:
                yield value
                return
        if dated:
            return


def _time_value(tag: HtmlElement) -> str:
    """``datetime``, or a text that holds a year (a clock time alone is no date)."""
    text = plain_text(tag.text_content())
    return (tag.get("datetime") or "").strip() or (text if _YEAR.search(text) else "")


def _scopes(heading: HtmlElement | None) -> Iterator[HtmlElement]:
    """Ancestors of the headline, nearest first, below ``<body>``."""
    scope = heading
    for _ in range(_LEVELS_UP):
        scope = scope.getparent() if scope is not None else None
        if scope is None or scope.tag == "body":
            return
        yield scope


def _marks(element: HtmlElement) -> str:
    return f"{element.get('itemprop') or ''} {element.get('class') or ''}".lower()
