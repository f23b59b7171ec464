"""Joins the pieces of a date line into one moment: which day, which clock, which zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from processors.datepieces import (
    Ago,
    Clock,
    Day,
    Filler,
    Junk,
    Label,
    Moment,
    Piece,
    Weekday,
    Zone,
)


def assemble_moment(pieces: Sequence[Piece], now: datetime | None) -> Moment | None:
    """One moment from the pieces of a short text; ``None`` where they do not agree on one.

    Args:
        pieces: All pieces of the text, in order.
        now: Aware; for "3 hours ago". Day words ("yesterday") count in its zone.
    """
    days = [at for at, piece in enumerate(pieces) if isinstance(piece, Day)]
    if not days:
        return _relative(pieces, now)
    at = choose_day(pieces, days)
    day = None if at is None else _settled(pieces, at)
    if at is None or day is None or day.day is None:
        return None
    moment = _moment(pieces, at, day.day)
    return moment and replace(moment, is_order_assumed=day.other is not None)


def _moment(pieces: Sequence[Piece], at: int, day: date) -> Moment | None:
    """A day with the clock and the zone beside it; ``None`` for an impossible clock."""
    clock_index = _near(pieces, at, Clock)
    clock = _piece_at(pieces, clock_index)
    zone = _zone_for(pieces, at, clock_index)
    if not isinstance(clock, Clock):
        return Moment(datetime.combine(day, time()), "day", zone.offset_s, zone.name)
    if clock.at is None:
        return None
    return Moment(datetime.combine(day, clock.at), clock.precision, zone.offset_s, zone.name)


def choose_day(pieces: Sequence[Piece], days: Sequence[int]) -> int | None:
    """Index of the date that counts: the only one, or the one that is not an update."""
    if len({pieces[at] for at in days}) == 1:
        return days[0]
    for wanted in (("published",), ("published", None)):
        fitting = [at for at in days if label_before(pieces, at) in wanted]
        if len(fitting) == 1:
            return fitting[0]
    return None


def label_before(pieces: Sequence[Piece], day_index: int) -> str | None:
    """The nearest telling label between the date before and this one."""
    for at in range(day_index - 1, -1, -1):
        piece = pieces[at]
        if isinstance(piece, Day | Ago):
            return None
        if isinstance(piece, Label) and piece.kind != "neutral":
            return piece.kind
    return None


def _settled(pieces: Sequence[Piece], day_index: int) -> Day | None:
    """A numeric date without a sure order, settled by the weekday or the clock beside it."""
    day = pieces[day_index]
    if not isinstance(day, Day) or day.day is None or day.other is None:
        return day if isinstance(day, Day) else None
    readings = (day.day, day.other)
    weekday = _piece_at(pieces, _near(pieces, day_index, Weekday))
    clock = _piece_at(pieces, _near(pieces, day_index, Clock))
    fitting = list(readings)
    if isinstance(weekday, Weekday):
        fitting = [one for one in readings if one.isoweekday() == weekday.number]
    elif isinstance(clock, Clock) and clock.is_american:
        fitting = [one for one in readings if (one.month, one.day) == day.written]
    return Day(fitting[0]) if len(fitting) == 1 else day


def _near(pieces: Sequence[Piece], start: int, kind: type[Clock | Weekday]) -> int | None:
    """The nearest piece of a kind after a date, else before it, with no stranger between."""
    # What stands left of a second date belongs to the first.
    has_day_before = any(isinstance(piece, Day) for piece in pieces[:start])
    for step in (1,) if has_day_before else (1, -1):
        at = start + step
        while 0 <= at < len(pieces) and not _is_stranger(pieces[at]):
            if isinstance(pieces[at], kind):
                return at
            at += step
    return None


def _piece_at(pieces: Sequence[Piece], index: int | None) -> Piece | None:
    return None if index is None else pieces[index]


def _is_stranger(piece: Piece) -> bool:
    """A piece over which nothing is joined to a date."""
    if isinstance(piece, Label):
        return piece.kind == "updated"
    return isinstance(piece, Day | Junk)


def _zone_for(pieces: Sequence[Piece], day_index: int, clock_index: int | None) -> Zone:
    """The first zone after clock or date, else before it; an empty one if none is stated."""
    anchor = day_index if clock_index is None else clock_index
    for step in (1, -1):
        at = anchor + step
        while 0 <= at < len(pieces) and isinstance(
            pieces[at], Filler | Label | Weekday | Day | Zone
        ):
            piece = pieces[at]
            if isinstance(piece, Zone):
                return piece
            at += step
    return Zone(None, None)


def _relative(pieces: Sequence[Piece], now: datetime | None) -> Moment | None:
    """Reads "3 hours ago", "yesterday 09:05": only where nothing else is said."""
    agos = [(at, piece) for at, piece in enumerate(pieces) if isinstance(piece, Ago)]
    if now is None or len(agos) != 1 or any(isinstance(piece, Junk) for piece in pieces):
        return None
    at, ago = agos[0]
    if not ago.is_day:
        return _seconds_ago(now, ago.count)
    day = (now - timedelta(days=ago.count)).date()
    return _moment(pieces, at, day)


def _seconds_ago(now: datetime, seconds: int) -> Moment:
    at = (now if now.tzinfo else now.replace(tzinfo=UTC)) - timedelta(seconds=seconds)
    offset = at.utcoffset() or timedelta()
    local = at.replace(tzinfo=None, second=0, microsecond=0)
    return Moment(local, "minute", int(offset.total_seconds()), None)
