"""Nothing lost, nothing repeated, whatever happens to the worker (with a stage of no consequence).

Each test has its own page names, so the tests may share topics and run in any order.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from schemas.topics import CLEAN, HEARTBEAT, PAGES
from stream.config import Config
from tests.support.stream_kit import (
    consume,
    consume_ids,
    count_on,
    fake_worker,
    letters_of,
    page,
    produce,
    sent,
)

pytestmark = pytest.mark.broker


def test_poison_goes_to_the_dead_letters_and_the_worker_goes_on(
    config: Config, tmp_path: Path
) -> None:
    boom, swell = page("poison-boom", "boom"), page("poison-swell", "swell" * 100)
    good = [page(f"poison-{number}", f"good {number}") for number in range(20)]
    produce(
        config, [(b"poison", b"\x00\xff no JSON", {"traceparent": b"00-aa-bb-01", "nothing": None})]
    )
    produce(config, [(b"gone", None, {}), (None, b"no key", {})])
    produce(config, [sent(each) for each in (boom, swell, *good)])
    with fake_worker(config, tmp_path / "log") as worker:
        articles = consume_ids(config, CLEAN, [each.article_id for each in good])
        boom_key, swell_key = boom.article_id.encode(), swell.article_id.encode()
        letters = letters_of(config, [b"poison", boom_key, swell_key])
        beats = consume(config, HEARTBEAT, lambda got: len(got) >= 1)
        assert worker.signal(signal.SIGTERM) == 0
        assert "skipped.tombstone" in worker.said()

    assert len(articles) == 20
    first, headers = articles[0], dict(articles[0].headers)
    assert abs(first.timestamp / 1000 - time.time()) < 60, "that of the page's record"
    assert len(headers) == len(first.headers), "a header name was used twice"
    assert headers["ce_subject"] == first.key
    assert headers["ce_id"] == first.key + b":1"

    poison = letters[b"poison"]
    assert poison.original == b"\x00\xff no JSON"
    assert (poison.reason, poison.stage) == ("undecodable", "cleaner")
    assert poison.topic == PAGES.name
    assert poison.headers == {"traceparent": "00-aa-bb-01", "nothing": ""}
    failed = letters[boom_key]
    assert (failed.reason, failed.message) == ("step-failed", "RuntimeError: boom")
    assert letters[swell_key].reason == "too-large"
    assert letters[swell_key].original == sent(swell)[1]
    assert dict(beats[-1].headers)["ce_type"] == b"org.nashra.worker.heartbeat.v1"


def test_sigterm_in_the_middle_loses_nothing_and_a_replay_makes_no_second_article(
    config: Config, tmp_path: Path
) -> None:
    pages = [page(f"term-{number}", f"text {number}") for number in range(300)]
    ids = [each.article_id for each in pages]
    last = page("term-last", "the last one")
    produce(config, [sent(each) for each in pages])
    with fake_worker(config, tmp_path / "log", FAKE_SLEEP_S="0.01") as worker:
        worker.wait_for("batch.done")
        assert worker.signal(signal.SIGTERM) == 0
    before = count_on(config, CLEAN, ids, quiet_s=0.5)
    assert 0 < before < 300, "it was to be stopped in the middle"
    # The next process knows only what it reads back of the first one's articles.
    with fake_worker(config, tmp_path / "log2"):
        produce(config, [sent(each) for each in pages])
        found = consume_ids(config, CLEAN, ids)
        assert len(found) == 300, f"{len(found) - 300} repeats"
        produce(config, [sent(pages[0], nashra_again=b"1"), *(sent(each) for each in pages)])
        produce(config, [sent(last)])
        consume_ids(config, CLEAN, [last.article_id])
        assert count_on(config, CLEAN, ids, quiet_s=0.5) == 300 + 1, "one was forced"


def test_kill_9_in_the_middle_loses_nothing(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [page(f"kill-{number}", f"text {number}") for number in range(300)]
    ids = [each.article_id for each in pages]
    produce(config, [sent(each) for each in pages])
    with fake_worker(config, tmp_path / "log", FAKE_SLEEP_S="0.005") as worker:
        worker.wait_for("batch.done")
        assert worker.signal(signal.SIGKILL) == -9
    before = count_on(config, CLEAN, ids, quiet_s=0.5)
    with fake_worker(config, tmp_path / "log2") as worker:
        found = consume_ids(config, CLEAN, ids)
    with capsys.disabled():
        sys.stdout.write(f" [kill -9 after {before} of 300: {len(found) - 300} repeats] ")
    assert before < 300, "it was to be killed in the middle"
    assert {record.key for record in found} == {each.encode() for each in ids}


def test_a_bug_in_delivery_ends_the_worker_and_the_batch_comes_again(
    config: Config, tmp_path: Path
) -> None:
    pages = [page(f"bug-{number}", f"text {number}") for number in range(200)]
    ids = [each.article_id for each in pages]
    produce(config, [sent(each) for each in pages])
    with fake_worker(config, tmp_path / "log", FAKE_BROKEN="1") as worker:
        assert worker.wait() == 1
        assert "broken on purpose" in worker.said()
    with fake_worker(config, tmp_path / "log2"):
        found = consume_ids(config, CLEAN, ids)
    assert len(found) == 200
