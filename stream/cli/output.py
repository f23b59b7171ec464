"""Where a command's lines go: standard output as they come, or a file that appears when whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from schemas.errors import InputError


@contextmanager
def line_output(path: Path | None) -> Iterator[BinaryIO]:
    """A binary stream for whole lines.

    A file is written beside its place and renamed at the end: it has everything or it is not
    touched (an error, Ctrl-C). A link stays and its target is replaced; a device or a pipe is
    written to directly.

    Args:
        path: The file; ``None``: standard output.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with _stream(path) as stream:
            yield stream
    except BrokenPipeError:
        raise  # the reader left: not our trouble
    except OSError as error:
        name = "standard output" if path is None else path
        if path is None:
            leave_stdout()
        raise InputError(f"{name}: cannot be written: {_why(error)}") from error


def leave_stdout() -> None:
    """Let what is still buffered for standard output go nowhere.

    Nobody takes it any more, and the interpreter would fail (exit code 120) when it flushes.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def _stream(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
    else:
        with _whole_file(path.resolve()) as stream:
            yield stream


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
