"""Steps: source line, an agency's sign-off, and the publisher a text names as itself."""

from __future__ import annotations

import re
from dataclasses import replace

from processors.dates import date_line
from processors.draft import Draft, Line, Role
from processors.edit import cut_inline
from processors.fold import fold
from processors.labels import labelled_rows, labelled_value
from processors.names import Names
from processors.shape import text_rows
from processors.tools import Tools

MAX_CREDIT_WORDS = 14
MAX_CREDIT_PART_WORDS = 4
MAX_INNER_CHARS = 120
MAX_SIGN_OFF_CHARS = 40
MIN_SELF_REFERENCES = 2

_CREDIT_PARTS = re.compile(r"\s*[+،,/|&]\s*|\s+[-–—ـ]\s*|\s+و(?=\s)|\s+(?:and|et)\s+")
_WIRE_CREDIT = re.compile(
    r"[-–—\s]*\((?P<agency>[^()]{2,30})\)[\s.]*|[-–—]{2,}\s*(?P<bare>\S{2,20})"
)
_INNER_CREDIT = re.compile(
    # "| source: ..." behind something else
    r"\s*[|•–—-]\s*(?P<credit>(?:المصدر|مصدر الخبر|Source)\s*[:|]\s*(?P<value>.+))$"
)
_SELF_REFERENCE = re.compile(r"(?<!\w)(?:و|ف)?لـ?\s?[«\"“](?P<name>[^«»\"“”]{3,25})[»\"”]")


def read_credit(draft: Draft, tools: Tools) -> Draft:
    """Find the source line (``label | publisher + agency``), alone or behind a date."""
    draft = _behind_dates(draft, tools.names)
    for row in labelled_rows(draft, tools.names.credit_labels):
        value = labelled_value(draft.lines[row], tools.names.credit_labels)
        if value is not None and draft.lines[row].role is Role.BODY:
            draft = _take_credit(draft, row, value, tools.names)
    return draft


def _behind_dates(draft: Draft, names: Names) -> Draft:
    """Cut ``| label: publisher`` off a date line and read it."""
    changed: dict[int, Line] = {}
    for row, line in enumerate(draft.lines):
        found = _INNER_CREDIT.search(line.text) if len(line.text) <= MAX_INNER_CHARS else None
        if not found or date_line(line.text[: found.start()], now=draft.page.fetched_at) is None:
            continue
        changed[row] = cut_inline(
            line, draft.raw, *found.span(), rule="credit/source", reason="the page's source"
        )
        draft = _record_credit(draft, found["credit"], found["value"], names)
    return draft.with_lines(changed)


def read_sign_off(draft: Draft, tools: Tools) -> Draft:
    """Find the agency that signs the text at its end.

    In parentheses or behind two dashes anywhere, bare (also with the desk's initials after a
    slash) only below the last paragraph.
    """
    _, last = text_rows(draft)
    found: dict[int, str] = {}
    for row, line in enumerate(draft.lines[1:], 1):
        if line.role is not Role.BODY or len(line.text) > MAX_SIGN_OFF_CHARS:
            continue
        sign = _WIRE_CREDIT.fullmatch(line.text)
        named = (sign["agency"] or sign["bare"]) if sign else ""
        if not named and row > last >= 0:
            named = line.text.split("/")[0]
        agency = tools.names.agency(named)
        if agency:
            found[row] = agency
    draft = _add_agencies(draft, tuple(found.values()))
    return draft.with_role(found, Role.CREDIT, "credit/wire", "sign-off of an agency")


def _take_credit(draft: Draft, index: int, value: str, names: Names) -> Draft:
    """One labelled source line; an empty value stands on the next line."""
    rows = [index]
    if not value and index + 1 < len(draft.lines):
        rows.append(index + 1)
        value = draft.lines[index + 1].text
    raw = " ".join(draft.lines[row].text for row in rows)
    taken = _record_credit(draft, raw, value, names)
    if taken is draft:
        return draft
    return taken.with_role(rows, Role.CREDIT, "credit/source", "the page's source line")


def _record_credit(draft: Draft, raw: str, value: str, names: Names) -> Draft:
    """Publisher and agencies of a source line; the same draft if it is none."""
    parts = [part.strip(' .«»"') for part in _CREDIT_PARTS.split(value)]
    parts = [part for part in parts if part]
    if not parts or not _is_credit(value, parts):
        return draft
    agencies = tuple(agency for part in parts if (agency := names.agency(part)))
    publishers = [
        part for part in parts if not names.agency(part) and fold(part) not in names.no_publisher
    ]
    draft = replace(draft, credit_line=draft.credit_line or raw)
    if publishers and draft.publisher is None:
        draft = replace(draft, publisher=publishers[0], publisher_evidence="credit-line")
    return _add_agencies(draft, agencies)


def _is_credit(value: str, parts: list[str]) -> bool:
    """Names only: short parts, no sentence."""
    return (
        len(value.split()) <= MAX_CREDIT_WORDS
        and not value.rstrip().endswith((".", "؟", "!", ":"))
        and all(len(part.split()) <= MAX_CREDIT_PART_WORDS for part in parts)
    )


def _add_agencies(draft: Draft, agencies: tuple[str, ...]) -> Draft:
    return replace(draft, agencies=tuple(dict.fromkeys((*draft.agencies, *agencies))))


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
