"""Agencies, newspapers, places and metadata labels, read from data files at start."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

import msgspec

from processors.fold import fold
from schemas.errors import RuleFileError

T = TypeVar("T")


class _Agency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    spellings: tuple[str, ...]


class _AgencyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    generic: tuple[str, ...]
    agency: tuple[_Agency, ...]


class _LabelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    credit: tuple[str, ...]
    keywords: tuple[str, ...]
    byline: tuple[str, ...]
    byline_with_colon: tuple[str, ...]
    no_place: tuple[str, ...]
    story_openers: tuple[str, ...]
    no_publisher: tuple[str, ...]
    no_person: tuple[str, ...]
    given_names: tuple[str, ...]
    publishers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Look-up tables; every key is folded.

    Attributes:
        agencies: Spelling (folded, no dots or spaces) -> canonical name.
        spelled_out: Keys written letter by letter only (``AP`` in Arabic letters, with dots or
            spaces): run together they are other words.
        generic_agencies: Words for agencies in general (same key form).
        places: Names of places.
        no_place: Dateline heads that are no place ("capitals").
        story_openers: First words of stories, no names of writers.
        no_publisher: Parts of a source line that name nobody ("social media").
        no_person: Words that stand in names of desks and channels, never of writers.
        given_names: First names of persons.
        publishers: Folded name -> name of newspapers and sites.
        credit_labels: Words that open a source line.
        keyword_labels: Words that open a keyword line.
        byline_labels: Words that open a byline.
        byline_labels_with_colon: The same, only with a colon or dash after them.
    """

    agencies: dict[str, str]
    spelled_out: frozenset[str]
    generic_agencies: frozenset[str]
    places: frozenset[str]
    no_place: frozenset[str]
    story_openers: frozenset[str]
    no_publisher: frozenset[str]
    no_person: frozenset[str]
    given_names: frozenset[str]
    publishers: dict[str, str]
    credit_labels: tuple[str, ...]
    keyword_labels: tuple[str, ...]
    byline_labels: tuple[str, ...]
    byline_labels_with_colon: tuple[str, ...]

    def agency(self, text: str) -> str | None:
        """Canonical name of an agency; a generic word comes back as written; else ``None``."""
        key = squeeze(text)
        if key in self.generic_agencies:
            return text.strip()
        if key in self.spelled_out and not _LETTER_BY_LETTER.search(text.strip()):
            return None  # the month August, not the letters of AP
        return self.agencies.get(key)

    def publisher(self, text: str) -> str | None:
        """Name of a known newspaper or site, quotation marks around it aside; else ``None``."""
        return self.publishers.get(fold(text.strip('«»"“”')))

    def is_place(self, text: str) -> bool:
        """Whether a name is a known place."""
        return fold(text) in self.places


_LETTER_BY_LETTER = re.compile(r"(?:^|[ .])\w(?:[ .]|$)")
_NOT_NAME = re.compile(r"[^\w]+")


def squeeze(text: str) -> str:
    """Fold and drop dots, spaces and signs, so that the ways to write ``أ ف ب`` fall together."""
    return _NOT_NAME.sub("", fold(text))


def load_names(places: Iterable[str], given_names: Iterable[str]) -> Names:
    """Read ``agencies.toml`` and ``labels.toml``; places and names come from the entity data.

    Raises:
        RuleFileError: A file is wrong; the message names file and field.
    """
    agencies = _read("agencies.toml", _AgencyFile)
    labels = _read("labels.toml", _LabelFile)
    written = [(s, a.name) for a in agencies.agency for s in (a.name, *a.spellings)]
    run_together = {squeeze(s) for s, _ in written if not _LETTER_BY_LETTER.search(s)}
    return Names(
        agencies={squeeze(spelling): name for spelling, name in written},
        spelled_out=frozenset(squeeze(s) for s, _ in written) - run_together,
        generic_agencies=frozenset(map(squeeze, agencies.generic)),
        places=frozenset(map(fold, places)),
        no_place=frozenset(map(fold, labels.no_place)),
        story_openers=frozenset(map(fold, labels.story_openers)),
        no_publisher=frozenset(map(fold, labels.no_publisher)),
        no_person=frozenset(map(fold, labels.no_person)),
        given_names=frozenset(map(fold, (*given_names, *labels.given_names))),
        publishers={fold(name): name for name in labels.publishers},
        credit_labels=_longest_first(labels.credit),
        keyword_labels=_longest_first(labels.keywords),
        byline_labels=_longest_first(labels.byline),
        byline_labels_with_colon=_longest_first(labels.byline_with_colon),
    )


def _longest_first(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({fold(word) for word in words}, key=lambda word: (-len(word), word)))


def _read(name: str, kind: type[T]) -> T:
    text = (resources.files("processors") / name).read_text("utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleFileError(f"{name}: {error}") from error
