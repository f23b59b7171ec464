"""Step: which line is what. Headline, subheadline, subheads, the tail of related headlines.

Plain text has no markup, so position, length and punctuation decide: a paragraph is long or ends
like a sentence; a headline is short and does not; a line that stands twice outside the paragraphs
is the headline wherever it stands.
"""

from __future__ import annotations

from dataclasses import replace

from processors.draft import Draft, Line, Role
from processors.fold import fold
from processors.rulefile import bare
from processors.shape import (
    SENTENCE_END,
    is_headline_like,
    is_paragraph,
    is_plain_paragraph,
)
from processors.tools import Tools
from schemas.records import RelatedLink

MAX_SUBHEAD_WORDS = 12
MAX_HEADLINE_COPIES = 3
"""More lines that say what the headline says are no copies of it (bread crumbs, share boxes)."""

MAX_ANNOUNCED = 10
"""Headlines taken under one "related" heading in the middle of a text."""

MIN_RELATED_WORDS = 3
MIN_SUBHEADLINE_WORDS = 4
"""Shorter lines under a headline are names of writers or desks as often as subheadlines."""


def find_structure(draft: Draft, tools: Tools) -> Draft:
    """Give headline, subheadline, related tail and subheads their roles."""
    draft = _repeated_headline(draft)
    draft = _headline(draft)
    draft = _drop_copies(draft)
    draft = _announced(draft)
    draft = _tail(draft)
    draft = _subheadline(draft)
    del tools
    return _subheads(draft)


def _body_rows(draft: Draft) -> list[int]:
    return [row for row, line in enumerate(draft.lines) if line.role is Role.BODY]


def _repeated_headline(draft: Draft) -> Draft:
    """Take a short line that stands twice after the text as the headline.

    What stands between the two is the subheadline.
    """
    rows = _body_rows(draft)
    last = max((row for row in rows if is_paragraph(draft.lines[row])), default=-1)
    tail = [row for row in rows if row > last and is_headline_like(draft.lines[row])]
    first_seen: dict[str, int] = {}
    for row in tail:
        key = bare(draft.lines[row].folded)
        if key not in first_seen:
            first_seen[key] = row
            continue
        return _take_repeated(draft, tail, first_seen[key], row)
    return draft


def _take_repeated(draft: Draft, tail: list[int], first: int, again: int) -> Draft:
    """The lines of rows ``first`` and ``again`` are the headline."""
    headline = draft.headline or draft.lines[again].text
    between = [row for row in tail if first < row < again]
    why = "the headline, standing twice after the text"
    draft = draft.with_role((first, again), Role.HEADLINE, "structure/headline", why)
    if len(between) == 1:
        draft = replace(draft, subheadline=draft.lines[between[0]].text)
        why = "between the two headlines"
        draft = draft.with_role(between, Role.SUBHEADLINE, "structure/subheadline", why)
    return replace(draft, headline=headline)


def _headline(draft: Draft) -> Draft:
    """The page's own word for it, else the first line if it looks like one."""
    if draft.headline is None and draft.facts.headlines:
        draft = replace(draft, headline=draft.facts.headlines[0][1])
    if draft.headline is not None:
        return draft
    rows = _body_rows(draft)
    if len(rows) < 2 or not is_headline_like(draft.lines[rows[0]]):
        return draft
    first = draft.lines[rows[0]]
    if is_paragraph(first) and not first.text.endswith(("؟", "!", "?", "»", '"')):
        return draft
    if not any(is_paragraph(draft.lines[row]) for row in rows[1:]):
        return draft
    draft = draft.with_role([rows[0]], Role.HEADLINE, "structure/headline", "the first line")
    return replace(draft, headline=first.text)


def _drop_copies(draft: Draft) -> Draft:
    """Other lines that only repeat the headline."""
    if draft.headline is None:
        return draft
    key = bare(fold(draft.headline))
    copies = [row for row in _body_rows(draft) if bare(draft.lines[row].folded) == key]
    if len(copies) > MAX_HEADLINE_COPIES:
        return draft  # a refrain, or rows of a table: text
    return draft.with_role(copies, Role.HEADLINE, "structure/headline-copy", "the headline again")


