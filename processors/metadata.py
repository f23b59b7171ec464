"""Steps: source line, byline and keyword line; and the publisher a text names as itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from processors.draft import Draft, Line, Role
from processors.fold import fold
from processors.names import Names
from processors.tools import Tools

MAX_CREDIT_WORDS = 14
MAX_CREDIT_PART_WORDS = 4
MAX_BYLINE_WORDS = 8
MAX_KEYWORDS = 30
MAX_LABELLED_LINES = 12
"""Labelled lines of one kind that are looked at; a page with more is a list of something else."""

BULLETS = "•·*-|# "
MAX_KEYWORD_WORDS = 5

_CREDIT_PARTS = re.compile(r"\s*[+،,/|&]\s*|\s+[-–—ـ]\s*|\s+و(?=\s)|\s+(?:and|et)\s+")
_LIST = re.compile(r"\s*[،,|؛;/•·#\n]+\s*|\s+[-–—]\s+")
_WIRE_CREDIT = re.compile(
    r"[-–—\s]*\((?P<agency>[^()]{2,30})\)[\s.]*|[-–—]{2,}\s*(?P<bare>\S{2,20})"
)
_SEPARATOR = r"\s*[|:：\-–—ـ/]\s*"
_SELF_REFERENCE = re.compile(r"(?<!\w)(?:و|ف)?لـ?\s?[«\"“](?P<name>[^«»\"“”]{3,25})[»\"”]")
MIN_SELF_REFERENCES = 2


def read_credit(draft: Draft, tools: Tools) -> Draft:
    """Find the source line (``label | publisher + agency``) and the agency's sign-off."""
    for row in _candidates(draft, tools.names.credit_labels):
        value = _labelled(draft.lines[row], tools.names.credit_labels)
        if value is not None and draft.lines[row].role is Role.BODY:
            draft = _take_credit(draft, row, value, tools.names)
    return _sign_offs(draft, tools.names)


def _sign_offs(draft: Draft, names: Names) -> Draft:
    """Lines that are nothing but an agency in parentheses or behind two dashes."""
    found: dict[int, str] = {}
    for row, line in enumerate(draft.lines[1:], 1):
        sign = _WIRE_CREDIT.fullmatch(line.text) if line.role is Role.BODY else None
        agency = names.agency(sign["agency"] or sign["bare"]) if sign else None
        if agency:
            found[row] = agency
    draft = _add_agencies(draft, tuple(found.values()))
    return draft.with_role(found, Role.CREDIT, "credit/wire", "sign-off of an agency")


def _candidates(draft: Draft, labels: tuple[str, ...]) -> list[int]:
    """Rows of body lines that begin with a label, the first few: a page has one or two."""
    rows = (
        row
        for row, line in enumerate(draft.lines)
        if line.role is Role.BODY and line.folded.lstrip(BULLETS).startswith(labels)
    )
    return list(islice(rows, MAX_LABELLED_LINES))


def _take_credit(draft: Draft, index: int, value: str, names: Names) -> Draft:
    """One labelled source line; an empty value stands on the next line."""
    rows = [index]
    if not value and index + 1 < len(draft.lines):
        rows.append(index + 1)
        value = draft.lines[index + 1].text
    parts = [part for part in _CREDIT_PARTS.split(value) if part.strip(' .«»"')]
    if not parts or not _is_credit(value, parts):
        return draft
    publishers = [part.strip(' .«»"') for part in parts if not names.agency(part.strip(" ."))]
    agencies = [agency for part in parts if (agency := names.agency(part.strip(" .")))]
    raw = " ".join(draft.lines[row].text for row in rows)
    draft = draft.with_role(rows, Role.CREDIT, "credit/source", "the page's source line")
    draft = replace(draft, credit_line=draft.credit_line or raw)
    if publishers and draft.publisher is None:
        draft = replace(draft, publisher=publishers[0], publisher_evidence="credit-line")
    return _add_agencies(draft, tuple(agencies))


def _is_credit(value: str, parts: list[str]) -> bool:
    """Names only: short parts, no sentence."""
    return (
        len(value.split()) <= MAX_CREDIT_WORDS
        and not value.rstrip().endswith((".", "؟", "!", ":"))
        and all(len(part.split()) <= MAX_CREDIT_PART_WORDS for part in parts)
    )


def _add_agencies(draft: Draft, agencies: tuple[str, ...]) -> Draft:
    return replace(draft, agencies=tuple(dict.fromkeys((*draft.agencies, *agencies))))


