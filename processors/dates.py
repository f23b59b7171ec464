"""Dates: read, put into UTC, and the date of publication chosen among candidates.

The door to the date modules: what reads texts lives in :mod:`processors.dateread`. No clock:
``now`` is a parameter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processors.datepieces import Moment
from processors.dateread import (
    MAX_CHARS,
    date_line,
    find_event_dates,
    is_clock_line,
    is_update_line,
    parse_moment,
    read_any,
    why_implausible,
)
from schemas.articles import ZoneEvidence
from schemas.records import DateCandidate

__all__ = [
    "Moment",
    "candidate",
    "choose_published",
    "date_line",
    "find_event_dates",
    "is_clock_line",
    "is_update_line",
    "parse_moment",
    "to_utc",
]

MAX_APART = timedelta(hours=36)
"""Two sources further apart disagree: a day's difference may be zones and a late hour."""

_UNREAD = "could not be read"
_ASSUMED = "the order of day and month is the publisher's habit, not stated"


def to_utc(moment: Moment, *, timezone: str | None) -> tuple[datetime, ZoneEvidence, str | None]:
    """Put a moment into UTC and say what its zone rests on.

    Args:
        moment: As read.
        timezone: The publisher's zone, IANA name. An unknown name counts as ``None``.

    Returns:
        Aware UTC time; ``stated`` (by the text: an offset, or a place whose clock is known),
        ``publisher`` or ``unknown`` (the wall time was taken as UTC); and the zone applied, as
        IANA name or ``UTC+03:00``, ``None`` for unknown. A wall time that a clock change skips or
        repeats is read with the offset before the change.
    """
    if moment.utc_offset_s is not None:
        zone = dt.timezone(timedelta(seconds=moment.utc_offset_s))
        return _shift(moment.local, zone), "stated", str(zone)
    stated = _zone(moment.zone_name)
    if stated:
        return _shift(moment.local, stated), "stated", stated.key
    publishers = _zone(timezone)
    if publishers:
        return _shift(moment.local, publishers), "publisher", publishers.key
    return moment.local.replace(tzinfo=UTC), "unknown", None


def candidate(
    raw: str,
    source: str,
    *,
    confidence: float,
    timezone: str | None = None,
    month_first: bool = False,
    now: datetime | None = None,
) -> DateCandidate:
    """Read one date of an article and keep it whether or not it can be used.

    Args:
        raw: As written; kept up to 200 code points.
        source: Where it stood: json-ld, meta, time-tag, feed, text-line ...
        confidence: Trust in that place, 0 to 1.
        timezone: The publisher's zone, IANA name.
        month_first: How to read 3/4/2019.
        now: Aware; later than a day after it is no date of publication.

    Returns:
        ``at`` is ``None``, and ``why`` says so, where the date cannot be read or believed.
    """
    kept = DateCandidate(
        raw=raw.strip()[:MAX_CHARS], source=source, confidence=min(max(confidence, 0.0), 1.0)
    )
    moment = read_any(raw, month_first=month_first, now=now)
    if moment is None:
        return replace(kept, why=_UNREAD)
    problem = why_implausible(moment, now)
    if problem:
        return replace(kept, precision=moment.precision, why=problem)
    at, evidence, _ = to_utc(moment, timezone=timezone)
    why = _ASSUMED if moment.is_order_assumed else ""
    return replace(kept, at=at, precision=moment.precision, zone=evidence, why=why)


def choose_published(
    candidates: Sequence[DateCandidate],
) -> tuple[int | None, tuple[DateCandidate, ...]]:
    """Choose the date of publication: the most trusted readable one, the first among equals.

    Args:
        candidates: As :func:`candidate` made them, in order of trust.

    Returns:
        Index of the winner, counted from 0 (``None``: no candidate has a date), and the candidates
        in the same order with ``why`` filled: why the winner won and what contradicts it, why each
        other lost.
    """
    readable = [at for at, one in enumerate(candidates) if one.at is not None]
    if not readable:
        return None, tuple(_unread(one) for one in candidates)
    winner = max(readable, key=lambda at: (candidates[at].confidence, -at))
    annotated = (
        replace(one, why=_why_won(candidates, winner))
        if at == winner
        else _why_lost(one, candidates[winner])
        for at, one in enumerate(candidates)
    )
    return winner, tuple(annotated)


def _shift(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _zone(name: str | None) -> ZoneInfo | None:
    """A zone of the tz database; ``None`` for no name or one that it does not hold."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # unknown, a path outside the database, or a folder in it


def _unread(one: DateCandidate) -> DateCandidate:
    return one if one.why else replace(one, why=_UNREAD)


def _why_won(candidates: Sequence[DateCandidate], winner: int) -> str:
    won = candidates[winner]
    readable = sum(one.at is not None for one in candidates)
    why = "the only readable date" if readable == 1 else f"most trusted of {readable}"
    if any(one.confidence == won.confidence for one in _others(candidates, winner)):
        why = f"first of equal trust among {readable}"
    against = [
        f"{one.source} differs by {_hours_apart(one, won)} h"
        for one in _others(candidates, winner)
        if _disagrees(one, won)
    ]
    assumed = [won.why] if won.why == _ASSUMED else []
    return "; ".join([why, *assumed, *against])


def _others(candidates: Sequence[DateCandidate], winner: int) -> list[DateCandidate]:
    return [one for at, one in enumerate(candidates) if at != winner and one.at is not None]


def _why_lost(one: DateCandidate, winner: DateCandidate) -> DateCandidate:
    if one.at is None:
        return _unread(one)
    is_equal = one.confidence == winner.confidence
    why = "same trust as" if is_equal else "less trusted than"
    why = f"{why} {winner.source}{', and stands after it' if is_equal else ''}"
    if _disagrees(one, winner):
        why += f", and differs from it by {_hours_apart(one, winner)} h"
    return replace(one, why=why)


def _disagrees(one: DateCandidate, other: DateCandidate) -> bool:
    return one.at is not None and other.at is not None and abs(one.at - other.at) > MAX_APART


def _hours_apart(one: DateCandidate, other: DateCandidate) -> int:
    if one.at is None or other.at is None:
        return 0
    return round(abs(one.at - other.at).total_seconds() / 3600)
