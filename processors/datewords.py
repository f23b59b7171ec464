"""The words of dates, clocks and zones, loaded from ``calendars.toml``.

Data only: what the words mean together is :mod:`processors.datescan`'s business.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from processors.fold import fold
from schemas.errors import RuleFileError

HalfDay = Literal["am", "pm", "noon", "night"]
LabelKind = Literal["published", "updated", "neutral"]
Phrase = tuple[str, ...]
"""Folded words, one per item."""

LONGEST_PHRASE = 3
"""Words in the longest phrase of the tables; load fails on a longer one."""

T = TypeVar("T")


class _Month(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    number: Annotated[int, Meta(ge=1, le=12)]
    gulf: tuple[str, ...]
    levant: tuple[str, ...]
    maghreb: tuple[str, ...] = ()
    english: tuple[str, ...]
    french: tuple[str, ...]


class _Weekday(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    number: Annotated[int, Meta(ge=1, le=7)]
    names: tuple[str, ...]


class _HalfDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    am: tuple[str, ...]
    am_short: tuple[str, ...]
    pm: tuple[str, ...]
    pm_short: tuple[str, ...]
    noon: tuple[str, ...]
    night: tuple[str, ...]


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    names: tuple[str, ...]
    iana: str | None = None
    offset_min: int | None = None


class _Zones(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    abbreviations: dict[str, int]
    ambiguous: tuple[str, ...]
    unstated: tuple[str, ...]
    markers: tuple[str, ...]
    utc: tuple[str, ...]
    place: tuple[_Place, ...]


class _Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    published: tuple[str, ...]
    updated: tuple[str, ...]
    neutral: tuple[str, ...]
    joins: tuple[str, ...]
    ordinals: tuple[str, ...]
    oclock: tuple[str, ...]
    era: tuple[str, ...]


class _Hijri(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    months: tuple[str, ...]
    marks: tuple[str, ...]


class _Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    seconds: int
    one: tuple[str, ...] = ()
    two: tuple[str, ...] = ()
    many: tuple[str, ...]


class _Relative(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    before: tuple[str, ...]
    after: tuple[str, ...]
    today: tuple[str, ...]
    yesterday: tuple[str, ...]
    two_days_ago: tuple[str, ...]
    unit: tuple[_Unit, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    month: Annotated[tuple[_Month, ...], Meta(min_length=12, max_length=12)]
    weekday: Annotated[tuple[_Weekday, ...], Meta(min_length=7, max_length=7)]
    half_day: _HalfDays
    zone: _Zones
    labels: _Labels
    hijri: _Hijri
    relative: _Relative


@dataclass(frozen=True, slots=True)
class ZoneName:
    """What a zone word states.

    Attributes:
        offset_s: Seconds east of UTC; ``None``: not one offset.
        name: IANA name or abbreviation; ``None``: the word does not say which zone.
    """

    offset_s: int | None
    name: str | None


@dataclass(frozen=True, slots=True)
class DateWords:
    """All tables, keyed by folded phrase.

    Attributes:
        months: Month number, 1 to 12.
        weekdays: ISO weekday, Monday 1.
        half_days: Half of the day a word names, and whether the word is short (one letter).
        zones: Zone words that stand alone.
        places: Places whose clock may follow a zone marker.
        zone_markers: Words that announce a place's clock.
        labels: Words that may stand in a date line.
        joins: Words between day, month and year.
        ordinals: Endings of day numbers.
        oclock: Words before an hour.
        era: Words after a Gregorian year.
        hijri_months: Months of the Islamic calendar.
        hijri_marks: Words after a Hijri year.
        ago_before: Words that open "... ago".
        ago_after: Words that close it.
        days_back: "today", "yesterday" ...: days before today.
        counted_units: Seconds of a unit that follows a number.
        fixed_units: Seconds of a unit that carries its number (one, two).
    """

    months: Mapping[Phrase, int]
    weekdays: Mapping[Phrase, int]
    half_days: Mapping[Phrase, tuple[HalfDay, bool]]
    zones: Mapping[Phrase, ZoneName]
    places: Mapping[Phrase, ZoneName]
    zone_markers: Mapping[Phrase, bool]
    labels: Mapping[Phrase, LabelKind]
    joins: Mapping[Phrase, bool]
    ordinals: Mapping[Phrase, bool]
    oclock: Mapping[Phrase, bool]
    era: Mapping[Phrase, bool]
    hijri_months: Mapping[Phrase, bool]
    hijri_marks: Mapping[Phrase, bool]
    ago_before: Mapping[Phrase, bool]
    ago_after: Mapping[Phrase, bool]
    days_back: Mapping[Phrase, int]
    counted_units: Mapping[Phrase, int]
    fixed_units: Mapping[Phrase, int]


@cache
def load_words() -> DateWords:
    """Read ``calendars.toml``; the tables are made once and kept.

    Raises:
        RuleFileError: The file is wrong; the message names file and field.
    """
    text = (resources.files("processors") / "calendars.toml").read_text("utf-8")
    return parse_words(text, "calendars.toml")


def parse_words(text: str, where: str) -> DateWords:
    """Make the tables from the text of a calendar file.

    Args:
        text: TOML.
        where: File name for error messages.

    Raises:
        RuleFileError: Names the file and the field at fault.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
        return _tables(file)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise RuleFileError(f"{where}: {error}") from error


