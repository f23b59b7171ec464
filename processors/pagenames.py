"""Who wrote a page and who published it, as its markup states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from processors.fold import fold
from processors.jsonld import LinkedArticle, plain_text
from schemas.records import RawPage

Meta = dict[str, list[str]]
"""Values of ``<meta>`` by lower-case property or name; ``itemprop:x`` for an itemprop x."""

MAX_NAME_CHARS = 100
_MAX_AUTHORS = 10
_AUTHOR_KEYS = ("author", "article:author", "dc.creator", "citation_author", "parsely-author")
_BYLINE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author(?:s|-?name)?|byline|writer|write-?by|written-?by)(?:[\s_-]|$)",
    re.IGNORECASE,
)
_MAX_BYLINE_WORDS = 8
"""One word under such a class is a section or a user name more often than a person."""

_BYLINE_LABELS = (
    "كتبت",  # she wrote
    "كتبه",  # wrote it
    "كتب",  # he wrote
    "بقلم",  # from the pen of
    "بواسطة",  # by
    "الكاتب",  # the writer
    "المحرر",  # the editor
    "written by",
    "by",
    "par",  # French: by
)
_BYLINE_LABEL = re.compile(rf"^(?:{'|'.join(_BYLINE_LABELS)})\s*[:/|-]?\s+", re.IGNORECASE)
_NO_NAMES = frozenset(
    {
        "admin",
        "administrator",
        "administrateur",
        "editor",
        "webmaster",
        "author",
        "user",
        "unknown",
        "null",
        "none",
        "undefined",
        "guest",
        "staff",
        "redaction",
        "rédaction",
        "newsroom",
        fold("المحرر"),  # the editor
        fold("التحرير"),  # the editorial office
        fold("هيئة التحرير"),  # the editorial board
        fold("المدير"),  # the administrator
        fold("الكاتب"),  # the writer
        fold("مدير الموقع"),  # the site's administrator
    }
)
_NAME_JUNK = re.compile(
    r"^(?:developed|designed|powered) by\b"
    r"|https?:|www\.|@|\.(?:com|net|org|info|tv)\b|^[\d\W]*$|[<>{}]",
    re.IGNORECASE,
)


def site_names(meta: Meta, linked: LinkedArticle, page: RawPage, url: str | None) -> frozenset[str]:
    """Every name under which the site goes, folded."""
    names = [page.source.publisher, linked.publisher, *meta.get("og:site_name", ())]
    names += [*meta.get("itemprop:publisher", ()), *meta.get("application-name", ())]
    if url and "//" in url:
        host = url.split("//", 1)[1].split("/", 1)[0].split(":", 1)[0].removeprefix("www.")
        names += [host, *(label for label in host.split(".") if len(label) > 3)]
    return frozenset(folded for name in names if name and (folded := fold(name)))


def authors(
    tree: HtmlElement, meta: Meta, linked: LinkedArticle, sites: frozenset[str]
) -> tuple[str, ...]:
    """Names from the first place that states a usable one; ``sites`` are folded names."""
    places: tuple[Iterable[str], ...] = (
        linked.persons,
        [value for key in _AUTHOR_KEYS for value in meta.get(key, ())],
        meta.get("itemprop:author", ()),
        _bylines(tree),
    )
    return next((names for place in places if (names := clean_names(place, sites))), ())


def clean_names(names: Iterable[str], sites: frozenset[str]) -> tuple[str, ...]:
    """Without labels ("by"), addresses, site names, user names such as ``admin``; no repeats."""
    kept: dict[str, str] = {}
    for value in names:
        name = _BYLINE_LABEL.sub("", plain_text(value)).strip(" :|-")
        folded = fold(name)
        is_junk = not folded or folded in _NO_NAMES or _is_site(folded, sites)
        if is_junk or len(name) > MAX_NAME_CHARS or _NAME_JUNK.search(name):
            continue
        kept.setdefault(folded, name)
    return tuple(kept.values())[:_MAX_AUTHORS]


def _is_site(name: str, sites: frozenset[str]) -> bool:
    """Whether a name is the site's, or its short form: all words of it stand in a site name."""
    words = set(name.split())
    return any(words <= set(site.split()) for site in sites)


def _bylines(tree: HtmlElement) -> Iterator[str]:
    """Short texts that the markup calls author: ``rel``, ``itemprop`` or class; the first."""
    for element in tree.iter("a", "span", "p", "div", "address", "h4", "h5", "h6", "li", "strong"):
        is_author = (
            "author" in (element.get("rel") or "").lower().split()
            or "author" in (element.get("itemprop") or "").lower().split()
            or _BYLINE_CLASS.search(element.get("class") or "")
        )
        if not is_author:
            continue
        text = plain_text(element.text_content())
        if 2 <= len(text.split()) <= _MAX_BYLINE_WORDS and not any(sign.isdigit() for sign in text):
            yield text
            return
