"""Files and streams of bytes: found, inflated, capped. Knows nothing of pages.

Everything is read in chunks, so that a huge file, an endless line or a compression bomb costs no
more memory than the cap.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import zstandard

from schemas.errors import InputError

Kind = Literal["text", "html", "json", "jsonl"]

KINDS: dict[str, Kind] = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
COMPRESSIONS = (".gz", ".zst")
IGNORED_NAMES = frozenset({"readme.md", "readme.txt", "readme"})
STDIN = "-"

CHUNK_BYTES = 64 * 1024
ZSTD_CHUNK_BYTES = 512
"""A zstd block of 4 bytes inflates to 128 kB: 512 bytes cannot become more than 16 MB at once."""
MAX_DRAIN_BYTES = 256 * 1024 * 1024
"""How far to look for the end of a line that is too long; then the file is given up."""


class ByteStream(Protocol):
    """What is read: a buffered file, standard input, an inflating reader."""

    def read1(self, size: int, /) -> bytes:
        """At most ``size`` bytes, as soon as some are there; ``b""`` at the end."""
        ...


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file that holds pages.

    Attributes:
        path: As the user would write it; ``-`` is standard input.
        kind: What it holds.
        compression: ``.gz``, ``.zst`` or ``""``.
    """

    path: str
    kind: Kind
    compression: str = ""

    @property
    def name(self) -> str:
        """Last part of the path, for ``origin``; what is no UTF-8 in it shows as U+FFFD."""
        # A name in another charset comes with lone surrogates, which no record can hold.
        return os.fsencode(Path(self.path).name).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Something that could not be read; the rest goes on.

    Attributes:
        path: File or folder as the user would write it.
        message: What is wrong and what to do.
        line: Line counted from 1, where it concerns one line.
    """

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        path = "standard input" if self.path == STDIN else self.path
        place = path if self.line is None else f"{path}:{self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class ReadNote:
    """Something worth saying that is no failure, e.g. files of an unknown kind in a folder."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


Found = PageFile | ReadFailure | ReadNote


def find_files(paths: Sequence[str]) -> list[Found]:
    """List the page files under ``paths``: in the order given, folders sorted and recursive.

    Hidden files and READMEs in a folder are passed over; files of an unknown kind are counted in
    one note for each folder given. A file that was named itself must be of a known kind.
    """
    found: list[Found] = []
    for path in paths:
        if path == STDIN:
            found.append(PageFile(STDIN, "jsonl"))
        elif Path(path).is_dir():
            found.extend(_in_folder(Path(path)))
        else:
            found.append(_named(path))
    return found


def page_file(path: str) -> PageFile | None:
    """What a name says about its file; ``None``: not one of ours."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes[-2:]]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    kind = KINDS.get(suffixes[-1]) if suffixes else None
    return None if kind is None else PageFile(path, kind, compression)


def _named(path: str) -> Found:
    if not os.path.lexists(path):
        return ReadFailure(path, "no such file or folder")
    file = page_file(path)
    if file is None:
        return ReadFailure(path, f"unknown kind of file; known are {_known_kinds()}")
    return file


def _known_kinds() -> str:
    return f"{', '.join(KINDS)}, each also with {' or '.join(COMPRESSIONS)}"


def _in_folder(folder: Path) -> list[Found]:
    found: list[Found] = []
    unknown: Counter[str] = Counter()
    unreadable: list[ReadFailure] = []

    def note_error(error: OSError) -> None:
        unreadable.append(ReadFailure(str(error.filename), _os_message(error)))

    for root, folders, names in os.walk(folder, onerror=note_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or name.lower() in IGNORED_NAMES:
                continue
            file = page_file(str(Path(root) / name))
            if file is None:
                unknown[Path(name).suffix.lower() or "no extension"] += 1
            else:
                found.append(file)
    if not found and not unreadable:
        unreadable.append(ReadFailure(str(folder), f"no page file in it; known: {_known_kinds()}"))
    if unknown:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(unknown.items()))
        found.append(ReadNote(str(folder), f"ignored files of an unknown kind: {kinds}"))
    return found + unreadable


def read_whole(file: PageFile, max_bytes: int) -> bytes:
    """All bytes of a file, inflated.

    Raises:
        InputError: If it is larger than ``max_bytes``, broken or not readable.
    """
    with _border():
        if not file.compression:
            _check_size(file, max_bytes)
        parts: list[bytes] = []
        size = 0
        for chunk in _chunks(file):
            parts.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise InputError(
                    f"inflates to more than {megabytes(max_bytes)} (replay.max_file_bytes): "
                    "not read further"
                )
        return b"".join(parts)


def read_lines(
    file: PageFile, max_bytes: int, stdin: ByteStream | None = None
) -> Iterator[tuple[int, bytes | None]]:
    """Lines of a file, counted from 1, without their line feed.

    Yields:
        Number and bytes; ``None`` instead of the bytes of a line longer than ``max_bytes``.

    Raises:
        InputError: If the file is broken or not readable; lines before that came already.
    """
    with _border():
        chunks = _pieces(stdin) if file.path == STDIN and stdin is not None else _chunks(file)
        yield from _split(chunks, max_bytes)


def megabytes(size: int) -> str:
    """A size for people, e.g. ``20 MB``."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"


