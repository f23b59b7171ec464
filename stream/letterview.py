"""Dead letters for people: rows of a list, one letter with its original, counts; JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from processors.charset import decode_bytes
from schemas import codec
from schemas.errors import DecodeError, ProcessingError
from schemas.records import DeadLetter, RawPage
from schemas.topics import PAGES
from stream.deadletter import PREFIX
from stream.letters import Listed, moment
from stream.stage import Message
from stream.view import label_line, labelled, labelled_inline, one_line

MAX_SHOWN_CHARS = 100_000
HEX_BYTES = 512
"""How much of an original is shown, of text and of what is none."""

COLUMNS = ("letter", "failed at", "stage", "reason", "tries", "bytes", "key", "because")
WIDE = COLUMNS
NARROW = ("letter", "failed at", "stage", "reason", "because")
WIDE_FROM = 110
"""Width of a terminal, in cells, from which the table has all columns."""

KEY_CHARS = 12
"""How much of a key the table shows; lines and JSON have all of it."""

MIN_WORDS = 20
GAP = "  "
_HEX_ROW = 16
_DELETE = 0x7F


def table(letters: Iterable[Listed], width: int) -> Table:
    """Letters as a table for a terminal.

    Args:
        letters: One a row.
        width: Of the terminal, in cells; what was said is cut to fit, and a narrow terminal shows
            no tries, bytes and key.
    """
    shown = WIDE if width >= WIDE_FROM else NARROW
    rows = [[_short(name, cell) for name, cell in _cells(each).items()] for each in letters]
    places = [COLUMNS.index(name) for name in shown]
    rows = [[row[place] for place in places] for row in rows]
    others = [max(map(cell_len, cells)) for cells in zip(shown, *rows, strict=True)][:-1]
    left = max(MIN_WORDS, width - sum(others) - len(GAP) * len(others))
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, len(GAP), 0, 0))
    for name in shown:
        made.add_column(name, no_wrap=True, justify="right" if name == "bytes" else "left")
    for *cells, why in rows:
        words = Text(why)
        words.truncate(left, overflow="ellipsis")
        made.add_row(*map(Text, cells), words)
    return made


def line(listed: Listed) -> Text:
    """A letter as one plain line, all of it."""
    cells = _cells(listed)
    copies = f" copies={len(listed.copies) + 1}" if listed.copies else ""
    return Text(
        f"{cells['letter']} {cells['failed at']} stage={cells['stage']} reason={cells['reason']} "
        f"tries={cells['tries']} bytes={cells['bytes']} key={cells['key']}{copies} | "
        f"{cells['because']}"
    )


def counts(letters: Iterable[Listed]) -> str:
    """``3 letters; reasons: undecodable 2, empty 1; stages: cleaner 3``."""
    known = list(letters)
    total = f"{len(known):,} letter" + ("" if len(known) == 1 else "s")
    if not known:
        return total
    reasons = _counted(Counter(listed.reason for listed in known))
    stages = _counted(Counter(listed.stage for listed in known))
    return f"{total}; reasons: {reasons}; stages: {stages}"


def as_json(listed: Listed) -> bytes:
    """A letter as one JSON object, without its original; keys as in ``dead-letter/1.0``."""
    view: dict[str, Any] = {
        "letter": str(listed.place),
        "copies": [str(place) for place in listed.copies],
        "size_bytes": listed.size_bytes,
        "truncated_from": listed.truncated_from,
        "cut": listed.cut or None,
        "requeued": listed.requeued,
        "written_at": listed.written_at,
        "key": listed.key,
    }
    if listed.letter is None:
        return codec.encode({**view, "stage": listed.stage, "error": listed.why})
    letter = orjson.loads(codec.encode(listed.letter))
    for name in ("schema", "original", "key"):
        del letter[name]
    return codec.encode({**view, **letter})


def card(listed: Listed, message: Message) -> Iterator[Text]:
    """Everything about one letter, its original last and readable."""
    yield Text.assemble(("✗ ", "red"), (f"letter {listed.place}", "bold red"), f"  {listed.reason}")
    if listed.settled:
        yield labelled_inline("settled", one_line(listed.settled))
    if listed.copies:
        yield labelled_inline("copies", ", ".join(map(str, listed.copies)))
    if listed.letter is None:
        yield labelled_inline("because", one_line(listed.why))
    else:
        yield from _story(listed.letter, listed)
    yield labelled_inline("key", _key(message.key))
    yield label_line("headers")
    for name, value in message.headers.items():
        if listed.letter is not None and name.startswith(PREFIX):
            continue  # told above
        shown = "(no value)" if value is None else one_line(value.decode("utf-8", "replace"))
        yield Text(f"    {one_line(name)}: {shown}")
    yield label_line("original")
    yield from original_lines(listed, message.value)


def original_lines(listed: Listed, value: bytes | None) -> Iterator[Text]:
    """The refused value: a page as its text, JSON as it stands, else text or a hex dump."""
    if value is None:
        yield Text("    (tombstone: no value)")
        return
    if listed.truncated_from is not None:
        yield Text(f"    (the first {len(value):,} of {listed.truncated_from:,} bytes)")
    if not value:
        yield Text("    (empty)")
    elif listed.letter is not None and listed.letter.topic == PAGES.name:
        yield from _page_lines(value)
    else:
        yield from _text_lines(value)


def _story(letter: DeadLetter, listed: Listed) -> Iterator[Text]:
    at = moment(letter.timestamp_ms)
    yield labelled_inline("refused by", one_line(f"{letter.stage}, step {letter.step or '-'}"))
    yield labelled_inline("because", one_line(letter.message))
    yield labelled_inline("failed at", letter.failed_at.isoformat())
    yield labelled_inline("tries", f"{letter.attempts}, requeued {listed.requeued} times")
    place = f"{letter.topic} partition {letter.partition} offset {letter.offset}"
    yield labelled_inline("from", one_line(place))
    yield labelled_inline("its time", "none" if at is None else at.isoformat())
    yield labelled_inline("versions", one_line(_pairs(letter.versions)))
    if listed.cut:
        yield labelled_inline("cut", one_line(listed.cut))


def _page_lines(value: bytes) -> Iterator[Text]:
    try:
        page = codec.decode(RawPage, value)
    except DecodeError:
        yield from _text_lines(value)
        return
    facts = {
        "id": f"{page.article_id}, revision {page.revision}",
        "url": page.url,
        "origin": page.origin,
        "type": f"{page.media_type}, charset {page.charset or 'not declared'}",
        "fetched at": page.fetched_at.isoformat(),
        "headline": page.headline,
        "published": page.published_raw,
    }
    for label, fact in facts.items():
        if fact:
            yield from labelled(label, [fact])
    yield label_line("text" if page.body is None else "body")
    yield from _lines(page.text or "") if page.body is None else _body_lines(page, page.body)


def _body_lines(page: RawPage, body: bytes) -> Iterator[Text]:
    try:
        is_html = page.media_type == "html"
        decoded = decode_bytes(body, declared=page.charset, is_html=is_html)
    except ProcessingError:
        yield from _hex_lines(body)
    else:
        yield from _lines(decoded.text)


def _text_lines(value: bytes) -> Iterator[Text]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        yield from _hex_lines(value)
    else:
        yield from _lines(text)


def _lines(text: str) -> Iterator[Text]:
    for each in text[:MAX_SHOWN_CHARS].splitlines() or [""]:
        yield Text("    " + one_line(each))
    if len(text) > MAX_SHOWN_CHARS:
        yield Text(f"    ... {len(text):,} characters in all; --raw writes them")


def _hex_lines(value: bytes) -> Iterator[Text]:
    for start in range(0, min(len(value), HEX_BYTES), _HEX_ROW):
        row = value[start : start + _HEX_ROW]
        plain = "".join(chr(byte) if ord(" ") <= byte < _DELETE else "." for byte in row)
        yield Text(f"    {start:08x}  {row.hex(' '):<47}  {plain}")
    if len(value) > HEX_BYTES:
        yield Text(f"    ... {len(value):,} bytes in all; --raw writes them")


def _cells(listed: Listed) -> dict[str, str]:
    """What a list shows of a letter, by column."""
    letter = listed.letter
    size = "-" if listed.size_bytes is None else f"{listed.truncated_from or listed.size_bytes:,}"
    values = (
        str(listed.place),
        listed.written_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        one_line(listed.stage),
        one_line(listed.reason),
        "-" if letter is None else str(letter.attempts),
        size,
        _key(listed.key),
        one_line(listed.why if letter is None else letter.message),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _short(name: str, cell: str) -> str:
    """A cell of the table: time without its second, the first signs of a key."""
    if name == "failed at":
        return cell[: len("2026-01-15T12:00")].replace("T", " ")
    if name == "key" and len(cell) > KEY_CHARS:
        return cell[: KEY_CHARS - 1] + "…"
    return cell


def _key(key: bytes | None) -> str:
    return "-" if key is None else one_line(key.decode("utf-8", "replace"))


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "-"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{one_line(word)} {count:,}" for word, count in counter.most_common())
