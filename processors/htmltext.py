"""HTML to the article's text: one parse, trafilatura first, then what the page states itself."""

from __future__ import annotations

import logging
import re

from lxml.etree import LxmlError
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from processors.draft import PARAGRAPH_BREAK
from processors.jsonld import LinkedArticle, plain_text
from schemas.errors import ProcessingError, Reason
from schemas.records import Extraction

MAX_HTML_BYTES = 20_000_000
"""About 20 times the largest news page seen; parsing takes some 10 times as much memory."""

MIN_WORDS = 15
"""Fewer words are no article: a label, a cookie notice, an error page."""

_LITTLE_WORDS = 25
"""Below this the extraction has missed the text, or the page draws it by script."""

_TRUST = {"trafilatura": 0.95, "json-ld": 0.85, "baseline": 0.4}
_FULL_TRUST_WORDS = 100

_FOREIGN_FAULTS = (AttributeError, LookupError, TypeError, ValueError, RecursionError, LxmlError)
"""What trafilatura is seen to raise on odd trees; the next method takes over then."""

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_SPACE = re.compile(r"[^\S\n]+")
_LAYOUT_CELL_WORDS = 40
_LEAD_PROBE_CHARS = 60
_MIN_LEAD_WORDS = 8
_TABLE_TAGS = ("table", "tbody", "thead", "tfoot", "tr", "td", "th")


def parse_html(markup: str) -> HtmlElement:
    """Parse a page with the limits on nesting raised (the default parser drops deep text).

    Raises:
        ProcessingError: ``TOO_LARGE`` over 20 MB, ``NO_MAIN_TEXT`` if there is nothing to parse.
    """
    data = _XML_DECLARATION.sub("", markup).encode("utf-8", errors="replace")
    if len(data) > MAX_HTML_BYTES:
        raise ProcessingError(
            f"page of {len(data):,} bytes, the limit is {MAX_HTML_BYTES:,}",
            step="extract",
            reason=Reason.TOO_LARGE,
        )
    parser = HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        return document_fromstring(data, parser=parser)
    except (LxmlError, ValueError) as error:
        raise _no_main_text(f"page cannot be parsed: {error}") from error


def main_text(
    tree: HtmlElement, linked: LinkedArticle, description: str | None
) -> tuple[str, Extraction]:
    """Find the article's text on a page.

    Args:
        tree: The parsed page. It is changed: read all facts before.
        linked: What its JSON-LD states; the body is used where extraction gives little.
        description: Its meta description, which finds a lead paragraph outside the body block.

    Returns:
        Paragraphs joined by one blank line, and how they were had.

    Raises:
        ProcessingError: ``NO_MAIN_TEXT`` if no method gives 15 words.
    """
    _open_layout_tables(tree)
    method, lines = "trafilatura", _trafilatura(tree)
    lead = _lead(tree, description) if lines else None
    if lead and _is_missing_lead(lead, lines, " ".join(tree.text_content().split())):
        lines.insert(0, lead)
    if _count(lines) < _LITTLE_WORDS and linked.body:
        stated = _lines(linked.body)
        if _count(stated) > _count(lines):
            method, lines = "json-ld", stated
    if _count(lines) < MIN_WORDS:
        method, lines = "baseline", _baseline(tree)
    words = _count(lines)
    if words < MIN_WORDS:
        raise _no_main_text(f"no main text found: {words} words")
    score = _TRUST[method] * min(1.0, 0.5 + words / (2 * _FULL_TRUST_WORDS))
    return PARAGRAPH_BREAK.join(lines), Extraction(method=method, score=round(score, 2))


def _no_main_text(message: str) -> ProcessingError:
    return ProcessingError(message, step="extract", reason=Reason.NO_MAIN_TEXT)


def _lines(text: str) -> list[str]:
    """Non-blank lines, runs of blanks as one."""
    lines = (_SPACE.sub(" ", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _count(lines: list[str]) -> int:
    return sum(len(line.split()) for line in lines)


def _trafilatura(tree: HtmlElement) -> list[str]:
    """The default mode: precision loses pages, fast loses two points of F1. No metadata."""
    from trafilatura import bare_extraction

    _quiet()
    try:
        document = bare_extraction(
            tree,
            output_format="python",
            include_comments=False,
            include_tables=True,
            with_metadata=False,
            deduplicate=False,
        )
    except _FOREIGN_FAULTS:
        return []
    return _lines(document.text or "") if document is not None else []


def _baseline(tree: HtmlElement) -> list[str]:
    from trafilatura import baseline

    _quiet()
    try:
        body, text, _ = baseline(tree)
    except _FOREIGN_FAULTS:
        return []
    paragraphs = ["".join(element.itertext()) for element in body.iter("p")]
    return _lines("\n".join(paragraphs) or text)


def _quiet() -> None:
    """Silence its logger: trafilatura logs a warning per page without text.

    Our error says it already. At each call, because setting up logging (Faust) resets levels.
    """
    logger = logging.getLogger("trafilatura")
    if logger.level != logging.CRITICAL:
        logger.setLevel(logging.CRITICAL)


def _open_layout_tables(tree: HtmlElement) -> None:
    """Turn tables that lay out a page into blocks, so that their paragraphs stay apart.

    trafilatura writes a table row on one line. A table is layout if it holds another one, or a
    cell with line breaks or paragraphs and more words than a table of facts has.
    """
    layout = {table for table in tree.iter("table") if _is_layout(table)}
    for table in layout:
        for element in [part for part in table.iter(*_TABLE_TAGS) if _table_of(part) in layout]:
            element.tag = "div"


def _is_layout(table: HtmlElement) -> bool:
    if next(table.iterdescendants("table"), None) is not None:
        return True
    return any(
        next(cell.iter("br", "p", "div"), None) is not None
        and len(cell.text_content().split()) >= _LAYOUT_CELL_WORDS
        for cell in table.iter("td")
    )


def _table_of(element: HtmlElement) -> HtmlElement | None:
    """The table that an element is part of; itself if it is one."""
    if element.tag == "table":
        return element
    return next(element.iterancestors("table"), None)


def _lead(tree: HtmlElement, description: str | None) -> str | None:
    """The paragraph that begins like the meta description: the lead, wherever it stands."""
    probe = plain_text(description or "")[:_LEAD_PROBE_CHARS].rstrip(" .…")
    if len(probe.split()) < _MIN_LEAD_WORDS:
        return None
    found: str | None = None
    for element in tree.iter("p", "div", "h2", "h3", "span"):
        if len(element) <= 5 and (text := _text_from(element, probe)):
            found = text if found is None or len(text) < len(found) else found
    return found


def _text_from(element: HtmlElement, probe: str) -> str | None:
    """An element's text if it begins with the probe; looks no further than it must."""
    head = ""
    for text in element.itertext():
        head = (head + text).lstrip()
        if len(head) > 2 * len(probe):
            break
    if not plain_text(head).startswith(probe):
        return None
    return plain_text(element.text_content())


def _is_missing_lead(lead: str, lines: list[str], page_text: str) -> bool:
    """Whether the lead is not in the text yet and stands before it on the page.

    What stands after the text is a teaser or the site's own description in the footer.
    """
    probe = lead[:_LEAD_PROBE_CHARS]
    if probe in " ".join(lines):
        return False
    return -1 < page_text.find(probe) < page_text.find(lines[0][:_LEAD_PROBE_CHARS])
