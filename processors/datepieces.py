"""What a text falls into when a date is looked for: tokens, and the pieces made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, TypeVar

from processors.datewords import LONGEST_PHRASE, LabelKind, Phrase
from processors.fold import fold
from schemas.articles import Precision

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moment:
    """One date as read from a text.

    Attributes:
        local: Wall time, naive; midnight where only the day is stated.
        precision: Finest unit that the text states.
        utc_offset_s: Seconds east of UTC; ``None``: no single offset is stated.
        zone_name: Zone as stated: IANA name of a place, or an abbreviation; may be set where
            ``utc_offset_s`` is ``None`` (Cairo: the offset depends on the date).
        is_order_assumed: 3/4/2019 with nothing beside it that tells day from month.
    """

    local: datetime
    precision: Precision
    utc_offset_s: int | None = None
    zone_name: str | None = None
    is_order_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A run of ASCII digits, a word, or one other sign; spans are into the folded text."""

    kind: Literal["number", "word", "sign"]
    text: str
    start: int
    end: int

    @property
    def number(self) -> int:
        """Value of a number; -1 for anything else or more than 14 digits."""
        return int(self.text) if self.kind == "number" and len(self.text) <= 14 else -1


@dataclass(frozen=True, slots=True)
class Day:
    """A full date; ``day`` ``None``: written like one and impossible (30 February).

    ``other`` is the second reading of a numeric date whose order is not known; ``written`` then
    holds its first two numbers as they stand.
    """

    day: date | None
    other: date | None = None
    written: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Ago:
    """A moment told from now: so many seconds, or (``is_day``) so many days back."""

    count: int
    is_day: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day; ``at`` ``None``: written like one and impossible (25:00).

    ``is_american``: seconds and a Latin AM or PM, the way .NET prints ``M/d/yyyy h:mm:ss tt``.
    """

    at: time | None
    precision: Precision = "minute"
    is_american: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """A stated zone; both ``None``: said in a way that does not tell which."""

    offset_s: int | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Weekday:
    """ISO number, Monday 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Label:
    """A word that may stand in a date line."""

    kind: LabelKind


@dataclass(frozen=True, slots=True)
class Filler:
    """Punctuation, a bullet, a Hijri date beside the Gregorian one."""


@dataclass(frozen=True, slots=True)
class Junk:
    """A word or number that belongs to no date."""


Piece = Day | Ago | Clock | Zone | Weekday | Label | Filler | Junk
Found = tuple[list[Piece], int] | None
"""Pieces and the index of the next token; ``None``: nothing of the kind starts here."""

_TOKEN = re.compile(r"([0-9]+)|([^\W\d_]+(?:'[^\W\d_]+)*)|(\S)")
_KINDS: tuple[Literal["number", "word", "sign"], ...] = ("number", "word", "sign")
# "a.m.", "p. m.", and the Arabic "t.gh." (Greenwich time): one word.
_DOTTED = re.compile(r"(?<!\w)([^\W\d_])\. ?([^\W\d_])(?:\.|(?!\w))")
_SIGNS = str.maketrans(
    {
        "\u2010": "-",
        "\u2011": "-",
        "\u2212": "-",  # minus
        "\u2013": "-",
        "\u2014": "-",
        "\u2044": "/",  # fraction slash
        "\u2215": "/",
        "\\": "/",
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},  # full width
        "\uff0f": "/",
        "\uff1a": ":",
        "\u02d0": ":",
        "\u2236": ":",
    }
)


def tokenize(text: str) -> list[Token]:
    """Fold a text and split it; linear in its length."""
    plain = _DOTTED.sub(r"\1\2", fold(text).translate(_SIGNS))
    return [
        Token(_KINDS[(match.lastindex or 1) - 1], match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(plain)
    ]


def phrase_at(
    tokens: Sequence[Token], index: int, table: Mapping[Phrase, T]
) -> tuple[T, int] | None:
    """The longest phrase of ``table`` that starts at ``index``, and the next index."""
    words: list[str] = []
    for token in tokens[index : index + LONGEST_PHRASE]:
        if token.kind != "word":
            break
        words.append(token.text)
    for count in range(len(words), 0, -1):
        value = table.get(tuple(words[:count]))
        if value is not None:
            return value, index + count
    return None


def skip_phrase(tokens: Sequence[Token], index: int, table: Mapping[Phrase, bool]) -> int:
    """The index after a phrase of ``table``, or ``index`` itself where there is none."""
    found = phrase_at(tokens, index, table)
    return found[1] if found else index


def is_sign(tokens: Sequence[Token], index: int, signs: str) -> bool:
    """Whether the token at ``index`` exists and is one of ``signs``."""
    return 0 <= index < len(tokens) and tokens[index].text in signs and bool(tokens[index].text)


def is_glued(tokens: Sequence[Token], index: int) -> bool:
    """Whether no white space stands before the token at ``index`` (0: there is)."""
    return 0 < index < len(tokens) and tokens[index - 1].end == tokens[index].start


def number_at(tokens: Sequence[Token], index: int, *lengths: int) -> int:
    """Value of the number at ``index`` if it has one of so many digits; else -1."""
    if 0 <= index < len(tokens) and len(tokens[index].text) in lengths:
        return tokens[index].number
    return -1
