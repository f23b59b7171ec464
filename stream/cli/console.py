"""The console of all commands: Rich's, without its own idea of how a process ends."""

from __future__ import annotations

import errno
import os

from rich.console import Console


class PlainConsole(Console):
    """A console that leaves a reader who has gone to ``stream.cli.common``."""

    def on_broken_pipe(self) -> None:
        """Pass it on; Rich would end the process with 1, as if a page had failed.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
