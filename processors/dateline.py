"""Step: the dateline, on its own line or at the head of the first paragraph."""

from __future__ import annotations

from dataclasses import replace

from processors.datelinehead import MAX_DATELINE_CHARS, Head, parse_dateline
from processors.draft import Draft, Role
from processors.edit import cut_inline
from processors.names import Names
from processors.tools import Tools

MAX_HEAD_LINES = 12
"""A dateline stands at the top: how many lines of the page are looked at."""


def find_dateline(draft: Draft, tools: Tools) -> Draft:
    """Find the dateline among the first lines; cut it from the body and record it."""
    seen_paragraphs = 0
    for index, line in enumerate(draft.lines[:MAX_HEAD_LINES]):
        if line.role is not Role.BODY or seen_paragraphs > 1:
            continue
        head = parse_dateline(line.text, tools.names)
        if head is None:
            seen_paragraphs += len(line.text) > 2 * MAX_DATELINE_CHARS
            continue
        if index == 0 and head.authors:
            continue  # "place - two words" on the first line is a headline as often
        if head.end == len(line.text):
            whole = line.as_role(Role.DATELINE, "dateline/line", "where the report was filed")
            draft = draft.with_line(index, whole)
        elif _reads_as_headline(line.text):
            continue
        else:
            cut = cut_inline(
                line, draft.raw, 0, head.end, rule="dateline/head", reason="where it was filed"
            )
            draft = draft.with_line(index, cut)
        return _record(draft, head)
    return _from_page_head(draft, tools.names)


def _from_page_head(draft: Draft, names: Names) -> Draft:
    """A dateline that the page shows between headline and text, outside the extracted text."""
    for text in draft.facts.head_lines:
        head = parse_dateline(text, names)
        if head and head.end == len(text):
            return _record(draft, head)
    return draft


def _record(draft: Draft, head: Head) -> Draft:
    return replace(
        draft,
        dateline=head.dateline,
        agencies=tuple(dict.fromkeys((*draft.agencies, *head.agencies))),
        authors=(*draft.authors, *head.authors),
        publisher=draft.publisher or head.publisher,
        publisher_evidence="dateline"
        if head.publisher and not draft.publisher
        else draft.publisher_evidence,
    )


def _reads_as_headline(text: str) -> bool:
    """A line that is short and unfinished is a headline, whatever it begins with."""
    return len(text) < 2 * MAX_DATELINE_CHARS and not text.endswith(".")
