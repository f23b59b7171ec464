"""Requeue and settle: acknowledged first, settled then, whatever breaks in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from schemas.topics import DEAD_LETTERS, PAGES
from stream.config import KafkaConfig
from stream.deadletter import SETTLES
from stream.letters import Filter, read_letters
from stream.settle import MAX_CHUNK_LETTERS, Hand, Left, discard, requeue, who
from stream.stage import Message
from tests.stream.fakes import NOW, message
from tests.support.letter_kit import BrokenError, FakeTopic, dead_letters

__all__ = ["dead_letters"]  # a fixture

KAFKA = KafkaConfig()
HAND = Hand(clock=lambda: NOW, by="me@here")


async def waiting(wanted: Filter | None = None) -> list[str]:
    return [str(listed.place) for listed in await read_letters(KAFKA, wanted or Filter())]


async def test_what_went_back_is_off_the_list(dead_letters: FakeTopic) -> None:
    for number in range(3):
        dead_letters.put(message(b"%d" % number, offset=number), partition=number % 2)
    report = await requeue(KAFKA, await read_letters(KAFKA, Filter()), HAND)
    assert (report.settled, report.left, report.is_stopped) == (3, [], False)
    assert [(each.topic, each.value) for each in dead_letters.others] == [
        (PAGES.name, b"%d" % number) for number in range(3)
    ]
    assert await waiting() == []
    since = Filter(since=NOW - timedelta(days=1))
    assert await waiting(since) == [], "a list since a moment sees the settlements too"


async def test_copies_go_back_once_and_are_settled_all(dead_letters: FakeTopic) -> None:
    page = message(b"page")
    dead_letters.put(page)
    dead_letters.put(page)
    report = await requeue(KAFKA, await read_letters(KAFKA, Filter()), HAND)
    assert report.settled == 1
    assert len(dead_letters.others) == 1
    assert await waiting() == []


async def test_a_crash_before_the_settlement_leaves_the_letter(dead_letters: FakeTopic) -> None:
    dead_letters.put(message(b"page"))
    dead_letters.error_of = lambda sent: BrokenError() if sent.topic == DEAD_LETTERS.name else None
    with pytest.raises(BrokenError):
        await requeue(KAFKA, await read_letters(KAFKA, Filter()), HAND)
    assert [each.value for each in dead_letters.others] == [b"page"]
    assert await waiting() == ["0:0"], "it went back but is listed: once more does no harm"


async def test_a_broker_that_breaks_costs_no_letter(dead_letters: FakeTopic) -> None:
    for number in range(4):
        dead_letters.put(message(b"%d" % number, offset=number))
    dead_letters.error_of = lambda sent: BrokenError() if sent.value == b"1" else None
    with pytest.raises(BrokenError):
        await requeue(KAFKA, await read_letters(KAFKA, Filter()), HAND)
    assert await waiting() == ["0:1"], "what was acknowledged is settled all the same"


async def test_what_the_topic_refuses_stays_and_is_told(dead_letters: FakeTopic) -> None:
    dead_letters.put(message(b"big", offset=1))
    dead_letters.put(message(b"small", offset=2))

    def error_of(sent: Message) -> Exception | None:
        return MessageSizeTooLargeError() if sent.value == b"big" else None

    dead_letters.error_of = error_of
    letters = await read_letters(KAFKA, Filter())
    report = await requeue(KAFKA, letters, HAND)
    assert report.left == [Left(letters[0].place, "too large for its topic, as it is now")]
    assert await waiting() == ["0:0"]


async def test_stopped_in_the_middle_what_is_in_flight_is_settled(dead_letters: FakeTopic) -> None:
    for number in range(MAX_CHUNK_LETTERS + 20):
        dead_letters.put(message(b"%d" % number, offset=number))
    done: list[bool] = []
    hand = Hand(
        clock=lambda: NOW,
        by="me",
        should_stop=lambda: len(done) >= MAX_CHUNK_LETTERS,
        advance=lambda: done.append(True),
    )
    report = await requeue(KAFKA, await read_letters(KAFKA, Filter()), hand)
    assert (report.is_stopped, report.settled) == (True, MAX_CHUNK_LETTERS)
    assert len(dead_letters.others) == MAX_CHUNK_LETTERS
    assert len(await waiting()) == 20
    rest = await discard(KAFKA, await read_letters(KAFKA, Filter()), hand)
    assert (rest.is_stopped, rest.settled) == (True, 0)


async def test_a_letter_that_left_the_topic_is_told(dead_letters: FakeTopic) -> None:
    dead_letters.put(message(b"page"))
    letters = await read_letters(KAFKA, Filter())
    dead_letters.records.clear()
    report = await requeue(KAFKA, letters, HAND)
    assert report.left == [Left(letters[0].place, "is no longer on the topic")]


async def test_discarded_is_off_the_list_and_goes_nowhere(dead_letters: FakeTopic) -> None:
    dead_letters.put_raw(message(b"hello", key=None))
    report = await discard(KAFKA, await read_letters(KAFKA, Filter()), HAND)
    assert (report.settled, dead_letters.others) == (1, [])
    settlement = dead_letters.records[-1]
    assert settlement.value is None
    assert settlement.headers[SETTLES + "how"] == b"discarded"
    assert settlement.headers[SETTLES + "by"] == b"me@here"
    assert await waiting() == []


async def test_a_settlement_is_never_older_than_its_letter(dead_letters: FakeTopic) -> None:
    dead_letters.put(message(b"page"))
    (listed,) = await read_letters(KAFKA, Filter())
    slow = Hand(clock=lambda: listed.written_at - timedelta(hours=1), by="me")
    await discard(KAFKA, [listed], slow)
    assert await waiting(Filter(since=listed.written_at)) == []


def test_who_is_a_user_at_a_machine() -> None:
    user, _, machine = who().partition("@")
    assert user
    assert machine
