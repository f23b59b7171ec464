"""The headline candidates of a page: which ``<h1>``, and ``<title>`` without the site's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lxml.html import HtmlElement

from processors.fold import fold
from processors.jsonld import plain_text

MAX_TITLE_CHARS = 300

_SEPARATOR = re.compile(r"\s+[-–—|•»«:·~]+\s+|\s*(?:::+|\|+|»|«(?=[^»]*$))\s*")
_TOKEN = re.compile(r"\w+")
_CHROME_TAGS = frozenset({"nav", "footer", "aside"})
_MIN_HEADING_WORDS = 3
_AGREEMENT = 0.6
"""Share of common words from which two titles say the same (BBC rewords its og:title: 0.75)."""

Headlines = tuple[tuple[str, str], ...]


def headlines(
    tree: HtmlElement,
    stated: Sequence[tuple[str, str | None]],
    site_names: Iterable[str],
) -> Headlines:
    """Rank the headline candidates of a page.

    Args:
        tree: The parsed page.
        stated: (source, text) from JSON-LD, meta and feed, in order of trust.
        site_names: Names of site and publisher, to be cut off titles.

    Returns:
        (source, text), most trusted first: the ``<h1>`` where another candidate bears it out,
        then what is stated, a lone ``<h1>``, a ``<h2>`` or ``<h3>``, and ``<title>``.
    """
    sites = {folded for name in site_names if (folded := fold(name))}
    headings = [text for text in _headings(tree, "h1") if fold(text) not in sites]
    page_title = title_text(tree)
    anchors = [*headings, *_headings(tree, "h2", "h3", "b", "strong", "font", "big")]
    known = [(source, strip_site(text, sites, anchors)) for source, text in stated if text]
    title = strip_site(page_title, sites, [*anchors, *(text for _, text in known)])
    chosen, is_borne_out = _choose_heading(headings, [*(text for _, text in known), title])
    ranked: list[tuple[str, str]] = []
    if chosen and is_borne_out:
        ranked.append(("h1", chosen))
    ranked.extend(known)
    if chosen and not is_borne_out:
        ranked.append(("h1", chosen))
    lesser = [] if chosen else _lesser_heading(tree, [*(text for _, text in known), title], sites)
    ranked.extend(("heading", text) for text in lesser)
    ranked.append(("title", title))
    return tuple(
        (source, text[:MAX_TITLE_CHARS])
        for source, text in ranked
        if text and fold(text) not in sites
    )


def heading_of(tree: HtmlElement, ranked: Headlines) -> HtmlElement | None:
    """The element that shows the chosen heading among ``ranked``; ``None`` if none does."""
    shown = next((text for source, text in ranked if source in {"h1", "heading"}), None)
    if shown is None:
        return None
    elements = tree.iter("h1", "h2", "h3")
    texts = ((item, plain_text(item.text_content())[:MAX_TITLE_CHARS]) for item in elements)
    return next((item for item, text in texts if text == shown), None)


def title_text(tree: HtmlElement) -> str:
    """The text of ``<title>``; empty if there is none (titles inside SVG do not count)."""
    for element in tree.iter("title"):
        if not any(ancestor.tag == "svg" for ancestor in element.iterancestors()):
            return plain_text(element.text_content())
    return ""


def strip_site(title: str, sites: set[str], anchors: Iterable[str]) -> str:
    """Cut the site's name off a title such as ``headline - site`` or ``site :: headline``.

    A stretch between separators goes if it is a known site name. Where none is known, the
    stretch that another heading of the page bears out is the headline. Otherwise the title stays
    whole: better a site's name too many than half a headline.
    """
    stretches = list(_stretches(title))
    if len(stretches) == 1:
        return title
    kept = [span for span in stretches if fold(title[span[0] : span[1]]) not in sites]
    if kept and len(kept) < len(stretches):
        return title[kept[0][0] : kept[-1][1]].strip()
    folded_anchors = {fold(anchor) for anchor in anchors}
    if fold(title) in folded_anchors:
        return title
    runs = [
        title[first[0] : last[1]].strip()
        for start, first in enumerate(stretches)
        for last in stretches[start:]
    ]
    return max((run for run in runs if fold(run) in folded_anchors), key=len, default=title)


def outer_stretches(title: str) -> list[str]:
    """First and last stretch of a title in several: where sites put their name."""
    spans = list(_stretches(title))
    return [title[start:end].strip() for start, end in (spans[0], spans[-1])] if spans[1:] else []


def agreement(one: str, other: str) -> float:
    """Share of common words, 0 to 1, of the shorter of two titles."""
    left, right = set(_TOKEN.findall(fold(one))), set(_TOKEN.findall(fold(other)))
    if not left or not right:
        return 0.0
    return len(left & right) / min(len(left), len(right))


def _stretches(title: str) -> Iterator[tuple[int, int]]:
    """Spans of a title between its separators."""
    start = 0
    for match in _SEPARATOR.finditer(title):
        if start < match.start():
            yield start, match.start()
        start = match.end()
    if start < len(title):
        yield start, len(title)


def _headings(tree: HtmlElement, *tags: str) -> list[str]:
    """Texts of the headings outside navigation, footers and side bars; logos have no text."""
    return [
        text
        for element in tree.iter(*tags)
        if (text := plain_text(element.text_content()))
        and not any(ancestor.tag in _CHROME_TAGS for ancestor in element.iterancestors())
    ]


def _choose_heading(headings: list[str], others: list[str]) -> tuple[str | None, bool]:
    """The heading most like the other titles, and whether one of them bears it out."""
    if not headings:
        return None, False
    scores = [max((agreement(text, other) for other in others), default=0.0) for text in headings]
    best = max(range(len(headings)), key=lambda index: scores[index])
    if scores[best] >= _AGREEMENT and len(headings[best].split()) >= 2:
        return headings[best], True
    return headings[0], not any(others)


def _lesser_heading(tree: HtmlElement, others: list[str], sites: set[str]) -> list[str]:
    """For pages without ``<h1>``: a ``<h2>`` or ``<h3>`` instead, as a list of one or none.

    The first that a title bears out, else the first that is long enough for a headline (some
    sites put only their name in titles).
    """
    headings = [
        text
        for text in _headings(tree, "h2", "h3")
        if len(text.split()) >= _MIN_HEADING_WORDS and fold(text) not in sites
    ]
    borne_out = (
        text for text in headings if any(agreement(text, other) >= _AGREEMENT for other in others)
    )
    found = next(borne_out, None) or next(iter(headings), None)
    return [found] if found else []
