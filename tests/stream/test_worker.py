"""A worker's start and end around a broker that is not there."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import BrokerError
from schemas.topics import PAGES
from stream import worker
from stream.config import Config, replace
from stream.diagnosis import RefusedError


def config(wait_s: float | None, data_dir: Path) -> Config:
    base = Config(data_dir=str(data_dir))
    return replace(base, worker=replace(base.worker, wait_s=wait_s))


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[BrokerError]:
    """What the broker answers to each look, first to last; after them all is well."""
    coming: list[BrokerError] = []

    async def check(*_: object) -> None:
        if coming:
            raise coming.pop(0)

    async def fine(*_: object) -> None:
        pass

    monkeypatch.setattr(worker, "check_broker", check)
    monkeypatch.setattr(worker, "require_topics", fine)
    monkeypatch.setattr(worker, "_check_partitions", fine)
    monkeypatch.setattr(worker, "_RETRY_S", 0.001)
    monkeypatch.setattr(worker, "MAX_WAIT_STEP_S", 0.004)
    return coming


async def test_without_a_limit_it_waits_and_says_why_at_each_step(
    errors: list[BrokerError], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    errors += [BrokerError(f"away {number}") for number in range(50)]
    with caplog.at_level(logging.WARNING, "stream.worker"):
        await worker.wait_for_broker(config(None, tmp_path), [PAGES])
    told = [vars(record) for record in caplog.records]
    assert [record["why"] for record in told] == [f"away {number}" for number in range(50)]
    assert [record["again_in_s"] for record in told[:4]] == [0.001, 0.002, 0.004, 0.004]


async def test_with_a_limit_it_gives_up(errors: list[BrokerError], tmp_path: Path) -> None:
    errors += [BrokerError("away")] * 1_000
    with pytest.raises(BrokerError, match="away"):
        await asyncio.wait_for(worker.wait_for_broker(config(0.05, tmp_path), [PAGES]), 10)


async def test_a_refused_login_is_not_tried_again(
    errors: list[BrokerError], tmp_path: Path
) -> None:
    errors += [RefusedError("refuses the login of cleaner"), BrokerError("never asked")]
    with pytest.raises(RefusedError):
        await worker.wait_for_broker(config(None, tmp_path), [PAGES])
    assert len(errors) == 1


def test_a_process_that_cannot_stop_is_ended() -> None:
    code = (
        "import time; from stream.worker import end_within; end_within(0.2); "
        "time.sleep(60); print('still here')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, b"")
