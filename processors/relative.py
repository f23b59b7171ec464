"""Reads "3 hours ago" and "yesterday" out of tokens, Arabic, English and French."""

from __future__ import annotations

from collections.abc import Sequence

from processors.datepieces import Ago, Found, Token, number_at, phrase_at
from processors.datewords import DateWords

DAY_S = 86_400
LONGEST_AGO_S = 400 * DAY_S
"""Nobody counts further back in days or hours; also keeps the arithmetic in range."""


def ago_at(tokens: Sequence[Token], index: int, words: DateWords) -> Found:
    """A moment told from now that starts at ``index``.

    "An hour and 20 minutes ago" counts; weeks and months are too coarse and are not read.
    """
    day_word = phrase_at(tokens, index, words.days_back)
    if day_word:
        return [Ago(day_word[0], is_day=True)], day_word[1]
    opening = phrase_at(tokens, index, words.ago_before)
    span = _span(tokens, opening[1] if opening else index, words)
    if span is None:
        return None
    seconds, end = span
    if opening is None:
        closing = phrase_at(tokens, end, words.ago_after)
        if closing is None:
            return None
        end = closing[1]
    is_day = seconds % DAY_S == 0
    return [Ago(seconds // DAY_S if is_day else seconds, is_day)], end


def _span(tokens: Sequence[Token], at: int, words: DateWords) -> tuple[int, int] | None:
    """Seconds of one amount, or of two joined by "and" ("و"), and the next index."""
    first = _amount(tokens, at, words)
    if first is None:
        return None
    seconds, end = first
    and_at = end + 1 if end < len(tokens) and tokens[end].text in ("و", "and", "et") else end
    second = _amount(tokens, and_at, words)
    if second is not None and second[0] < seconds:
        seconds, end = seconds + second[0], second[1]
    return (seconds, end) if 0 <= seconds <= LONGEST_AGO_S else None


def _amount(tokens: Sequence[Token], at: int, words: DateWords) -> tuple[int, int] | None:
    count = number_at(tokens, at, 1, 2, 3)
    if count < 0:
        return phrase_at(tokens, at, words.fixed_units)
    unit = phrase_at(tokens, at + 1, words.counted_units)
    return (count * unit[0], unit[1]) if unit else None
