"""Reads clocks and zones out of tokens: ``09:05:30 PM``, ``21h30``, ``(GMT+3)``, ``Z``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from processors.datepieces import (
    Clock,
    Found,
    Token,
    Zone,
    is_glued,
    is_sign,
    number_at,
    phrase_at,
    skip_phrase,
)
from processors.datewords import DateWords, HalfDay
from schemas.articles import Precision

MAX_EAST_S = 14 * 3600
MAX_WEST_S = 12 * 3600
"""No place on Earth is further from UTC."""


def clock_at(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """A time of day that starts at ``index``, with its half of the day on either side."""
    start = skip_phrase(tokens, index, words.oclock)
    before = phrase_at(tokens, start, words.half_days)
    at = before[1] if before else start
    digits = _digits_at(tokens, at)
    if digits is None:
        return _bare_hour(tokens, start, words, said_hour=start > index)
    fields, precision, end = digits
    after = phrase_at(tokens, end, words.half_days)
    if after:
        is_american = precision == "second" and tokens[end].text.isascii()
        return [Clock(_time(fields, after[0][0]), precision, is_american)], after[1]
    half = before[0][0] if before else None
    return [Clock(_time(fields, half), precision)], end


def _digits_at(tokens: Sequence[Token], at: int) -> tuple[list[int], Precision, int] | None:
    """Hour, minute, second as written, and the next index."""
    basic = _basic(tokens, at)
    if basic:
        return basic
    hour = number_at(tokens, at, 1, 2)
    if hour < 0 or at + 1 >= len(tokens) or tokens[at + 1].text not in (":", "h"):
        return None
    is_french = tokens[at + 1].text == "h"
    minute = number_at(tokens, at + 2, 2)
    if minute < 0:
        return ([hour, 0], "minute", at + 2) if is_french and is_glued(tokens, at + 1) else None
    second = number_at(tokens, at + 4, 2) if is_sign(tokens, at + 3, ":") else -1
    if second < 0:
        return [hour, minute], "minute", at + 3
    return [hour, minute, second], "second", _skip_fraction(tokens, at + 5)


def _basic(tokens: Sequence[Token], at: int) -> tuple[list[int], Precision, int] | None:
    """ISO 8601 basic form after its T: ``T0905``, ``T090530``."""
    if at < 1 or tokens[at - 1].text != "t" or not is_glued(tokens, at):
        return None
    if number_at(tokens, at, 4, 6) < 0:
        return None
    text = tokens[at].text
    fields = [int(text[pos : pos + 2]) for pos in range(0, len(text), 2)]
    end = _skip_fraction(tokens, at + 1)
    return fields, "minute" if len(fields) == 2 else "second", end


def _skip_fraction(tokens: Sequence[Token], at: int) -> int:
    """Fractions of a second are dropped: no publisher means them."""
    is_fraction = (
        is_sign(tokens, at, ".,")
        and is_glued(tokens, at)
        and is_glued(tokens, at + 1)
        and tokens[at + 1].kind == "number"
    )
    return at + 2 if is_fraction else at


def _bare_hour(tokens: Sequence[Token], at: int, words: DateWords, *, said_hour: bool) -> Found:
    """An hour alone, with a half of the day ("9 pm"); one-letter halves need "the hour"."""
    hour = number_at(tokens, at, 1, 2)
    after = phrase_at(tokens, at + 1, words.half_days) if hour >= 0 else None
    if after is None:
        return None
    (half, is_short), end = after
    if is_short and not said_hour:
        return None
    return [Clock(_time([hour, 0], half))], end


def _time(fields: Sequence[int], half: HalfDay | None) -> time | None:
    hour, minute, second = (*fields, 0, 0)[:3]
    hour24 = hour if half is None else _hour24(hour, half)
    if hour24 is None or hour24 > 23 or minute > 59 or second > 60:
        return None
    return time(hour24, minute, min(second, 59))  # a leap second counts as the one before


def _hour24(hour: int, half: HalfDay) -> int | None:
    """Hour of 24; ``None`` where the words contradict each other (22 in the morning)."""
    if half == "am":
        return hour % 12 if hour <= 12 else None
    if half == "pm":
        return hour % 12 + 12 if 1 <= hour <= 12 else _at_least(hour, 12)
    if half == "noon":
        return hour + 12 if 1 <= hour <= 4 else _at_least(hour, 11)
    # Night: 6 to 11 before midnight, 12 is midnight, 1 to 5 after it.
    return hour + 12 if 6 <= hour <= 11 else hour % 12 if hour <= 12 else _at_least(hour, 18)


def _at_least(hour: int, lowest: int) -> int | None:
    return hour if hour >= lowest else None


def zone_at(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """A zone that starts at ``index``: a name, an offset, or "by the clock of" a place."""
    token = tokens[index]
    if token.text == "z" and index and tokens[index - 1].kind == "number":
        return [Zone(0, "UTC")], index + 1
    if token.text in ("+", "-"):
        return _offset_at(tokens, index)
    named = phrase_at(tokens, index, words.zones)
    if named:
        name, end = named
        if name.offset_s == 0 and is_sign(tokens, end, "+-"):
            return _after_utc(tokens, end) or ([Zone(0, name.name)], end)
        return [Zone(name.offset_s, name.name)], end
    return _place_clock(tokens, index, words)


def _place_clock(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    marker = phrase_at(tokens, index, words.zone_markers)
    if marker is None:
        return None
    named = phrase_at(tokens, marker[1], words.places) or phrase_at(tokens, marker[1], words.zones)
    if named is None:
        return None
    name, end = named
    return [Zone(name.offset_s, name.name)], end


def _after_utc(tokens: Sequence[Token], index: int) -> Found:
    """The offset after ``GMT``: one or two digits will do."""
    read = _signed_offset(tokens, index)
    return ([Zone(read[0], _offset_name(read[0]))], read[1]) if read else None


def _offset_at(tokens: Sequence[Token], index: int) -> Found:
    """An offset without a name, after a clock.

    A minus is as often a dash ("10:30 - 20 May", "10:00-11:00"), so it counts only as ``-HHMM``,
    or after seconds or an ISO ``T``.
    """
    read = _signed_offset(tokens, index)
    if read is None or index == 0 or not _is_after_time(tokens, index):
        return None
    is_minus = tokens[index].text == "-"
    if is_minus and len(tokens[index + 1].text) != 4 and not _is_after_iso(tokens, index):
        return None
    return [Zone(read[0], _offset_name(read[0]))], read[1]


def _is_after_time(tokens: Sequence[Token], index: int) -> bool:
    """A clock, its half, or an ISO date stands before: no offset opens a line."""
    previous = tokens[index - 1]
    return previous.kind in ("number", "word") or previous.text == "("


def _is_after_iso(tokens: Sequence[Token], index: int) -> bool:
    """``THH:MM`` or ``HH:MM:SS`` stands directly before ``index``."""
    has_seconds = is_sign(tokens, index - 2, ":") and is_sign(tokens, index - 4, ":")
    has_t = index >= 4 and tokens[index - 4].text == "t"
    has_basic_t = index >= 2 and tokens[index - 2].text == "t"
    has_fraction = is_sign(tokens, index - 2, ".,")
    return has_seconds or has_t or has_basic_t or has_fraction


def _signed_offset(tokens: Sequence[Token], index: int) -> tuple[int, int] | None:
    """Seconds east of UTC from a sign and ``H``, ``HH``, ``HHMM``, ``HH:MM``; next index."""
    if not is_glued(tokens, index + 1) or number_at(tokens, index + 1, 1, 2, 4) < 0:
        return None
    text = tokens[index + 1].text
    hours, minutes, end = int(text), 0, index + 2
    if len(text) == 4:
        hours, minutes = int(text[:2]), int(text[2:])
    elif is_sign(tokens, end, ":") and number_at(tokens, end + 1, 2) >= 0:
        minutes, end = tokens[end + 1].number, end + 2
    if is_sign(tokens, end, "/-.") and is_glued(tokens, end + 1) and is_glued(tokens, end):
        return None  # the start of a date: "10:30 -2015/08/02"
    seconds = hours * 3600 + minutes * 60
    is_east = tokens[index].text == "+"
    if minutes % 15 or minutes > 45 or seconds > (MAX_EAST_S if is_east else MAX_WEST_S):
        return None
    return (seconds if is_east else -seconds), end


def _offset_name(offset_s: int) -> str:
    sign = "-" if offset_s < 0 else "+"
    hours, rest = divmod(abs(offset_s), 3600)
    return f"UTC{sign}{hours:02d}:{rest // 60:02d}" if offset_s else "UTC"
