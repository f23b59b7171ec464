"""Inline edits on a draft: from offsets in a line's clean text back to the raw text."""

from __future__ import annotations

from dataclasses import replace

from processors.draft import Cut, Draft
from processors.fold import fold


def cut_inline(draft: Draft, index: int, start: int, end: int, *, rule: str, reason: str) -> Draft:
    """Cut ``lines[index].text[start:end]``.

    Args:
        draft: The draft.
        index: Index of the line in ``draft.lines``.
        start: Start in the line's ``text`` (code points).
        end: End in the line's ``text``, exclusive.
        rule: Rule or step that cuts.
        reason: Why, for a person.

    Returns:
        A draft whose line text lacks the span; earlier cuts that touch the span are swallowed, so
        that cuts never overlap and ``line.text`` stays what ``assemble`` will give.
    """
    if start >= end:
        return draft
    line = draft.lines[index]
    inside = sorted(
        (cut for cut in draft.cuts if line.start <= cut.start and cut.end <= line.end),
        key=lambda cut: cut.start,
    )
    raw_start, raw_end = _raw_span(line.start, inside, start, end)
    cut = Cut(raw_start, raw_end, rule, reason)
    kept = [c for c in inside if c.end <= raw_start or c.start >= raw_end]
    others = [c for c in draft.cuts if c not in inside]
    text = _text(draft.raw, line.start, line.end, [*kept, cut])
    draft = draft.with_line(index, replace(line, text=text, folded=fold(text)))
    return replace(draft, cuts=(*others, *kept, cut))


def _raw_span(line_start: int, cuts: list[Cut], start: int, end: int) -> tuple[int, int]:
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


def _text(raw: str, start: int, end: int, cuts: list[Cut]) -> str:
    parts: list[str] = []
    at = start
    for cut in sorted(cuts, key=lambda cut: cut.start):
        parts += (raw[at : cut.start], cut.put)
        at = cut.end
    parts.append(raw[at:end])
    return "".join(parts)
