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
    touched (an error, Ctrl-C).

    Args:
        path: The file; ``None``: standard output.

    Raises:
        InputError: The file cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {_why(error)}") from error
    finally:
        partial.unlink(missing_ok=True)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
