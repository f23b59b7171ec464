"""Files of the user's -> raw pages. One bad file or line is a value and never stops the rest."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from connectors.files import (
    ByteStream,
    Found,
    PageFile,
    ReadFailure,
    ReadNote,
    megabytes,
    page_file,
    read_lines,
    read_whole,
)
from connectors.identity import article_id
from schemas.codec import decode
from schemas.errors import DecodeError, InputError
from schemas.pages import MediaType, PageSource, RawPage

__all__ = ["PageFile", "PageRead", "ReadFailure", "ReadNote", "ReadResult", "Reader", "page_file"]

BOM = b"\xef\xbb\xbf"

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "gzip data: name it .gz"),
    (b"\x28\xb5\x2f\xfd", "zstd data: name it .zst"),
)
"""First bytes that no text begins with. Other garbage is left to the cleaner, which looks
closer."""


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page, and where it stood.

    Attributes:
        page: The page.
        path: Its file as the user would write it.
        line: Line of the file counted from 1; ``None``: the file is one page.
        original_at: When it was seen or published, if the file states it: what ``--speedup``
            spaces by.
    """

    page: RawPage
    path: str
    line: int | None = None
    original_at: datetime | None = None

    @property
    def place(self) -> str:
        """Path, and line if any, for messages."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


ReadResult = PageRead | ReadFailure | ReadNote


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands in its file."""

    file: PageFile
    line: int | None = None
    item: int | None = None

    def origin(self) -> str:
        at = self.line or self.item
        return f"file:{self.file.name}" + ("" if at is None else f":{at}")

    def failure(self, message: str) -> ReadFailure:
        text = message if self.item is None else f"item {self.item}: {message}"
        return ReadFailure(self.file.path, text, self.line)


class _PlainPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page as a plain object, e.g. of another scraper. Two names for one thing: give one."""

    url: str
    html: str | None = None
    text: str | None = None
    headline: str | None = None
    title: str | None = None
    published: str | None = None
    published_raw: str | None = None
    publisher: str | None = None
    language: str | None = None
    country: str | None = None
    timezone: str | None = None
    fetched_at: datetime | None = None


PLAIN_FIELDS: tuple[str, ...] = _PlainPage.__struct_fields__
_EITHER = (("html", "text"), ("headline", "title"), ("published", "published_raw"))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads page files.

    Attributes:
        max_file_bytes: Cap on one file, or on one line of a line format, after inflating.
        clock: Gives the moment of reading: ``fetched_at`` of pages that state none, aware UTC.
        stdin: What the path ``-`` reads: one JSON object a line.
        url: Address given to ``.txt`` and ``.html`` pages; ``None``: not known.
    """

    max_file_bytes: int
    clock: Callable[[], datetime]
    stdin: ByteStream | None = None
    url: str | None = None

    def read(self, found: Sequence[Found]) -> Iterator[ReadResult]:
        """Read what ``files.find_files`` listed, in order."""
        for file in found:
            if isinstance(file, PageFile):
                yield from self._file(file)
            else:
                yield file

    def _file(self, file: PageFile) -> Iterator[ReadResult]:
        """One file; trouble with it is the last value."""
        try:
            if file.kind == "jsonl":
                yield from self._lines(file)
            else:
                yield from self._whole(file, read_whole(file, self.max_file_bytes))
        except InputError as error:
            yield ReadFailure(file.path, str(error))

    def _whole(self, file: PageFile, data: bytes) -> Iterator[ReadResult]:
        if not data.strip():
            yield ReadFailure(file.path, "empty file")
        elif file.kind == "json":
            yield from self._json(file, data)
        else:
            yield self._document(file, data, "text" if file.kind == "text" else "html")

    def _document(self, file: PageFile, data: bytes, media_type: MediaType) -> ReadResult:
        """A file that is one page: bytes untouched, for the cleaner decides the charset."""
        kind = next((what for magic, what in MAGIC if data.startswith(magic)), None)
        if kind is not None:
            return ReadFailure(file.path, f"no text but {kind}")
        page = RawPage(
            article_id=article_id(self.url, data),
            url=self.url,
            origin=f"file:{file.name}",
            media_type=media_type,
            body=data,
            fetched_at=self.clock(),
        )
        return PageRead(page, file.path)

    def _json(self, file: PageFile, data: bytes) -> Iterator[ReadResult]:
        try:
            tree = orjson.loads(data.removeprefix(BOM))
        except orjson.JSONDecodeError as error:
            yield ReadFailure(file.path, f"not JSON: {error}")
            return
        if not isinstance(tree, list):
            yield self._record(_Place(file), tree)
            return
        if not tree:
            yield ReadFailure(file.path, "an empty list: no page in it")
        for number, item in enumerate(tree, 1):
            yield self._record(_Place(file, item=number), item)

    def _lines(self, file: PageFile) -> Iterator[ReadResult]:
        is_empty = True
        for number, line in read_lines(file, self.max_file_bytes, self.stdin):
            place = _Place(file, line=number)
            if line is None:
                cap = megabytes(self.max_file_bytes)
                yield place.failure(f"the line is longer than {cap} (replay.max_file_bytes)")
            elif text := line.removeprefix(BOM).strip():
                yield self._line(place, text)
            is_empty = is_empty and line is not None and not line.strip()
        if is_empty:
            yield ReadFailure(file.path, "no page in it: not one line")

    def _line(self, place: _Place, text: bytes) -> ReadResult:
        try:
            return self._record(place, orjson.loads(text))
        except orjson.JSONDecodeError as error:
            return place.failure(f"not JSON: {error}")

    def _record(self, place: _Place, tree: object) -> ReadResult:
        """A RawPage, or a plain object."""
        if not isinstance(tree, dict):
            return place.failure(f"a page is an object, this is {_kind_of(tree)}")
        try:
            if "schema" in tree:
                return _raw_page(place, tree)
            return self._plain(place, tree)
        except (DecodeError, InputError) as error:
            return place.failure(str(error))

    def _plain(self, place: _Place, tree: dict[str, Any]) -> PageRead:
        plain = _plain_of(tree)
        html, text = plain.html, plain.text
        payload = (html if html is not None else text or "").encode()
        if not payload.strip():
            raise InputError("nothing in html or text: a page needs one of them")
        page = RawPage(
            article_id=article_id(plain.url, payload),
            url=plain.url,
            origin=place.origin(),
            media_type="html" if html is not None else "text",
            text=html if html is not None else text,
            headline=plain.headline or plain.title,
            published_raw=plain.published or plain.published_raw,
            source=PageSource(
                publisher=plain.publisher,
                country=plain.country,
                language=plain.language,
                timezone=plain.timezone,
            ),
            fetched_at=_utc(plain.fetched_at) if plain.fetched_at else self.clock(),
        )
        original_at = page.fetched_at if plain.fetched_at else _iso_time(page.published_raw)
        return PageRead(page, place.file.path, place.line, original_at)


