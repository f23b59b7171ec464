"""Read a dateline at the head of a line. Pure parsing; the step is in ``dateline.py``.

A dateline names a place, an agency, or both, set off by a dash, a colon or parentheses. A sentence
that merely begins with a city is none: without an agency the place must be a known one and the
separator must stand alone (no second dash soon after it, which would make it an aside).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from processors.fold import fold
from processors.names import Names
from schemas.records import Dateline, DatelinePlace

MAX_DATELINE_CHARS = 90
"""Longest head that is looked at. Real ones in a day of newspaper text stay under 70."""

MAX_PARTS = 4
"""Parts of a dateline line: paper, city, agency, writer."""

_SEPARATORS = " -–—:ـ|/"
_QUOTES = '«»"“”'

_DASH = r"[-–—ـ|/:]"
_LIST_SEPARATOR = re.compile(
    r"\s*[،,/+&]\s*|\s+(?:و\s|[-–—ـ]|and|et)\s*|\s+(?=و(?!كال|اس\b|ام\b|فا\b))"
)
_DATE = (
    r"(?:في\s+)?\d{1,2}\s[^\d()/\n]{3,30}(?:/\s?[^\d()/\n]{3,15})?(?:\d{4}(?:\s?[مه]ـ?)?)?"
    r"|[A-Z][a-z]{2,8}\.?\s\d{1,2}(?:,\s\d{4})?"
)
"""A day and what follows it up to the agency, as wires write between place and agency: Petra, SPA,
QNA and Reuters in Arabic; "May 12" in English."""

_HEAD_PARENTHESIS = re.compile(
    # Each run of white space belongs to one piece only: nothing to try twice.
    rf"(?P<places>[^()\n«»\"\d]{{0,40}}?)(?:[،,]?\s|[،,])?(?:{_DASH}\s?)?(?P<date>(?:{_DATE})\s?)?"
    rf"(?:{_DASH}\s?)?(?:\((?P<agencies>[^()\n]{{2,60}})\)|/(?P<slashed>[^()/\n]{{2,30}})/)\s?"
    rf"(?P<after>(?:{_DASH}\s?){{0,3}})"
)
_HEAD_DASH = re.compile(
    rf"(?P<places>[^()\n\d.؟!]{{2,45}}?)\s*(?P<dash>{_DASH})\s*"
    rf"(?P<agencies>[^()\n.؟!:]{{2,60}}?)\s*(?P<after>{_DASH}|\.)\s+"
)
_HEAD_PLACE = re.compile(r"(?P<places>[^()\n\d.؟!:]{2,40}?)(?:\s+[-–—ـ]\s*|\s*ـ+\s+|\s*:\s+)")
_HEAD_AGENCY = re.compile(r"(?P<agencies>[^()\n\d.؟!]{2,30}?)\s*(?:[-–—ـ]\s+|:\s+)")
_LINE = re.compile(rf"(?P<left>[^\n]{{2,60}}?)\s*(?:{_DASH}|\()\s*(?P<right>[^\n]{{2,60}}?)\)?")
_WIRE_LINE = re.compile(
    r"(?P<places>[^\d()\n]{2,30}?)\s(?P<date>\d{1,2}\s[^()\n]{4,70}\d{4}\s?(?:م|هـ?)?)\s+"
    r"\(?(?P<agencies>[^\d()\n]{2,20}?)\)?"
)
_BETWEEN_NAMES = re.compile(r"\s[-–—ـ|]+\s")
_AND = re.compile(r"\s+و(?=\w)|\s+(?:and|et)\s+")
_NISBA = re.compile(r"^(?!ال)\w+(?: \w+)? ال\w+$")
"""A surname with the article after a word without one, as most surnames of the Gulf are."""

_PERSON = re.compile(r"[^\W\d_]+(?:\s[^\W\d_]+){1,3}")
_ASIDE = re.compile(r"^(?:\S+\s+){1,10}[-–—]\s")


@dataclass(frozen=True, slots=True)
class Head:
    """A dateline found at the start of a text.

    Attributes:
        dateline: Places, and agencies as written.
        agencies: Canonical names.
        end: Where the story begins; the length of the line if all of it is dateline.
        authors: Writers named in it.
        publisher: Newspaper or channel named in it.
    """

    dateline: Dateline
    agencies: tuple[str, ...]
    end: int
    authors: tuple[str, ...] = ()
    publisher: str | None = None


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
    head = _place_and_agency(text, left, right, names)
    if head is None and (_BETWEEN_NAMES.search(text) or _is_given(right, names)):
        head = _place_and_writer(text, left, right, names)
    return head or _several_parts(text, trimmed, names)


def _place_and_agency(text: str, left: str, right: str, names: Names) -> Head | None:
    """Read "Washington - agencies", "agencies - Washington", "London: <<paper>>"."""
    before, after = _agencies(left, names), _agencies(right, names)
    if before and after:
        return _head(text, "", before + after, names, len(text))
    if after and _may_be_places(left, names):
        return _head(text, left, after, names, len(text))
    if before and _are_places(right, names):
        return _head(text, right, before, names, len(text))
    for place, paper in ((left, right), (right, left)):
        publisher = names.publisher(paper)
        if publisher and _are_places(place, names):
            return replace(_head(text, place, (), names, len(text)), publisher=publisher)
    return None


def _place_and_writer(text: str, left: str, right: str, names: Names) -> Head | None:
    """Read "London - Name Surname" and "Name Surname - <<paper>>"."""
    for place, people in ((left, right), (right, left)):
        is_place = names.is_place(place)  # cities lend newspapers their names
        publisher = None if is_place else names.publisher(place)
        if not is_place and not publisher:
            continue
        authors = () if names.is_place(people) else _people(people, names)
        if authors:
            head = _head(text, place, (), names, len(text))
            return replace(head, authors=authors, publisher=publisher)
    return None


def _several_parts(text: str, trimmed: str, names: Names) -> Head | None:
    """Read three parts or more: "<<paper>> - Cairo - Name Surname", "London - Paris - agency"."""
    parts = [part.strip(_SEPARATORS + _QUOTES) for part in _BETWEEN_NAMES.split(trimmed)]
    if not 2 <= len(parts) <= MAX_PARTS:
        return None
    places: list[str] = []
    agencies: list[str] = []
    authors: list[str] = []
    publisher = None
    for part in parts:
        if _agencies(part, names):
            agencies += _agencies(part, names)
        elif fold(part) in names.publishers and not (names.is_place(part) and publisher):
            publisher = names.publishers[fold(part)]
        elif _are_places(part, names):
            places += _split(part, names)
        elif people := _people(part, names):
            authors += people
        else:
            return None
    if not (places or agencies or publisher) or (authors and not (places or publisher)):
        return None
    head = _head(text, "، ".join(places), tuple(agencies), names, len(text))
    return replace(head, authors=tuple(authors), publisher=publisher)


def _people(text: str, names: Names) -> tuple[str, ...]:
    """One name or two joined by "and"; nothing if it reads like a story or a desk."""
    parts = [part for part in _AND.split(text) if part]
    if any(len(part.split()) < 2 for part in parts):
        parts = [text]  # the "w" belongs to a name
    words = [fold(word) for word in text.split()]
    if not words or words[0] in names.story_openers or names.no_person.intersection(words):
        return ()
    if words[0] not in names.given_names and not _NISBA.search(fold(text)):
        return ()
    return tuple(parts) if all(_PERSON.fullmatch(part) for part in parts) else ()


def _is_given(text: str, names: Names) -> bool:
    """Whether a text begins with a first name: then a colon before it is enough."""
    words = fold(text).split()
    return 2 <= len(words) <= 4 and words[0] in names.given_names


def _are_places(text: str, names: Names) -> bool:
    """Known places, or a head such as "capitals" that is none."""
    parts = _split(text, names)
    return bool(parts) and all(names.is_place(part) or _is_no_place(part, names) for part in parts)


def _head_with_agency(start: str, pattern: re.Pattern[str], names: Names) -> Head | None:
    found = pattern.match(start)
    if not found:
        return None
    groups = found.groupdict()
    named = groups["agencies"] or groups.get("slashed") or ""
    places = found["places"].strip(_SEPARATORS)
    raw = start[: found.end()].strip(_SEPARATORS + ".")
    agencies = _agencies(named, names)
    if agencies and (not places or _may_be_places(places, names)):
        return _head(raw, places, agencies, names, found.end())
    publisher = names.publisher(named)
    if publisher and _are_places(places, names):
        return replace(_head(raw, places, (), names, found.end()), publisher=publisher)
    return None


def _head_agency_alone(start: str, names: Names) -> Head | None:
    """Read "agency - story" and "agency - place: story"."""
    found = _HEAD_AGENCY.match(start)
    agencies = _agencies(found["agencies"], names) if found else ()
    if not found or not agencies:
        return None
    place = _head_place_alone(start[found.end() :], names)
    end = found.end() + (place.end if place else 0)
    raw = start[:end].strip(_SEPARATORS)
    return _head(raw, place.dateline.raw if place else "", agencies, names, end)


def _head_place_alone(start: str, names: Names) -> Head | None:
    found = _HEAD_PLACE.match(start)
    if not found or _ASIDE.match(start[found.end() :]):
        return None
    parts = _split(found["places"], names)
    if not any(map(names.is_place, parts)) or not _are_places(found["places"], names):
        return None
    return _head(found["places"], found["places"], (), names, found.end())


def _head(raw: str, places: str, agencies: tuple[str, ...], names: Names, end: int) -> Head:
    known = tuple(
        DatelinePlace(name=place)
        for place in _split(places, names)
        if names.is_place(place)
        or not (_is_no_place(place, names) or fold(place) in names.publishers)
    )
    canonical = tuple(dict.fromkeys(names.agency(agency) or agency for agency in agencies))
    dateline = Dateline(raw=raw.strip(" *•"), places=known, agencies=agencies)
    return Head(dateline, canonical, end)


def _agencies(text: str, names: Names) -> tuple[str, ...]:
    """All parts of a list are agencies: the parts as written; else nothing."""
    if names.agency(text):
        return (text.strip(),)
    parts = _split(text, names)
    return parts if parts and all(names.agency(part) for part in parts) else ()


def _may_be_places(text: str, names: Names) -> bool:
    """Known places, heads that are no place, or (beside an agency) any 1-3 plain words."""
    parts = _split(text, names)
    return bool(parts) and all(
        names.is_place(part) or _is_no_place(part, names) or len(part.split()) <= 3
        for part in parts
    )


def _is_no_place(text: str, names: Names) -> bool:
    return fold(text) in names.no_place


def _split(text: str, names: Names) -> tuple[str, ...]:
    """Parts of a list; the "and" written onto a part goes where the rest is a known name."""
    parts = (part.strip(" ()*•'" + _QUOTES) for part in _LIST_SEPARATOR.split(text))
    return tuple(_without_and(part, names) for part in parts if part)


def _without_and(part: str, names: Names) -> str:
    rest = part.removeprefix("و")
    is_known = names.is_place(part) or names.agency(part)
    return part if is_known or not (names.is_place(rest) or names.agency(rest)) else rest
