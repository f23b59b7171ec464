"""Reads full dates out of tokens: numeric ones, and those with a month's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from processors.clockscan import clock_at, zone_at
from processors.datepieces import (
    Day,
    Filler,
    Found,
    Piece,
    Token,
    is_glued,
    is_sign,
    number_at,
    phrase_at,
    skip_phrase,
)
from processors.datewords import DateWords

FIRST_YEAR = 1800
LAST_YEAR = 2100
"""Four digits outside these are no year of a news text (a Hijri year, a sum, a number)."""

HIJRI_YEARS = range(1300, 1500)
TWO_DIGIT_YEARS = range(50)
"""00 to 49 are 2000 to 2049; a higher one is left unread rather than put into the future."""

_NAMED_GAP = "/-.,"
"""Signs between day, month name and year."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """Numbers of a numeric date, in the order written, their digit counts, and their sign."""

    values: tuple[int, int, int]
    lengths: tuple[int, int, int]
    sep: str


def day_at(tokens: Sequence[Token], index: int, words: DateWords, *, month_first: bool) -> Found:
    """A full date that starts at ``index``.

    Args:
        tokens: The text.
        index: Where to look.
        words: The tables.
        month_first: How to read 3/4/2019.

    Returns:
        The date (and what stands inside it, as in ``Aug 02 22:59 2015``), or ``None``.
    """
    if tokens[index].kind == "number":
        return (
            _numeric(tokens, index, words, month_first=month_first)
            or _basic(tokens, index)
            or _day_first(tokens, index, words)
            or _year_first(tokens, index, words)
        )
    return _month_first(tokens, index, words)


def _numeric(tokens: Sequence[Token], index: int, words: DateWords, *, month_first: bool) -> Found:
    """``20/5/2016``, ``2016-05-20``, ``20.5.16``: three numbers between two equal signs."""
    sep = tokens[index + 1].text if index + 4 < len(tokens) else ""
    if sep not in ("/", "-", ".") or tokens[index + 3].text != sep:
        return None
    values = tuple(number_at(tokens, at, 1, 2, 4) for at in (index, index + 2, index + 4))
    if min(values) < 0 or not _stands_alone(tokens, index, index + 5, sep):
        return None
    lengths = tuple(len(tokens[at].text) for at in (index, index + 2, index + 4))
    fields = _Fields((values[0], values[1], values[2]), (lengths[0], lengths[1], lengths[2]), sep)
    day = _numeric_day(fields, month_first=month_first)
    if day is None:
        return None
    end = skip_phrase(tokens, index + 5, words.hijri_marks)
    if end == index + 5:
        end = skip_phrase(tokens, end, words.era)
    return [day], end


def _stands_alone(tokens: Sequence[Token], start: int, end: int, sep: str) -> bool:
    """No part of an address, a version or a longer chain of numbers (1.2.2016.5)."""
    if is_glued(tokens, start):
        before = tokens[start - 1].text
        is_chained = before in ("/", "-", ".") and is_glued(tokens, start - 1)
        if is_chained or (before.isascii() and before.isalpha()):
            return False
    if not (is_sign(tokens, end, sep) and is_glued(tokens, end) and is_glued(tokens, end + 1)):
        return True
    following = tokens[end + 1]
    if following.kind == "number":
        return is_sign(tokens, end + 2, ":")  # "02-08-2015-22:59"
    return not (sep == "/" and following.text.isascii())


def _numeric_day(fields: _Fields, *, month_first: bool) -> Piece | None:
    a, b, c = fields.values
    shape = tuple(length == 4 for length in fields.lengths)
    if shape == (True, False, False):
        if a in HIJRI_YEARS:
            return Filler()
        is_day_second = b > 12 and fields.sep != "-"  # with hyphens it is ISO 8601, or wrong
        return Day(_date(a, c, b) if is_day_second else _date(a, b, c))
    if shape == (False, False, True):
        if c in HIJRI_YEARS:
            return Filler()
        return _ordered(a, b, c, month_first=month_first)
    if shape == (False, False, False) and fields.lengths[2] == 2:
        year = 2000 + c if c in TWO_DIGIT_YEARS else 0
        return _ordered(a, b, year, month_first=month_first)
    return None


def _ordered(a: int, b: int, year: int, *, month_first: bool) -> Day:
    """Day and month of ``a/b/year``: a number over 12 decides, else the publisher's habit."""
    if a > 12 or b > 12 or a == b:
        return Day(_date(year, b, a) if b <= 12 else _date(year, a, b))
    day_first, american = _date(year, b, a), _date(year, a, b)
    if month_first:
        return Day(american, day_first, written=(a, b))
    return Day(day_first, american, written=(a, b))


def _basic(tokens: Sequence[Token], index: int) -> Found:
    """``20160520``, with or without ``T0905``, and ``20160520090500``: at the start only."""
    if index:
        return None
    text = tokens[0].text
    if number_at(tokens, 0, 8) < 0:
        return None
    day = _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return ([Day(day)], 1) if day else None


