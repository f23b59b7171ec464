"""``nashra replay``: page files to the broker, as if they arrived live."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Protocol, cast

import click

from connectors.files import STDIN, ByteStream, ReadFailure, ReadNote
from connectors.readers import PageRead
from connectors.replay import Pace, ReplayConnector, parse_rate
from schemas.errors import BrokerError, InputError
from stream.cli.common import (
    EXIT_INTERRUPTED,
    EXIT_SOME_FAILED,
    Settings,
    bootstrap_option,
    examples,
    pass_settings,
    run_async,
    stderr,
)
from stream.cli.interrupt import LiveInput, Stop
from stream.cli.progress import progress
from stream.cli.reading import (
    clock_option,
    counted,
    new_reader,
    now,
    say_failure,
    standard_input,
    total_pages,
)
from stream.clock import Clock, parse_instant, standing_at

if TYPE_CHECKING:
    from stream.config import Config


@click.command(
    epilog=examples(
        "nashra replay samples",
        "nashra replay archive.jsonl.zst --rate 50/s",
        "nashra replay archive.jsonl --speedup 60      an hour in a minute",
        "scraper | nashra replay -                     one JSON object a line",
        "nashra replay samples --clock 2026-01-15T09:30:00Z",
    )
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--rate", metavar="N/s", help="At most so many pages: 50/s, 600/m, 3600/h.")
@click.option(
    "--speedup",
    type=click.FloatRange(min=0, min_open=True),
    metavar="X",
    help="Keep the pages' own spacing in time (fetched_at, else an ISO published), X times faster.",
)
@click.option("--loop", "is_loop", is_flag=True, help="Start again at the end, until Ctrl-C.")
@click.option("--again", "is_again", is_flag=True, help="Process pages that were done before.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Read and check, publish nothing.")
@clock_option
@bootstrap_option
@pass_settings
def replay(settings: Settings, /, paths: tuple[str, ...], **options: object) -> None:
    """Publish page files to nashra.pages.v1, where the workers take them.

    PATH is a .txt, .html, .json or .jsonl file (each also .gz or .zst), a folder, or - for JSON
    lines on standard input: a RawPage, or an object with url, and html or text. The same page has
    the same id each time, so that a second replay gives no second article, unless with --again.

    With --clock, and workers with worker.clock = "page", a second replay gives the same bytes.

    Ctrl-C publishes what is in flight and says how far it got.
    """
    asked = _asked(paths, options)
    bootstrap = cast("str | None", options["bootstrap"])
    outcome = run_async(_replay(settings.config(bootstrap), asked))
    outcome.say(is_dry=asked.is_dry)
    if outcome.is_stopped:
        click.get_current_context().exit(EXIT_INTERRUPTED)
    if outcome.failed:
        click.get_current_context().exit(EXIT_SOME_FAILED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the user wants."""

    paths: tuple[str, ...]
    pace: Pace
    is_again: bool
    is_dry: bool
    clock: Clock


def _asked(paths: tuple[str, ...], options: dict[str, object]) -> _Asked:
    rate = cast("str | None", options["rate"])
    speedup = cast("float | None", options["speedup"])
    is_loop = bool(options["is_loop"])
    if is_loop and STDIN in paths:
        raise InputError("standard input can be read only once: no --loop with `-`")
    pace = Pace(None if rate is None else parse_rate(rate), speedup, is_loop)
    clock = cast("str | None", options["clock"])
    return _Asked(
        paths,
        pace,
        bool(options["is_again"]),
        bool(options["is_dry"]),
        now if clock is None else standing_at(parse_instant(clock)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a replay went."""

    published: int
    failed: int
    seconds: float
    is_stopped: bool

    def say(self, *, is_dry: bool) -> None:
        """One line on standard error."""
        verb = "readable, nothing published" if is_dry else "published"
        failed = f", {self.failed:,} failed" if self.failed else ""
        stopped = "stopped by Ctrl-C: " if self.is_stopped else ""
        stderr().print(
            f"{stopped}{counted(self.published, 'page')} {verb}{failed}, {self.seconds:.1f} s",
            soft_wrap=True,
        )


class _Publisher(Protocol):
    """What a replay needs of ``PagePublisher``."""

    @property
    def published(self) -> int: ...

    async def publish(self, read: PageRead) -> list[ReadFailure]: ...

    async def drain(self) -> list[ReadFailure]: ...


class _NoPublisher:
    """Counts, for ``--dry-run``."""

    def __init__(self) -> None:
        self.published = 0

    async def publish(self, read: PageRead) -> list[ReadFailure]:
        """Take the page as published."""
        del read
        self.published += 1
        return []

    async def drain(self) -> list[ReadFailure]:
        """Nothing is in flight."""
        return []


async def _replay(config: Config, asked: _Asked) -> Outcome:
    stop = Stop()
    total = None if asked.pace.is_loop else total_pages(asked.paths)
    with stop.on_signals(), progress("pages", total) as advance:
        connector = _connector(config, asked, stop)
        if asked.is_dry:
            return await publish_all(connector, _NoPublisher(), stop, advance)
        from stream.publish import PagePublisher

        async with PagePublisher(config, is_again=asked.is_again) as publisher:
            return await publish_all(connector, publisher, stop, advance)


def _connector(config: Config, asked: _Asked, stop: Stop) -> ReplayConnector:
    stdin = _live_stdin(stop, asked.paths)
    reader = new_reader(config, asked.paths, stdin=stdin, clock=asked.clock)
    return ReplayConnector(asked.paths, reader, asked.pace, time.monotonic, stop.sleep)


def _live_stdin(stop: Stop, paths: Sequence[str]) -> ByteStream | None:
    """Standard input that Ctrl-C can end; plain where there is no descriptor to wait on."""
    if STDIN not in paths or sys.platform == "win32":
        return None
    stream = standard_input()
    with suppress(UnsupportedOperation):
        stream.fileno()
        return LiveInput(stream, stop)
    return None


async def publish_all(
    connector: ReplayConnector, publisher: _Publisher, stop: Stop, advance: Callable[[], None]
) -> Outcome:
    """Publish until the connector ends or somebody asks to stop; then wait for the rest.

    Args:
        connector: Where pages come from.
        publisher: Where they go.
        stop: Asked to stop?
        advance: Called once a page.

    Raises:
        BrokerError: The broker takes no more; says how many pages it took.
    """
    trouble = _Trouble()
    start_s = time.monotonic()
    try:
        async with aclosing(connector.poll()) as results:
            async for result in results:
                if stop.is_asked:
                    break
                if isinstance(result, PageRead):
                    trouble.say(await publisher.publish(result))
                    advance()
                else:
                    trouble.say([result])
        trouble.say(await publisher.drain())
    except BrokerError as error:
        taken = counted(publisher.published, "page")
        raise BrokerError(f"{error}; {taken} had been published before") from error
    return Outcome(
        published=publisher.published,
        failed=trouble.count,
        seconds=time.monotonic() - start_s,
        is_stopped=stop.is_asked,
    )


class _Trouble:
    """Says each failure and note once, though a loop meets it again and again."""

    def __init__(self) -> None:
        self.count = 0
        self._said: set[str] = set()

    def say(self, results: Sequence[ReadFailure | ReadNote]) -> None:
        """A line on standard error for each that is new."""
        for result in results:
            if str(result) in self._said:
                continue
            self._said.add(str(result))
            if isinstance(result, ReadFailure):
                self.count += 1
                say_failure(result)
            else:
                stderr().print(f"note: {result}", soft_wrap=True)
