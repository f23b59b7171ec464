"""Step: date lines out of the text, the publication date chosen, event dates kept apart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from processors.dates import (
    candidate,
    choose_published,
    date_line,
    find_event_dates,
    is_clock_line,
    is_update_line,
    parse_moment,
    to_utc,
)
from processors.draft import Draft, Line, Role
from processors.shape import text_rows
from processors.tools import Tools
from schemas.records import DateCandidate, Published

MAX_DATE_LINES = 20
"""Date lines stand near the headline or under the text: rows looked at from either end."""

MAX_DATE_LINE_CHARS = 120
"""A line that is only a date, with label, weekday, time and zone, stays well under this."""

CONFIDENCE = {
    "json-ld": 0.95,
    "feed": 0.93,
    "meta": 0.9,
    "itemprop": 0.9,
    "time-tag": 0.8,
    "text-line": 0.75,
    "visible": 0.7,
    "dateline": 0.7,
    "text-line-end": 0.5,
}
"""How far each place is trusted, 0 to 1. Re-run the golden and quality tests before changing."""

_DIGIT = re.compile(r"\d")
_HAS_DAY_AND_YEAR = re.compile(r"\d{1,2}\s.*\d{4}")


def find_dates(draft: Draft, tools: Tools) -> Draft:
    """Mark date and clock lines, collect every candidate, choose ``published_at``."""
    del tools
    draft, from_text = _date_lines(draft)
    updates = [raw for source, raw in from_text if source == "update-line"]
    stated = [(source, raw) for source, raw in from_text if source != "update-line"]
    places = (*draft.facts.dates, *stated, *_in_dateline(draft))
    winner, annotated = choose_published([_candidate(draft, *place) for place in places])
    modified_at = _modified(draft, updates)
    draft = replace(draft, dates=annotated, modified_at=modified_at)
    return draft if winner is None else _publish(draft, annotated[winner])


def _candidate(draft: Draft, source: str, raw: str) -> DateCandidate:
    """One place's date; "3 hours ago" counts from the fetch, and from nothing for a file."""
    seen_at = draft.page.fetched_at
    if parse_moment(raw, now=None) is None and not _was_fetched(draft):
        return DateCandidate(
            raw=raw, source=source, why="could not be read, or counts from an unknown moment"
        )
    return candidate(
        raw,
        source,
        confidence=CONFIDENCE.get(source, 0.6),
        timezone=draft.page.source.timezone,
        now=seen_at,
    )


def _was_fetched(draft: Draft) -> bool:
    """Whether a connector fetched the page itself; a file's ``fetched_at`` is its replay."""
    return draft.page.status is not None


def _date_lines(draft: Draft) -> tuple[Draft, list[tuple[str, str]]]:
    """Cut lines that are nothing but a date or a clock; a clock right after a date joins it."""
    found: list[tuple[str, str]] = []
    first, last = text_rows(draft)
    for row, line in enumerate(draft.lines):
        if first < row < last:
            continue  # dates and clock times inside the text are its own: a chronicle, a schedule
        from_top, from_end = row, len(draft.lines) - row
        if not _may_be_date(line) or min(from_top, from_end) > MAX_DATE_LINES:
            continue
        if is_clock_line(line.text):
            draft = draft.with_line(
                row, line.as_role(Role.DATE, "dates/clock-line", "a clock time alone")
            )
        elif date_line(line.text, now=draft.page.fetched_at) is not None:
            source = "text-line" if row < first else "text-line-end"
            source = "update-line" if is_update_line(line.text) else source
            found.append((source, line.text))
            draft = draft.with_line(row, line.as_role(Role.DATE, "dates/date-line", "a date alone"))
    return draft, found


def _may_be_date(line: Line) -> bool:
    """Short, and with a digit or of a few words (``yesterday``): spares the readers most lines."""
    is_short = len(line.text) <= MAX_DATE_LINE_CHARS
    return is_short and (_DIGIT.search(line.text) is not None or line.text.count(" ") < 4)


def _in_dateline(draft: Draft) -> list[tuple[str, str]]:
    """Wires write the date between place and agency (``Jeddah 7 June 2023 SPA``)."""
    raw = draft.dateline.raw if draft.dateline else ""
    return [("dateline", raw)] if _HAS_DAY_AND_YEAR.search(raw) else []


def _modified(draft: Draft, updates: list[str]) -> datetime | None:
    """The first readable modification date: of the markup, then of "last update" lines."""
    for raw in (*(raw for _, raw in draft.facts.modified), *updates):
        moment = parse_moment(raw, now=draft.page.fetched_at if _was_fetched(draft) else None)
        if moment:
            return to_utc(moment, timezone=draft.page.source.timezone)[0]
    return None


def _publish(draft: Draft, winner: DateCandidate) -> Draft:
    moment = parse_moment(winner.raw, now=draft.page.fetched_at)
    if moment is None:
        return draft
    at, zone, timezone = to_utc(moment, timezone=draft.page.source.timezone)
    is_day = moment.precision == "day"
    return replace(
        draft,
        published_at=at,
        published=Published(
            raw=winner.raw,
            source=winner.source,
            precision=moment.precision,
            local=moment.local.date().isoformat() if is_day else moment.local.isoformat(),
            zone=zone,
            timezone=timezone,
        ),
    )


def find_events(draft: Draft, tools: Tools) -> Draft:
    """Full dates named in the running text; never the publication date's candidates."""
    del tools
    text = "\n".join(line.text for line in draft.body_lines())
    return replace(draft, event_dates=tuple(find_event_dates(text, now=draft.page.fetched_at)))
