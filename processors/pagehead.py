"""The short lines that a page shows between its headline and its text: dateline, writer, deck.

Extraction drops them as furniture; the steps that read text lines get them from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from processors.jsonld import plain_text

MAX_HEAD_LINES = 12
MAX_LINE_CHARS = 160
RUNNING_TEXT_CHARS = 200
"""A longer block after the headline is the text itself: the head ends there."""

MAX_ELEMENTS = 400
"""Elements looked at after the headline; a page that has not begun its text by then has no head."""

_BLOCKS = frozenset(("div", "p", "li", "h2", "h3", "h4", "td", "header", "section", "address"))
_DECK = re.compile(r"sub-?_?(?:title|head)|standfirst|\bdeck\b|alternativeheadline", re.IGNORECASE)


def head_lines(heading: HtmlElement | None) -> tuple[str, ...]:
    """Texts of the innermost blocks after the headline, in order, up to the running text.

    Args:
        heading: The element that shows the headline; ``None``: nothing is known to be a head.
    """
    lines = (text for _, text in _blocks(heading) if text)
    return tuple(dict.fromkeys(lines))[:MAX_HEAD_LINES]


def deck(heading: HtmlElement | None) -> str | None:
    """The subheadline: a short block after the headline whose class says so."""
    for block, text in _blocks(heading):
        marks = " ".join((block.get("class") or "", block.get("itemprop") or ""))
        if text and _DECK.search(marks):
            return text
    return None


def _blocks(heading: HtmlElement | None) -> Iterator[tuple[HtmlElement, str]]:
    if heading is None:
        return
    inside = set(heading.iter())
    for number, element in enumerate(_following(heading)):
        if number > MAX_ELEMENTS:
            return
        if element in inside or element.tag not in _BLOCKS:
            continue
        if any(child.tag in _BLOCKS for child in element.iterdescendants()):
            continue
        text = plain_text(element.text_content()[: 4 * RUNNING_TEXT_CHARS])
        if len(text) > RUNNING_TEXT_CHARS:
            return
        if len(text) <= MAX_LINE_CHARS:
            yield element, text


def _following(heading: HtmlElement) -> Iterator[HtmlElement]:
    """Elements after the heading in document order."""
    element: HtmlElement | None = heading
    while element is not None:
        for sibling in element.itersiblings():
            if isinstance(sibling.tag, str):
                yield from (child for child in sibling.iter() if isinstance(child.tag, str))
        element = element.getparent()
