"""Steps: byline and keyword line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from processors.draft import Draft, Line, Role
from processors.fold import fold
from processors.labels import MAX_LABELLED_LINES, labelled_rows, labelled_value
from processors.names import Names
from processors.tools import Tools

MAX_BYLINE_WORDS = 8
MAX_KEYWORDS = 30
MAX_KEYWORD_WORDS = 5
MAX_VALUE_WORDS = 25
MAX_LONE_KEYWORD_WORDS = 3
"""Lines so short under a keyword label are one keyword each."""

_LIST = re.compile(r"\s*[،,|؛;/•·#\n]+\s*|\s+[-–—]\s+")
_HASHTAGS = re.compile(r"(?:#\w+[\s،,]*)+")
_WORD = re.compile(r"\w+")
_PERSON = re.compile(r"[^\W\d_]+(?:[ \-'’.][^\W\d_]+){1,4}\.?")
_AND = re.compile(r"\s*[،,/&]\s*|\s+و\s*(?=\w)|\s+(?:and|et)\s+")


def read_byline(draft: Draft, tools: Tools) -> Draft:
    """Find bylines (``written by X``) on lines of their own."""
    names = tools.names
    authors = list(draft.authors or draft.facts.authors)
    found: list[int] = []
    for row in labelled_rows(draft, names.byline_labels + names.byline_labels_with_colon):
        people = _byline(draft.lines[row], names)
        if people:
            authors.extend(people)
            found.append(row)
    draft = replace(draft, authors=tuple(dict.fromkeys(authors)))
    return draft.with_role(found, Role.BYLINE, "byline/label", "who wrote it")


def _byline(line: Line, names: Names) -> list[str] | None:
    """Names of a byline; ``None`` if the line is none (labels without names, prose)."""
    if len(line.text.split()) > MAX_BYLINE_WORDS:
        return None
    value = labelled_value(line, names.byline_labels, needs_separator=False) or labelled_value(
        line, names.byline_labels_with_colon
    )
    if not value or line.text.rstrip().endswith((".", "؟", "!")):
        return None
    value = value.split(" - ")[0].split(" – ")[0]
    people = [part.strip(" :-–") for part in _AND.split(value)]
    return people if all(_PERSON.fullmatch(person) for person in people) else None


def read_keywords(draft: Draft, tools: Tools) -> Draft:
    """Find the keyword line; one keyword an item, also where only spaces part them."""
    keywords = list(draft.keywords or draft.facts.keywords)
    for row in labelled_rows(draft, tools.names.keyword_labels):
        value = labelled_value(draft.lines[row], tools.names.keyword_labels)
        if value is None or draft.lines[row].role is not Role.BODY:
            continue
        rows = [row] if value else [row, *_value_rows(draft, row)]
        values = [value] if value else [draft.lines[other].text for other in rows[1:]]
        keywords.extend(_keywords(values, _full_text(draft, rows)))
        draft = draft.with_role(rows, Role.KEYWORDS, "keywords/line", "the keyword line")
    draft, tags = _hashtags(draft)
    return replace(draft, keywords=tuple(dict.fromkeys((*keywords, *tags)))[:MAX_KEYWORDS])


def _keywords(values: list[str], text: str) -> Iterator[str]:
    """Keywords of the value lines; several short lines are a keyword each."""
    if len(values) > 1:
        yield from (value.strip(" #،,.") for value in values)
    else:
        yield from (word for value in values for word in split_keywords(value, text))


def _hashtags(draft: Draft) -> tuple[Draft, list[str]]:
    """Lines of nothing but hashtags are keyword lines without a label."""
    rows = [
        row
        for row, line in enumerate(draft.lines)
        if line.role is Role.BODY and line.text.startswith("#") and _HASHTAGS.fullmatch(line.text)
    ][:MAX_LABELLED_LINES]
    words = [
        word.replace("_", " ") for row in rows for word in draft.lines[row].text.split("#") if word
    ]
    draft = draft.with_role(rows, Role.KEYWORDS, "keywords/hashtags", "nothing but hashtags")
    return draft, [word.strip(" ،,") for word in words]


def _value_rows(draft: Draft, index: int) -> list[int]:
    """The line after a bare label, or all short ones that follow (one keyword a line)."""
    rows: list[int] = []
    for row in range(index + 1, len(draft.lines)):
        words = len(draft.lines[row].text.split())
        is_lone = words <= MAX_LONE_KEYWORD_WORDS
        if (
            draft.lines[row].role is not Role.BODY
            or (rows and not is_lone)
            or words > MAX_VALUE_WORDS
        ):
            break
        rows.append(row)
        if not is_lone:
            break
    return rows


def _full_text(draft: Draft, without: list[int]) -> str:
    """Folded text that keyword phrases are looked up in: all lines but the keyword line."""
    lines = (line.folded for row, line in enumerate(draft.lines) if row not in without)
    return " ".join(_WORD.findall(" ".join(lines)))


def split_keywords(value: str, text: str) -> list[str]:
    """Split a keyword line.

    Args:
        value: The line's value. Commas, bars, bullets and hashes part keywords; where there are
            none, only spaces do, and then a run of words is one keyword if the article has it.
        text: Folded words of the article joined by single spaces.

    Returns:
        Keywords as written, in order, unique.
    """
    parts = [part.strip(' .#"«»_').replace("_", " ") for part in _LIST.split(value)]
    parts = [part for part in parts if part]
    if len(parts) == 1 and len(parts[0].split()) > 1:
        parts = list(_by_text(parts[0].split(), f" {text} "))
    return list(dict.fromkeys(parts))


def _by_text(words: list[str], text: str) -> Iterator[str]:
    """Greedy longest runs of words that occur in the text as a phrase; single words else."""
    at = 0
    while at < len(words):
        size = next(
            (
                size
                for size in range(min(MAX_KEYWORD_WORDS, len(words) - at), 1, -1)
                if _occurs(words[at : at + size], text)
            ),
            1,
        )
        yield " ".join(words[at : at + size])
        at += size


def _occurs(words: list[str], text: str) -> bool:
    phrase = " ".join(_WORD.findall(fold(" ".join(words))))
    # The first word may carry a proclitic in the text, never the article's own letters.
    return re.search(rf" (?:[وفبلك]|وب|ول|لل)?{re.escape(phrase)} ", text) is not None
