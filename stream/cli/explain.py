"""``nashra explain``: what each step did to one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connectors.files import ReadFailure
from connectors.readers import PageRead
from schemas.errors import ProcessingError
from stream.cli.common import (
    EXIT_SOME_FAILED,
    Settings,
    examples,
    pass_settings,
    stdout,
)
from stream.cli.reading import check_url, new_reader, now, say_failure, single_file

if TYPE_CHECKING:
    from processors.tools import Tools


@click.command(
    epilog=examples(
        "nashra explain samples/some-page.txt",
        "nashra explain page.html --url https://news.example/a/1 | less",
    )
)
@click.argument("path", metavar="FILE")
@click.option("--url", help="Address of the page; for a .txt or .html file.")
@pass_settings
def explain(settings: Settings, path: str, url: str | None) -> None:
    """Show what each step did to the pages of one file.

    Each removed line with its rule and the reason, each date that was found and why one of them
    won, each entity with its span in the body. In colour on a terminal.
    """
    check_url(url, [path])
    file = single_file(path)
    results = list(new_reader(settings.config(), [path], url=url).read([file]))
    from processors.tools import load_tools

    tools = load_tools()
    is_failed = False
    for result in results:
        failure = result if isinstance(result, ReadFailure) else None
        if isinstance(result, PageRead):
            failure = _explain(result, tools)
        if failure is not None:
            is_failed = True
            say_failure(failure)
    if is_failed:
        click.get_current_context().exit(EXIT_SOME_FAILED)


def _explain(read: PageRead, tools: Tools) -> ReadFailure | None:
    """Print one page's explanation; a page that a step refuses is a failure."""
    from processors.pipeline import enrich, finish, trace
    from stream.explanation import explain_page

    moment = now()
    try:
        traces = trace(read.page, tools, now=moment)
    except ProcessingError as error:
        return ReadFailure(read.path, f"{error} ({error.step}: {error.reason})", read.line)
    article = enrich(finish(traces[-1].draft, tools), tools, now=moment)
    out = stdout()
    for line in explain_page(read.page, traces, article):
        out.print(line)
    return None
