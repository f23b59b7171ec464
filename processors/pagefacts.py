"""What a page's own markup states: headline, dates, authors, keywords and so on.

Collects and ranks, judges little; the steps after it decide. Never raises on odd values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml.html import HtmlElement

from processors.draft import PageFacts
from processors.fold import fold
from processors.jsonld import LinkedArticle, plain_text, read_json_ld, split_keywords
from processors.pagedates import MAX_DATE_CHARS, page_dates
from processors.pagehead import deck, head_lines
from processors.pagelinks import related_links, web_url
from processors.pagenames import MAX_NAME_CHARS, Meta, authors, clean_names, site_names
from processors.pagetitles import (
    MAX_TITLE_CHARS,
    Headlines,
    heading_of,
    headlines,
    outer_stretches,
    title_text,
)
from schemas.records import Image, RawPage

_MAX_DESCRIPTION_CHARS = 1_000
_MAX_KEYWORDS = 30
_MAX_IMAGES = 5

_TITLE_KEYS = (
    ("og", "og:title"),
    ("twitter", "twitter:title"),
    ("itemprop", "headline"),
    ("meta", "dc.title"),
    ("meta", "citation_title"),
)
_KEYWORD_KEYS = ("news_keywords", "keywords", "parsely-tags")
_SECTION_KEYS = ("article:section", "articlesection", "parsely-section", "section")

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z0-9]{2,8})*")
_URL_LIKE = re.compile(r"https?:|www\.|/", re.IGNORECASE)


def read_facts(tree: HtmlElement, page: RawPage) -> PageFacts:
    """Read what the markup of a page states.

    Args:
        tree: The parsed page; left unchanged. Read it before trafilatura does.
        page: The page; its address resolves links, its feed headline and date are candidates.
    """
    meta = _read_meta(tree)
    linked = read_json_ld(tree)
    base = page.final_url or page.url
    canonical = _canonical(tree, meta, base)
    publisher, evidence = _publisher(meta, linked)
    sites = site_names(meta, linked, page, canonical or base)
    no_names = sites | {fold(text) for text in outer_stretches(title_text(tree))}
    titles = headlines(tree, _stated_titles(meta, linked, page), sites)
    heading = heading_of(tree, titles)
    published, modified = page_dates(heading, meta, linked, _feed_date(page))
    return PageFacts(
        headlines=titles,
        dates=published,
        modified=modified,
        authors=authors(tree, meta, linked, no_names),
        keywords=_keywords(meta, linked, sites, titles),
        publisher=publisher,
        publisher_evidence=evidence,
        canonical_url=canonical,
        language=_language(tree, meta),
        section=_capped(linked.section or _first(meta, _SECTION_KEYS), MAX_NAME_CHARS),
        description=_capped(
            _first(meta, ("og:description", "description", "twitter:description"))
            or linked.description,
            _MAX_DESCRIPTION_CHARS,
        ),
        images=_images(meta, linked, base),
        related=related_links(tree, base, canonical),
        subheadline=deck(heading),
        head_lines=head_lines(heading),
    )


def feed_facts(page: RawPage) -> PageFacts:
    """What the source states beside a page; all there is for plain text."""
    entry = page.entry
    headline = _capped(_feed_headline(page), MAX_TITLE_CHARS)
    raw = _capped(_feed_date(page), MAX_DATE_CHARS)
    return PageFacts(
        headlines=(("feed", headline),) if headline else (),
        dates=(("feed", raw),) if raw else (),
        authors=clean_names(entry.authors if entry else (), frozenset()),
        keywords=tuple(entry.categories[:_MAX_KEYWORDS]) if entry else (),
    )


def _read_meta(tree: HtmlElement) -> Meta:
    """All ``meta`` values by lower-case property, name or itemprop; ``itemprop:`` ones apart."""
    found: Meta = {}
    for element in tree.iter("meta"):
        content = plain_text(element.get("content") or "")
        if not content:
            continue
        for attribute in ("property", "name"):
            if key := (element.get(attribute) or "").strip().lower():
                found.setdefault(key, []).append(content)
        for key in (element.get("itemprop") or "").lower().split():
            found.setdefault(f"itemprop:{key}", []).append(content)
    return found


def _first(meta: Meta, keys: Iterable[str]) -> str | None:
    """The first value under any of the keys, ``meta`` name before ``itemprop``."""
    for key in keys:
        for name in (key, f"itemprop:{key}"):
            if name in meta:
                return meta[name][0]
    return None


def _capped(text: str | None, cap: int) -> str | None:
    text = plain_text(text)[:cap].strip() if text else None
    return text or None


def _stated_titles(
    meta: Meta, linked: LinkedArticle, page: RawPage
) -> list[tuple[str, str | None]]:
    titles = [("json-ld", linked.headline)]
    titles += [(source, _first(meta, [key])) for source, key in _TITLE_KEYS]
    titles.append(("feed", _feed_headline(page)))
    return [(source, _capped(text, MAX_TITLE_CHARS)) for source, text in titles]


def _feed_headline(page: RawPage) -> str | None:
    return page.headline or (page.entry.title if page.entry else None)


def _feed_date(page: RawPage) -> str | None:
    return page.published_raw or (page.entry.published_raw if page.entry else None)


def _publisher(meta: Meta, linked: LinkedArticle) -> tuple[str | None, str | None]:
    """The publisher's name, and what states it."""
    candidates = [("json-ld", linked.publisher)]
    candidates += [("site-name", value) for value in meta.get("og:site_name", ())]
    candidates += [("itemprop", value) for value in meta.get("itemprop:publisher", ())]
    for evidence, value in candidates:
        if (name := _capped(value, MAX_NAME_CHARS)) and not _URL_LIKE.search(name):
            return name, evidence
    return None, None


