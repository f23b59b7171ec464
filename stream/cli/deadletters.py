"""``nashra deadletters list|show|requeue|discard|export``."""

from __future__ import annotations

import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schemas import codec
from schemas.errors import InputError
from stream.cli.common import (
    Settings,
    bootstrap_option,
    examples,
    pass_settings,
    run_async,
    stderr,
    stdout,
)
from stream.cli.letterwork import (
    asked,
    confirm,
    filters,
    letters_of,
    say_dry,
    say_left,
    settle_all,
    with_original,
)
from stream.cli.output import line_output
from stream.cli.progress import progress
from stream.cli.reading import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from stream.config import KafkaConfig
    from stream.letters import Listed
    from stream.settle import Hand, Report


@click.group()
def deadletters() -> None:
    """Messages that no retry could help: look at them, put them back after a fix, export them."""


@deadletters.command(
    "list",
    epilog=examples(
        "nashra deadletters list",
        "nashra deadletters list --reason undecodable --since 2h",
        "nashra deadletters list --json | jq -r .letter",
    ),
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line, nothing else.")
@filters
@pass_settings
def list_(settings: Settings, /, **options: Any) -> None:
    """Show the letters that wait, oldest first, and how many there are by reason and stage.

    Letters that were requeued or discarded are not shown. Each is named by its place on the
    dead-letter topic, PARTITION:OFFSET. With --json the key is base64; --key takes it in clear.
    """
    from stream import letterview

    kafka, wanted = asked(settings, options)
    letters = letters_of(kafka, wanted)
    is_json = options["is_json"]
    if is_json:
        with line_output(None) as lines:
            lines.writelines(letterview.as_json(listed) + b"\n" for listed in letters)
    elif stdout().is_terminal:
        stdout().print(letterview.table(letters, stdout().width))
    else:
        for listed in letters:
            stdout().print(letterview.line(listed))
    (stderr() if is_json else stdout()).print(letterview.counts(letters), soft_wrap=True)


@deadletters.command(
    "show",
    epilog=examples(
        "nashra deadletters show 3:17",
        "nashra deadletters show 3:17 --raw > page.json      the bytes as they came",
        "nashra deadletters show 3:17 --json                  a dead-letter/1.0 record",
    ),
)
@click.argument("place", metavar="LETTER")
@click.option("--raw", "is_raw", is_flag=True, help="Write the original bytes and nothing else.")
@click.option("--json", "is_json", is_flag=True, help="Write the letter as one JSON object.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write --raw or --json to a file.",
)
@bootstrap_option
@pass_settings
def show(settings: Settings, /, place: str, bootstrap: str | None, **options: Any) -> None:
    """Show everything about one letter, its original decoded for people.

    LETTER is PARTITION:OFFSET as `nashra deadletters list` shows it. A settled one is shown too.
    """
    from stream import deadletter, letterview
    from stream.letters import Filter, parse_place

    if options["is_raw"] and options["is_json"]:
        raise click.UsageError("--raw or --json, not both")
    if options["output"] is not None and not (options["is_raw"] or options["is_json"]):
        raise click.UsageError("-o is for --raw and --json")
    kafka = settings.config(bootstrap).kafka
    wanted = Filter(places=(parse_place(place),))
    (listed,) = letters_of(kafka, wanted, has_settled=True)
    message = with_original(kafka, listed)
    if not options["is_raw"] and not options["is_json"]:
        for line in letterview.card(listed, message):
            stdout().print(line)
        return
    with line_output(options["output"]) as lines:
        if options["is_raw"]:
            lines.write(message.value or b"")
        else:
            lines.write(codec.encode(deadletter.from_message(message)) + b"\n")


@deadletters.command(
    "requeue",
    epilog=examples(
        "nashra deadletters requeue 3:17 4:2",
        "nashra deadletters requeue --reason step-failed --dry-run",
        "nashra deadletters requeue --stage enricher --since 1d",
    ),
)
@click.argument("places", metavar="[LETTER]...", nargs=-1)
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would go back, do nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask before everything is requeued.")
@click.option("--force", "is_forced", is_flag=True, help="Also what failed after three requeues.")
@filters
@pass_settings
def requeue(settings: Settings, /, places: tuple[str, ...], **options: Any) -> None:
    """Put letters back on the topics they came from, and take them off the list.

    The original key, bytes and headers go back, with headers that tell of the failure. What fails
    again comes as a new letter whose tries go on counting. Without LETTER or a filter all letters
    go back, which is asked for first.

    A letter that cannot go back (its original was cut, say) stays, with a line on standard error
    and exit code 1. Ctrl-C ends after what is in flight; nothing is lost.
    """
    from stream import settle

    kafka, wanted = asked(settings, options, places)
    letters = letters_of(kafka, wanted)
    if options["is_dry"]:
        say_dry(letters, is_forced=options["is_forced"])
        return
    if wanted.is_all and letters and not options["is_sure"]:
        confirm(f"requeue all {counted(len(letters), 'letter')}?")

    def work(hand: Hand) -> Awaitable[Report]:
        return settle.requeue(kafka, letters, hand, is_forced=options["is_forced"])

    settle_all(work, len(letters), "requeued")


@deadletters.command(
    "discard",
    epilog=examples(
        "nashra deadletters discard 3:17",
        "nashra deadletters discard --reason unreadable",
    ),
)
@click.argument("places", metavar="[LETTER]...", nargs=-1)
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask before everything is discarded.")
@filters
@pass_settings
def discard(settings: Settings, /, places: tuple[str, ...], **options: Any) -> None:
    """Take letters off the list without putting them back.

    For what can never go back: an original that was cut, a record that is no letter. They stay on
    the topic until its retention ends, and `nashra deadletters show` still shows them.
    """
    from stream import settle

    kafka, wanted = asked(settings, options, places)
    letters = letters_of(kafka, wanted)
    if wanted.is_all and letters and not options["is_sure"]:
        confirm(f"discard all {counted(len(letters), 'letter')}?")
    settle_all(lambda hand: settle.discard(kafka, letters, hand), len(letters), "discarded")


@deadletters.command(
    "export",
    epilog=examples(
        "nashra deadletters export letters.jsonl",
        "nashra deadletters export - --reason empty | jq -r .original | base64 -d",
    ),
)
@click.argument("output", metavar="FILE", type=click.Path(dir_okay=False))
@filters
@pass_settings
def export(settings: Settings, /, output: str, **options: Any) -> None:
    """Write letters with their originals to a JSONL file, one dead-letter/1.0 record a line.

    FILE is - for standard output. A file appears when all is written; after an error or Ctrl-C
    there is none. Key and original are base64. What is no letter is left out and told.
    """
    kafka, wanted = asked(settings, options)
    letters = letters_of(kafka, wanted)
    readable = [listed for listed in letters if listed.letter is not None]
    start_s = time.monotonic()
    run_async(_export(kafka, readable, None if output == "-" else Path(output)))
    took = f"{time.monotonic() - start_s:.1f} s"
    stderr().print(f"{counted(len(readable), 'letter')} exported, {took}", soft_wrap=True)
    say_left(f"letter {each.place}: {each.why}" for each in letters if each.letter is None)


async def _export(kafka: KafkaConfig, letters: list[Listed], path: Path | None) -> None:
    from stream.deadletter import from_message
    from stream.letters import fetch

    written = 0
    with line_output(path) as lines, progress("exporting", len(letters)) as advance:
        async with aclosing(fetch(kafka, letters)) as found:
            async for _, message in found:
                lines.write(codec.encode(from_message(message)) + b"\n")
                written += 1
                advance()
        if written < len(letters):
            raise InputError("letters left the topic meanwhile (its retention ended): try again")