def _raw_page(place: _Place, tree: dict[str, Any]) -> PageRead:
    """A record as it stood on the topic."""
    schema = tree["schema"]
    if not isinstance(schema, str) or not schema.startswith("page/"):
        raise InputError(f"schema is {schema!r}: only pages (page/1.x) can be read")
    page = decode(RawPage, orjson.dumps(tree))
    if (page.body is None) == (page.text is None):
        raise InputError("exactly one of body and text must be set")
    page = replace(page, fetched_at=_utc(page.fetched_at))
    return PageRead(page, place.file.path, place.line, page.fetched_at)


def _plain_of(tree: dict[str, Any]) -> _PlainPage:
    for name in tree:
        if name not in PLAIN_FIELDS:
            near = difflib.get_close_matches(name, PLAIN_FIELDS, 1, 0.6)
            advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(PLAIN_FIELDS)}"
            raise InputError(f"unknown field {name!r}: {advice}")
    for one, other in _EITHER:
        if tree.get(one) is not None and tree.get(other) is not None:
            raise InputError(f"{one} and {other} are both set; keep one")
    try:
        plain = msgspec.convert(tree, _PlainPage)
    except msgspec.ValidationError as error:
        raise InputError(str(error)) from error
    if not plain.url.strip():
        raise InputError("url is empty")
    if plain.fetched_at is not None and plain.fetched_at.tzinfo is None:
        raise InputError("fetched_at needs a zone, e.g. 2026-01-31T08:00:00Z")
    return plain


def _iso_time(raw: str | None) -> datetime | None:
    """An ISO 8601 time with a zone, else ``None``: other dates are the cleaner's business."""
    try:
        at = datetime.fromisoformat(raw) if raw else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _utc(at: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        InputError: UTC has no such date: year 0, or year 10000.
    """
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"fetched_at {at.isoformat()} is out of range") from error


def _kind_of(value: object) -> str:
    names = {"list": "a list", "str": "a string", "NoneType": "null", "bool": "true or false"}
    return names.get(type(value).__name__, "a number")
