"""Inline edits on a line: from offsets in a line's clean text back to the raw text."""

from __future__ import annotations

from dataclasses import replace

from processors.draft import Cut, Line
from processors.fold import fold
from processors.hygiene import apply_cuts


def cut_inline(line: Line, raw: str, start: int, end: int, *, rule: str, reason: str) -> Line:
    """Cut ``line.text[start:end]``.

    Args:
        line: The line.
        raw: The raw text that the line is of.
        start: Start in the line's ``text`` (code points).
        end: End in the line's ``text``, exclusive.
        rule: Rule or step that cuts.
        reason: Why, for a person.

    Returns:
        A line whose text lacks the span; earlier cuts that touch the span are swallowed, so that
        cuts never overlap and ``line.text`` stays what ``assemble`` will give.
    """
    if start >= end:
        return line
    raw_start, raw_end = _raw_span(line.start, line.cuts, start, end)
    kept = [cut for cut in line.cuts if cut.end <= raw_start or cut.start >= raw_end]
    cuts = sorted([*kept, Cut(raw_start, raw_end, rule, reason)], key=lambda cut: cut.start)
    here = [replace(cut, start=cut.start - line.start, end=cut.end - line.start) for cut in cuts]
    text = apply_cuts(raw[line.start : line.end], here)
    return replace(line, text=text, folded=fold(text), cuts=tuple(cuts))


def _raw_span(line_start: int, cuts: tuple[Cut, ...], start: int, end: int) -> tuple[int, int]:
    """Raw offsets of a span of the edited line; a half-taken edit is taken whole."""
    raw_start = raw_end = None
    text_at, raw_at = 0, line_start
    for cut in cuts:
        text_next = text_at + (cut.start - raw_at)
        if raw_start is None and start < text_next:
            raw_start = raw_at + (start - text_at)
        if raw_end is None and end <= text_next:
            raw_end = raw_at + (end - text_at)
        after = text_next + len(cut.put)
        if raw_start is None and start < after:
            raw_start = cut.start
        if raw_end is None and end < after:
            raw_end = cut.end
        text_at, raw_at = after, cut.end
    if raw_start is None:
        raw_start = raw_at + (start - text_at)
    if raw_end is None:
        raw_end = raw_at + (end - text_at)
    return raw_start, max(raw_start, raw_end)
