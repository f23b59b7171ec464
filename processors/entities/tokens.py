"""Words of a text with exact positions, folded for matching.

Folding never moves a position: each :class:`Word` keeps its span in the original text, and
:func:`cut_after` finds the place in the original word that a number of folded letters covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

# Tashkil, Koranic marks, tatweel, soft hyphen, zero-width joiners: written, but no letters.
_SKIPPED: Final = (
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    "\u00ad\u200c\u200d"
)
_WORD: Final = re.compile(rf"[^\W_](?:[^\W_]|[{_SKIPPED}])*")
_IS_SKIPPED: Final = re.compile(f"[{_SKIPPED}]")

_DROPPED: Final = re.compile(f'[{_SKIPPED}«»“”"]')

_LETTERS: Final = {
    # alef with hamza above, hamza below, madda, wasla -> alef
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا",
    # alef maksura, Persian ya -> ya; ta marbuta -> ha; Persian kaf -> kaf
    "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك",
    # letters for p, ch, g, v in loan names -> their usual Arabic stand-ins
    "پ": "ب", "چ": "ج", "گ": "غ", "ڤ": "ف",
}  # fmt: skip
_DIGITS: Final = {chr(base + n): str(n) for base in (0x0660, 0x06F0) for n in range(10)}
_TABLE: Final = str.maketrans(_LETTERS | _DIGITS)

_SPACE: Final = "[ \t\u00a0\u2007\u2009\u202f\u200e\u200f]"
# Between two words of one name: space, one hyphen, a dot or apostrophe, an opening quotation mark.
_JOINT: Final = re.compile(
    rf"{_SPACE}{{1,3}}|{_SPACE}?[-\u2010-\u2013]{_SPACE}?|[.'\u2019]|{_SPACE}[«“\"]"
)
OPENING_QUOTES: Final = "«“\"‘'„"
CLOSING_QUOTES: Final = "»”\"’'“"
_INNER_OPENING: Final = re.compile('[«“"]')
# News repeats its words: folding each once saves a third of the time. About 10 MB when full.
_CACHED_WORDS: Final = 65_536
_TANWIN: Final = re.compile("[\u064b-\u064d]")

PROCLITICS: Final = "وفبلك"
"""w- (and), f- (so), b- (in, by), l- (for), k- (like)."""
_CONJUNCTIONS: Final = "وف"
_PREPOSITIONS: Final = "بلك"
_PREFIXES: Final = (*PROCLITICS, *(c + p for c in _CONJUNCTIONS for p in _PREPOSITIONS))


class Word(NamedTuple):
    """One word: ``text[start:end]``, code points, and its folded letters."""

    start: int
    end: int
    folded: str


class Split(NamedTuple):
    """A reading of a folded word as proclitics and a rest.

    Attributes:
        taken: Number of folded letters that are proclitics.
        rest: The word without them, with what l- swallowed put back.
        restored: The letters put back in front (alef, or the whole article).
    """

    taken: int
    rest: str
    restored: str


WHOLE: Final = Split(0, "", "")
"""No proclitics taken off."""


class Text:
    """A text and its words.

    Attributes:
        text: The text as it is.
        words: Its words in order.
    """

    __slots__ = ("text", "words")

    def __init__(self, text: str) -> None:
        """Split ``text`` into words; never raises."""
        self.text = text
        self.words = [
            Word(found.start(), found.end(), fold_word(found.group()))
            for found in _WORD.finditer(text)
        ]

    def gap(self, index: int) -> str:
        """What stands between word ``index`` and the next one."""
        return self.text[self.words[index].end : self.words[index + 1].start]

    def is_joined(self, index: int) -> bool:
        """Whether word ``index`` and the next one can belong to one name."""
        gap = self.gap(index)
        return gap == " " or _JOINT.fullmatch(gap) is not None

    def is_joined_to(self, index: int) -> bool:
        """Whether word ``index`` exists and is joined to the one before it."""
        return 0 < index < len(self.words) and self.is_joined(index - 1)

    def opens_quote(self, first: int, last: int) -> bool:
        """Whether a quotation mark opens between words ``first`` and ``last`` (exclusive)."""
        return any(_INNER_OPENING.search(self.gap(index)) for index in range(first, last - 1))

    def has_tanwin(self, index: int) -> bool:
        """Whether word ``index`` is written with tanwin."""
        word = self.words[index]
        return _TANWIN.search(self.text, word.start, word.end) is not None

    def before(self, index: int) -> str:
        """The folded word before ``index``; empty at the start or over a sentence border."""
        if index == 0 or "\n" in (gap := self.gap(index - 1)) or ". " in gap:
            return ""
        return self.words[index - 1].folded

    def after(self, index: int) -> str:
        """The folded word after ``index``; empty at the end or over a sentence border."""
        if index + 1 >= len(self.words) or "\n" in (gap := self.gap(index)) or ". " in gap:
            return ""
        return self.words[index + 1].folded

    def is_quoted(self, start: int, end: int) -> bool:
        """Whether ``text[start:end]`` stands alone between quotation marks."""
        return (
            start > 0
            and end < len(self.text)
            and self.text[start - 1] in OPENING_QUOTES
            and self.text[end] in CLOSING_QUOTES
        )


@lru_cache(maxsize=_CACHED_WORDS)
def fold_word(word: str) -> str:
    """Fold the letters of one word for matching names.

    Not ``processors.fold.fold``, which reduces whole lines and may change their length: here each
    letter stays one letter, so that :func:`cut_after` finds the place of a match in the original.
    Latin letters keep their case, which tells a name from a word; hamza on waw and ya stays;
    letters for p, ch, g and v become their Arabic stand-ins, for loan names are written both ways.
    """
    if word.isascii():
        return word
    return _IS_SKIPPED.sub("", word).translate(_TABLE)


def fold_name(name: str) -> tuple[str, ...]:
    """The folded words of a name."""
    return tuple(fold_word(found.group()) for found in _WORD.finditer(name))


def tidy(surface: str) -> str:
    """A surface as a name: no tashkil, tatweel or double quotation marks, single spaces."""
    return " ".join(_DROPPED.sub("", surface).split())


def cut_after(raw: str, letters: int) -> int:
    """Index in ``raw`` behind its first ``letters`` folded letters and the marks on them."""
    index = 0
    while index < len(raw) and (letters or _IS_SKIPPED.match(raw, index)):
        letters -= not _IS_SKIPPED.match(raw, index)
        index += 1
    return index


def written_forms(words: Iterable[str]) -> dict[str, Split]:
    """All folded forms in which ``words`` are written with proclitics, and how each reads.

    A form that is itself one of the words reads as that word.
    """
    forms: dict[str, Split] = {}
    for word in words:
        for prefix in _PREFIXES:
            forms.setdefault(prefix + word, Split(len(prefix), word, ""))
            if prefix.endswith("ل") and word.startswith("ال"):
                is_double = word.startswith("الل")
                restored = "ال" if is_double else "ا"
                written = prefix + word[len(restored) :]
                forms.setdefault(written, Split(len(prefix), word, restored))
    return forms | dict.fromkeys(words, WHOLE)


def splits(folded: str) -> tuple[Split, ...]:
    """Readings of a folded word with proclitics taken off, fewest letters first.

    After l- the article has lost its alef, and before another lam its lam too, so both are put
    back: ``للاسد`` gives ``الاسد``.
    """
    readings: list[Split] = []
    for taken in _proclitic_lengths(folded):
        rest = folded[taken:]
        if rest.isascii():  # Latin and numbers take no proclitics
            continue
        readings.append(Split(taken, rest, ""))
        if folded[taken - 1] == "ل" and rest.startswith("ل"):
            readings.append(Split(taken, "ا" + rest, "ا"))
            readings.append(Split(taken, "ال" + rest, "ال"))
    return tuple(readings)


def _proclitic_lengths(folded: str) -> Iterator[int]:
    if len(folded) > 2 and folded[0] in PROCLITICS:
        yield 1
        if len(folded) > 3 and folded[0] in _CONJUNCTIONS and folded[1] in _PREPOSITIONS:
            yield 2