def _keywords(
    meta: Meta, linked: LinkedArticle, sites: frozenset[str], titles: Headlines
) -> tuple[str, ...]:
    """From the first place that states any; neither site names nor a headline cut into words."""
    tags = [word for value in meta.get("article:tag", ()) for word in split_keywords(value)]
    listed = [
        word
        for key in _KEYWORD_KEYS
        for value in meta.get(key, ())[:1]
        for word in split_keywords(value)
    ]
    for words in (linked.keywords, tags, listed):
        kept = {fold(word): word for word in words if len(word) <= MAX_NAME_CHARS}
        kept = {folded: word for folded, word in kept.items() if folded and folded not in sites}
        if kept and not any(fold(title) == " ".join(kept) for _, title in titles):
            return tuple(kept.values())[:_MAX_KEYWORDS]
    return ()


def _canonical(tree: HtmlElement, meta: Meta, base: str | None) -> str | None:
    for link in tree.iter("link"):
        is_canonical = "canonical" in (link.get("rel") or "").lower().split()
        if is_canonical and (url := web_url(link.get("href"), base)):
            return url
    return next((url for value in meta.get("og:url", ()) if (url := web_url(value, None))), None)


def _language(tree: HtmlElement, meta: Meta) -> str | None:
    """BCP 47: ``<html lang>``, else ``og:locale``, else ``inLanguage``."""
    root = tree.getroottree().getroot()
    stated = [root.get("lang"), root.get("xml:lang"), *meta.get("og:locale", ())]
    stated += [*meta.get("inlanguage", ()), *meta.get("itemprop:inlanguage", ())]
    for value in stated:
        if value and _LANGUAGE.fullmatch(value.strip()):
            language, *rest = re.split("[-_]", value.strip())
            return "-".join([language.lower(), *(part.upper() for part in rest if len(part) == 2)])
    return None


def _images(meta: Meta, linked: LinkedArticle, base: str | None) -> tuple[Image, ...]:
    values = [*linked.images, *meta.get("og:image", ()), *meta.get("twitter:image", ())]
    urls = dict.fromkeys(url for value in values if (url := web_url(value, base)))
    return tuple(Image(url=url) for url in list(urls)[:_MAX_IMAGES])
