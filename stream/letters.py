"""The dead-letter topic as a list: what lies there and is not settled, and the filters for it.

A letter is never taken off the topic (Kafka cannot). When it is done with, a settlement is
written behind it on the same partition (``stream/requeue.py``); a list is all letters less the
settled ones. What others wrote to the topic is listed as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.errors import DecodeError, InputError
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS
from stream.config import KafkaConfig
from stream.deadletter import (
    CUT,
    REQUEUE_COUNT,
    SETTLES,
    TRUNCATED,
    count_in,
    from_message,
    is_settlement,
    settled_offset,
)
from stream.stage import Message
from stream.tail import TailOptions, tail

UNREADABLE = "unreadable"
"""Stands for stage and reason of a record that is no letter of ours."""

_PLACE = re.compile(r"^(\d{1,9}):(\d{1,18})$", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """Where a letter lies on the dead-letter topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One letter as a list knows it: everything but the original's bytes.

    Attributes:
        place: Where it lies.
        key: Key of the record, as it came.
        size_bytes: Size of the value that is kept; ``None``: a tombstone.
        letter: The letter without its original; ``None``: the record is no letter of ours.
        why: Why the record is unreadable; empty for a letter.
        written_at: Time of the record; that of a letter is when its message failed.
        truncated_from: Original size of a value that was cut, bytes; ``None``: it is whole.
        cut: What else of the original is missing: ``key``, ``headers``; empty: nothing.
        requeued: How often the message was put back before it failed this time.
        copies: The same letter written again (a worker was killed before its commit).
        settled: What became of it and who did that; empty: it still waits.
    """

    place: Place
    key: bytes | None
    size_bytes: int | None
    letter: DeadLetter | None = None
    why: str = ""
    written_at: datetime
    truncated_from: int | None = None
    cut: str = ""
    requeued: int = 0
    copies: tuple[Place, ...] = ()
    settled: str = ""

    @property
    def stage(self) -> str:
        """Stage that refused the message."""
        return UNREADABLE if self.letter is None else self.letter.stage

    @property
    def reason(self) -> str:
        """Why it was refused, one word."""
        return UNREADABLE if self.letter is None else self.letter.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which letters are wanted; each field that is set must hold.

    Attributes:
        stages: Stages that refused the message.
        reasons: Reasons, words of the closed list or ``unreadable``.
        topics: Full names of the topics that the messages were read from.
        key: Key of the message; of a page or an article its id.
        since: Failed at this moment or later.
        until: Failed before this moment.
        places: These letters and no others.
        limit: At most so many, the oldest; ``None``: no bound.
    """

    stages: Collection[str] = ()
    reasons: Collection[str] = ()
    topics: Collection[str] = ()
    key: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None
    places: Collection[Place] = ()
    limit: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether it leaves nothing out."""
        return self == Filter()

    def takes(self, listed: Listed) -> bool:
        """Whether a letter is wanted, the limit aside."""
        origin = "" if listed.letter is None else listed.letter.topic
        return (
            (not self.stages or listed.stage in self.stages)
            and (not self.reasons or listed.reason in self.reasons)
            and (not self.topics or origin in self.topics)
            and (self.key is None or listed.key == self.key)
            and (self.since is None or listed.written_at >= self.since)
            and (self.until is None or listed.written_at < self.until)
            and (not self.places or listed.place in self.places)
        )


@dataclass(slots=True)
class Pile:
    """Collects the records of the topic; :meth:`letters` is what is left of them."""

    wanted: Filter = field(default_factory=Filter)
    _found: list[Listed] = field(default_factory=list)
    _settled: dict[Place, str] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        """Take a record of the dead-letter topic, whatever it is."""
        if is_settlement(message):
            offset = settled_offset(message)
            if offset is not None:
                place = Place(message.partition, offset)
                self._settled.setdefault(place, _settled_words(message))
            return
        listed = listed_of(message)
        if self.wanted.takes(listed):
            self._found.append(listed)

    def letters(self, *, has_settled: bool = False) -> list[Listed]:
        """Letters that wait, oldest first, copies of one as one; settled ones only if wanted."""
        found = sorted(self._found, key=lambda listed: (listed.written_at, listed.place))
        known = [replace(each, settled=self._settled.get(each.place, "")) for each in found]
        left = [each for each in known if has_settled or not each.settled]
        return without_copies(left)[: self.wanted.limit]


async def read_letters(
    kafka: KafkaConfig,
    wanted: Filter,
    *,
    has_settled: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> list[Listed]:
    """The letters that wait, oldest first; holds no originals, so that any number fits.

    Args:
        kafka: How to reach the broker.
        wanted: Which ones.
        has_settled: Also those that are done with.
        advance: Called once a record read.

    Raises:
        BrokerError: The broker does not answer, or has no such topic.
    """
    pile = Pile(wanted)
    options = TailOptions(since=wanted.since, has_settlements=True)
    async with aclosing(tail(kafka, DEAD_LETTERS, options)) as messages:
        async for message in messages:
            pile.add(message)
            advance()
    return pile.letters(has_settled=has_settled)


async def fetch(
    kafka: KafkaConfig, letters: Iterable[Listed]
) -> AsyncGenerator[tuple[Listed, Message], None]:
    """Read letters once more, with their originals; ends when all are read.

    Raises:
        BrokerError: The broker does not answer, or has no such topic.
    """
    waiting = {listed.place: listed for listed in letters}
    if not waiting:
        return
    since = min(listed.written_at for listed in waiting.values())
    async with aclosing(tail(kafka, DEAD_LETTERS, TailOptions(since=since))) as messages:
        async for message in messages:
            listed = waiting.pop(Place(message.partition, message.offset), None)
            if listed is not None:
                yield listed, message
            if not waiting:
                return


def listed_of(message: Message) -> Listed:
    """A record of the topic as a list shows it; never raises."""
    listed = Listed(
        place=Place(message.partition, message.offset),
        key=message.key,
        size_bytes=None if message.value is None else len(message.value),
        written_at=moment(message.timestamp_ms) or _EPOCH,
    )
    try:
        letter = replace(from_message(message), original=None)
    except DecodeError as error:
        return replace(listed, why=str(error))
    has_cut = TRUNCATED in message.headers
    return replace(
        listed,
        letter=letter,
        truncated_from=count_in(message.headers, TRUNCATED) if has_cut else None,
        cut=(message.headers.get(CUT) or b"").decode("ascii", "replace"),
        requeued=count_in(message.headers, REQUEUE_COUNT),
    )


def without_copies(letters: Iterable[Listed]) -> list[Listed]:
    """One of each: a message that was refused twice at the same place gave the same letter."""
    firsts: dict[object, Listed] = {}
    for listed in letters:
        one = _identity(listed)
        first = firsts.get(one)
        is_copy = first is not None and bool(first.settled) == bool(listed.settled)
        if first is not None and is_copy:
            firsts[one] = replace(first, copies=(*first.copies, listed.place))
        else:
            firsts[listed.place if first is not None else one] = listed
    return list(firsts.values())


def parse_place(text: str) -> Place:
    """A place from ``PARTITION:OFFSET``.

    Raises:
        InputError: It is none.
    """
    match = _PLACE.match(text.strip())
    if match is None:
        raise InputError(
            f"{text!r} is no letter; write PARTITION:OFFSET as `nashra deadletters list` shows it"
        )
    return Place(int(match[1]), int(match[2]))


def moment(at_ms: int) -> datetime | None:
    """A Kafka timestamp as a moment; ``None``: there is none, or it is out of all bounds."""
    try:
        return None if at_ms < 0 else _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return None


def _identity(listed: Listed) -> object:
    letter = listed.letter
    if letter is None:
        return listed.place
    origin = (letter.topic, letter.partition, letter.offset)
    # Offsets start again where a topic was made anew: the time tells those apart.
    return (*origin, letter.timestamp_ms, letter.stage, listed.key)


def _settled_words(message: Message) -> str:
    def said(name: str) -> str:
        return (message.headers.get(SETTLES + name) or b"?").decode("utf-8", "replace")

    return f"{said('how')} at {said('at')} by {said('by')}"
