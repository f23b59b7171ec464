"""kill -9 of real workers in the middle of a real replay of 2,000 articles."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from schemas.topics import CLEAN, ENRICHED
from stream.cli.common import child_environ
from stream.config import Config
from tests.support.articles import read_pages
from tests.support.stream_kit import Worker, consume_ids, count_on

pytestmark = pytest.mark.broker

ARTICLES = 2_000

# A council opens a library; the number makes each text another article.
TEXT = """البلدية تفتتح المكتبة رقم {number}

القاهرة - رويترز

افتتحت البلدية يوم الأحد مكتبة عامة تحمل الرقم {number}، وقال مديرها إنها ستبقى مفتوحة حتى المساء.

وأضاف أن القراء يستطيعون استعارة خمسة كتب في الشهر، وأن قاعة للأطفال ستفتح في الصيف المقبل.

مشاركة :
"""


def jsonl(folder: Path) -> Path:
    """One file of 2,000 pages."""
    file = folder / "pages.jsonl"
    rows = (
        {"url": f"https://news.example/kill/{number}", "text": TEXT.format(number=number)}
        for number in range(ARTICLES)
    )
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return file


def worker(role: str, config: Config, log: Path) -> Worker:
    argv = [sys.executable, "-m", "stream", "worker", role]
    return Worker(argv, log, **child_environ(config))


def test_kill_9_of_both_workers_in_a_replay_of_2000_loses_no_article(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = jsonl(tmp_path)
    ids = {page.article_id for page in read_pages(file)}
    assert len(ids) == ARTICLES
    cleaner, enricher = (worker(role, config, tmp_path / role) for role in ("cleaner", "enricher"))
    with cleaner, enricher:
        replay = subprocess.Popen(
            [sys.executable, "-m", "stream", "replay", str(file), "--rate", "400/s"],
            env={**child_environ(config)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for victim in (cleaner, enricher):
            victim.wait_for("batch.done")
            assert victim.signal(signal.SIGKILL) == -9
        early = count_on(config, CLEAN, ids, quiet_s=0.3)
        assert replay.wait(60) == 0
        cleaner.start()
        enricher.start()
        found = consume_ids(config, ENRICHED, ids, timeout_s=120)
    times = Counter(record.key.decode() for record in found)
    assert set(times) == ids, "lost"
    contents = {(record.key, orjson.loads(record.value)["content_hash"]) for record in found}
    assert len(contents) == ARTICLES, "a repeat says something else"
    assert early < ARTICLES, "they were to be killed in the middle"
    repeats = sum(times.values()) - ARTICLES
    with capsys.disabled():
        sys.stdout.write(
            f"\n[kill -9 with {early} of {ARTICLES} cleaned: 0 lost, {repeats} repeats]\n"
        )
