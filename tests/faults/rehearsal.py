"""One fault run: a replay in the background, faults in front, then the account."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processors.tools import Tools
from schemas.topics import CLEAN, ENRICHED
from stream.cli.common import child_environ
from stream.config import Config
from tests.faults.fleet import Fleet, fleet, wait_until
from tests.faults.ledger import Audit, Ledger, Version, quiet_run
from tests.faults.newsday import Newsday

PATIENCE_S = 120.0
"""How long after the last fault everything must have arrived."""


@dataclass(frozen=True, slots=True)
class Account:
    """How a run ended, by topic name."""

    audits: Mapping[str, Audit]
    letters: frozenset[str]
    took_s: float
    revived: int

    @property
    def repeats(self) -> int:
        """Of the topic that subscribers read."""
        return self.audits[ENRICHED.name].repeats

    def assert_nothing_lost(self, day: Newsday) -> None:
        """Every version once at least, with the content of the quiet run, in order."""
        for name, audit in self.audits.items():
            assert not audit.lost, f"{name}: lost {len(audit.lost)}"
            assert not audit.changed, f"{name}: {len(audit.changed)} have other bytes"
            assert not audit.backwards, f"{name}: out of order {audit.backwards}"
        assert self.letters == day.poison

    def __str__(self) -> str:
        """For the log of the run."""
        parts = [f"{name}: {audit.repeats} repeats" for name, audit in self.audits.items()]
        lost = sum(len(audit.lost) for audit in self.audits.values())
        ended = f"{self.revived} workers ended by themselves"
        return f"{lost} lost; {'; '.join(parts)}; {self.took_s:.0f} s; {ended}"


@contextmanager
def replay(config: Config, day: Newsday, folder: Path, rate: int) -> Iterator[Callable[[], bool]]:
    """``nashra replay`` in the background; gives whether it is still at it."""
    file = day.write(folder / "day.jsonl")
    log = folder / "replay.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream", "replay", str(file), "--rate", f"{rate}/s"],
            env=child_environ(config),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield lambda: process.poll() is None
        assert process.wait(PATIENCE_S) == 0, log.read_text()[-2_000:]
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a fault run needs."""

    config: Config
    folder: Path
    day: Newsday
    tools: Tools
    rate: int

    def run(self, faults: Callable[[Fleet, Ledger], None]) -> Account:
        """Replay the day, let ``faults`` happen, wait until all has arrived."""
        expected = quiet_run(self.day.pages, self.tools)
        started_s = time.monotonic()
        with (
            Ledger(self.config) as ledger,
            fleet(self.config, self.folder) as workers,
            replay(self.config, self.day, self.folder, self.rate) as is_replaying,
        ):
            wait_until(lambda: bool(ledger.versions(ENRICHED)), "the first article", 60)
            faults(workers, ledger)
            wait_until(
                lambda: _after_a_look(workers, not is_replaying()), "the replay's end", 900.0
            )
            try:
                wait_until(
                    lambda: _after_a_look(workers, _is_complete(ledger, self.day, expected)),
                    "all articles",
                    PATIENCE_S,
                )
            except AssertionError:
                sys.stdout.write(workers.said())
            time.sleep(2)  # whatever repeats would still come
        audits = {topic.name: ledger.audit(topic, expected) for topic in (CLEAN, ENRICHED)}
        ours = {page.article_id for page in self.day.pages}
        letters = frozenset(ledger.letters.keys() & ours)
        return Account(audits, letters, time.monotonic() - started_s, workers.revived)


def _after_a_look(workers: Fleet, is_so: bool) -> bool:
    workers.revive()
    return is_so


def _is_complete(ledger: Ledger, day: Newsday, expected: Mapping[Version, bytes]) -> bool:
    return expected.keys() <= ledger.versions(ENRICHED) and day.poison <= ledger.letters.keys()
