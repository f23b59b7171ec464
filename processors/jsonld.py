"""What a page says about its article in JSON-LD (schema.org). Tolerant; judges nothing."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

_ARTICLE_TYPES = frozenset(
    {
        "Article",
        "NewsArticle",
        "ReportageNewsArticle",
        "AnalysisNewsArticle",
        "BackgroundNewsArticle",
        "OpinionNewsArticle",
        "ReviewNewsArticle",
        "AskPublicNewsArticle",
        "BlogPosting",
        "LiveBlogPosting",
        "Report",
        "ScholarlyArticle",
        "TechArticle",
        "SatiricalArticle",
        "AdvertiserContentArticle",
    }
)
_PAGE_TYPES = frozenset({"WebPage", "ItemPage"})
"""Their dates serve where the article has none (a common WordPress plugin splits them so)."""

_FOLLOWED_KEYS = ("@graph", "mainEntity", "mainEntityOfPage")
"""Not ``itemListElement`` or ``hasPart``: those name other articles."""

_MAX_BLOCK_CHARS = 4_000_000
_MAX_NODES = 500
_WRAPPING = re.compile(
    r"^\s*(?:/[/*]\s*)?(?:<!\[CDATA\[|<!--)(?:\s*\*/)?|(?:/[/*]\s*)?(?:\]\]>|-->)(?:\s*\*/)?\s*$"
)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")

Json = dict[str, object]
"""One JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedArticle:
    """The article node of a page; empty where the page has none.

    Attributes:
        headline: As stated, white space collapsed.
        body: ``articleBody``, markup taken out, paragraphs on lines of their own.
        persons: Names of authors that are not organisations.
    """

    headline: str | None = None
    body: str | None = None
    description: str | None = None
    published: str | None = None
    modified: str | None = None
    persons: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    publisher: str | None = None
    section: str | None = None
    images: tuple[str, ...] = ()


def read_json_ld(tree: HtmlElement) -> LinkedArticle:
    """Read the first article node of a page's JSON-LD blocks.

    Arrays, ``@graph`` and references by ``@id`` are followed; a broken block is skipped, control
    characters in strings and trailing commas are forgiven. Never raises.
    """
    nodes = list(_nodes(tree))
    by_id = {
        node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1
    }
    article = next((node for node in nodes if _types(node) & _ARTICLE_TYPES), None)
    if article is None:
        return LinkedArticle()
    page: Json = next((node for node in nodes if _types(node) & _PAGE_TYPES), {})
    return LinkedArticle(
        headline=_first(article, "headline", "name"),
        body=_body(article),
        description=_first(article, "description"),
        published=_first(article, "datePublished") or _first(page, "datePublished"),
        modified=_first(article, "dateModified") or _first(page, "dateModified"),
        persons=tuple(_names(article.get("author") or article.get("creator"), by_id, persons=True)),
        keywords=tuple(_keywords(article.get("keywords"))),
        publisher=next(_names(article.get("publisher"), by_id, persons=False), None),
        section=_first(article, "articleSection"),
        images=tuple(_urls(article.get("image"))),
    )


def plain_text(value: str) -> str:
    """Entities decoded (twice: double escaping is common), tags out, white space collapsed."""
    text = html.unescape(html.unescape(value)) if "&" in value else value
    if "<" in text:
        text = _TAG.sub(" ", text)
    return " ".join(text.split())


def split_keywords(text: str) -> list[str]:
    """Split a keyword string at its commas (Latin or Arabic), semicolons or bars."""
    return [word for part in re.split("[,،;؛|\n]", text) if (word := plain_text(part))]


def _nodes(tree: HtmlElement) -> Iterator[Json]:
    left = _MAX_NODES
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        stack: list[object] = [_parse(script.text or "")]
        while stack and left:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(reversed(value[:_MAX_NODES]))
            elif isinstance(value, dict):
                left -= 1
                yield value
                stack.extend(value[key] for key in reversed(_FOLLOWED_KEYS) if key in value)


def _parse(block: str) -> object:
    """The block's value, or ``None`` if no forgiveness helps."""
    if len(block) > _MAX_BLOCK_CHARS:
        return None
    block = _WRAPPING.sub("", block.strip("\ufeff \t\r\n;"))
    for attempt in (block, _TRAILING_COMMA.sub(r"\1", block), html.unescape(block)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _types(node: Json) -> set[str]:
    value = node.get("@type")
    values = value if isinstance(value, list) else [value]
    return {str(item).rsplit("/", 1)[-1] for item in values if isinstance(item, str)}


def _strings(value: object) -> Iterator[str]:
    """The strings of a value that may be one, a list of some, or a number."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("@value") or item.get("name")  # noqa: PLW2901 - unwrapped in place
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            yield str(item)
        elif isinstance(item, str) and item.strip():
            yield item


def _first(node: Json, *keys: str) -> str | None:
    for key in keys:
        for text in _strings(node.get(key)):
            if cleaned := plain_text(text):
                return cleaned
    return None


def _body(article: Json) -> str | None:
    """Break where the markup breaks, so that paragraphs survive."""
    text = next(_strings(article.get("articleBody")), None)
    if text is None:
        return None
    text = html.unescape(html.unescape(text))
    text = re.sub(r"(?i)<br\s*/?>|</(?:p|div|li|h[1-6])>", "\n", text)
    lines = (plain_text(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line) or None


def _names(value: object, by_id: dict[object, Json], *, persons: bool) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield from filter(None, [plain_text(item)])
        elif isinstance(item, dict):
            node = item if "name" in item else by_id.get(str(item.get("@id")), item)
            if persons and any(kind.endswith("Organization") for kind in _types(node)):
                continue
            if name := _first(node, "name"):
                yield name


def _keywords(value: object) -> Iterator[str]:
    for text in _strings(value):
        yield from split_keywords(text)


def _urls(value: object) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("url") or item.get("contentUrl")  # noqa: PLW2901 - unwrapped in place
            if isinstance(item, list):
                item = item[0] if item else None  # noqa: PLW2901 - unwrapped in place
        if isinstance(item, str) and item.strip():
            yield item.strip()
