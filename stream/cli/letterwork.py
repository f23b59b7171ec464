"""What the commands of ``nashra deadletters`` share: filters, reading, settling with progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

from schemas.errors import InputError, Reason
from stream.cli.common import (
    EXIT_INTERRUPTED,
    EXIT_SOME_FAILED,
    Settings,
    bootstrap_option,
    run_async,
    stderr,
    stdout,
)
from stream.cli.interrupt import Stop
from stream.cli.progress import progress
from stream.cli.reading import counted, now

if TYPE_CHECKING:
    from stream.config import KafkaConfig
    from stream.letters import Filter, Listed
    from stream.settle import Hand, Report
    from stream.stage import Message

F = TypeVar("F", bound=Callable[..., Any])

_MOMENT = "2h, 30m, 3d ago, or an ISO 8601 time."
_FILTERS = (
    click.option("--stage", "stages", multiple=True, metavar="NAME", help="Only of this stage."),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice([*map(str, Reason), "unreadable"]),
        metavar="WORD",
        help="Only with this reason; `unreadable`: no letter of ours.",
    ),
    click.option(
        "--topic", "topics", multiple=True, metavar="NAME", help="Only read from this topic."
    ),
    click.option("--key", "--id", "key", metavar="KEY", help="Only of this key (article id)."),
    click.option("--since", metavar="TIME", help=f"Only failed since then: {_MOMENT}"),
    click.option("--until", metavar="TIME", help="Only failed before then."),
    click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="At most N, the oldest first."
    ),
)


def filters(command: F) -> F:
    """The options that choose letters; each may be given with the others."""
    for option in reversed(_FILTERS):
        command = option(command)
    return bootstrap_option(command)


def asked(
    settings: Settings, options: dict[str, Any], places: Sequence[str] = ()
) -> tuple[KafkaConfig, Filter]:
    """Broker and filter of the options that :func:`filters` gives, and of the letters named.

    Raises:
        InputError: A time, topic or letter that is none.
    """
    from stream.letters import Filter, parse_place
    from stream.tail import parse_since, topic_named

    moments = {
        name: None if options[name] is None else parse_since(options[name], now())
        for name in ("since", "until")
    }
    key = options["key"]
    wanted = Filter(
        stages=options["stages"],
        reasons=options["reasons"],
        topics=tuple(topic_named(name).name for name in options["topics"]),
        key=None if key is None else key.encode("utf-8", "surrogateescape"),
        places=tuple(parse_place(place) for place in places),
        limit=options["limit"],
        **moments,
    )
    return settings.config(options["bootstrap"]).kafka, wanted


def letters_of(kafka: KafkaConfig, wanted: Filter, *, has_settled: bool = False) -> list[Listed]:
    """Read the list, with progress.

    Raises:
        InputError: A letter asked for by its place is not there.
        BrokerError: The broker does not answer, or has no dead-letter topic.
    """
    from stream.letters import read_letters

    with progress("reading", None) as advance:
        work = read_letters(kafka, wanted, has_settled=has_settled, advance=advance)
        found = run_async(work)
    there = {place for listed in found for place in (listed.place, *listed.copies)}
    missing = sorted(set(wanted.places) - there) if wanted.limit is None else []
    if missing:
        names = ", ".join(map(str, missing))
        raise InputError(f"no letter waits at {names}; `nashra deadletters list` shows those there")
    return found


def with_original(kafka: KafkaConfig, listed: Listed) -> Message:
    """Read one letter once more, with its original.

    Raises:
        InputError: It has left the topic meanwhile.
    """
    from stream.letters import fetch

    async def work() -> Message:
        async with aclosing(fetch(kafka, [listed])) as found:
            async for _, message in found:
                return message
        raise InputError(f"letter {listed.place} has left the topic: its retention has ended")

    return run_async(work())


def confirm(question: str) -> None:
    """Ask on a terminal; elsewhere ``--yes`` must have been given.

    Raises:
        click.UsageError: There is nobody to ask.
        click.Abort: The answer is no.
    """
    if not _is_asked_on_terminal():
        raise click.UsageError(f"{question} Nobody is here to ask: say --yes, or name letters")
    click.confirm(question, abort=True, err=True)


def _is_asked_on_terminal() -> bool:
    # None where the process was started with it closed; the type stubs do not know.
    stream = cast("TextIO | None", sys.stdin)
    return stream is not None and stream.isatty()


def say_dry(letters: Iterable[Listed], *, is_forced: bool) -> None:
    """What a requeue would do, a line each; ends with exit code 1 if a letter would stay."""
    from stream.requeue import refusal
    from stream.settle import Left

    able = 0
    left = []
    for listed in letters:
        why = refusal(listed, is_forced=is_forced)
        if why is None:
            able += 1
            topic = listed.letter.topic if listed.letter is not None else "-"
            stdout().print(f"{listed.place} -> {topic}", soft_wrap=True)
        else:
            left.append(str(Left(listed.place, why)))
    stderr().print(f"{counted(able, 'letter')} would be requeued", soft_wrap=True)
    say_left(left)


def settle_all(work: Callable[[Hand], Awaitable[Report]], total: int, verb: str) -> None:
    """Run a requeue or a discard with progress, say how it went, end with its exit code."""
    from stream.settle import Hand, who

    async def watched(advance: Callable[[], None]) -> Report:
        with Stop().on_signals() as stop:
            hand = Hand(clock=now, by=who(), should_stop=lambda: stop.is_asked, advance=advance)
            return await work(hand)

    start_s = time.monotonic()
    with progress(verb, total) as advance:
        report = run_async(watched(advance))
    stopped = "stopped by Ctrl-C: " if report.is_stopped else ""
    took = f"{time.monotonic() - start_s:.1f} s"
    stderr().print(f"{stopped}{counted(report.settled, 'letter')} {verb}, {took}", soft_wrap=True)
    if report.is_stopped:
        click.get_current_context().exit(EXIT_INTERRUPTED)
    say_left(map(str, report.left))


def say_left(left: Iterable[str]) -> None:
    """A line on standard error for each letter that stays; exit code 1 if there is one."""
    from rich.text import Text

    lines = list(left)
    for line in lines:
        stderr().print(Text.assemble(("left: ", "bold red"), line), soft_wrap=True)
    if lines:
        click.get_current_context().exit(EXIT_SOME_FAILED)
