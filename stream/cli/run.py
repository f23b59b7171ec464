"""``nashra run``: the processors without a broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from connectors.files import ReadFailure, ReadNote, find_files
from connectors.readers import PageRead, ReadResult
from stream.cli.common import EXIT_SOME_FAILED, Settings, examples, pass_settings, stderr
from stream.cli.output import line_output
from stream.cli.progress import progress
from stream.cli.reading import (
    check_url,
    clock_option,
    counted,
    new_reader,
    now,
    say_failure,
    total_pages,
)

if TYPE_CHECKING:
    from stream.local import LocalPipeline


@click.command(
    epilog=examples(
        "nashra run samples | jq .headline",
        "nashra run samples -o articles.jsonl",
        "nashra run page.html --url https://news.example/a/1",
        "nashra run samples -o a.jsonl --clock 2026-01-15T09:30:00Z   same bytes each time",
    )
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--url", help="Address of the page; for a single .txt or .html file.")
@clock_option
@pass_settings
def run(
    settings: Settings,
    paths: tuple[str, ...],
    output: Path | None,
    url: str | None,
    clock: str | None,
) -> None:
    """Turn page files into articles, with no broker: one JSON line an article.

    PATH is a .txt, .html, .json or .jsonl file (each also .gz or .zst), a folder, or - for JSON
    lines on standard input. Progress and trouble go to standard error. With -o the file appears
    when all is done.

    With --clock the cleaned_at and enriched_at of an article are its fetched_at. `nashra replay`
    with the same --clock gives the same bytes through workers with worker.clock = "page".

    A file that fails has a line on standard error, the rest is still done, and the exit code is 1.
    """
    from processors.tools import load_tools
    from stream.clock import clock_of, parse_instant, standing_at
    from stream.local import LocalPipeline

    check_url(url, paths)
    seen = now if clock is None else standing_at(parse_instant(clock))
    config = settings.config()
    reader = new_reader(config, paths, url=url, clock=seen)
    start_s = time.monotonic()
    run_ = _Run(LocalPipeline(load_tools(), clock_of("page" if clock else config.worker.clock)))
    with (
        line_output(output) as lines,
        progress("articles", total_pages(paths)) as advance,
    ):
        for result in reader.read(find_files(paths)):
            run_.take(result, lines)
            advance()
    _say_summary(run_, time.monotonic() - start_s)
    if run_.failed:
        click.get_current_context().exit(EXIT_SOME_FAILED)


@dataclass(slots=True)
class _Run:
    """Counts of one run, and what it does with each page."""

    pipeline: LocalPipeline
    say: Callable[[ReadFailure], None] = say_failure
    done: int = 0
    failed: int = 0
    notes: list[ReadNote] = field(default_factory=list)

    def take(self, result: ReadResult, lines: BinaryIO) -> None:
        """Write one article, or say why not."""
        match result:
            case PageRead():
                outcome = self.pipeline.process(result.page)
                if isinstance(outcome, bytes):
                    lines.write(outcome + b"\n")
                    lines.flush()
                    self.done += 1
                else:
                    why = f"{outcome.message} ({outcome.step or 'stage'}: {outcome.reason})"
                    self._fail(ReadFailure(result.path, why, result.line))
            case ReadFailure():
                self._fail(result)
            case ReadNote():
                self.notes.append(result)

    def _fail(self, failure: ReadFailure) -> None:
        self.failed += 1
        self.say(failure)


def _say_summary(run_: _Run, seconds: float) -> None:
    for note in run_.notes:
        stderr().print(f"note: {note}", soft_wrap=True)
    failed = f", {run_.failed:,} failed" if run_.failed else ""
    stderr().print(f"{counted(run_.done, 'article')}{failed}, {seconds:.1f} s")
