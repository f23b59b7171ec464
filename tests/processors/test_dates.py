# ruff: noqa: DTZ001 - wall times have no zone
"""Dates out of short strings, lines and prose: hand-made tables, decoys, and any date at all."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dates import (
    Moment,
    date_line,
    find_event_dates,
    is_clock_line,
    is_update_line,
    parse_moment,
    to_utc,
)

DATA: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "data" / "dates.toml").read_text("utf-8")
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

# Written out in the data file, not read from calendars.toml: the oracle must not be what it judges.
MONTHS: dict[str, list[str]] = {
    **DATA["months"],
    "dual": [
        f"{gulf}/ {levant}"
        for gulf, levant in zip(DATA["months"]["gulf"], DATA["months"]["levant"], strict=True)
    ],
}
WEEKDAYS: dict[str, list[str]] = DATA["weekdays"]
DIGITS = {"ascii": "0123456789", "arabic-indic": "٠١٢٣٤٥٦٧٨٩", "persian": "۰۱۲۳۴۵۶۷۸۹"}
ORDERS = ("{day} {month} {year}", "{day:02d} {month}، {year}", "{month} {day}, {year}")


def in_digits(text: str, digits: str) -> str:
    return text.translate(str.maketrans("0123456789", DIGITS[digits]))


def expected(local: str, precision: str, zone: str) -> tuple[object, ...]:
    is_offset = zone.lstrip("-").isdigit()
    return (
        datetime.fromisoformat(local),
        precision,
        int(zone) * 60 if is_offset else None,
        None if is_offset or not zone else zone,
    )


def seen(moment: Moment | None) -> tuple[object, ...]:
    assert moment is not None
    name = None if moment.utc_offset_s is not None else moment.zone_name
    return (moment.local, moment.precision, moment.utc_offset_s, name)


@pytest.mark.parametrize(("text", "local", "precision", "zone"), DATA["fields"] + DATA["lines"])
def test_reads_a_moment(text: str, local: str, precision: str, zone: str) -> None:
    assert seen(parse_moment(text, now=NOW)) == expected(local, precision, zone)


@pytest.mark.parametrize(("text", "local", "precision", "zone"), DATA["lines"])
def test_reads_a_date_line(text: str, local: str, precision: str, zone: str) -> None:
    assert seen(date_line(text, now=NOW)) == expected(local, precision, zone)
    assert not is_clock_line(text)


@pytest.mark.parametrize("text", DATA["nothing"])
def test_unknown_beats_wrong(text: str) -> None:
    now = None if "أمس" in text or "ساعات" in text or "ago" in text else NOW
    assert parse_moment(text, now=now) is None
    assert date_line(text, now=now) is None


@pytest.mark.parametrize("text", DATA["not_lines"] + [row[0] for row in DATA["fields"]])
def test_no_date_line(text: str) -> None:
    assert date_line(text, now=NOW) is None


@pytest.mark.parametrize("text", DATA["clock_lines"])
def test_clock_line(text: str) -> None:
    assert is_clock_line(text)
    assert date_line(text, now=NOW) is None


@pytest.mark.parametrize("text", DATA["not_clock_lines"])
def test_no_clock_line(text: str) -> None:
    assert not is_clock_line(text)


@pytest.mark.parametrize("case", DATA["prose"], ids=lambda case: case["text"][:40])
def test_event_dates(case: dict[str, Any]) -> None:
    assert [day.isoformat() for day in find_event_dates(case["text"], now=NOW)] == case["dates"]


NAMED = [
    (system, order, digits)
    for (system, order, digits) in product(MONTHS, ORDERS, DIGITS)
    if digits == "ascii" or system not in ("english", "english-short", "french")
]


@pytest.mark.parametrize(("system", "order", "digits"), NAMED)
def test_every_month_name(system: str, order: str, digits: str) -> None:
    for number, name in enumerate(MONTHS[system], start=1):
        for day in (1, 9, 12, 28):
            text = in_digits(order.format(day=day, month=name, year=2015), digits)
            wanted = datetime(2015, number, day)
            assert seen(date_line(text, now=NOW)) == (wanted, "day", None, None), text
            assert find_event_dates(f"وقع ذلك {text} في المدينة") == [wanted.date()], text


@pytest.mark.parametrize("language", WEEKDAYS)
def test_every_weekday(language: str) -> None:
    for offset, name in enumerate(WEEKDAYS[language]):
        day = date(2016, 5, 16) + timedelta(days=offset)  # a Monday
        moment = date_line(f"{name}, {day.day}/5/2016 9:05")
        assert moment is not None, name
        assert moment.local == datetime(2016, 5, day.day, 9, 5)


def test_ambiguous_order_follows_the_publisher() -> None:
    assert seen(parse_moment("3/4/2019"))[0] == datetime(2019, 4, 3)
    assert seen(parse_moment("3/4/2019", month_first=True))[0] == datetime(2019, 3, 4)
    assert seen(parse_moment("٣-٤-٢٠١٩", month_first=True))[0] == datetime(2019, 3, 4)
    assert seen(parse_moment("2019/3/4", month_first=True))[0] == datetime(2019, 3, 4)
    assert seen(parse_moment("19/9/2015", month_first=True))[0] == datetime(2015, 9, 19)
    assumed = parse_moment("3/4/2019")
    sure = parse_moment("الاثنين 3/4/2019")
    assert assumed is not None
    assert sure is not None
    assert assumed.is_order_assumed
    assert not sure.is_order_assumed


@pytest.mark.parametrize("month_first", [True, False])
def test_the_three_dates_of_the_oracle(month_first: bool) -> None:
    counters = date_line("  • 9/19/2015", month_first=month_first)
    weekday = date_line("الجمعة 20 مايو 2016 09:05 ص", month_first=month_first)
    assert counters == Moment(datetime(2015, 9, 19), "day")
    assert weekday == Moment(datetime(2016, 5, 20, 9, 5), "minute")
    assert find_event_dates("الثلاثاء 15 سبتمبر/ أيلول 2015") == [date(2015, 9, 15)]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("منذ 3 ساعات", 180),
        ("قبل 12 دقيقة", 12),
        ("قبل ١٤ ساعة", 14 * 60),
        ("منذ ساعة", 60),
        ("منذ ساعتين", 120),
        ("منذ ساعة و 20 دقيقة", 80),
        ("2 hours ago", 120),
        ("Published: 5 minutes ago", 5),
        ("an hour ago", 60),
        ("il y a 3 heures", 180),
        ("نشر منذ 30 ثانية", 1),
    ],
)
def test_told_from_now(text: str, minutes: int) -> None:
    moment = parse_moment(text, now=NOW)
    assert moment is not None
    assert moment.precision == "minute"
    at, evidence, _ = to_utc(moment, timezone=None)
    assert at == NOW - timedelta(minutes=minutes)
    assert evidence == "stated"
    assert date_line(text, now=NOW) == moment


@pytest.mark.parametrize(
    ("text", "local", "precision"),
    [
        ("أمس", datetime(2026, 11, 21), "day"),
        ("أمس 09:05 م", datetime(2026, 11, 21, 21, 5), "minute"),
        ("أول أمس", datetime(2026, 11, 20), "day"),
        ("اليوم، 09:05 ص", datetime(2026, 11, 22, 9, 5), "minute"),
        ("yesterday at 9:05", datetime(2026, 11, 21, 9, 5), "minute"),
        ("منذ يومين", datetime(2026, 11, 20), "day"),
        ("قبل 5 أيام", datetime(2026, 11, 17), "day"),
    ],
)
def test_day_words(text: str, local: datetime, precision: str) -> None:
    assert parse_moment(text, now=NOW) == Moment(local, precision)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["منذ شهر", "منذ أسبوعين", "قال أمس إن", "منذ 999 يوما", "منذ", "3 ساعات", "أمس 25:00"]
)
def test_too_coarse_or_not_alone(text: str) -> None:
    assert parse_moment(text, now=NOW) is None


def test_now_bounds_the_future() -> None:
    eastern = NOW.astimezone(timezone(timedelta(hours=3)))
    assert parse_moment("2026-11-23 11:00", now=NOW) is not None
    assert parse_moment("2026-11-23 13:00", now=NOW) is None
    assert parse_moment("2026-11-23 13:00 +0300", now=eastern) is not None
    assert parse_moment("2026-11-23 13:00") is not None


def test_updates_are_told_apart() -> None:
    assert is_update_line("آخر تحديث: 20 مايو 2016 09:05")
    assert is_update_line("Last updated on 20 May 2016")
    assert not is_update_line("نشر: 20 مايو 2016 | آخر تحديث: 21 مايو 2016")
    assert not is_update_line("تاريخ النشر: 20 مايو 2016")
    assert not is_update_line("آخر تحديث")


def test_looks_no_further_than_a_date_line_is_long() -> None:
    far = "كلمة " * 60 + "20 مايو 2016"
    assert parse_moment(far) is None
    assert date_line("20 مايو 2016" + " -" * 200) is None
    assert find_event_dates(far) == [date(2016, 5, 20)]


HARD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("0123456789٠١٢٣٤٥٦٧٨٩/-.:+ TZصم،,()هـ²Ⅻ१\u200f\u0640\ud800"),
    )
)
WORDS = st.lists(st.sampled_from([*DATA["shards"], "9" * 5000]), max_size=14).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words)])
)


@given(st.one_of(HARD, WORDS), st.booleans(), st.sampled_from([None, NOW, datetime(2020, 1, 1)]))
def test_nothing_raises(text: str, month_first: bool, now: datetime | None) -> None:
    line = date_line(text, month_first=month_first, now=now)
    moment = parse_moment(text, month_first=month_first, now=now)
    assert line is None or line == moment
    assert line is None or not is_clock_line(text)
    is_update_line(text)
    days = find_event_dates(text, now=now)
    assert len(days) == len(set(days))
    if moment:
        assert moment.local.year >= 1990
        assert to_utc(moment, timezone="Asia/Riyadh")[0].tzinfo is UTC


@given(
    st.dates(date(1990, 1, 1), date(2026, 11, 22)),
    st.times(),
    st.sampled_from(sorted(MONTHS)),
    st.sampled_from(sorted(DIGITS)),
)
def test_round_trip(day: date, clock: Any, system: str, digits: str) -> None:
    month = MONTHS[system][day.month - 1]
    half = "ص" if clock.hour < 12 else "م"
    text = f"{day.day} {month} {day.year} {clock.hour % 12 or 12:02d}:{clock.minute:02d} {half}"
    wanted = datetime(day.year, day.month, day.day, clock.hour, clock.minute)
    assert date_line(in_digits(text, digits)) == Moment(wanted, "minute")
    iso = parse_moment(in_digits(wanted.isoformat(), digits))
    assert iso == Moment(wanted, "second")
