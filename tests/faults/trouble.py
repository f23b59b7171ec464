"""Pages that keep coming while the broker is in trouble, and how long the articles stay away."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.codec import encode
from schemas.records import RawPage
from schemas.topics import CLEAN, PAGES
from stream.config import Config
from stream.delivery import Deliverer
from stream.kafka import new_producer
from stream.stage import Out, timestamp_ms
from tests.faults.fleet import Fleet, fleet, wait_until
from tests.faults.ledger import Ledger
from tests.faults.newsday import newsday
from tests.support.stream_kit import consume_ids

RATE = 20
"""Pages a second: enough to see a pause, light enough for a machine with other work."""

PLACE = "cleaner-0"
PATIENCE_S = 90.0


class Source:
    """Publishes pages at :data:`RATE` until stopped.

    Attributes:
        sent: Pages whose acknowledgement has come.
    """

    def __init__(self, config: Config, seed: int) -> None:
        """Prepare; another seed makes other pages."""
        self.sent: list[RawPage] = []
        self._config = config
        self._seed = seed
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._publish()), daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Publish no more; what waits for its acknowledgement still gets it."""
        self._is_over.set()
        self._thread.join(60)

    async def _publish(self) -> None:
        deliverer = Deliverer(lambda: new_producer(self._config.kafka, client_id="source"))
        for made in _pages(self._seed):
            if self._is_over.is_set():
                break
            # Of today: Kafka drops what is older than the topic's retention, from 30 s on.
            page = replace(made, fetched_at=datetime.now(UTC))
            await deliverer.deliver([_out(page)])
            self.sent.append(page)
            await asyncio.sleep(1 / RATE)
        await deliverer.stop()


def _pages(seed: int) -> Iterator[RawPage]:
    return (page for page in newsday(5_000, seed=seed).pages if page.text and page.revision == 1)


def _out(page: RawPage) -> Out:
    return Out(
        topic=PAGES,
        key=page.article_id.encode(),
        value=encode(page),
        headers=(),
        timestamp_ms=timestamp_ms(page.fetched_at),
    )


@dataclass
class Scene:
    """A running pipeline: pages in, one cleaner, articles out.

    Attributes:
        workers: Start, stop and look at the cleaner.
        source: The pages.
        ledger: The articles.
        restarts: How often the cleaner ended by itself and was started again.
    """

    workers: Fleet
    source: Source
    ledger: Ledger
    restarts: int = 0

    def arrived(self) -> set[str]:
        """Ids of the articles so far."""
        ours = {page.article_id for page in self.source.sent}
        return ours & {version.article for version in self.ledger.versions(CLEAN)}

    def revive(self) -> None:
        """What Kubernetes and ``nashra up`` do: start a worker again that ended by itself."""
        if not self.workers.is_running(PLACE):
            self.restarts += 1
            self.workers.start("cleaner")

    def flows_after_s(self, since_s: float, patience_s: float = PATIENCE_S) -> float:
        """Wait for the first article after a moment (``time.monotonic``); seconds from then."""

        def late() -> list[float]:
            self.revive()
            return [a.at_s for a in list(self.ledger.arrivals[CLEAN.name]) if a.at_s > since_s]

        wait_until(lambda: bool(late()), "an article", patience_s)
        return min(late()) - since_s

    def settle(self, patience_s: float = PATIENCE_S) -> None:
        """End the source and wait for every article; fails if one does not come.

        A reader of its own looks: the ledger's goes through the same trouble as the worker.
        """
        self.source.end()
        self.revive()
        wanted = [page.article_id for page in self.source.sent]
        consume_ids(self.ledger.config, CLEAN, wanted, patience_s)

    def repeats(self) -> int:
        """Articles that came more than once, each time but the first."""
        return len(self.ledger.arrivals[CLEAN.name]) - len(self.ledger.versions(CLEAN))

    def lines(self) -> Counter[str]:
        """How often each event stands in the worker's log."""
        said = self.workers.workers[PLACE].said()
        return Counter(_event(line) for line in said.splitlines())

    def say(self, capsys: pytest.CaptureFixture[str], what: str, flows_s: float) -> None:
        """One line of numbers for whoever reads the run."""
        numbers = (
            f"articles again after {flows_s:.1f} s, {self.repeats()} repeats of "
            f"{len(self.source.sent)}, {self.restarts} restarts, "
            f"{sum(self.lines().values())} log lines"
        )
        with capsys.disabled():
            sys.stdout.write(f"\n[{what}: {numbers}]\n")


def _event(line: str) -> str:
    try:
        return str(json.loads(line)["event"])[:120]
    except (ValueError, KeyError, TypeError):
        return line[:120]


@contextmanager
def scene(
    config: Config, folder: Path, *, seed: int, watch: Config | None = None
) -> Iterator[Scene]:
    """The pipeline, once the first article has come through.

    Args:
        config: Of the worker.
        folder: For logs and data.
        seed: Of the pages.
        watch: Of source and subscriber; ``None``: as the worker's.
    """
    source = Source(watch or config, seed)
    with Ledger(watch or config) as ledger, fleet(config, folder, ("cleaner",)) as workers:
        source.start()
        try:
            made = Scene(workers, source, ledger)
            wait_until(lambda: bool(made.arrived()), "the first article", 60)
            yield made
        except AssertionError:
            sys.stdout.write(workers.said())
            raise
        finally:
            source.end()
