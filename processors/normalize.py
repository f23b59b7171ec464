"""Step: split the raw text into lines and mark the script hygiene that each needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from processors.draft import Draft, Line
from processors.fold import BIDI, ZERO_WIDTH, fold
from processors.hygiene import CONTROLS, JOINERS, apply_cuts, hygiene_cuts
from processors.tools import Tools

_EDGE = f"[\\s{BIDI}{ZERO_WIDTH}{CONTROLS}{JOINERS}]*"
_LEADING = re.compile(_EDGE)
_LINE = re.compile(r"[^\n\r\u2028\u2029\x1c-\x1e\x85\v\f]+")


def _line_spans(raw: str) -> Iterator[tuple[int, int]]:
    """Spans of the lines of ``raw`` that show anything, less invisible signs at both ends."""
    for match in _LINE.finditer(raw):
        line = match.group()
        lead = _LEADING.match(line)
        start = lead.end() if lead else 0
        tail = _LEADING.match(line[::-1])
        end = len(line) - (tail.end() if tail else 0)
        if start < end:
            yield match.start() + start, match.start() + end


def normalise(draft: Draft, tools: Tools) -> Draft:
    """Step: split the raw text into lines and mark the hygiene edits within them."""
    del tools
    lines: list[Line] = []
    for start, end in _line_spans(draft.raw):
        raw_line = draft.raw[start:end]
        here = hygiene_cuts(raw_line)
        text = apply_cuts(raw_line, here)
        if not text.strip():
            continue  # only invisible signs: white space to `assemble`
        cuts = (replace(cut, start=cut.start + start, end=cut.end + start) for cut in here)
        lines.append(Line(start, end, text, fold(text), cuts=tuple(cuts)))
    return replace(draft, lines=tuple(lines))
