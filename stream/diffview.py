"""Differences between two runs as lines for people; layout as in ``stream/view.py``.

Labels stand alone on the left and values of any script on their own line below, so that no
terminal reorders a line. Red is what A holds, green what B holds; the words say it too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from rich.text import Text

from stream.diff import Change, ListChange, ValueChange
from stream.runfile import Comparison, Key, RunArticle, RunFile
from stream.view import INDENT, LABEL, label_line, labelled, one_line

OLD, NEW = "red", "green"
MAX_VALUE_CHARS = 300
MAX_ITEMS = 5
"""Items of a list shown on each side."""

MAX_PARAGRAPHS = 12
"""Changed paragraphs shown of one text."""

_SHORT_CHARS = 32
_CONTEXT_WORDS = 6
"""Unchanged words shown on each side of a changed one; the rest of a paragraph is left out."""

_TELLING = ("name", "title", "text", "raw", "url")
"""Fields of a list's item that tell a person which one it is; the first it has stands alone."""


def summary(found: Comparison) -> Iterator[Text]:
    """How many articles are the same, and which fields differ how often."""
    for label, run in (("A", found.a), ("B", found.b)):
        repeats = f", {_counted(run.repeats, 'repeat')}" if run.repeats else ""
        yield _row(label, f"{one_line(run.name)}  {_counted(len(run.spots), 'article')}{repeats}")
    yield _row("same", f"{found.same:,}", "green" if found.is_same else "")
    yield _row("changed", f"{len(found.changed):,}", "yellow" if found.changed else "")
    yield _row("only in A", f"{len(found.only_a):,}", OLD if found.only_a else "")
    yield _row("only in B", f"{len(found.only_b):,}", NEW if found.only_b else "")
    if found.conflicts:
        yield _row("conflicts", f"{len(found.conflicts):,}", "bold red")
    if found.fields:
        counts = (f"{name} {count:,}" for name, count in found.fields.most_common())
        yield _row("fields", ", ".join(counts))
    if found.scope.only:
        yield _row("compared", ", ".join(found.scope.only))
    if found.scope.ignored:
        yield _row("ignored", ", ".join(found.scope.ignored))
    if not found.a.spots or not found.b.spots:
        yield Text("note: a run without an article", "yellow")
    elif not found.same and not found.changed:
        yield Text("note: no article is in both; are these runs of the same pages?", "yellow")


def changed_article(key: Key, article: RunArticle, changes: Sequence[Change]) -> Iterator[Text]:
    """An article in both runs, and each field that differs."""
    yield from _head(key, "changed", article, "yellow")
    for change in changes:
        name = change.field if change.item is None else f"{change.field} of {one_line(change.item)}"
        if isinstance(change, ListChange):
            yield from _list(name, change)
        else:
            yield from _value(name, change)


def lone_article(key: Key, article: RunArticle, *, is_old: bool) -> Iterator[Text]:
    """An article that only one run has."""
    yield from _head(key, f"only in {'A' if is_old else 'B'}", article, OLD if is_old else NEW)


