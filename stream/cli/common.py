"""What all commands share: configuration, consoles, the border where errors become sentences."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
from collections.abc import Coroutine, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from schemas.errors import BrokerError, NashraError, TransientError
from stream.cli.output import leave_stdout

if TYPE_CHECKING:
    from rich.console import Console

    from stream.config import Config
    from stream.configfile import Loaded

T = TypeVar("T")

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_BROKER = 3
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

EXIT_CODES: Mapping[int, str] = {
    EXIT_OK: "all done",
    EXIT_SOME_FAILED: "done, but some inputs failed (each has a line on standard error) or differ",
    EXIT_USAGE: "wrong arguments, configuration or rule file; nothing was done",
    EXIT_BROKER: "the broker, a topic or a port is not as it must be",
    EXIT_INTERRUPTED: "stopped by Ctrl-C before all was done",
    EXIT_BROKEN_PIPE: "whoever read our output has left (`| head`)",
}
"""The one table of exit codes, for all commands."""

_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to a full or broken disk says."""


class Settings:
    """The configuration, read when a command first asks for it.

    The only reader of the process's environment.
    """

    def __init__(self, path: Path | None) -> None:
        """Remember the file named by ``--config``; ``None``: none was named."""
        self._path = path
        self._loaded: Loaded | None = None

    @property
    def loaded(self) -> Loaded:
        """The configuration with the origin of each value.

        Raises:
            ConfigError: It cannot be used.
        """
        if self._loaded is None:
            from stream import configfile

            self._loaded = configfile.load(self._path, os.environ)
            for warning in self._loaded.warnings:
                stderr().print(f"warning: {warning}", soft_wrap=True)
        return self._loaded

    def config(self, bootstrap: str | None = None) -> Config:
        """The configuration, for another broker if ``--bootstrap`` names one."""
        from stream.config import with_bootstrap

        return with_bootstrap(self.loaded.config, bootstrap)


pass_settings = click.make_pass_decorator(Settings)

bootstrap_option = click.option(
    "--bootstrap",
    metavar="HOST:PORT",
    help="Broker to use instead of kafka.bootstrap.",
)


def examples(*lines: str) -> str:
    """An epilog of example commands, for ``--help``; click keeps its lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class Main(click.Group):
    """The top group: the one border where errors become a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order they were added: as a newcomer meets them."""
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; see :data:`EXIT_CODES` for how it ends."""
        try:
            return super().invoke(ctx)
        except NashraError as error:
            fail(str(error), exit_code_of(error))
        except KeyboardInterrupt:
            stderr().print("stopped by Ctrl-C")
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            leave_stdout()
            sys.exit(EXIT_BROKEN_PIPE)
        except OSError as error:
            if error.errno not in _CANNOT_WRITE:
                raise
            leave_stdout()
            why = (error.strerror or str(error)).lower()
            fail(f"standard output: cannot be written: {why}", EXIT_USAGE)


def exit_code_of(error: NashraError) -> int:
    """The row of :data:`EXIT_CODES` for an error that ends a command."""
    return EXIT_BROKER if isinstance(error, BrokerError | TransientError) else EXIT_USAGE


def fail(message: str, code: int) -> NoReturn:
    """Say ``error: ...`` on standard error and end the process with ``code``."""
    from rich.text import Text

    stderr().print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
    sys.exit(code)


def stdout() -> Console:
    """Standard output: colour only on a terminal, and none where ``NO_COLOR`` is set."""
    return _console(is_error=False)


def stderr() -> Console:
    """Standard error, for progress and trouble."""
    return _console(is_error=True)


def _console(*, is_error: bool) -> Console:
    stream = sys.stderr if is_error else sys.stdout
    # A live progress bar stands in front of the stream; the console below it is the same one.
    return _console_on(getattr(stream, "rich_proxied_file", stream))


@lru_cache(maxsize=2)
def _console_on(stream: TextIO) -> Console:
    """One console a stream: lines and a live bar on two would write into each other."""
    from stream.cli.console import PlainConsole

    is_plain = bool(os.environ.get("NO_COLOR")) or not stream.isatty()
    return PlainConsole(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not stream.isatty(),
        color_system=None if is_plain else "auto",
        force_terminal=stream.isatty(),
    )


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a fresh loop; Ctrl-C cancels it and arrives as ``KeyboardInterrupt``.

    Kafka clients say the same trouble many times a second; our errors say it once.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(work)


def child_environ(config: Config) -> dict[str, str]:
    """The environment of a child that must see exactly this configuration.

    Our own ``NASHRA_*`` variables went into it already; only Faust's are passed on as they are.
    """
    from stream.configfile import FAUST_PREFIX, PREFIX, to_environ

    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) or name.startswith(FAUST_PREFIX)
    }
    return plain | to_environ(config)
