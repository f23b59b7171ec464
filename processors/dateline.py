"""Step: the dateline, on its own line or at the head of the first paragraph.

A dateline names a place, an agency, or both, set off by a dash, a colon or parentheses. A sentence
that merely begins with a city is none: without an agency the place must be a known one and the
separator must stand alone (no second dash soon after it, which would make it an aside).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from processors.draft import Draft, Role
from processors.edit import cut_inline
from processors.fold import fold
from processors.names import Names
from processors.tools import Tools
from schemas.records import Dateline, DatelinePlace

MAX_DATELINE_CHARS = 90
"""Longest head that is looked at. Real ones in a day of newspaper text stay under 70."""

MAX_HEAD_LINES = 12
"""A dateline stands at the top: how many lines of the page are looked at."""

_DASH = r"[-–—ـ|/:]"
_LIST_SEPARATOR = re.compile(
    r"\s*[،,/+&]\s*|\s+(?:و\s|[-–—ـ]|and|et)\s*|\s+(?=و(?!كال|اس\b|ام\b|فا\b))"
)
_DATE = r"\d{1,2}\s[^\d()\n]{3,30}(?:\d{4}(?:\s?[مه]ـ?)?)?"
"""A day and what follows it up to the agency, as Petra and SPA write between place and agency."""

_HEAD_PARENTHESIS = re.compile(
    rf"(?P<places>[^()\n«»\"\d]{{0,40}}?)\s*{_DASH}?\s*(?P<date>{_DATE})?\s*{_DASH}?\s*\((?P<agencies>[^()\n]{{2,60}})\)\s*"
    rf"(?P<after>(?:{_DASH}\s*)?)"
)
_HEAD_DASH = re.compile(
    rf"(?P<places>[^()\n\d.؟!]{{2,45}}?)\s*(?P<dash>{_DASH})\s*"
    rf"(?P<agencies>[^()\n.؟!:]{{2,60}}?)\s*(?P<after>{_DASH})\s+"
)
_HEAD_PLACE = re.compile(r"(?P<places>[^()\n\d.؟!:]{2,40}?)(?:\s+[-–—ـ]\s*|\s*ـ+\s+|\s*:\s+)")
_HEAD_AGENCY = re.compile(r"(?P<agencies>[^()\n\d.؟!]{2,30}?)\s*(?:[-–—ـ]\s+|:\s+)")
_LINE = re.compile(rf"(?P<left>[^\n]{{2,60}}?)\s*(?:{_DASH}|\()\s*(?P<right>[^\n]{{2,60}}?)\)?")
_WIRE_LINE = re.compile(
    r"(?P<places>[^\d()\n]{2,30}?)\s(?P<date>\d{1,2}\s[^()\n]{4,70}\d{4}\s?(?:م|هـ?)?)\s+"
    r"\(?(?P<agencies>[^\d()\n]{2,20}?)\)?"
)
_BETWEEN_NAMES = re.compile(r"\s[-–—ـ|]+\s")
_PERSON = re.compile(r"[^\W\d_]+(?:\s[^\W\d_]+){1,3}")
_ASIDE = re.compile(r"^(?:\S+\s+){1,10}[-–—]\s")


@dataclass(frozen=True, slots=True)
class Head:
    """A dateline found at the start of a text; ``end`` is where the story begins."""

    dateline: Dateline
    agencies: tuple[str, ...]
    authors: tuple[str, ...]
    end: int


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
            draft = cut_inline(
                draft, index, 0, head.end, rule="dateline/head", reason="where it was filed"
            )
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
    )


def _reads_as_headline(text: str) -> bool:
    """A line that is short and unfinished is a headline, whatever it begins with."""
    return len(text) < 2 * MAX_DATELINE_CHARS and not text.endswith(".")


def parse_dateline(text: str, names: Names) -> Head | None:
    """Read a dateline at the start of a line.

    Args:
        text: One line, script hygiene applied.
        names: Agencies and places.

    Returns:
        The head with ``end`` in code points into ``text`` (its length if the whole line is a
        dateline); ``None`` if this is no dateline. Never raises.
    """
    if len(text) <= MAX_DATELINE_CHARS:
        head = _whole_line(text, names)
        if head:
            return head
    start = text[: 2 * MAX_DATELINE_CHARS]
    return (
        _head_with_agency(start, _HEAD_PARENTHESIS, names)
        or _head_with_agency(start, _HEAD_DASH, names)
        or _head_agency_alone(start, names)
        or _head_place_alone(start, names)
    )


def _whole_line(text: str, names: Names) -> Head | None:
    """Read a line that is all dateline."""
    trimmed = text.strip().rstrip("-–—:ـ. ")
    wire = _WIRE_LINE.fullmatch(trimmed)
    if wire and (agencies := _agencies(wire["agencies"], names)):
        return _head(text, wire["places"], agencies, names, len(text))
    found = _LINE.fullmatch(trimmed)
    if not found:
        return None
    left = found["left"].strip(" (-–—")
    right = found["right"].strip(' )(-–—:«»"')
    return _place_and_agency(text, left, right, names) or _place_and_writer(
        text, left, right, names
    )


def _place_and_agency(text: str, left: str, right: str, names: Names) -> Head | None:
    """Read "Washington - agencies", "agencies - Washington", "London: <<paper>>"."""
    agencies = _agencies(right, names)
    if agencies and _may_be_places(left, names):
        return _head(text, left, agencies, names, len(text))
    agencies = _agencies(left, names)
    if agencies and names.is_place(right):
        return _head(text, right, agencies, names, len(text))
    for place, paper in ((left, right), (right, left)):
        if _is_publisher(paper, names) and _are_places(place, names):
            return _head(text, place, (), names, len(text))
    return None


def _place_and_writer(text: str, left: str, right: str, names: Names) -> Head | None:
    """Read "London - Name Surname" and "Name Surname - <<paper>>"."""
    for place, person in ((left, right), (right, left)):
        is_desk = names.is_place(place) or _is_publisher(place, names)
        if is_desk and _PERSON.fullmatch(person) and not names.is_place(person):
            return replace(_head(text, place, (), names, len(text)), authors=(person,))
    return None


def _are_places(text: str, names: Names) -> bool:
    """Known places, or a head such as "capitals" that is none."""
    parts = _split(text)
    return bool(parts) and all(names.is_place(part) or _is_no_place(part, names) for part in parts)


def _is_publisher(text: str, names: Names) -> bool:
    """Whether a name is that of a known newspaper."""
    return fold(text) in names.publishers


def _head_with_agency(start: str, pattern: re.Pattern[str], names: Names) -> Head | None:
    found = pattern.match(start)
    if not found:
        return None
    agencies = _agencies(found["agencies"], names)
    places = found["places"].strip(" -–—:ـ")
    if not agencies or not (_may_be_places(places, names) or not places):
        return None
    return _head(start[: found.end()].strip(" -–—:ـ|"), places, agencies, names, found.end())


def _head_agency_alone(start: str, names: Names) -> Head | None:
    """Read "agency - story" and "agency - place: story"."""
    found = _HEAD_AGENCY.match(start)
    agencies = _agencies(found["agencies"], names) if found else ()
    if not found or not agencies:
        return None
    place = _head_place_alone(start[found.end() :], names)
    end = found.end() + (place.end if place else 0)
    raw = start[:end].strip(" -–—:ـ")
    return _head(raw, place.dateline.raw if place else "", agencies, names, end)


def _head_place_alone(start: str, names: Names) -> Head | None:
    found = _HEAD_PLACE.match(start)
    if not found or _ASIDE.match(start[found.end() :]):
        return None
    if not _are_places(found["places"], names):
        return None
    return _head(found["places"], found["places"], (), names, found.end())


def _head(raw: str, places: str, agencies: tuple[str, ...], names: Names, end: int) -> Head:
    known = tuple(
        DatelinePlace(name=place)
        for place in _split(places)
        if names.is_place(place) or not (_is_no_place(place, names) or _is_publisher(place, names))
    )
    canonical = tuple(dict.fromkeys(names.agency(agency) or agency for agency in agencies))
    dateline = Dateline(raw=raw.strip(" *•"), places=known, agencies=agencies)
    return Head(dateline, canonical, (), end)


def _agencies(text: str, names: Names) -> tuple[str, ...]:
    """All parts of a list are agencies: the parts as written; else nothing."""
    if names.agency(text):
        return (text.strip(),)
    parts = _split(text)
    return parts if parts and all(names.agency(part) for part in parts) else ()


def _may_be_places(text: str, names: Names) -> bool:
    """Known places, heads that are no place, or (beside an agency) any 1-3 plain words."""
    parts = _split(text)
    return bool(parts) and all(
        names.is_place(part) or _is_no_place(part, names) or len(part.split()) <= 3
        for part in parts
    )


def _is_no_place(text: str, names: Names) -> bool:
    return fold(text) in names.no_place


def _split(text: str) -> tuple[str, ...]:
    parts = (part.strip(" «»\"'()*•") for part in _LIST_SEPARATOR.split(text))
    return tuple(part for part in parts if part)
