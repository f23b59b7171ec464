"""The real cleaner and enricher, as ``nashra up`` runs them: pages in, enriched articles out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from processors import pipeline
from processors.tools import load_tools
from schemas.codec import decode, encode
from schemas.records import Article, RawPage
from schemas.topics import CLEAN, ENRICHED, LATEST
from stream.cli.common import child_environ
from stream.config import Config
from stream.supervisor import Command, Supervisor, worker_commands
from tests.support.stream_kit import consume_ids, letters_of, page, produce, sent

pytestmark = pytest.mark.broker

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOW = datetime(2026, 1, 16, tzinfo=UTC)

# A council of ministers meets in Amman and discusses the plan of the new year; by agencies.
TEXT = """اجتماع لمجلس الوزراء

عمان - وكالات: عقد مجلس الوزراء يوم الأحد اجتماعا بحث فيه خطة السنة الجديدة.

وقال الوزير إن الخطة تبدأ في الشهر القادم، وإن الناس ينتظرون نتائجها منذ عام.

رقم الصفحة {number}
"""


def pages(folder: Path) -> list[RawPage]:
    """Own pages, and the project's samples where they are there."""
    own = [page(f"main-{number}", TEXT.format(number=number)) for number in range(5)]
    samples = sorted((folder / "samples").glob("*.txt"))[:5]
    return own + [page(f"main-{path.name}", path.read_text("utf-8")) for path in samples]


async def run_workers(config: Config, work: Callable[[], None]) -> list[str]:
    """Run ``work`` in a thread while a cleaner and an enricher run; returns what they said."""
    said: list[str] = []
    environ = child_environ(config)
    commands = [
        Command(name=each.name, argv=each.argv, env=environ)
        for each in worker_commands({"cleaner": 1, "enricher": 1})
    ]
    async with Supervisor(commands, emit=lambda _, line: said.append(line)) as supervisor:
        await asyncio.to_thread(work)
        assert [status.restarts for status in supervisor.status()] == [0, 0], said
        await supervisor.stop()
        assert [status.exit_code for status in supervisor.status()] == [0, 0], said
    return said


def test_the_broker_path_gives_the_same_articles_as_the_processors_alone(
    config: Config, repository: Path, validate_record: Callable[[bytes], None]
) -> None:
    given = pages(repository)
    ids = [each.article_id for each in given]
    empty = page("main-empty", " \n ")
    found: dict[str, list[ConsumerRecord]] = {}

    def work() -> None:
        produce(config, [sent(each, traceparent=TRACE) for each in [empty, *given]])
        for topic in (CLEAN, ENRICHED, LATEST):
            found[topic.name] = consume_ids(config, topic, ids)
        letter = letters_of(config, [empty.article_id.encode()])[empty.article_id.encode()]
        assert (letter.stage, letter.reason) == ("cleaner", "empty")
        assert letter.original == encode(empty)

    said = asyncio.run(run_workers(config, work))

    for topic in (CLEAN, ENRICHED, LATEST):
        records = found[topic.name]
        assert sorted(record.key.decode() for record in records) == sorted(ids)
        for record in records:
            validate_record(record.value)
            assert [value for name, value in record.headers if name == "traceparent"] == [TRACE]
    latest = {record.key: record.value for record in found[LATEST.name]}
    assert latest == {record.key: record.value for record in found[ENRICHED.name]}

    tools = load_tools()
    for each in given:
        article = decode(Article, latest[each.article_id.encode()])
        alone = pipeline.enrich(pipeline.clean(each, tools, now=NOW), tools, now=NOW)
        assert replace(article, cleaned_at=NOW, enriched_at=NOW) == alone
        assert not any(alone.body[:40] in line for line in said), "article text in a log"
