"""Reads dates from texts: one moment from a date line, or the dates named in running text.

Refuses to guess: no year, an impossible date, or two readings without a reason to prefer one give
``None``. Arabic dates are read with own tables; dateparser and htmldate answer wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from processors.clockscan import clock_at, zone_at
from processors.datejoin import assemble_moment, choose_day, label_before
from processors.datepieces import (
    Ago,
    Clock,
    Day,
    Filler,
    Found,
    Junk,
    Label,
    Moment,
    Piece,
    Token,
    Weekday,
    Zone,
    is_glued,
    phrase_at,
    tokenize,
)
from processors.datewords import DateWords, load_words
from processors.dayscan import LAST_YEAR, day_at
from processors.relative import ago_at

MAX_CHARS = 200
"""Code points of a text in which a date expression is looked for: a date line is short."""

MAX_PROSE_CHARS = 200_000
"""Code points of running text searched for dates: longer than any article."""

OLDEST_YEAR = 1990
"""No news page is older."""

MAX_AHEAD = timedelta(days=1)
"""A date of publication may be this much later than now: no zone stated, a clock that is fast."""

EVENT_YEARS_AHEAD = 50

_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_YEAR = re.compile(r"\d{4}")
_STAMP = re.compile(r"((?:19|20)[0-9]{6})([0-9]{6})")  # 20160520090500


def parse_moment(
    text: str, *, month_first: bool = False, now: datetime | None = None
) -> Moment | None:
    """Read the one date that a short string states.

    ISO 8601, RFC 822, epoch seconds and milliseconds, and dates in Arabic (Gulf, Levantine,
    Maghrebi names), English and French, with a clock before or after. Of a published and an
    updated date the published one is taken.

    Args:
        text: A date line, meta value or feed date; only its first 200 code points are looked at.
        month_first: How to read 3/4/2019; a weekday beside it decides first.
        now: Aware, best in the publisher's zone. ``None``: "3 hours ago" cannot be read, and the
            future is not refused.

    Returns:
        ``None`` for no date, an impossible one, two different ones, one before 1990 or more than
        a day after ``now``. Fractions of a second are dropped.

    Never raises on odd text.
    """
    moment = read_any(text, month_first=month_first, now=now)
    return None if moment is None or why_implausible(moment, now) else moment


def date_line(
    text: str, *, month_first: bool = False, now: datetime | None = None
) -> Moment | None:
    """Read a line that is a date and nothing else but labels, weekday, clock and signs.

    Arguments and result as for :func:`parse_moment`; a sentence with a date in it, a bare number,
    and a line over 200 code points give ``None``.
    """
    if len(text.strip()) > MAX_CHARS:
        return None
    tokens = tokenize(text)
    if [token.kind for token in tokens if token.kind != "sign"] == ["number"]:
        return None  # a counter, an id: "20160520" is a date in a date field only
    pieces: list[Piece] = []
    for piece in _scan(tokens, load_words(), month_first=month_first):
        if isinstance(piece, Junk):
            return None  # most lines of a text end here, at their first word
        pieces.append(piece)
    moment = assemble_moment(pieces, now)
    return None if moment is None or why_implausible(moment, now) else moment


def is_clock_line(text: str) -> bool:
    """Whether a line is a time of day and nothing else but its zone, labels and signs."""
    if len(text.strip()) > MAX_CHARS:
        return False
    clocks: list[Clock] = []
    for piece in _scan(tokenize(text), load_words(), month_first=False):
        if isinstance(piece, Clock):
            clocks.append(piece)
        elif not isinstance(piece, Zone | Filler | Label):
            return False
    return len(clocks) == 1 and clocks[0].at is not None


def is_update_line(text: str) -> bool:
    """Whether the date that :func:`parse_moment` takes from a text is labelled as an update."""
    pieces = list(_scan(tokenize(text.strip()[:MAX_CHARS]), load_words(), month_first=False))
    days = [at for at, piece in enumerate(pieces) if isinstance(piece, Day | Ago)]
    chosen = choose_day(pieces, days)
    return chosen is not None and label_before(pieces, chosen) == "updated"


def find_event_dates(text: str, *, now: datetime | None = None) -> list[date]:
    """The full dates that running text names, in order, each once.

    Day, month name and year, or a numeric date that can be read in one order only. Years from
    1800; later than 50 years after ``now`` (2100 without it) are not believed.

    Args:
        text: Running text; its first 200,000 code points are searched.
        now: Aware; bounds the future only.
    """
    last_year = min(LAST_YEAR, now.year + EVENT_YEARS_AHEAD) if now else LAST_YEAR
    found: dict[date, None] = {}
    for line in text[:MAX_PROSE_CHARS].splitlines():
        if _YEAR.search(line):  # saves the work for nine lines in ten
            found.update(dict.fromkeys(_prose_days(line)))
    return [day for day in found if day.year <= last_year]


def read_any(text: str, *, month_first: bool, now: datetime | None) -> Moment | None:
    """As :func:`parse_moment`, but however old or far ahead."""
    head = text.strip()[:MAX_CHARS]
    tokens = tokenize(head)
    if len(tokens) == 1 and tokens[0].kind == "number":
        stamp = _number_alone(tokens[0].text)
        if stamp:
            return stamp
    return assemble_moment(list(_scan(tokens, load_words(), month_first=month_first)), now)


def why_implausible(moment: Moment, now: datetime | None) -> str:
    """Why a date cannot be one of publication, in words; empty: it can."""
    if moment.local.year < OLDEST_YEAR:
        return f"before {OLDEST_YEAR}"
    if now is None:
        return ""
    wall = moment.local - timedelta(seconds=moment.utc_offset_s or 0)
    at = now if now.tzinfo else now.replace(tzinfo=UTC)
    return "in the future" if wall.replace(tzinfo=UTC) > at + MAX_AHEAD else ""


def _number_alone(text: str) -> Moment | None:
    """Epoch seconds or milliseconds, or ``YYYYMMDDhhmmss``."""
    stamp = _STAMP.fullmatch(text)
    if stamp:
        try:
            local = datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - wall time, no zone
        except ValueError:
            return None
        return Moment(local, "second")
    if not _EPOCH.fullmatch(text):
        return None
    at = datetime.fromtimestamp(int(text[:10]), UTC)
    return Moment(at.replace(tzinfo=None), "second", 0, "UTC")


def _prose_days(line: str) -> Iterator[date]:
    tokens, words = tokenize(line), load_words()
    at = 0
    while at < len(tokens):
        read = None if tokens[at].kind == "sign" else _prose_day(tokens, at, words)
        if read is None:
            at += 1
            continue
        pieces, at = read
        first = pieces[0]
        if isinstance(first, Day) and first.day and first.other is None:
            yield first.day


def _prose_day(tokens: Sequence[Token], at: int, words: DateWords) -> Found:
    read = day_at(tokens, at, words, month_first=False)
    # "20160520" and "15/9/15" are dates in a date field only.
    return None if read is None or not _has_full_year(tokens[at : read[1]]) else read


def _has_full_year(tokens: Sequence[Token]) -> bool:
    return any(token.kind == "number" and len(token.text) == 4 for token in tokens)


def _scan(tokens: Sequence[Token], words: DateWords, *, month_first: bool) -> Iterator[Piece]:
    """Split a short text into pieces, left to right, each token in one piece."""
    at = 0
    while at < len(tokens):
        found = (
            day_at(tokens, at, words, month_first=month_first)
            or clock_at(tokens, at, words)
            or zone_at(tokens, at, words)
            or ago_at(tokens, at, words)
            or _word_at(tokens, at, words)
        )
        pieces, at = found
        yield from pieces


def _word_at(tokens: Sequence[Token], at: int, words: DateWords) -> tuple[list[Piece], int]:
    """A weekday, label or sign; anything else is junk."""
    token = tokens[at]
    if token.kind == "sign":
        return [Filler()], at + 1
    weekday = phrase_at(tokens, at, words.weekdays)
    if weekday:
        return [Weekday(weekday[0])], weekday[1]
    label = phrase_at(tokens, at, words.labels)
    if label and (token.text != "t" or is_glued(tokens, at)):
        return [Label(label[0])], label[1]
    return [Junk()], at + 1