def _tables(file: _File) -> DateWords:
    labels, hijri, relative = file.labels, file.hijri, file.relative
    return DateWords(
        months=_table((month.number, _names(month)) for month in file.month),
        weekdays=_table((day.number, day.names) for day in file.weekday),
        half_days=_half_days(file.half_day),
        zones=_zones(file.zone),
        places=_table((_place(place), place.names) for place in file.zone.place),
        zone_markers=_set(file.zone.markers),
        labels=_labels(labels),
        joins=_set(labels.joins),
        ordinals=_set(labels.ordinals),
        oclock=_set(labels.oclock),
        era=_set(labels.era),
        hijri_months=_set(hijri.months),
        hijri_marks=_set(hijri.marks),
        ago_before=_set(relative.before),
        ago_after=_set(relative.after),
        days_back=_table(
            ((0, relative.today), (1, relative.yesterday), (2, relative.two_days_ago))
        ),
        counted_units=_table((unit.seconds, unit.many) for unit in relative.unit),
        fixed_units=_table(
            (unit.seconds * count, names)
            for unit in relative.unit
            for count, names in ((1, unit.one), (2, unit.two))
        ),
    )


def _names(month: _Month) -> tuple[str, ...]:
    return (*month.gulf, *month.levant, *month.maghreb, *month.english, *month.french)


def _half_days(half: _HalfDays) -> dict[Phrase, tuple[HalfDay, bool]]:
    rows: tuple[tuple[tuple[HalfDay, bool], tuple[str, ...]], ...] = (
        (("am", False), half.am),
        (("am", True), half.am_short),
        (("pm", False), half.pm),
        (("pm", True), half.pm_short),
        (("noon", False), half.noon),
        (("night", False), half.night),
    )
    return _table(rows)


def _zones(zone: _Zones) -> dict[Phrase, ZoneName]:
    rows: list[tuple[ZoneName, tuple[str, ...]]] = [
        (ZoneName(minutes * 60, name.upper()), (name,))
        for name, minutes in zone.abbreviations.items()
    ]
    rows.append((ZoneName(None, None), (*zone.ambiguous, *zone.unstated)))
    rows.append((ZoneName(0, "UTC"), zone.utc))
    return _table(rows)


def _place(place: _Place) -> ZoneName:
    offset_s = None if place.offset_min is None else place.offset_min * 60
    return ZoneName(offset_s, place.iana)


def _labels(labels: _Labels) -> dict[Phrase, LabelKind]:
    rows: tuple[tuple[LabelKind, tuple[str, ...]], ...] = (
        ("neutral", (*labels.neutral, *labels.joins, *labels.oclock)),
        ("published", labels.published),
        ("updated", labels.updated),
    )
    return _table(rows)


def _table(rows: Iterable[tuple[T, Sequence[str]]]) -> dict[Phrase, T]:
    """Fold and split the names; a later row wins where two share a name."""
    table: dict[Phrase, T] = {}
    for value, names in rows:
        for name in names:
            phrase = tuple(fold(name).split())
            if not 0 < len(phrase) <= LONGEST_PHRASE:
                raise ValueError(f"{name!r}: one to {LONGEST_PHRASE} words, please")
            table[phrase] = value
    return table


def _set(names: Sequence[str]) -> dict[Phrase, bool]:
    return _table([(True, names)])
