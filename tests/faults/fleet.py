"""Worker processes that come and go: what a cluster does to them, on one machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stream.cli.common import child_environ
from stream.config import Config, replace
from tests.support.stream_kit import Worker

ROLES = ("cleaner", "enricher")

READY = '"event":"worker.started"'
"""What a worker says when its pool is warm and Faust begins."""


class Fleet:
    """The workers of all roles; each has a place (``cleaner-0``) and, if asked, a static id."""

    def __init__(self, config: Config, folder: Path, *, is_static: bool) -> None:
        self._config = config
        self._folder = folder
        self._is_static = is_static
        self.workers: dict[str, Worker] = {}
        self._wanted: set[str] = set()
        self.revived = 0

    def start(self, role: str, number: int = 0) -> Worker:
        """Start the worker of a place, for the first time or again."""
        place = f"{role}-{number}"
        if place not in self.workers:
            self.workers[place] = Worker(
                [sys.executable, "-m", "stream", "worker", role],
                self._folder / f"{place}.log",
                **child_environ(self._config_of(place)),
            )
        self._wanted.add(place)
        return self.workers[place].start()

    def revive(self) -> None:
        """Start again what ended by itself, as Kubernetes does."""
        for place in sorted(self._wanted):
            if not self.is_running(place):
                self.revived += 1
                self.workers[place].start()

    def start_and_wait(self, role: str, number: int = 0) -> None:
        """Start the worker of a place and wait until it takes messages, as a roll-out does."""
        place = f"{role}-{number}"
        before = self.workers[place].said().count(READY) if place in self.workers else 0
        worker = self.start(role, number)
        wait_until(lambda: worker.said().count(READY) > before, f"{place} is ready", 60.0)

    def scale(self, role: str, count: int) -> None:
        """Start or stop (SIGTERM) workers of a role until ``count`` run."""
        for number in range(count):
            if not self.is_running(f"{role}-{number}"):
                self.start(role, number)
        for place in [each for each in self.workers if each.startswith(role)]:
            if int(place.rpartition("-")[2]) >= count and self.is_running(place):
                self.end(place, signal.SIGTERM)

    def end(self, place: str, number: signal.Signals) -> int:
        """Signal the worker of a place and wait for its end; returns its exit code."""
        self._wanted.discard(place)
        return self.workers[place].signal(number, timeout_s=60.0)

    def is_running(self, place: str) -> bool:
        """Whether a worker lives there."""
        worker = self.workers.get(place)
        return worker is not None and worker.process is not None and worker.process.poll() is None

    def running(self) -> list[str]:
        """Places of the workers that live, in a fixed order."""
        return sorted(place for place in self.workers if self.is_running(place))

    def stop(self) -> None:
        """Stop all, at once."""
        self._wanted.clear()
        for place in self.running():
            process = self.workers[place].process
            assert process is not None
            process.terminate()
        for place in self.running():
            try:
                self.workers[place].wait()
            except subprocess.TimeoutExpired:
                self.end(place, signal.SIGKILL)

    def said(self) -> str:
        """The ends of all logs, for a failed test."""
        return "\n".join(
            f"--- {place}\n{worker.said()[-2_000:]}" for place, worker in self.workers.items()
        )

    def _config_of(self, place: str) -> Config:
        worker = replace(
            self._config.worker, instance_id=f"fault-{place}" if self._is_static else None
        )
        return replace(self._config, worker=worker, data_dir=str(self._folder / "data" / place))


@contextmanager
def fleet(
    config: Config, folder: Path, roles: Sequence[str] = ROLES, *, is_static: bool = True
) -> Iterator[Fleet]:
    """One worker of each role, all stopped at the end."""
    workers = Fleet(config, folder, is_static=is_static)
    try:
        for role in roles:
            workers.start(role)
        yield workers
    finally:
        workers.stop()


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Ask every 0.2 s; fails after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.2)
