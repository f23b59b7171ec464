"""The roles of workers without their tools, which only the processes of the pool need."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.topics import CLEAN, ENRICHED, LATEST, PAGES
from stream.marks import page_mark, published_mark
from stream.stage import Dedup, Message, Result, Retry, Stage


def _elsewhere(message: Message) -> Result:
    del message
    return Retry("this process has no tools: the stage runs in those of the pool")


CLEANER = Stage(
    name="cleaner",
    source=PAGES,
    outputs=(CLEAN,),
    fn=_elsewhere,
    dedup=Dedup(output=CLEAN, mark=page_mark, mark_of=published_mark),
)
"""Pages to clean articles, as the worker knows it whose pool does the work."""

ENRICHER = Stage(
    name="enricher",
    source=CLEAN,
    outputs=(ENRICHED, LATEST),
    fn=_elsewhere,
    dedup=Dedup(
        output=ENRICHED,
        mark=lambda message: published_mark(message.headers),
        mark_of=published_mark,
    ),
)
"""Clean articles to enriched ones, as the worker knows it whose pool does the work."""

ROLES: Mapping[str, Stage] = {stage.name: stage for stage in (CLEANER, ENRICHER)}
"""By name."""