def _day_first(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """``20 May 2016``, ``20 mai 2016``, and all Arabic names, one or two of them."""
    day = number_at(tokens, index, 1, 2)
    if day < 0 or _is_tail(tokens, index):
        return None
    at = index + 1
    if is_glued(tokens, at):
        at = skip_phrase(tokens, at, words.ordinals)
    at = _skip_gap(tokens, at, words)
    if phrase_at(tokens, at, words.hijri_months):
        return _hijri(tokens, at, words)
    month = _month_names(tokens, at, words)
    if month is None:
        return None
    return _with_year(tokens, month[1], day, month[0], words)


def _month_first(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """``May 20, 2016``."""
    month = _month_names(tokens, index, words)
    if month is None:
        return None
    at = month[1] + is_sign(tokens, month[1], "./-")
    day = number_at(tokens, at, 1, 2)
    if day < 0 or is_sign(tokens, at + 1, ":"):
        return None
    at += 1
    if is_glued(tokens, at):
        at = skip_phrase(tokens, at, words.ordinals)
    return _with_year(tokens, at, day, month[0], words)


def _year_first(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """``2016 May 20``."""
    year = _year_at(tokens, index)
    if year < 0:
        return None
    at = _skip_gap(tokens, index + 1, words)
    month = _month_names(tokens, at, words)
    if month is None:
        return None
    at = _skip_gap(tokens, month[1], words)
    day = number_at(tokens, at, 1, 2)
    if day < 0 or is_sign(tokens, at + 1, ":") or _year_at(tokens, at + 1) > 0:
        return None
    return [Day(_date(year, month[0], day))], at + 1


def _with_year(tokens: Sequence[Token], at: int, day: int, month: int, words: DateWords) -> Found:
    """The year of a day and month, straight after them or after the clock (``ctime``)."""
    year_at = _skip_gap(tokens, at, words)
    year = _year_at(tokens, year_at)
    if year > 0:
        end = skip_phrase(tokens, year_at + 1, words.era)
        return [Day(_date(year, month, day))], end
    short = number_at(tokens, year_at, 2)
    if short in TWO_DIGIT_YEARS and is_sign(tokens, year_at + 2, ":"):
        # RFC 822 only: "2 Aug 15 22:59 +0300".
        return [Day(_date(2000 + short, month, day))], year_at + 1
    return _year_after_clock(tokens, year_at, day, month, words)


def _year_after_clock(
    tokens: Sequence[Token], at: int, day: int, month: int, words: DateWords
) -> Found:
    clock = clock_at(tokens, at, words) if at < len(tokens) else None
    if clock is None:
        return None
    pieces, end = clock
    zone = zone_at(tokens, end, words) if end < len(tokens) else None
    if zone:
        pieces, end = [*pieces, *zone[0]], zone[1]
    year = _year_at(tokens, end)
    return ([Day(_date(year, month, day)), *pieces], end + 1) if year > 0 else None


def _month_names(tokens: Sequence[Token], at: int, words: DateWords) -> tuple[int, int] | None:
    """Month number and next index; a second name must mean the same month, else it is 0."""
    first = phrase_at(tokens, at, words.months)
    if first is None:
        return None
    month, end = first
    is_open = is_sign(tokens, end, "(")
    second_at = end + is_sign(tokens, end, "/-,(")
    second = phrase_at(tokens, second_at, words.months)
    if second is None:
        return month, end
    end = second[1] + (is_open and is_sign(tokens, second[1], ")"))
    return (month if second[0] == month else 0), end


def _skip_gap(tokens: Sequence[Token], at: int, words: DateWords) -> int:
    """Past one sign and one joining phrase ("of", "in the year")."""
    at += is_sign(tokens, at, _NAMED_GAP)
    return skip_phrase(tokens, at, words.joins)


def _year_at(tokens: Sequence[Token], at: int) -> int:
    """A four-digit year of our time at ``at``, else -1."""
    year = number_at(tokens, at, 4)
    return year if FIRST_YEAR <= year <= LAST_YEAR else -1


def _hijri(tokens: Sequence[Token], at: int, words: DateWords) -> Found:
    """A date of the Islamic calendar: known, and passed over."""
    at = _skip_gap(tokens, skip_phrase(tokens, at, words.hijri_months), words)
    if number_at(tokens, at, 4) in HIJRI_YEARS:
        at += 1
    return [Filler()], skip_phrase(tokens, at, words.hijri_marks)


def _is_tail(tokens: Sequence[Token], index: int) -> bool:
    """The number ends a longer one: 3.15, 1,500."""
    return (
        is_glued(tokens, index)
        and is_sign(tokens, index - 1, ".,:")
        and is_glued(tokens, index - 1)
        and tokens[index - 2].kind == "number"
    )


def _date(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
