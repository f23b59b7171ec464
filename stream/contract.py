"""The published contract on disk: examples made by the real pipeline, written and compared.

``schemas`` may not import ``processors``, so the examples are made here and handed over.
They are made at fixed moments and carry no version of ours: only a change in what nashra does to
a sample changes an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.files import find_files
from connectors.readers import PageRead, Reader
from processors.pipeline import clean, enrich
from processors.tools import load_tools
from schemas import codec, export, topics
from schemas.errors import InputError, ProcessingError
from schemas.records import (
    DeadLetter,
    Enclosure,
    Feed,
    FeedEntry,
    FeedStatus,
    Heartbeat,
    RawPage,
)
from stream.config import ReplayConfig

REPOSITORY = Path(__file__).resolve().parents[1]
GENERATED = REPOSITORY / "schemas" / "generated"
SAMPLES = REPOSITORY / "samples"

FETCHED_AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
"""The moment at which every example page was seen."""

_SHOWN = ("01-dateline-agencies", "14-page-windows-1256", "16-english-agency")
"""Samples among the examples: Arabic text, an HTML page in an old charset, English."""

_REFUSED = "91-binary"
"""The sample shown as a dead letter."""

_VERSIONS = {"nashra": "example"}


def export_contract(directory: Path = GENERATED, samples: Path = SAMPLES) -> list[Path]:
    """Write schemas, AsyncAPI document and examples; all of them or none.

    Raises:
        InputError: If the samples cannot be read or the directory cannot be written.
    """
    return export.write(directory, make_examples(samples))


def check_contract(directory: Path = GENERATED, samples: Path = SAMPLES) -> list[str]:
    """Say how the files in ``directory`` differ from what the code would write; empty if not.

    Raises:
        InputError: If the samples cannot be read.
    """
    return export.check(directory, make_examples(samples))


def make_examples(samples_dir: Path) -> dict[str, bytes]:
    """Make one or more examples of every public record, the articles from the sample files.

    Args:
        samples_dir: The project's ``samples/``: which of them are shown stands in this file.

    Returns:
        File name (``article.v1.<label>.json``) to the record as JSON.

    Raises:
        InputError: If a sample that is shown is missing, or fares otherwise than it should.
    """
    pages = {_label(page): page for page in _pages(samples_dir)}
    process = _processor()
    made: list[tuple[str, object]] = []
    for label in (*_SHOWN, _REFUSED):
        if label not in pages:
            raise InputError(f"{samples_dir}: no sample {label}, which the examples are made from")
        records = process(pages[label])
        if isinstance(records[0], DeadLetter) is not (label == _REFUSED):
            raise InputError(f"{samples_dir}: sample {label} gave a {type(records[0]).__name__}")
        made += [(label, record) for record in records]
    made += [("hourly", record) for record in _feed_records()]
    made += [("cleaner", _heartbeat())]
    return {_file_name(record, label): codec.encode(record) for label, record in made}


def _file_name(record: object, label: str) -> str:
    return f"{export.schema_file(type(record)).removesuffix('.json')}.{label}.json"


def _pages(samples_dir: Path) -> Iterator[RawPage]:
    reader = Reader(
        max_file_bytes=ReplayConfig().max_file_bytes, clock=lambda: FETCHED_AT, url=None
    )
    for result in reader.read(find_files([str(samples_dir)])):
        if isinstance(result, PageRead):
            yield result.page


def _label(page: RawPage) -> str:
    """``file:03-floods.txt`` is ``03-floods``."""
    return page.origin.removeprefix("file:").partition(".")[0]


def _processor() -> Callable[[RawPage], tuple[object, ...]]:
    """The pipeline at fixed moments, its versions masked.

    Returns:
        What turns a page into the records shown of it: page, clean and enriched article; or, where
        a step refuses the page, its dead letter.
    """
    tools = load_tools()
    cleaned_at, enriched_at = (FETCHED_AT + timedelta(seconds=count) for count in (1, 2))

    def process(page: RawPage) -> tuple[object, ...]:
        try:
            cleaned = replace(clean(page, tools, now=cleaned_at), versions=_VERSIONS)
        except ProcessingError as error:
            return (_dead_letter(page, error, cleaned_at),)
        article = replace(enrich(cleaned, tools, now=enriched_at), versions=_VERSIONS)
        return page, cleaned, article

    return process


def _dead_letter(page: RawPage, error: ProcessingError, failed_at: datetime) -> DeadLetter:
    return DeadLetter(
        key=page.article_id.encode(),
        original=codec.encode(page),
        headers={"content-type": "application/json"},
        stage="cleaner",
        step=error.step,
        reason=error.reason,
        message=str(error),
        topic=topics.PAGES.name,
        partition=3,
        offset=41,
        timestamp_ms=int(page.fetched_at.timestamp() * 1000),
        failed_at=failed_at,
        versions=_VERSIONS,
    )


def _feed_records() -> tuple[Feed, FeedEntry, FeedStatus]:
    """A feed, an entry of it and a poll of it, made up."""
    feed = Feed(
        id="example-ar",
        url="https://news.example/ar/feed",
        kind="rss",
        publisher="Example News",
        language="ar",
        country="TN",
        timezone="Africa/Tunis",
        tags=("agency",),
    )
    entry = FeedEntry(
        feed_id=feed.id,
        entry_id="https://news.example/ar/1",
        url="https://news.example/ar/1",
        title="Ministers meet in Tunis",
        published_raw="Thu, 15 Jan 2026 09:30:00 +0100",
        published_at=FETCHED_AT - timedelta(minutes=30),
        enclosures=(Enclosure(url="https://news.example/1.jpg", type="image/jpeg"),),
        discovered_at=FETCHED_AT,
    )
    status = FeedStatus(
        feed_id=feed.id,
        state="ok",
        polled_at=FETCHED_AT,
        next_poll_at=FETCHED_AT + timedelta(hours=1),
        next_poll_why="max-age",
        http_status=200,
        response_bytes=20_480,
        entries=20,
        new_entries=1,
        duplicate_share=0.95,
        newest_entry_at=entry.published_at,
    )
    return feed, entry, status


def _heartbeat() -> Heartbeat:
    return Heartbeat(
        worker_id="cleaner-0",
        role="cleaner",
        beat_at=FETCHED_AT,
        started_at=FETCHED_AT - timedelta(minutes=5),
        counts={"published": 40, "dead_letter": 2},
        versions=_VERSIONS,
    )
