"""The dead-letter topic as a list: what waits, what is settled, what is no letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.errors import DecodeError, InputError, Reason
from schemas.topics import CLEAN, DEAD_LETTERS, FEEDS, PAGES
from stream.deadletter import (
    MAX_HEADER_BYTES,
    MAX_KEY_BYTES,
    PREFIX,
    REQUEUE_ATTEMPTS,
    SETTLES,
    from_message,
    is_settlement,
    out_of,
    settlement_headers,
)
from stream.letters import Filter, Listed, Pile, Place, listed_of, moment, parse_place
from stream.requeue import MAX_REQUEUES, refusal, requeue_out, topics_of
from stream.stage import AGAIN, Dead, Message
from tests.stream.fakes import NOW, message, stage

DEAD = Dead(Reason.UNDECODABLE, "no page", "decode")
HEADERS: Mapping[str, bytes | None] = {"traceparent": b"00-1", "odd": b"\xff\x00", "none": None}


def on_topic(
    given: Message, *, partition: int = 3, offset: int = 5, later_s: float = 0, **changes: object
) -> Message:
    """The dead letter of a message as it lies on the topic."""
    now = NOW + timedelta(seconds=later_s)
    out = out_of(stage(), given, replace(DEAD, **changes), now=now)  # type: ignore[arg-type]
    return Message(
        key=out.key,
        value=out.value,
        headers=dict(out.headers),
        topic=out.topic.name,
        partition=partition,
        offset=offset,
        timestamp_ms=out.timestamp_ms,
    )


def settlement(place: Place, offset: int, **headers: bytes) -> Message:
    fields = settlement_headers(place.offset, how="requeued", at=NOW, by="me@here")
    return Message(
        key=b"key",
        value=None,
        headers=dict(fields) | headers,
        topic=DEAD_LETTERS.name,
        partition=place.partition,
        offset=offset,
        timestamp_ms=0,
    )


def left(*records: Message, wanted: Filter | None = None) -> list[Listed]:
    pile = Pile(wanted or Filter())
    for record in records:
        pile.add(record)
    return pile.letters()


def places(letters: list[Listed]) -> list[str]:
    return [str(listed.place) for listed in letters]


def test_a_settled_letter_is_off_the_list_and_its_neighbours_stay() -> None:
    letters = [on_topic(message(offset=n), offset=n) for n in (5, 6)]
    letters.append(on_topic(message(offset=9), partition=4, offset=5))
    assert places(left(*letters, settlement(Place(3, 5), 8))) == ["3:6", "4:5"]
    pile = Pile()
    for record in (*letters, settlement(Place(3, 5), 8)):
        pile.add(record)
    settled = [listed.settled for listed in pile.letters(has_settled=True) if listed.settled]
    assert settled == [f"requeued at {NOW.isoformat()} by me@here"]


@pytest.mark.parametrize("offset", [b"", b"x", b"-1", b"9" * 40, b"8", b"9"])
def test_a_settlement_of_nothing_or_of_what_comes_later_settles_nothing(offset: bytes) -> None:
    broken = settlement(Place(3, 5), 8, **{SETTLES + "offset": offset})
    letters = [on_topic(message(offset=n), offset=n) for n in (0, 5, 9)]
    assert places(left(*letters, broken)) == ["3:0", "3:5", "3:9"]


def test_a_page_that_calls_itself_a_settlement_is_a_letter_all_the_same() -> None:
    evil = {SETTLES + "offset": b"5", SETTLES + "how": b"requeued"}
    first, second = on_topic(message(offset=5)), on_topic(message(headers=evil), offset=6)
    assert places(left(first, second)) == ["3:5", "3:6"]
    assert not is_settlement(replace(settlement(Place(0, 1), 2), topic=PAGES.name))


def test_a_settlement_is_no_letter() -> None:
    with pytest.raises(DecodeError, match="settles one"):
        from_message(settlement(Place(3, 5), 8))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("versions", b"5"),
        ("versions", b"{"),
        ("offset", b"many"),
        ("failed-at", b"0001-01-01T00:00:00+14:00"),
        ("attempts", b"\xff"),
    ],
)
def test_what_others_wrote_is_unreadable_and_no_crash(name: str, value: bytes) -> None:
    spoilt = on_topic(message())
    spoilt = replace(spoilt, headers={**spoilt.headers, PREFIX + name: value})
    foreign = message(b"hello", topic=DEAD_LETTERS.name, headers={"a": None}, timestamp_ms=-1)
    found = left(foreign, spoilt, replace(spoilt, value=None, offset=6))
    assert [listed.reason for listed in found] == ["unreadable"] * 3
    assert [listed.size_bytes for listed in found] == [5, 2, None]
    assert all(listed.why and "no dead letter" in listed.why for listed in found)
    assert all("unreadable" in str(refusal(listed)) or listed.why for listed in found)


def test_the_same_letter_twice_is_listed_once_and_settled_in_both_places() -> None:
    page = message(offset=7)
    once, twice = on_topic(page, offset=5), on_topic(page, offset=6, later_s=9)
    other = on_topic(replace(page, timestamp_ms=1), offset=8)  # the topic was made anew
    found = left(once, twice, other)
    assert places(found) == ["3:5", "3:8"]
    assert found[0].copies == (Place(3, 6),)
    late = left(once, settlement(Place(3, 5), 7), twice)
    assert places(late) == ["3:6"], "a copy that came after the settlement waits"


def test_filters_hold_together() -> None:
    first = on_topic(message(key=b"a", offset=1), offset=1)
    second = on_topic(
        message(key=b"b", offset=2, topic=CLEAN.name), offset=2, later_s=60, reason=Reason.EMPTY
    )
    foreign = message(b"x", topic=DEAD_LETTERS.name, offset=3, timestamp_ms=0)
    given = (first, second, foreign)
    minute = NOW + timedelta(seconds=60)
    expected: dict[str, Filter] = {
        "3:1": Filter(key=b"a"),
        "3:2": Filter(topics=[CLEAN.name]),
        "3:1 3:2": Filter(stages=["cleaner"]),
        "3:3": Filter(reasons=["unreadable"]),
        "3:2 ": Filter(since=minute.replace(microsecond=0)),
        "3:3 3:1": Filter(until=minute.replace(microsecond=0)),
        "": Filter(reasons=["empty"], key=b"a"),
        " 3:2": Filter(places=[Place(3, 2)]),
        "3:3 ": Filter(limit=1),
    }
    for names, wanted in expected.items():
        assert places(left(*given, wanted=wanted)) == names.split(), wanted
    assert Filter().is_all
    assert not Filter(limit=1).is_all


def test_a_place_is_partition_and_offset() -> None:
    assert parse_place(" 3:17 ") == Place(3, 17)
    for text in ("3", "3:", "-1:2", "3:17:1", "٣:١", "3:" + "9" * 30):
        with pytest.raises(InputError, match="write PARTITION:OFFSET"):
            parse_place(text)


def test_a_timestamp_out_of_all_bounds_is_none() -> None:
    assert moment(-1) is None
    assert moment(2**62) is None
    assert moment(0) is not None


def test_what_goes_back_is_the_original_and_the_story_of_its_failure() -> None:
    at_ms = round(NOW.timestamp() * 1000)
    page = message(b"\xff{", headers=HEADERS, timestamp_ms=at_ms)
    letter = on_topic(page)
    out = requeue_out(listed_of(letter), letter, now=NOW)
    assert (out.topic, out.key, out.value, out.timestamp_ms) == (PAGES, page.key, page.value, at_ms)
    headers = dict(out.headers)
    assert len(headers) == len(out.headers)
    assert {name: headers.pop(name) for name in HEADERS} == HEADERS
    assert headers == {
        AGAIN: b"1",
        "nashra-requeue-count": b"1",
        "nashra-requeue-attempts": b"1",
        "nashra-requeue-reason": b"cleaner: undecodable",
    }


def test_tries_and_requeues_go_on_counting_and_headers_do_not_pile_up() -> None:
    page = message(headers={**HEADERS, AGAIN: b"1"})
    for life in range(1, 5):
        letter = on_topic(page)
        listed = listed_of(letter)
        assert listed.letter is not None
        assert (listed.letter.attempts, listed.requeued) == (life, life - 1)
        assert (refusal(listed) is None) == (life <= MAX_REQUEUES)
        assert refusal(listed, is_forced=True) is None
        out = requeue_out(listed, letter, now=NOW)
        assert len(out.headers) == len(HEADERS) + 4
        page = message(out.value, headers=dict(out.headers))


@pytest.mark.parametrize("value", [None, b"", b"-3", b"many", b"9" * 5000, "٣".encode()])
def test_a_count_that_is_none_counts_nothing(value: bytes | None) -> None:
    letter = from_message(on_topic(message(headers={REQUEUE_ATTEMPTS: value})))
    assert letter.attempts == 1


@pytest.mark.parametrize("at_ms", [1_700_000_000_123, -1, 2**62])
def test_a_time_that_the_topic_would_not_keep_becomes_now(at_ms: int) -> None:
    letter = on_topic(message(timestamp_ms=at_ms))
    out = requeue_out(listed_of(letter), letter, now=NOW)
    assert out.timestamp_ms == round(NOW.timestamp() * 1000)


def test_what_lacks_a_part_cannot_go_back() -> None:
    big = message(b"x" * 3_000_000)
    key = message(key=b"k" * (MAX_KEY_BYTES + 1))
    headers = message(headers={"h": b"h" * (MAX_HEADER_BYTES + 1)})
    unwritable = message(headers={"\ud800": b"1"})
    whys = [refusal(listed_of(on_topic(each))) for each in (big, key, headers, unwritable)]
    assert "of its 3,000,000 bytes were kept" in str(whys[0])
    assert [str(why).partition(", ")[2].split()[1] for why in whys[1:]] == [
        "key",
        "headers",
        "headers",
    ]


def test_where_it_may_go_back_to() -> None:
    for name in ("nashra.none.v1", DEAD_LETTERS.name):
        listed = listed_of(on_topic(message(topic=name)))
        assert f"nashra reads no topic {name!r}" in str(refusal(listed, is_forced=True))
    feeds = listed_of(on_topic(message(topic=FEEDS.name)))
    assert "--force" in str(refusal(feeds))
    assert refusal(feeds, is_forced=True) is None
    assert topics_of([feeds]) == {FEEDS}


def test_a_dead_tombstone_and_a_null_key_go_back_as_they_were() -> None:
    for key, value in ((b"k", None), (None, b"v"), (b"", b"")):
        letter = on_topic(message(value, key=key))
        out = requeue_out(listed_of(letter), letter, now=NOW)
        assert (out.key, out.value) == (key, value)


def test_without_key_and_value_there_is_no_record_to_send() -> None:
    letter = on_topic(message(None, key=None))
    assert (letter.key, letter.value) == (b"", None), "aiokafka would refuse the letter itself"
    assert "its key did not fit" in str(refusal(listed_of(letter)))
    foreign = replace(letter, key=None, headers={**letter.headers, PREFIX + "cut": b""})
    assert "neither key nor value" in str(refusal(listed_of(foreign)))
