"""``fold``: reduce text to what spelling does not vary in. For matching, never for output."""

from __future__ import annotations

import re
import unicodedata

from camel_tools.utils.normalize import (
    normalize_alef_ar,
    normalize_alef_maksura_ar,
    normalize_teh_marbuta_ar,
    normalize_unicode,
)

BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
ZERO_WIDTH = "\u200b\u2060\ufeff\u00ad\ufffe"
TATWEEL = "\u0640"
MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
PRESENTATION = "\ufb50-\ufdf9\ufdfb-\ufdff\ufe70-\ufefc"
"""Arabic presentation forms, less the ligature U+FDFA (the blessing) that reads as one sign."""

_DROPPED_IN_FOLD = re.compile(f"[{BIDI}{ZERO_WIDTH}{TATWEEL}{MARKS}\u200c\u200d]")
_NEEDS_NFKC = re.compile(f"[{PRESENTATION}]")
_SPACES = re.compile(r"\s+")

_LETTERS = (
    ("ؤ", "و"),  # waw with hamza -> waw
    ("ئ", "ي"),  # ya with hamza -> ya
    ("ی", "ي"),  # Persian ya -> Arabic ya
    ("ک", "ك"),  # Persian kaf -> Arabic kaf
    ("ھ", "ه"),  # Urdu ha -> Arabic ha
)
_SIGNS = (
    ("“", '"'),
    ("”", '"'),
    ("„", '"'),
    ("«", '"'),
    ("»", '"'),
    ("’", "'"),
    ("‘", "'"),
    ("–", "-"),
    ("—", "-"),
    ("،", ","),
    ("؛", ";"),
    ("؟", "?"),
    ("…", "..."),
)
_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_DIGITS = {
    **{0x0660 + digit: str(digit) for digit in range(10)},  # Arabic-Indic digits
    **{0x06F0 + digit: str(digit) for digit in range(10)},  # Persian digits
}


def _replace(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """Replace sign by sign: several times faster than ``str.translate`` on Arabic text."""
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def fold_letters(text: str) -> str:
    """Fold letters only, one for one: also safe on a regular expression."""
    text = _replace(text, _LETTERS)
    folded: str = normalize_teh_marbuta_ar(normalize_alef_maksura_ar(normalize_alef_ar(text)))
    return folded


def fold(text: str) -> str:
    """Reduce a line to what spelling does not vary in, for matching only.

    Alef with and without hamza or madda, ya and alef maqsura, ta marbuta and ha fall together;
    diacritics, tatweel, bidi marks and zero-width signs go; digits and quotation marks become
    ASCII; letters lower case; white space one space. Lengths change: offsets into the folded text
    mean nothing in the original.
    """
    if _NEEDS_NFKC.search(text) or not unicodedata.is_normalized("NFC", text):
        text = normalize_unicode(text)
    text = fold_letters(_replace(_DROPPED_IN_FOLD.sub("", text), _SIGNS))
    if _DIGIT.search(text):
        text = text.translate(_DIGITS)
    return _SPACES.sub(" ", text).strip().casefold()
