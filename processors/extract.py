"""The first step: bytes or text of a page to the raw text that all later offsets count in."""

from __future__ import annotations

import re
from dataclasses import replace

from processors.charset import Decoded, decode_bytes, refuse_blank, repair_mojibake
from processors.draft import Draft
from processors.htmltext import MAX_HTML_BYTES, main_text, parse_html
from processors.jsonld import read_json_ld
from processors.pagefacts import feed_facts, read_facts
from schemas.errors import ProcessingError, Reason
from schemas.records import Extraction, RawPage

_HTML_START = re.compile(
    r"\s*(?:\ufeff\s*)?(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML_BYTES = re.compile(rb"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:html|head|body|title|meta|div|p|br|span|article|section|main|table|h[1-6]|ul|ol|li|a|b"
    r"|font|center|script|img)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_TAG_WINDOW_CHARS = 100_000


def extract(draft: Draft, tools: object) -> Draft:  # noqa: ARG001 - every step takes the tools
    """Set ``raw``, ``facts``, ``extraction`` and ``charset_repair`` of a fresh draft.

    Plain text passes untouched (line endings as they are); HTML gives its main text, paragraphs
    joined by a blank line. What the page claims to be is checked against what it is.

    Raises:
        ProcessingError: step ``extract``; ``EMPTY``, ``NOT_TEXT``, ``TOO_LARGE`` or
            ``NO_MAIN_TEXT``.
    """
    decoded = _decoded(draft.page)
    text, mojibake = repair_mojibake(decoded.text)
    repair = "; ".join(note for note in (decoded.repair, mojibake) if note) or None
    draft = replace(draft, charset_repair=repair)
    return _from_html(draft, text) if _is_html(draft.page, text) else _from_text(draft, text)


def _decoded(page: RawPage) -> Decoded:
    if page.text is not None:
        refuse_blank(page.text)
        return Decoded(page.text, "", None)
    body = page.body or b""
    if len(body) > MAX_HTML_BYTES:
        raise ProcessingError(
            f"page of {len(body):,} bytes, the limit is {MAX_HTML_BYTES:,}",
            step="extract",
            reason=Reason.TOO_LARGE,
        )
    is_html = page.media_type == "html" or _HTML_BYTES.match(body) is not None
    return decode_bytes(body, declared=page.charset, is_html=is_html)


def _is_html(page: RawPage, text: str) -> bool:
    """By the text itself: servers and file names lie in both directions."""
    if _HTML_START.match(text) is not None:
        return True
    return page.media_type == "html" and _HTML_TAG.search(text, 0, _TAG_WINDOW_CHARS) is not None


def _from_text(draft: Draft, text: str) -> Draft:
    return replace(
        draft, raw=text, facts=feed_facts(draft.page), extraction=Extraction(method="text")
    )


def _from_html(draft: Draft, markup: str) -> Draft:
    tree = parse_html(markup)
    facts = read_facts(tree, draft.page)
    raw, extraction = main_text(tree, read_json_ld(tree), facts.description)
    return replace(draft, raw=raw, facts=facts, extraction=extraction)
