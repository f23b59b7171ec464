"""Labelled lines (``source: ...``, ``keywords: ...``, ``by ...``): find them, take their value."""

from __future__ import annotations

import re
from itertools import islice

from processors.draft import Draft, Line, Role

MAX_LABELLED_LINES = 12
"""Labelled lines of one kind that are looked at; a page with more is a list of something else."""

_BULLETS = "•·*-|# "
_SEPARATOR = r"\s*[|:：\-–—ـ/]\s*"
_AFTER_LABEL = re.compile(r"[|:：]|\s[-–—ـ/]\s?|[-–—]")


def labelled_rows(draft: Draft, labels: tuple[str, ...]) -> list[int]:
    """Rows of body lines that begin with a label, the first few: a page has one or two."""
    rows = (
        row
        for row, line in enumerate(draft.lines)
        if line.role is Role.BODY and line.folded.lstrip(_BULLETS).startswith(labels)
    )
    return list(islice(rows, MAX_LABELLED_LINES))


def labelled_value(
    line: Line, labels: tuple[str, ...], *, needs_separator: bool = True
) -> str | None:
    """The value after a label at the start of a line; ``None`` if no label stands there.

    A label alone on the line gives an empty value. The value is taken from the original text by
    word count, since folding keeps the words.
    """
    folded = line.folded.lstrip(_BULLETS)
    label = next((label for label in labels if folded.startswith(label)), None)
    if label is None:
        return None
    rest = folded[len(label) :]
    if not rest.strip(" :|-–—.؟?"):
        return "" if rest.strip(" ") in {"", ":", "|", "-"} else None
    if not re.match(_SEPARATOR, rest):
        if needs_separator or not rest.startswith(" "):
            return None
        return _after_words(line.text, len(label.split()))
    # Folding drops signs and adds none: the separator stands no earlier than the label is long.
    separated = _AFTER_LABEL.search(line.text, len(label))
    return line.text[separated.end() :].strip() if separated else None


def _after_words(text: str, count: int) -> str:
    parts = text.split(maxsplit=count)
    return parts[count] if len(parts) > count else ""
