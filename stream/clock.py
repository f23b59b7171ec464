"""The clock of the articles: live, or standing still so that a replay gives the same bytes again.

An article holds three processing times. ``fetched_at`` comes with the page; ``cleaned_at`` and
``enriched_at`` are the stages' own. With the clock ``page`` both are the page's ``fetched_at``:
then an article is a function of its page and of our versions alone, whoever makes it and when.
Heartbeats, dead letters and Kafka timestamps always tell the real time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from schemas.errors import InputError
from stream.stage import utc_now

Clock = Callable[[], datetime]
"""Gives the present moment, aware UTC."""

ClockMode = Literal["live", "page"]
"""``live``: the computer's clock. ``page``: each page's own ``fetched_at``."""


def clock_of(mode: ClockMode) -> Clock | None:
    """The clock for the stages; ``None``: each page's own ``fetched_at`` (see :func:`moment`)."""
    return utc_now if mode == "live" else None


def moment(clock: Clock | None, fetched_at: datetime) -> datetime:
    """When a page is processed: by the clock, or, where there is none, when it was fetched."""
    return fetched_at if clock is None else clock()


def standing_at(at: datetime) -> Clock:
    """A clock that always shows ``at``."""
    return lambda: at


def parse_instant(text: str) -> datetime:
    """The moment that ``--clock`` names, in UTC.

    Raises:
        InputError: It is no ISO 8601 time with a zone.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(
        f"--clock: {text!r} is no moment; write an ISO 8601 time with its zone, "
        "e.g. 2026-01-15T09:30:00Z"
    )
