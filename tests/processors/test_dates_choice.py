# ruff: noqa: DTZ001 - wall times have no zone
"""UTC and its evidence, candidates, and which of them is the date of publication."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from processors.dates import Moment, candidate, choose_published, to_utc
from processors.datewords import load_words, parse_words
from schemas.errors import RuleFileError
from schemas.records import DateCandidate

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WALL = datetime(2016, 5, 20, 9, 5)


@pytest.mark.parametrize(
    ("moment", "publishers", "hour_utc", "evidence", "zone"),
    [
        (Moment(WALL, "minute", 10_800), "Asia/Dubai", 6, "stated", "UTC+03:00"),
        (Moment(WALL, "minute", 0, "GMT"), "Asia/Dubai", 9, "stated", "UTC"),
        (Moment(WALL, "minute", -14_400), None, 13, "stated", "UTC-04:00"),
        (Moment(WALL, "minute", None, "Europe/Paris"), "Asia/Dubai", 7, "stated", "Europe/Paris"),
        (Moment(WALL, "minute"), "Asia/Dubai", 5, "publisher", "Asia/Dubai"),
        (Moment(WALL, "minute"), "Europe/London", 8, "publisher", "Europe/London"),
        (Moment(WALL, "minute"), None, 9, "unknown", None),
        (Moment(WALL, "minute"), "", 9, "unknown", None),
        (Moment(WALL, "minute"), "Mars/Olympus", 9, "unknown", None),
        (Moment(WALL, "minute"), "../etc/passwd", 9, "unknown", None),
        (Moment(WALL, "minute"), "Asia", 9, "unknown", None),
        (Moment(WALL, "minute"), "a\0b", 9, "unknown", None),
    ],
)
def test_to_utc(
    moment: Moment, publishers: str | None, hour_utc: int, evidence: str, zone: str | None
) -> None:
    at = datetime(2016, 5, 20, hour_utc, 5, tzinfo=UTC)
    assert to_utc(moment, timezone=publishers) == (at, evidence, zone)


def test_summer_time_of_the_publisher() -> None:
    winter = Moment(datetime(2016, 1, 20, 9, 5), "minute")
    assert to_utc(winter, timezone="Asia/Beirut")[0].hour == 7
    assert to_utc(Moment(WALL, "minute"), timezone="Asia/Beirut")[0].hour == 6
    skipped = Moment(datetime(2016, 3, 27, 0, 30), "minute")  # Beirut's clocks went to 01:00
    assert to_utc(skipped, timezone="Asia/Beirut")[0] == datetime(2016, 3, 26, 22, 30, tzinfo=UTC)


def test_candidate_keeps_what_it_reads() -> None:
    found = candidate(
        " 20 مايو 2016 09:05 ص ", "meta", confidence=0.9, timezone="Asia/Riyadh", now=NOW
    )
    assert found == DateCandidate(
        raw="20 مايو 2016 09:05 ص",
        source="meta",
        at=datetime(2016, 5, 20, 6, 5, tzinfo=UTC),
        precision="minute",
        zone="publisher",
        confidence=0.9,
    )


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("قريبا", "could not be read"),
        ("30 فبراير 2016", "could not be read"),
        ("24 نوفمبر 2026", "in the future"),
        ("2099-01-01T00:00:00Z", "in the future"),
        ("1970-01-01T00:00:00Z", "before 1990"),
        ("2 hours ago, or so", "could not be read"),
    ],
)
def test_candidate_that_cannot_be_used(raw: str, why: str) -> None:
    found = candidate(raw, "meta", confidence=0.9, now=NOW)
    assert found.at is None
    assert found.why == why
    winner, annotated = choose_published([found])
    assert winner is None
    assert annotated == (found,)


def test_candidate_is_bounded() -> None:
    found = candidate("س" * 1_000_000, "meta", confidence=7.0)
    assert len(found.raw) == 200
    assert found.confidence == 1.0


def test_month_first_reaches_the_candidate() -> None:
    found = candidate("8/6/2015", "text-line", confidence=0.7, month_first=True)
    assert found.at == datetime(2015, 8, 6, tzinfo=UTC)
    assert "order of day and month" in found.why
    assert "order of day and month" in choose_published([found])[1][0].why


def made(raw: str, source: str, confidence: float) -> DateCandidate:
    return candidate(raw, source, confidence=confidence, now=NOW)


def test_no_candidates() -> None:
    assert choose_published([]) == (None, ())


def test_most_trusted_wins() -> None:
    winner, annotated = choose_published(
        [
            made("2016-05-20T09:00:00Z", "text-line", 0.6),
            made("2016-05-20T09:05:00Z", "json-ld", 0.95),
            made("garbage", "meta", 0.99),
        ]
    )
    assert winner == 1
    assert annotated[1].why == "most trusted of 2"
    assert annotated[0].why == "less trusted than json-ld"
    assert annotated[2].why == "could not be read"


def test_order_breaks_ties() -> None:
    winner, annotated = choose_published(
        [made("2016-05-20", "json-ld", 0.9), made("2016-05-21", "meta", 0.9)]
    )
    assert winner == 0
    assert annotated[0].why == "first of equal trust among 2"
    assert annotated[1].why == "same trust as json-ld, and stands after it"


def test_only_one() -> None:
    winner, annotated = choose_published([made("x", "a", 1.0), made("2016-05-20", "feed", 0.2)])
    assert winner == 1
    assert annotated[1].why == "the only readable date"


def test_disagreement_is_said_on_both_sides() -> None:
    winner, annotated = choose_published(
        [made("2016-05-20", "json-ld", 0.9), made("2016-05-22", "feed", 0.8)]
    )
    assert winner == 0
    assert annotated[0].why == "most trusted of 2; feed differs by 48 h"
    assert annotated[1].why == "less trusted than json-ld, and differs from it by 48 h"
    near = choose_published(
        [made("2016-05-20", "json-ld", 0.9), made("2016-05-21T12:00Z", "feed", 0.8)]
    )
    assert "differs" not in near[1][0].why


def test_tables_are_read_strictly() -> None:
    words = load_words()
    assert words is load_words()
    assert sorted(set(words.months.values())) == list(range(1, 13))
    assert sorted(set(words.weekdays.values())) == list(range(1, 8))
    with pytest.raises(RuleFileError, match=r"x\.toml"):
        parse_words("nonsense = 1", "x.toml")
    with pytest.raises(RuleFileError, match=r"x\.toml"):
        parse_words("not toml", "x.toml")


def test_every_place_is_in_the_tz_database() -> None:
    for place in load_words().places.values():
        if place.name is None:
            continue
        assert to_utc(Moment(WALL, "minute", None, place.name), timezone=None)[1] == "stated"
        if place.offset_s is None:
            continue
        for year in range(1990, 2027):
            for month in (1, 7):
                wall = Moment(datetime(year, month, 1, 12), "minute", place.offset_s)
                named = Moment(wall.local, "minute", None, place.name)
                assert to_utc(wall, timezone=None)[0] == to_utc(named, timezone=None)[0]
