"""Text that was decoded with the wrong charset: how Arabic it reads, and the way back.

ftfy repairs no Arabic; exact codec round trips do. A repair is taken only if it loses nothing and
the result reads as Arabic, so that text which was right stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, product

_FUNCTION_WORDS = frozenset(
    {
        "في",  # in
        "من",  # from
        "على",  # on
        "إلى",  # to
        "الى",  # to, without hamza
        "عن",  # about
        "أن",  # that
        "ان",  # that, without hamza
        "إن",  # indeed
        "مع",  # with
        "هذا",  # this (m.)
        "هذه",  # this (f.)
        "ذلك",  # that one
        "التي",  # which (f.)
        "الذي",  # which (m.)
        "بعد",  # after
        "قبل",  # before
        "بين",  # between
        "خلال",  # during
        "حتى",  # until
        "كان",  # was (m.)
        "كانت",  # was (f.)
        "لم",  # did not
        "لا",  # no
        "ما",  # what
        "أو",  # or
        "كما",  # as
        "وقال",  # and he said
        "قال",  # he said
        "وفي",  # and in
        "ومن",  # and from
        "از",  # Persian: from
        "به",  # Persian: to
        "که",  # Persian: that
        "كه",  # Persian: that, Arabic kaf
        "این",  # Persian: this
        "اين",  # Persian: this, Arabic ya
        "است",  # Persian: is
        "را",  # Persian: object marker
        "با",  # Persian: with
    }
)
_ARTICLE_PREFIXES = (
    "ال",  # the
    "وال",  # and the
    "بال",  # with the
    "كال",  # like the
    "فال",  # so the
    "لل",  # to the
)
_WORD = re.compile(r"[^\W\d_]+")
_ARABIC_LETTER = re.compile("[\u0620-\u064a\u066e-\u06d3]")
_ARABIC_WORD = re.compile("[\u0620-\u0652\u066e-\u06d3]{2,}")

_WORDS_LOOKED_AT = 3000
"""Enough to tell; keeps a 20 MB page cheap."""

_MIN_PLAUSIBLE = 0.08
"""Share of article and function words above which a text reads as Arabic. Real newspaper text has
0.3 to 0.5, a wrong reading 0.00 to 0.02."""

_MIN_WORDS = 3
_MAX_ROUNDS = 2
"""Double encoding is seen in the wild, triple is not."""


@dataclass(frozen=True, slots=True)
class ArabicReading:
    """How much a text reads as Arabic.

    Attributes:
        plausible: Share (0 to 1) of the words outside ASCII that have the article or are function
            words.
        pure: Share of those words that are made of Arabic letters only.
        words: How many words outside ASCII were looked at.
    """

    plausible: float
    pure: float
    words: int

    @property
    def is_arabic(self) -> bool:
        """Whether the text is surely Arabic script read with the right charset."""
        return self.words >= _MIN_WORDS and self.plausible >= _MIN_PLAUSIBLE and self.pure > 0.5


def read_as_arabic(text: str) -> ArabicReading:
    """Judge how Arabic a text reads; ASCII words (markup) count for nothing."""
    words = plausible = pure = 0
    for match in islice(_WORD.finditer(text), _WORDS_LOOKED_AT * 10):
        word = match.group()
        if word.isascii():
            continue
        words += 1
        plausible += _is_plausible(word)
        pure += _ARABIC_WORD.fullmatch(word) is not None
        if words == _WORDS_LOOKED_AT:
            break
    if not words:
        return ArabicReading(0.0, 0.0, 0)
    return ArabicReading(plausible / words, pure / words, words)


def _is_plausible(word: str) -> bool:
    return word in _FUNCTION_WORDS or (len(word) > 3 and word.startswith(_ARTICLE_PREFIXES))


def repair_mojibake(text: str) -> tuple[str, str | None]:
    """Undo a wrong decoding of Arabic text, where that loses nothing.

    Tried: UTF-8 that was read as windows-1252, ISO-8859-1 or windows-1256, once or twice, and
    windows-1256 that was read as windows-1252. First on the whole text, else line by line.

    Returns:
        The text and what was done. Unchanged and ``None`` if nothing reads clearly better.
    """
    if not _HINT.search(text):
        return text, None
    repaired = _best_round_trip(text)
    if repaired is not None:
        return repaired
    lines = text.splitlines(keepends=True)
    notes: set[str] = set()
    for index, line in enumerate(lines):
        if _HINT.search(line) and (found := _best_round_trip(line)) is not None:
            lines[index], note = found
            notes.add(note)
    if not notes:
        return text, None
    return "".join(lines), f"in some lines: {', '.join(sorted(notes))}"


_C1_OF_1252 = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # undefined; browsers keep them as C1 controls
}
_HINT = re.compile(
    # A UTF-8 lead byte with its trail byte, read as one character each, twice or more; or Arabic
    # bytes read as accented Latin letters.
    "(?:[ÂÃØÙÚÛآأطظعغ][^\x00-\x7f\u0620-\u064a ]){2}|[À-ÿ]{4}"
)


def _best_round_trip(text: str) -> tuple[str, str] | None:
    before = read_as_arabic(text)
    letters = len(_ARABIC_LETTER.findall(text))
    for steps in _CHAINS:
        result: str | None = text
        for wrong, right in steps:
            result = _reread(result, wrong, right)
            if result is None:
                break
        if result is None or "\ufffd" in result:
            continue
        if _is_clearly_better(result, before, letters):
            return result, " and again ".join(f"{right} read as {wrong}" for wrong, right in steps)
    return None


def _is_clearly_better(result: str, before: ArabicReading, letters_before: int) -> bool:
    """More Arabic letters, or (windows-1256 shows Arabic letters too) far more Arabic words."""
    after = read_as_arabic(result)
    if not after.pure:
        return False
    letters = len(_ARABIC_LETTER.findall(result))
    if before.pure < 0.2 and letters > letters_before + 3:
        return after.pure > 0.8
    return after.pure > 0.8 and after.plausible > max(0.05, 2 * before.plausible)


def _reread(text: str | None, wrong: str, right: str) -> str | None:
    """Back to the bytes that ``wrong`` was read from, then read as ``right``; None if lossy."""
    if text is None:
        return None
    try:
        if wrong == "windows-1252":
            data = text.translate(_C1_OF_1252).encode("latin-1")
        else:
            data = text.encode(wrong)
        return data.decode(right)
    except UnicodeError:
        return None


_UTF8_MISREADINGS = (("windows-1252", "utf-8"), ("windows-1256", "utf-8"))
_CHAINS: tuple[tuple[tuple[str, str], ...], ...] = (
    *(
        chain
        for rounds in range(1, _MAX_ROUNDS + 1)
        for chain in product(_UTF8_MISREADINGS, repeat=rounds)
    ),
    (("windows-1252", "windows-1256"),),
)