def _announced(draft: Draft) -> Draft:
    """Other articles' headlines right under a heading that announces them, anywhere."""
    found: list[int] = []
    for row, line in enumerate(draft.lines):
        if not _announces(line):
            continue
        for other in range(row + 1, min(row + 1 + MAX_ANNOUNCED, len(draft.lines))):
            candidate = draft.lines[other]
            # A finished sentence may be the text going on: better a headline too many.
            if candidate.role is not Role.BODY or not is_headline_like(candidate):
                break
            found.append(other)
    return _as_related(draft, found)


def _announces(line: Line) -> bool:
    """A "related" or "most read" heading, or a "read also" label with nothing behind it."""
    if line.rule.endswith(("/related-heading", "/most-read")):
        return True
    return line.rule.endswith("/read-also") and len(line.text.split()) <= 2


def _tail(draft: Draft) -> Draft:
    """Headlines of other articles below the line that ends the text.

    Without such a line short lines at the end stay: better a headline too many than a paragraph
    lost.
    """
    rows = _body_rows(draft)
    stops = [row for row in rows if is_plain_paragraph(draft.lines[row])]
    closing = _closing_row(draft, stops[-1]) if stops else None
    if closing is None:
        return draft
    tail = [row for row in rows if row > closing and is_headline_like(draft.lines[row])]
    return _as_related(
        draft, [row for row in tail if len(draft.lines[row].text.split()) >= MIN_RELATED_WORDS]
    )


def _as_related(draft: Draft, rows: list[int]) -> Draft:
    titles = (RelatedLink(title=draft.lines[row].text) for row in rows)
    draft = replace(draft, related=(*draft.related, *titles))
    return draft.with_role(rows, Role.RELATED, "structure/related", "headline of another article")


def _closing_row(draft: Draft, last: int) -> int | None:
    """Row of the first source, keyword or boilerplate line after the last paragraph.

    What follows it is no text. ``None`` if no such line stands after row ``last``.
    """
    for row, line in enumerate(draft.lines):
        if row > last and line.role in (Role.CREDIT, Role.KEYWORDS, Role.BOILERPLATE):
            return row
    return None


def _subheadline(draft: Draft) -> Draft:
    """A headline-like line right after the headline and before the text."""
    if draft.subheadline is None and draft.facts.subheadline:
        draft = replace(draft, subheadline=draft.facts.subheadline)
    if draft.subheadline is not None:
        return draft
    for row, line in enumerate(draft.lines):
        if line.role is Role.BODY:
            if _is_subheadline(draft, row):
                why = "under the headline"
                draft = draft.with_role([row], Role.SUBHEADLINE, "structure/subheadline", why)
                return replace(draft, subheadline=line.text)
            return draft
    return draft


def _is_subheadline(draft: Draft, row: int) -> bool:
    line = draft.lines[row]
    return (
        len(line.text.split()) >= MIN_SUBHEADLINE_WORDS
        and is_headline_like(line)
        and not is_paragraph(line)
        and bare(line.folded) != bare(fold(draft.headline or ""))
        and any(above.role is Role.HEADLINE for above in draft.lines[:row])
        and any(is_paragraph(other) for other in draft.lines[row + 1 :] if other.role is Role.BODY)
    )


def _subheads(draft: Draft) -> Draft:
    """Short unfinished lines between paragraphs; they stay in the body."""
    rows = _body_rows(draft)
    found = [
        row
        for before, row, after in zip(rows, rows[1:], rows[2:], strict=False)
        if _is_subhead(draft.lines[row])
        and is_paragraph(draft.lines[before])
        and is_paragraph(draft.lines[after])
    ]
    draft = replace(draft, subheads=tuple(draft.lines[row].text for row in found))
    return draft.with_role(found, Role.SUBHEAD, "structure/subhead", "stands between paragraphs")


def _is_subhead(line: Line) -> bool:
    return (
        len(line.text.split()) <= MAX_SUBHEAD_WORDS
        and is_headline_like(line)
        and not SENTENCE_END.search(line.text)
    )