def read_byline(draft: Draft, tools: Tools) -> Draft:
    """Find bylines (``written by X``) on lines of their own."""
    names = tools.names
    authors = list(draft.authors or draft.facts.authors)
    found: list[int] = []
    for row in _candidates(draft, names.byline_labels + names.byline_labels_with_colon):
        people = _byline(draft.lines[row], names)
        if people:
            authors.extend(people)
            found.append(row)
    draft = replace(draft, authors=tuple(dict.fromkeys(authors)))
    return draft.with_role(found, Role.BYLINE, "byline/label", "who wrote it")


_PERSON = re.compile(r"[^\W\d_]+(?:[ \-'’.][^\W\d_]+){1,4}\.?")
_AND = re.compile(r"\s*[،,/&]\s*|\s+و\s*(?=\w)|\s+(?:and|et)\s+")


def _byline(line: Line, names: Names) -> list[str] | None:
    """Names of a byline; ``None`` if the line is none (labels without names, prose)."""
    if len(line.text.split()) > MAX_BYLINE_WORDS:
        return None
    value = _labelled(line, names.byline_labels, needs_separator=False) or _labelled(
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
    for row in _candidates(draft, tools.names.keyword_labels):
        value = _labelled(draft.lines[row], tools.names.keyword_labels)
        if value is None or draft.lines[row].role is not Role.BODY:
            continue
        rows = [row] if value else [row, *_value_rows(draft, row)]
        values = [value] if value else [draft.lines[other].text for other in rows[1:]]
        text = _full_text(draft, rows)
        keywords.extend(word for one in values for word in split_keywords(one, text))
        draft = draft.with_role(rows, Role.KEYWORDS, "keywords/line", "the keyword line")
    return replace(draft, keywords=tuple(dict.fromkeys(keywords))[:MAX_KEYWORDS])


def _value_rows(draft: Draft, index: int) -> list[int]:
    """The line after a bare label, and further ones that are short (one keyword a line)."""
    rows: list[int] = []
    for row in range(index + 1, len(draft.lines)):
        words = len(draft.lines[row].text.split())
        if draft.lines[row].role is not Role.BODY or (rows and words > 2) or words > 25:
            break
        rows.append(row)
        if words > 2:
            break
    return rows


def _full_text(draft: Draft, without: list[int]) -> str:
    """Folded text that keyword phrases are looked up in: all lines but the keyword line."""
    lines = (line.folded for row, line in enumerate(draft.lines) if row not in without)
    return " ".join(_WORD.findall(" ".join(lines)))


_WORD = re.compile(r"\w+")


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


def _labelled(line: Line, labels: tuple[str, ...], *, needs_separator: bool = True) -> str | None:
    """The value after a label at the start of a line; ``None`` if no label stands there.

    A label alone on the line gives an empty value. The value is taken from the original text by
    word count, since folding keeps the words.
    """
    folded = line.folded.lstrip(BULLETS)
    label = next((label for label in labels if folded.startswith(label)), None)
    if label is None:
        return None
    rest = folded[len(label) :]
    if not rest.strip(" :|-–—.؟?"):
        return "" if rest.strip(" ") in {"", ":", "|", "-"} else None
    if not re.match(_SEPARATOR, rest):
        if needs_separator or not rest.startswith(" "):
            return None
        return _after_words(line.text, len(label.split()))
    separated = re.search(r"[|:：]|\s[-–—ـ/]\s?|[-–—]", line.text)
    return line.text[separated.end() :].strip() if separated else None


def _after_words(text: str, count: int) -> str:
    parts = text.split(maxsplit=count)
    return parts[count] if len(parts) > count else ""


def read_publisher(draft: Draft, tools: Tools) -> Draft:
    """Settle the publisher.

    In this order: the configured source, the page's own word, the credit line, or a newspaper that
    the text names as its own listener (``told <<paper>>``) more than once.
    """
    if draft.page.source.publisher:
        return replace(
            draft, publisher=draft.page.source.publisher, publisher_evidence="configured"
        )
    if draft.facts.publisher:
        evidence = draft.facts.publisher_evidence or "site-name"
        return replace(draft, publisher=draft.facts.publisher, publisher_evidence=evidence)
    if draft.publisher:
        return draft
    counts: dict[str, int] = {}
    for line in draft.body_lines():
        for found in _SELF_REFERENCE.finditer(line.text):
            name = tools.names.publishers.get(fold(found["name"]))
            if name:
                counts[name] = counts.get(name, 0) + 1
    best = max(counts, key=lambda name: counts[name], default=None)
    if best and counts[best] >= MIN_SELF_REFERENCES:
        return replace(draft, publisher=best, publisher_evidence="self-reference")
    return draft