def conflict(run: RunFile, key: Key) -> Iterator[Text]:
    """An article of which one run says different things."""
    lines = ", ".join(str(spot.line) for spot in run.spots[key])
    words = f"different contents in {one_line(run.name)}, lines {lines}"
    yield from _head(key, words, run.last(key), "bold red")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _row(label: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{label:<10} ", LABEL), (value, style))


def _head(key: Key, words: str, article: RunArticle, style: str) -> Iterator[Text]:
    yield Text()
    yield Text.assemble(("● ", style), one_line(key[0]), f"  revision {key[1]}  ", (words, style))
    headline = article.get("headline")
    if isinstance(headline, str):
        yield Text(INDENT + _clipped(headline), "bold")


def _value(name: str, change: ValueChange) -> Iterator[Text]:
    old, new = _words(change.old), _words(change.new)
    if all(isinstance(one, str) and "\n" in one for one in (change.old, change.new)):
        yield from _text(name, change.old, change.new)
    elif all(len(one) <= _SHORT_CHARS and one.isascii() for one in (old, new)):
        yield Text.assemble((f"  {name}  ", LABEL), (old, OLD), (" -> ", LABEL), (new, NEW))
    else:
        yield from labelled(f"{name}, A", [_clipped(old)], OLD)
        yield from labelled(f"{name}, B", [_clipped(new)], NEW)


def _list(name: str, change: ListChange) -> Iterator[Text]:
    if not change.removed and not change.added:
        yield label_line(f"{name}: the same in another order")
    for words, items, style in (("removed", change.removed, OLD), ("added", change.added, NEW)):
        if items:
            yield label_line(f"{name}: {len(items)} {words}")
            # White space between lines is the least worth telling.
            for item in sorted(items, key=_is_blank)[:MAX_ITEMS]:
                yield from _item(item, style)
            yield from _rest(len(items) - MAX_ITEMS)


def _item(item: Any, style: str) -> Iterator[Text]:
    """An item on one line; of an object its telling text, and the rest of it above."""
    if isinstance(item, dict):
        telling = next((name for name in _TELLING if isinstance(item.get(name), str)), None)
        others = {name: one for name, one in item.items() if name != telling and _is_plain(one)}
        if others:
            yield Text(INDENT + " ".join(f"{name}={one}" for name, one in others.items()), LABEL)
        if telling is not None:
            item = item[telling].strip() or "(white space)"
    yield Text(INDENT + _clipped(_words(item)), style)


def _is_blank(item: Any) -> bool:
    return isinstance(item, dict) and not str(item.get("text", "-")).strip()


def _is_plain(value: Any) -> bool:
    """Fit to stand beside others on a line: no object, no letters that run the other way."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable() and 0 < len(value) <= 2 * _SHORT_CHARS
    return isinstance(value, int | float)


def _text(name: str, old: str, new: str) -> Iterator[Text]:
    """A text of paragraphs: those that changed, and the words in them that did."""
    before, after = ([line for line in text.split("\n") if line] for text in (old, new))
    shown = 0
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    blocks = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    total = sum(max(a2 - a1, b2 - b1) for _, a1, a2, b1, b2 in blocks)
    for _, a1, a2, b1, b2 in blocks:
        pairs = zip(before[a1:a2], after[b1:b2], strict=False)
        marked = [_marked(one, other) for one, other in pairs]
        for number in range(max(a2 - a1, b2 - b1)):
            if shown == MAX_PARAGRAPHS:
                yield from _rest(total - shown)
                return
            shown += 1
            is_pair = number < len(marked)
            if a1 + number < a2:
                yield label_line(f"{name}, A, paragraph {a1 + number + 1}")
                yield marked[number][0] if is_pair else _paragraph(before[a1 + number], OLD)
            if b1 + number < b2:
                yield label_line(f"{name}, B, paragraph {b1 + number + 1}")
                yield marked[number][1] if is_pair else _paragraph(after[b1 + number], NEW)
    if not blocks:
        yield label_line(f"{name}: the same but for blank lines")


def _marked(old: str, new: str) -> tuple[Text, Text]:
    """Two versions of a paragraph, the words that differ in colour, long equal runs left out."""
    before, after = old.split(), new.split()
    if before == after:  # white space alone
        return _paragraph(old, OLD), _paragraph(new, NEW)
    texts = (Text(INDENT), Text(INDENT))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        if kind == "equal":
            is_first, is_last = a1 == 0, a2 == len(before) and b2 == len(after)
            same = _shortened(before[a1:a2], is_first=is_first, is_last=is_last)
            for text in texts:
                text.append(same + " ")
            continue
        for text, words, style in ((texts[0], before[a1:a2], OLD), (texts[1], after[b1:b2], NEW)):
            if words:
                text.append(one_line(" ".join(words)), f"bold {style}")
                text.append(" ")
    return texts


def _shortened(words: Sequence[str], *, is_first: bool, is_last: bool) -> str:
    head = [] if is_first else list(words[:_CONTEXT_WORDS])
    tail = [] if is_last else list(words[-_CONTEXT_WORDS:])
    if len(words) <= len(head) + len(tail) + 1:
        return one_line(" ".join(words))
    return one_line(" ".join([*head, "…", *tail]))


def _paragraph(text: str, style: str) -> Text:
    return Text(INDENT + _clipped(text), style)


def _rest(count: int) -> Iterator[Text]:
    if count > 0:
        yield Text(f"{INDENT}and {count:,} more (--json shows all)", LABEL)


def _words(value: Any) -> str:
    """A value as one string."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return one_line(value)
    return one_line(orjson.dumps(value).decode())


def _clipped(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= MAX_VALUE_CHARS else line[: MAX_VALUE_CHARS - 1] + "…"


def json_of(change: Change) -> Mapping[str, Any]:
    """A change as ``nashra diff --json`` writes it."""
    shown: dict[str, Any] = {"field": change.field}
    if change.item is not None:
        shown["item"] = change.item
    if isinstance(change, ListChange):
        return shown | {"removed": change.removed, "added": change.added}
    return shown | {"old": change.old, "new": change.new}
