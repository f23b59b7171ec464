from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import InputError
from schemas.topics import ALL, DEAD_LETTERS, ENRICHED
from stream.tail import parse_since, short_name, topic_named

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("2h", timedelta(hours=2)),
        ("30m", timedelta(minutes=30)),
        ("10s", timedelta(seconds=10)),
        ("3 D", timedelta(days=3)),
        ("1.5h", timedelta(minutes=90)),
    ],
)
def test_since_so_long_ago(text: str, age: timedelta) -> None:
    assert parse_since(text, NOW) == NOW - age


def test_since_a_moment() -> None:
    assert parse_since("2026-01-31T08:00:00+01:00", NOW) == NOW - timedelta(hours=1)
    assert parse_since("2026-01-31T08:00:00Z", NOW) == NOW


@pytest.mark.parametrize("text", ["", "yesterday", "2", "2w", "2026-01-31", "9999999999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InputError, match=r"is no time|is too long ago"):
        parse_since(text, NOW)


def test_short_names_are_unique_and_found() -> None:
    names = [short_name(topic) for topic in ALL]
    assert len(set(names)) == len(ALL)
    assert [topic_named(name) for name in names] == list(ALL)
    assert topic_named("enriched") is ENRICHED
    assert topic_named("nashra.dead-letters.v1") is DEAD_LETTERS


def test_an_unknown_topic_lists_the_names() -> None:
    with pytest.raises(InputError, match=r"no topic 'enrich'; there are feeds, .*enriched"):
        topic_named("enrich")
