"""Step: which line is what. Headline, subheadline, subheads, the tail of related headlines.

Plain text has no markup, so position, length and punctuation decide: a paragraph is long or ends
like a sentence; a headline is short and does not; a line that stands twice outside the paragraphs
is the headline wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import replace

from processors.draft import Draft, Line, Role
from processors.fold import fold
from processors.rulefile import bare
from processors.tools import Tools
from schemas.records import RelatedLink

MAX_HEADLINE_WORDS = 25
MAX_HEADLINE_CHARS = 200
MAX_SUBHEAD_WORDS = 12
PARAGRAPH_WORDS = 25
"""From here on a line is a paragraph whatever it ends with; a headline is never so long."""

MAX_HEADLINE_COPIES = 3
"""More lines that say what the headline says are no copies of it (bread crumbs, share boxes)."""

MIN_TAIL = 3
MIN_TAIL_WORDS = 4
MEAN_TAIL_WORDS = 6
"""So many headline-like lines, of so many words each and on average, are other articles' headlines
where nothing announces them."""

MIN_SUBHEADLINE_WORDS = 4
"""Shorter lines under a headline are names of writers or desks as often as subheadlines."""

_FULL_STOPS = (".", ":", "،", "؛", ",", ";", "…")
_SENTENCE_END = re.compile(r"[.!؟?…][\"»”')\]]*$")
_LIST_ITEM = re.compile(r"^(?:[-–—•·*▪]\s*|\(?\d{1,2}\s?[-.)ـ]\s+)\S")


def find_structure(draft: Draft, tools: Tools) -> Draft:
    """Give headline, subheadline, related tail and subheads their roles."""
    draft = _repeated_headline(draft)
    draft = _headline(draft)
    draft = _drop_copies(draft)
    draft = _tail(draft)
    draft = _subheadline(draft)
    del tools
    return _subheads(draft)


def is_paragraph(line: Line) -> bool:
    """Running text: long, or a finished sentence of more than a few words."""
    words = len(line.text.split())
    return words >= PARAGRAPH_WORDS or (words > 5 and bool(_SENTENCE_END.search(line.text)))


def _is_headline_like(line: Line) -> bool:
    words = len(line.text.split())
    return (
        2 <= words <= MAX_HEADLINE_WORDS
        and len(line.text) <= MAX_HEADLINE_CHARS
        and not line.text.endswith(_FULL_STOPS)
        and not _LIST_ITEM.match(line.text)
    )


def _body_rows(draft: Draft) -> list[int]:
    return [row for row, line in enumerate(draft.lines) if line.role is Role.BODY]


def _repeated_headline(draft: Draft) -> Draft:
    """Take a short line that stands twice after the text as the headline.

    What stands between the two is the subheadline.
    """
    rows = _body_rows(draft)
    last = max((row for row in rows if is_paragraph(draft.lines[row])), default=-1)
    tail = [row for row in rows if row > last and _is_headline_like(draft.lines[row])]
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
    if len(rows) < 2 or not _is_headline_like(draft.lines[rows[0]]):
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


def _tail(draft: Draft) -> Draft:
    """Headlines of other articles after the last paragraph."""
    rows = _body_rows(draft)
    stops = [row for row in rows if _is_plain_paragraph(draft.lines[row])]
    if not stops:
        return draft
    closing = _closing_row(draft, stops[-1])
    start = stops[-1] if closing is None else closing
    tail = [row for row in rows if row > start]
    if not tail or not all(_is_headline_like(draft.lines[row]) for row in tail):
        return draft
    if closing is None and not _are_headlines([draft.lines[row].text for row in tail]):
        return draft
    titles = (RelatedLink(title=draft.lines[row].text) for row in tail)
    draft = replace(draft, related=(*draft.related, *titles))
    return draft.with_role(tail, Role.RELATED, "structure/related", "headline of another article")


def _are_headlines(texts: list[str]) -> bool:
    """Whether lines that nothing announces are headlines, not verses or the rows of a list.

    Verses are shorter; rows of a list begin alike.
    """
    words = [text.split() for text in texts]
    openings = {line[0] for line in words}
    return (
        len(texts) >= MIN_TAIL
        and all(len(line) >= MIN_TAIL_WORDS for line in words)
        and sum(map(len, words)) >= MEAN_TAIL_WORDS * len(texts)
        and len(openings) > len(texts) / 2
    )


def _is_plain_paragraph(line: Line) -> bool:
    """Running text beyond doubt. A question or a quotation may end a headline too."""
    words = len(line.text.split())
    return words >= PARAGRAPH_WORDS or (words > 5 and line.text.rstrip('"»”) ').endswith("."))


def _closing_row(draft: Draft, last: int) -> int | None:
    """Row of the source or keyword line or related heading after the last paragraph.

    What follows it is no text. ``None`` if no such line stands after row ``last``.
    """
    for row, line in enumerate(draft.lines):
        if row > last and (
            line.role in (Role.CREDIT, Role.KEYWORDS)
            or line.rule.endswith(("/related-heading", "/most-read"))
        ):
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
            rest = draft.lines[row + 1 :]
            follows = any(is_paragraph(other) for other in rest if other.role is Role.BODY)
            headline_above = any(above.role is Role.HEADLINE for above in draft.lines[:row])
            long_enough = len(line.text.split()) >= MIN_SUBHEADLINE_WORDS
            is_candidate = long_enough and _is_headline_like(line) and not is_paragraph(line)
            is_candidate = is_candidate and bare(line.folded) != bare(fold(draft.headline or ""))
            if headline_above and follows and is_candidate:
                why = "under the headline"
                draft = draft.with_role([row], Role.SUBHEADLINE, "structure/subheadline", why)
                return replace(draft, subheadline=line.text)
            return draft
    return draft


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
        and _is_headline_like(line)
        and not _SENTENCE_END.search(line.text)
    )