def _split(chunks: Iterator[bytes], max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    number, held, size, is_long = 1, list[bytes](), 0, False
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = None if is_long or size + len(end) > max_bytes else b"".join([*held, end])
            yield number, line
            number, held, size, is_long = number + 1, [], 0, False
        size += len(rest)
        is_long = is_long or size > max_bytes
        held = [] if is_long else [*held, rest] if rest else held
        if size > max(MAX_DRAIN_BYTES, max_bytes):
            raise InputError(f"line {number} has no end within {megabytes(size)}: not read further")
    if size:
        yield number, None if is_long else b"".join(held)


def _check_size(file: PageFile, max_bytes: int) -> None:
    """Refuse by its stated size, before a byte is read."""
    status = os.stat(file.path)  # noqa: PTH116 - errors carry the path as the user wrote it
    if not stat.S_ISREG(status.st_mode):
        raise InputError("no regular file")
    if status.st_size > max_bytes:
        raise InputError(
            f"{megabytes(status.st_size)} is more than a page may have: the cap is "
            f"{megabytes(max_bytes)} (replay.max_file_bytes)"
        )


def _chunks(file: PageFile) -> Iterator[bytes]:
    if not stat.S_ISREG(Path(file.path).stat().st_mode):
        raise InputError("no regular file")
    with Path(file.path).open("rb") as raw:
        if file.compression == ".zst":
            yield from _zstd_chunks(raw)
        elif file.compression == ".gz":
            with gzip.GzipFile(fileobj=raw) as inflated:
                yield from _pieces(inflated)
        else:
            yield from _pieces(raw)


def _pieces(stream: ByteStream) -> Iterator[bytes]:
    """A stream in chunks, each as soon as it is there (``read1``), so that a pipe stays live."""
    while chunk := stream.read1(CHUNK_BYTES):
        yield chunk


def _zstd_chunks(raw: BinaryIO) -> Iterator[bytes]:
    """Inflate zstd frames; a file that ends inside a frame is an error, not a short text."""
    context = zstandard.ZstdDecompressor()
    frame = context.decompressobj()
    is_inside = False
    while data := raw.read(ZSTD_CHUNK_BYTES):
        while data:
            if chunk := frame.decompress(data):
                yield chunk
            data = frame.unused_data if frame.eof else b""
            is_inside = not frame.eof
            if frame.eof:
                frame = context.decompressobj()
    if is_inside:
        raise InputError("the zstd data ends in the middle")


class _border:  # noqa: N801 - used as a `with` statement word
    """Foreign errors of reading become an :class:`InputError` with a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case gzip.BadGzipFile() | zlib.error() | EOFError():
                raise InputError(f"broken gzip data: {error}") from error
            case zstandard.ZstdError():
                raise InputError(f"broken zstd data: {error}") from error
            case OSError():
                raise InputError(_os_message(error)) from error
            case _:
                return


def _os_message(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"
