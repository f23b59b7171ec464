"""``nashra diff``: what differs between two runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import click

from connectors.files import STDIN
from schemas.errors import InputError
from stream.cli.common import (
    EXIT_SOME_FAILED,
    Settings,
    examples,
    pass_settings,
    stderr,
    stdout,
)
from stream.cli.progress import progress
from stream.cli.reading import standard_input

if TYPE_CHECKING:
    from rich.text import Text

    from stream.diff import Scope
    from stream.runfile import Comparison, RunFile

LIMIT = 20
"""Articles shown in full unless --limit says otherwise."""


def _names(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """``body,headline`` as names."""
    del context, option
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


@click.command(
    epilog=examples(
        "nashra run samples -o old.jsonl --clock 2026-01-15T09:30:00Z     with the old version",
        "nashra run samples -o new.jsonl --clock 2026-01-15T09:30:00Z     with the new one",
        "nashra diff old.jsonl new.jsonl",
        "nashra diff old.jsonl.zst new.jsonl --fields headline,body,published_at",
        "nashra diff a.jsonl b.jsonl --json | jq -c 'select(.change == \"changed\")'",
        "nashra tail enriched --json | nashra diff old.jsonl - --quiet && echo same",
    )
)
@click.argument("a", metavar="A.jsonl")
@click.argument("b", metavar="B.jsonl")
@click.option("--fields", "only", metavar="F,...", callback=_names, help="Compare only these.")
@click.option("--ignore", "ignored", metavar="F,...", callback=_names, help="Leave these out too.")
@click.option("--all", "is_all", is_flag=True, help="Compare processing times and versions too.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show at most N articles; {LIMIT} unless with --json.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line, the summary first.")
@click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Print nothing; the exit code says.")
@pass_settings
def diff(settings: Settings, /, a: str, b: str, **options: object) -> None:
    """Compare two runs, article by article and field by field: before and after an upgrade.

    A and B hold one article a line, as `nashra run -o` and `nashra tail enriched --json` write
    them, in any order; .gz, .zst, a pipe, or - for standard input. Articles are told apart by id
    and revision. Repeats with the same content are counted; different contents under the same id
    and revision are reported, and of these the last one is compared.

    When a page was fetched and processed, and by which versions, is left out (fetched_at,
    cleaned_at, enriched_at, versions), unless with --all or --fields. Absent, null and empty are
    the same. A name stands for all below it: `published` for `published.raw`.

    Ends with 0 if nothing differs, 1 if something does, 2 if a file or a line cannot be read:
    then each bad line is named and nothing is compared.
    """
    from stream.diff import scope_of
    from stream.runfile import compare_runs

    if a == b == STDIN:
        raise click.UsageError("only one of A and B can be standard input")
    only, ignored = (cast("tuple[str, ...]", options[name]) for name in ("only", "ignored"))
    scope = scope_of(only, ignored, is_all=bool(options["is_all"]))
    with ExitStack() as stack:
        runs = [_open(settings, path, scope, stack) for path in (a, b)]
        _refuse_bad(runs)
        with progress("articles", len(runs[0].spots)) as advance:
            found = compare_runs(runs[0], runs[1], scope, advance)
        if not options["is_quiet"]:
            limit = cast("int | None", options["limit"])
            if options["is_json"]:
                _print_json(found, limit)
            else:
                _print_text(found, LIMIT if limit is None else limit)
    if not found.is_same:
        click.get_current_context().exit(EXIT_SOME_FAILED)


def _open(settings: Settings, path: str, scope: Scope, stack: ExitStack) -> RunFile:
    from stream.runfile import open_run

    cap = settings.config().replay.max_file_bytes
    stdin = standard_input() if path == STDIN else None
    with progress("lines", None) as advance:
        return open_run(path, scope, cap, stack, stdin=stdin, advance=advance)


def _refuse_bad(runs: Iterable[RunFile]) -> None:
    """End where a line is bad: half a comparison could pass for a whole one."""
    bad = 0
    for run in runs:
        bad += run.bad
        for failure in run.failures:
            stderr().print(f"failed: {failure}", soft_wrap=True)
        if run.bad > len(run.failures):
            more = run.bad - len(run.failures)
            stderr().print(f"failed: {run.name}: {more:,} more bad lines", soft_wrap=True)
    if bad:
        lines = "1 line is" if bad == 1 else f"{bad:,} lines are"
        raise InputError(f"{lines} no article: nothing was compared; mend or remove them")


def _print_text(found: Comparison, limit: int) -> None:
    from stream import diffview

    out = stdout()
    for line in diffview.summary(found):
        out.print(line)
    for lines in islice(_articles(found), limit):
        for line in lines:
            out.print(line)
    if found.total > limit:
        out.print()
        out.print(f"and {found.total - limit:,} more articles: --limit N shows N, --json all")


def _articles(found: Comparison) -> Iterator[Iterator[Text]]:
    """The lines of each article that is not the same in both."""
    from stream import diffview

    for run, key in found.conflicts:
        yield diffview.conflict(run, key)
    for key in found.changed:
        yield diffview.changed_article(key, found.b.last(key), found.changes(key))
    for key in found.only_a:
        yield diffview.lone_article(key, found.a.last(key), is_old=True)
    for key in found.only_b:
        yield diffview.lone_article(key, found.b.last(key), is_old=False)


def _print_json(found: Comparison, limit: int | None) -> None:
    import orjson

    for row in (_json_summary(found), *islice(_json_rows(found), limit)):
        sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
    sys.stdout.flush()


def _json_summary(found: Comparison) -> dict[str, Any]:
    runs = [
        {"name": run.name, "articles": len(run.spots), "repeats": run.repeats}
        for run in (found.a, found.b)
    ]
    return {
        "change": "summary",
        "a": runs[0],
        "b": runs[1],
        "same": found.same,
        "changed": len(found.changed),
        "only_in_a": len(found.only_a),
        "only_in_b": len(found.only_b),
        "conflicts": len(found.conflicts),
        "fields": dict(found.fields.most_common()),
        "compared": found.scope.only,
        "ignored": found.scope.ignored,
    }


def _json_rows(found: Comparison) -> Iterator[dict[str, Any]]:
    from stream.diffview import json_of

    for run, (name, revision) in found.conflicts:
        lines: Sequence[int] = [spot.line for spot in run.spots[name, revision]]
        row = {"id": name, "revision": revision, "change": "conflict"}
        yield row | {"in": "a" if run is found.a else "b", "lines": lines}
    for name, revision in found.changed:
        changes = [json_of(change) for change in found.changes((name, revision))]
        yield {"id": name, "revision": revision, "change": "changed", "fields": changes}
    for keys, word in ((found.only_a, "only-in-a"), (found.only_b, "only-in-b")):
        for name, revision in keys:
            yield {"id": name, "revision": revision, "change": word}
