"""The shape of lines: what is a paragraph, what could be a headline, where the text stands."""

from __future__ import annotations

import re

from processors.draft import Draft, Line

MAX_HEADLINE_WORDS = 25
MAX_HEADLINE_CHARS = 200
PARAGRAPH_WORDS = 25
"""From here on a line is a paragraph whatever it ends with; a headline is never so long."""

SENTENCE_WORDS = 6
"""A finished sentence of so many words is running text too."""

LEAD_WORDS = 15
"""A finished sentence so long opens the text; a shorter one may be a deck under the headline."""

SENTENCE_ENDS = (".", "!", "؟", "?", "»", '"', "”", ")", "…")
"""How a finished paragraph may end; a stub link after anything else means a truncated text."""

SENTENCE_END = re.compile(r"[.!؟?…][\"»”')\]]*$")
_FULL_STOPS = (".", ":", "،", "؛", ",", ";", "…")
_LIST_ITEM = re.compile(r"^(?:[-–—•·*▪]\s*|\(?\d{1,2}\s?[-.)ـ]\s+)\S")


def is_paragraph(line: Line) -> bool:
    """Running text: long, or a finished sentence of more than a few words."""
    words = len(line.text.split())
    return words >= PARAGRAPH_WORDS or (
        words >= SENTENCE_WORDS and SENTENCE_END.search(line.text) is not None
    )


def is_plain_paragraph(line: Line) -> bool:
    """Running text beyond doubt. A question or a quotation may end a headline too."""
    words = len(line.text.split())
    return words >= PARAGRAPH_WORDS or (
        words >= SENTENCE_WORDS and line.text.rstrip('"»”) ').endswith(".")
    )


def is_headline_like(line: Line) -> bool:
    """Short, unfinished, no item of a list."""
    words = len(line.text.split())
    return (
        2 <= words <= MAX_HEADLINE_WORDS
        and len(line.text) <= MAX_HEADLINE_CHARS
        and not line.text.endswith(_FULL_STOPS)
        and not _LIST_ITEM.match(line.text)
    )


def text_rows(draft: Draft) -> tuple[int, int]:
    """Rows of the first and the last sentence of the text; what stands between them is text.

    Returns:
        ``(len(lines), -1)`` if there is no text. It begins with a long sentence, since a deck
        under the headline may be a sentence too; it may end with a short one.
    """
    first, last = len(draft.lines), -1
    for row, line in enumerate(draft.lines):
        if not line.role.is_kept:
            continue
        words = len(line.text.split())
        if row < first and words >= LEAD_WORDS and is_plain_paragraph(line):
            first = row
        if words > 1 and row >= first and (is_plain_paragraph(line) or line.text.endswith(".")):
            last = row
    return first, last
