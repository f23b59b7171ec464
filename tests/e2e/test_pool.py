"""A worker whose pool meets bad pages: each is a dead letter by name, and nothing stays behind."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from schemas.topics import CLEAN
from stream.config import Config
from tests.support.stream_kit import (
    Worker,
    consume_ids,
    count_on,
    fake_worker,
    letters_of,
    page,
    produce,
    sent,
)

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the processes"),
]


def children(worker: Worker) -> list[int]:
    assert worker.process is not None
    pid = worker.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_gone(pids: list[int], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.05)


def test_each_bad_page_is_a_dead_letter_by_name_and_its_neighbours_go_on(
    config: Config, tmp_path: Path
) -> None:
    deeds = {
        "hang": "timed-out",
        "eat": "out-of-memory",
        "crash": "worker-died",
        "boom": "step-failed",
    }
    bad = {deed: page(f"pool-{deed}", deed) for deed in deeds}
    good = [page(f"pool-{number}", f"good {number}") for number in range(60)]
    mixed = [*good]
    for place, each in enumerate(bad.values()):
        mixed.insert(10 * (place + 1), each)
    produce(config, [sent(each) for each in mixed])
    with fake_worker(config, tmp_path / "log", FAKE_POOL="1") as worker:
        worker.wait_for("pool.ready")
        ids = [each.article_id for each in good]
        assert len(consume_ids(config, CLEAN, ids)) == len(good)
        keys = {deed: each.article_id.encode() for deed, each in bad.items()}
        letters = letters_of(config, keys.values())
        processes = children(worker)
        assert worker.signal(signal.SIGTERM) == 0
    assert {deed: letters[key].reason for deed, key in keys.items()} == deeds
    assert {deed: letters[key].attempts for deed, key in keys.items()} == {
        "hang": 1,
        "eat": 1,
        "crash": 2,
        "boom": 1,
    }
    assert all(letters[keys[deed]].original == sent(bad[deed])[1] for deed in deeds)
    assert processes
    wait_gone(processes)


def test_no_process_outlives_a_worker_that_is_killed(config: Config, tmp_path: Path) -> None:
    produce(config, [sent(page("orphan-hang", "hang"))])
    with fake_worker(config, tmp_path / "log", FAKE_POOL="1") as worker:
        worker.wait_for("pool.process_ended")  # it works on the page that hangs
        processes = children(worker)
        assert worker.signal(signal.SIGKILL) == -9
        assert processes
        wait_gone(processes)
    with fake_worker(config, tmp_path / "log2", FAKE_POOL="1"):
        key = page("orphan-hang", "hang").article_id.encode()
        assert letters_of(config, [key])[key].reason == "timed-out"


def test_sigterm_gives_back_what_is_not_in_work_and_the_next_worker_does_it(
    config: Config, tmp_path: Path
) -> None:
    pages = [page(f"back-{number}", f"text {number}") for number in range(300)]
    ids = [each.article_id for each in pages]
    produce(config, [sent(each) for each in pages])
    with fake_worker(config, tmp_path / "log", FAKE_POOL="1", FAKE_SLEEP_S="0.02") as worker:
        worker.wait_for("batch.done")
        assert worker.signal(signal.SIGTERM) == 0
    assert 0 < count_on(config, CLEAN, ids, quiet_s=0.5) < 300
    with fake_worker(config, tmp_path / "log2", FAKE_POOL="1"):
        assert len(consume_ids(config, CLEAN, ids)) == 300, "repeats"
