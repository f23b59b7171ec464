"""Workers that are killed, restarted and scaled in the middle of a replay, on Apache Kafka."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import pytest

from stream.config import Config
from tests.faults.conftest import Size
from tests.faults.fleet import ROLES, Fleet
from tests.faults.ledger import Ledger
from tests.faults.newsday import newsday
from tests.faults.rehearsal import Account, Rehearsal
from tests.support.text import tools

pytestmark = pytest.mark.broker

PEAK_PER_S = 250
"""More than a worker of this machine makes in a second while it catches up."""


def rehearse(config: Config, folder: Path, size: Size, seed: int) -> Rehearsal:
    return Rehearsal(config, folder, newsday(size.articles, seed=seed), tools(), size.rate)


def say(capsys: pytest.CaptureFixture[str], what: str, account: Account) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n[{what}: {account}]\n")


def test_random_kill_9(
    kafka_config: Config, tmp_path: Path, size: Size, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(9)

    def faults(workers: Fleet, _: Ledger) -> None:
        for role in ROLES:
            workers.scale(role, 2)
        for _ in range(size.kills):
            time.sleep(chance.uniform(1.0, 5.0))
            place = chance.choice(workers.running())
            workers.end(place, signal.SIGKILL)
            role, _, number = place.rpartition("-")
            workers.start(role, int(number))

    rehearsal = rehearse(kafka_config, tmp_path, size, seed=9)
    account = rehearsal.run(faults)
    say(capsys, f"{size.kills} kill -9, {size.articles} articles", account)
    account.assert_nothing_lost(rehearsal.day)
    a_kill = kafka_config.worker.commit_interval_s * PEAK_PER_S
    assert account.repeats <= size.kills * a_kill


def test_rolling_restarts_by_sigterm(
    kafka_config: Config, tmp_path: Path, size: Size, capsys: pytest.CaptureFixture[str]
) -> None:
    def faults(workers: Fleet, _: Ledger) -> None:
        for role in ROLES:
            workers.start_and_wait(role, 1)
        for _ in range(size.rolls):
            for place in workers.running():
                time.sleep(1.0)
                assert workers.end(place, signal.SIGTERM) == 0
                role, _, number = place.rpartition("-")
                workers.start_and_wait(role, int(number))

    rehearsal = rehearse(kafka_config, tmp_path, size, seed=15)
    account = rehearsal.run(faults)
    say(capsys, f"{size.rolls} rolling restarts, {size.articles} articles", account)
    account.assert_nothing_lost(rehearsal.day)
    assert account.repeats < max(1, size.articles / 1_000)


def test_scaling_from_1_to_3_and_back(
    kafka_config: Config, tmp_path: Path, size: Size, capsys: pytest.CaptureFixture[str]
) -> None:
    def faults(workers: Fleet, _: Ledger) -> None:
        for _ in range(size.scalings):
            for count in (3, 1):
                for role in ROLES:
                    workers.scale(role, count)
                time.sleep(8.0)

    rehearsal = rehearse(kafka_config, tmp_path, size, seed=3)
    account = rehearsal.run(faults)
    say(capsys, f"{size.scalings} times 1 -> 3 -> 1 workers, {size.articles} articles", account)
    account.assert_nothing_lost(rehearsal.day)
    assert account.repeats < max(1, size.articles / 1_000)
