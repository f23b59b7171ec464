"""Script hygiene of one line: the few edits that make it clean to read and to search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from camel_tools.utils.normalize import normalize_unicode

from processors.draft import Cut
from processors.fold import BIDI, MARKS, PRESENTATION, TATWEEL, ZERO_WIDTH

MAX_ROUNDS = 6
"""Looks at one line; two suffice for real text, hostile text may need a few more."""

MAX_REPEATED_CHARS = 20_000
"""A longer line gets one look only: it is no line of prose."""

CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
JOINERS = "\u200c\u200d"
_SPACE = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_FILLER = re.compile(f"[{_SPACE}{BIDI}{ZERO_WIDTH}{CONTROLS}{JOINERS}]+")
"""A run of white space and signs that show nothing."""

_HAS_SPACE = re.compile(f"[{_SPACE}]")
_HAS_CONTROL = re.compile(f"[{CONTROLS}]")
LETTERS = r"\u0620-\u063f\u0641-\u064a\u066e-\u06d3"
_TATWEEL_RUN = re.compile(
    rf"(?P<word>[{LETTERS}{MARKS}{PRESENTATION}]+)"
    rf"(?P<run>[{BIDI}{ZERO_WIDTH}]*{TATWEEL}[{TATWEEL}{BIDI}{ZERO_WIDTH}]*)"
    rf"(?![{MARKS}])(?P<next>.?)"
)
_LETTER = re.compile(rf"[{LETTERS}{MARKS}{PRESENTATION}]")
_NEEDS_TATWEEL = re.compile(rf"(?:[وف]?[بلك]?ال|[وف]?لل|[وف]?[بلك]|ه)[{MARKS}]*")
"""Heads that are written with a tatweel before a sign, digit, space or Latin letter: clitics, the
article, and the ``H`` of Hijri years. There it is spelling; anywhere else it is decoration."""

_ODD_FORM = re.compile(f"[{PRESENTATION}]+[\u0300-\u036f\u0653-\u0655]*")
_SUSPECT = re.compile(
    f"[{_SPACE[1:]}{BIDI}{ZERO_WIDTH}{CONTROLS}{JOINERS}{TATWEEL}{PRESENTATION}]|  "
)
_CLUSTER = re.compile(r"[^\u0300-\u036f\u0653-\u0655][\u0300-\u036f\u0653-\u0655]+")


def hygiene_cuts(text: str) -> list[Cut]:
    """The edits that one line needs, left to right, not overlapping.

    Offsets are code points into ``text``. Bidi controls, stray zero-width signs and control
    characters go, decorative tatweel goes, presentation forms and decomposed letters are composed
    (NFC), odd or repeated spaces become one space. Digits are left as they are. What one edit
    uncovers (a mark that meets its letter once a bidi sign between them is gone) is edited too, so
    that a clean text needs no edits.
    """
    if not _SUSPECT.search(text) and unicodedata.is_normalized("NFC", text):
        return []  # nine lines of ten: one look instead of five
    edits = _one_round(text)
    if len(text) > MAX_REPEATED_CHARS or not _one_round(apply_cuts(text, edits)):
        return edits
    return _repeated(text)


def _repeated(text: str) -> list[Cut]:
    """Round after round until nothing is left to edit, as edits of the original text."""
    cells = [_Cell(sign, at, at + 1) for at, sign in enumerate(text)]
    for _ in range(MAX_ROUNDS):
        edits = _one_round("".join(cell.text for cell in cells))
        if not edits:
            break
        cells = _apply(cells, edits)
    return [
        Cut(cell.start, cell.end, cell.rule, cell.reason, cell.text)
        for cell in cells
        if cell.text != text[cell.start : cell.end]
    ]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What stands for ``raw[start:end]`` by now, and the last edit that made it."""

    text: str
    start: int
    end: int
    rule: str = ""
    reason: str = ""


def _apply(cells: list[_Cell], edits: list[Cut]) -> list[_Cell]:
    """Edit a row of cells; an edit that takes part of a cell takes it whole."""
    done: list[_Cell] = []
    waiting = iter(edits)
    edit = next(waiting, None)
    at = 0
    for cell in cells:
        end = at + len(cell.text)
        while edit is not None and edit.end <= at:
            edit = next(waiting, None)
        touches = edit is not None and edit.start < end and at < edit.end
        if edit is None or not (touches or (not cell.text and edit.start < at < edit.end)):
            done.append(cell)
        else:
            kept = cell.text[: max(0, edit.start - at)], cell.text[max(0, edit.end - at) :]
            is_first = at <= edit.start
            new = kept[0] + (edit.put if is_first else "") + kept[1]
            last = None if is_first or not done else done.pop()
            new = (last.text if last else "") + new
            start = last.start if last else cell.start
            done.append(_Cell(new, start, cell.end, edit.rule, edit.reason))
        at = end
    return done


def _one_round(text: str) -> list[Cut]:
    """The edits seen at one look, left to right; of two that overlap the first and longer."""
    found = sorted(_all_cuts(text), key=lambda cut: (cut.start, -cut.end))
    kept: list[Cut] = []
    at = 0
    for cut in found:
        if cut.start >= at and cut.put != text[cut.start : cut.end]:
            kept.append(cut)
            at = cut.end
    return kept


def _all_cuts(text: str) -> Iterator[Cut]:
    yield from _filler_cuts(text)
    yield from _tatweel_cuts(text)
    for match in _ODD_FORM.finditer(text):
        put = normalize_unicode(match.group())
        yield Cut(*match.span(), "script/presentation-form", "presentation form", put)
    if not unicodedata.is_normalized("NFC", text):
        for match in _CLUSTER.finditer(text):
            put = unicodedata.normalize("NFC", match.group())
            yield Cut(*match.span(), "script/nfc", "decomposed letter", put)


def _filler_cuts(text: str) -> Iterator[Cut]:
    """Runs with white space become one space; others go, but for a joiner inside a word."""
    for match in _FILLER.finditer(text):
        run = match.group()
        # ZWNJ and ZWJ inside a word carry meaning (Persian, Urdu).
        joiner = next((sign for sign in run if sign in JOINERS), "")
        put = " " if _HAS_SPACE.search(run) else joiner
        if _HAS_CONTROL.search(run):
            yield Cut(*match.span(), "script/control", "control character", put)
        elif put == " " and not run.strip():
            yield Cut(*match.span(), "script/space", "odd or repeated space", put)
        else:
            yield Cut(*match.span(), "script/invisible", "bidi control or zero-width sign", put)


def _tatweel_cuts(text: str) -> Iterator[Cut]:
    for match in _TATWEEL_RUN.finditer(text):
        is_joined = _LETTER.match(match["next"]) is not None
        if is_joined or not _NEEDS_TATWEEL.fullmatch(match["word"]):
            yield Cut(*match.span("run"), "script/tatweel", "decorative tatweel")


def apply_cuts(text: str, cuts: list[Cut]) -> str:
    """Apply edits (left to right, not overlapping, offsets into ``text``)."""
    if not cuts:
        return text
    parts: list[str] = []
    at = 0
    for cut in cuts:
        parts.append(text[at : cut.start])
        parts.append(cut.put)
        at = cut.end
    parts.append(text[at:])
    return "".join(parts)
