"""``nashra demo``: everything at once, to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connectors.files import ReadFailure, ReadNote
from schemas.errors import InputError
from schemas.records import Article, DeadLetter
from stream.cli.common import (
    EXIT_INTERRUPTED,
    EXIT_SOME_FAILED,
    Settings,
    child_environ,
    examples,
    pass_settings,
    run_async,
    stderr,
    stdout,
)
from stream.cli.interrupt import Stop
from stream.cli.reading import counted, new_reader, say_failure

if TYPE_CHECKING:
    from rich.status import Status

    from stream.config import Config
    from stream.demo import Demo, DemoReport

SAMPLES = "samples"
OWN_SAMPLES = Path(__file__).parents[2] / SAMPLES
"""Where the samples stand in a checkout, from wherever the command is called."""


@click.command(
    epilog=examples(
        "nashra demo",
        "nashra demo my-articles --keep",
    )
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--keep", "is_kept", is_flag=True, help="Leave broker and workers up until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Broker's port; else free.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=1), metavar="SECONDS")
@pass_settings
def demo(
    settings: Settings, paths: tuple[str, ...], port: int, timeout_s: float | None, *, is_kept: bool
) -> None:
    """Replay page files through a broker and workers of its own and show what comes out.

    PATH is a file or folder as for `nashra replay`; the default is samples. Ends with 0 if each
    page came out as an article or as a dead letter.
    """
    from stream.broker import EmbeddedBroker, embedded_config
    from stream.demo import TIMEOUT_S

    config = settings.config()
    wanted = list(paths) or [_samples()]
    with EmbeddedBroker(config.broker.host, port, data_dir=config.data_dir) as broker:
        tuned = embedded_config(config, broker.bootstrap)
        code = run_async(_demo(tuned, wanted, timeout_s or TIMEOUT_S, is_kept=is_kept))
    click.get_current_context().exit(code)


def _samples() -> str:
    """The samples beside us.

    Raises:
        InputError: There are none: nashra was installed without its checkout.
    """
    for folder in (Path(SAMPLES), OWN_SAMPLES):
        if folder.is_dir():
            return str(folder)
    raise InputError("no folder `samples` here; say which page files to play: nashra demo PATH")


async def _demo(config: Config, paths: list[str], timeout_s: float, *, is_kept: bool) -> int:
    from stream.demo import Demo

    view = _View()
    stop = Stop()
    demo_ = Demo(config, view, environ=child_environ(config))
    view.begin(config)
    with stop.on_signals(), closing(view):
        async with demo_.running():
            report = await _until_stopped(_played(demo_, config, paths, timeout_s), stop)
            if report is None:
                return EXIT_INTERRUPTED
            view.end(report)
            if is_kept:
                view.where(config.kafka.bootstrap)
                await stop.wait()
    return 0 if report.is_complete else EXIT_SOME_FAILED


async def _played(demo_: Demo, config: Config, paths: list[str], timeout_s: float) -> DemoReport:
    return await demo_.play(paths, new_reader(config, paths), timeout_s)


async def _until_stopped(work: Coroutine[Any, Any, DemoReport], stop: Stop) -> DemoReport | None:
    """The report, or ``None`` if Ctrl-C came first."""
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if task.done():
        return task.result()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    stderr().print("stopped by Ctrl-C")
    return None


class _View:
    """Cards on a terminal, else one line an event."""

    def __init__(self) -> None:
        self._out = stdout()
        self._is_card = self._out.is_terminal
        self._wait: Status | None = None

    def begin(self, config: Config) -> None:
        """Say what is about to happen and where to look."""
        from stream import view

        bootstrap = config.kafka.bootstrap
        self._out.print(f"broker at {bootstrap} (in memory, only while this runs)")
        self._out.print(
            f"read along with: nashra tail enriched --follow --bootstrap {bootstrap}",
            soft_wrap=True,
        )
        if self._is_card:
            self._out.print(view.entity_legend())

    def step(self, seconds: float, text: str) -> None:
        """Say what was done when."""
        self._out.print(f"{seconds:5.1f} s  {text}")

    def waiting(self) -> None:
        """Show that the silence is no end."""
        if self._is_card:
            self._wait = self._out.status("waiting for the first article")
            self._wait.start()

    def article(self, article: Article) -> None:
        """Show an article."""
        self._arrived()
        from stream.cli.tail import record_lines

        for line in record_lines(article, is_card=self._is_card):
            self._out.print(line)

    def dead_letter(self, letter: DeadLetter) -> None:
        """Show a dead letter."""
        self._arrived()
        from stream.cli.tail import record_lines

        for line in record_lines(letter, is_card=self._is_card):
            self._out.print(line)

    def failure(self, failure: ReadFailure | ReadNote) -> None:
        """Say what could not be read."""
        if isinstance(failure, ReadFailure):
            say_failure(failure)
        else:
            self._out.print(f"note: {failure}", soft_wrap=True)

    def end(self, report: DemoReport) -> None:
        """Sum up."""
        self._arrived()
        unreadable = (
            f", {counted(report.unreadable, 'unreadable file')}" if report.unreadable else ""
        )
        self._out.print(
            f"{counted(len(report.published), 'page')} in, "
            f"{counted(len(report.articles), 'article')} out, "
            f"{counted(len(report.dead), 'dead letter')}{unreadable}, {report.seconds:.1f} s",
            soft_wrap=True,
        )

    def close(self) -> None:
        """Stop whatever moves on the screen."""
        self._arrived()

    def _arrived(self) -> None:
        if self._wait is not None:
            self._wait.stop()

    def where(self, bootstrap: str) -> None:
        """Say what can be done while it stays up."""
        self._out.print("still up; in another terminal:")
        for command in ("tail enriched", "tail dead-letters", "replay FILE", "topics list"):
            self._out.print(f"  nashra {command} --bootstrap {bootstrap}")
        self._out.print("Ctrl-C stops all")
