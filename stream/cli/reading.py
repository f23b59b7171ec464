"""Page files as commands take them: one reader, one way to say what failed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BufferedReader
from typing import TYPE_CHECKING, TextIO, cast

import click

from connectors.files import (
    STDIN,
    ByteStream,
    PageFile,
    ReadFailure,
    ReadNote,
    find_files,
    page_file,
)
from connectors.readers import Reader
from schemas.errors import InputError
from stream.cli.common import stderr

if TYPE_CHECKING:
    from stream.config import Config

clock_option = click.option(
    "--clock",
    metavar="TIME",
    help="Let pages that state no fetched_at be seen at this ISO 8601 time: same bytes each time.",
)


def now() -> datetime:
    """This moment, aware UTC."""
    return datetime.now(UTC)


def new_reader(
    config: Config,
    paths: Sequence[str],
    *,
    url: str | None = None,
    stdin: ByteStream | None = None,
    clock: Callable[[], datetime] = now,
) -> Reader:
    """A reader with the configured cap.

    Args:
        config: Gives ``replay.max_file_bytes``.
        paths: What will be read; standard input is touched only if ``-`` is among them.
        url: Address of the one page that is read.
        stdin: What ``-`` reads; ``None``: standard input.
        clock: Gives ``fetched_at`` of pages that state none.

    Raises:
        InputError: Standard input is wanted and closed.
    """
    if stdin is None and STDIN in paths:
        stdin = standard_input()
    return Reader(config.replay.max_file_bytes, clock, stdin, url)


def standard_input() -> BufferedReader:
    """Standard input as bytes.

    Raises:
        InputError: It is closed.
    """
    # None where the process was started with it closed; the type stubs do not know.
    stream = cast("TextIO | None", sys.stdin)
    if stream is None:
        raise InputError("standard input is closed: `-` has nothing to read")
    return cast("BufferedReader", stream.buffer)


def check_url(url: str | None, paths: Sequence[str]) -> None:
    """Refuse ``--url`` for anything but one ``.txt`` or ``.html`` file.

    Raises:
        click.UsageError: Says what it is for.
    """
    if url is None:
        return
    file = page_file(paths[0]) if len(paths) == 1 and paths[0] != STDIN else None
    if file is None or file.kind not in ("text", "html"):
        raise click.UsageError("--url is the address of a single .txt or .html file")


def single_file(path: str) -> PageFile:
    """The one page file that a command works on.

    Raises:
        InputError: A folder, a line format, or no page file at all.
    """
    found = find_files([path])
    if len(found) != 1 or not isinstance(found[0], PageFile):
        raise InputError(str(found[0]) if len(found) == 1 else f"{path}: one file is wanted")
    return found[0]


def total_pages(paths: Sequence[str]) -> int | None:
    """How many pages there are; ``None`` where only reading them tells (line formats)."""
    files = [found for found in find_files(paths) if isinstance(found, PageFile)]
    return None if any(file.kind == "jsonl" for file in files) else len(files)


def say_failure(failure: ReadFailure) -> None:
    """One line on standard error."""
    from rich.text import Text

    stderr().print(Text.assemble(("failed: ", "bold red"), str(failure)), soft_wrap=True)


def say_notes(notes: Iterable[ReadNote]) -> None:
    """One line each on standard error."""
    for note in notes:
        stderr().print(f"note: {note}", soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """``1 article``, ``2,000 articles``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
