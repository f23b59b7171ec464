"""How long a partition stands still when its worker goes, at default settings."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from schemas.topics import CLEAN
from stream.config import Config
from tests.faults.fleet import Fleet, fleet, wait_until
from tests.faults.ledger import Ledger
from tests.faults.newsday import newsday
from tests.faults.rehearsal import replay

pytestmark = pytest.mark.broker

PAGES_PER_S = 60
"""Five for each partition, so that a gap of half a second means nothing."""

REACT_S = 6.0
"""For heartbeats, the join, the seek and the read back of what was published, and some more."""


def paused_s(
    config: Config, folder: Path, number: signal.Signals, *, is_static: bool
) -> tuple[float, float]:
    """Longest pause of any partition after one of two cleaners gets a signal and, a second later,
    is started again; and the longest before."""
    day = newsday(3_000, seed=number)
    with (
        Ledger(config) as ledger,
        fleet(config, folder, ["cleaner"], is_static=is_static) as workers,
        replay(config, day, folder, PAGES_PER_S) as is_replaying,
    ):
        workers.start_and_wait("cleaner", 1)
        wait_until(lambda: _is_shared(workers, ledger), "both work", 60)
        time.sleep(5.0)
        calm_s = time.monotonic()
        time.sleep(5.0)
        signalled_s = time.monotonic()
        workers.end("cleaner-1", number)
        time.sleep(1.0)
        workers.start("cleaner", 1)
        wait_until(lambda: not is_replaying(), "the end of the replay", 120)
        before_s = ledger.longest_pause_s(CLEAN, calm_s, signalled_s)
        return ledger.longest_pause_s(CLEAN, signalled_s, time.monotonic() - 2.0), before_s


def _is_shared(workers: Fleet, ledger: Ledger) -> bool:
    return bool(ledger.versions(CLEAN)) and all(
        "batch.done" in worker.said() for worker in workers.workers.values()
    )


@pytest.mark.parametrize("is_static", [False, True], ids=["dynamic", "static"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_partition_stands_still_no_longer_than_the_session(
    number: signal.Signals,
    is_static: bool,
    kafka_config: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    longest_s, before_s = paused_s(kafka_config, tmp_path, number, is_static=is_static)
    with capsys.disabled():
        sys.stdout.write(
            f"\n[{number.name}, {'static' if is_static else 'dynamic'} membership: "
            f"longest pause of a partition {longest_s:.1f} s (before: {before_s:.1f} s)]\n"
        )
    assert longest_s < kafka_config.worker.session_timeout_s + REACT_S
