"""Memory of the workers over 50,000 pages each: does it stay flat?"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from schemas.records import RawPage
from schemas.topics import ENRICHED, PAGES
from tests.bench.delivery import page_records
from tests.bench.stand import WORKER_CORES, stand
from tests.faults.newsday import newsday

PAGES_EACH = 50_000
STEP = 5_000
ROLES = ("cleaner", "enricher")


def soak(pages: list[RawPage]) -> None:
    """Feed 50,000 pages, a tenth of them samples, and print resident memory after each 5,000."""
    day = [page for page in newsday(STEP, seed=50).pages if page.text]
    mixed = [(day if number % 10 else pages)[number % len(pages)] for number in range(STEP)]
    print(f"\n## Resident memory, {PAGES_EACH} pages through cleaner and enricher (MB)")
    print("pages    " + "".join(f"{role:>10}{'its pool':>10}" for role in ROLES))
    commands = [["-m", "stream", "worker", role] for role in ROLES]
    with (
        tempfile.TemporaryDirectory() as folder,
        stand(Path(folder)) as here,
        here.workers(commands, WORKER_CORES) as workers,
    ):
        sizes = []
        for part in range(PAGES_EACH // STEP):
            records = page_records(mixed, STEP, start=part * STEP)
            asyncio.run(here.follow(PAGES.name, ENRICHED.name, records))
            sizes.append(resident_mb(workers))
            print(f"{(part + 1) * STEP:<9}" + "".join(f"{mb:10.1f}" for mb in sizes[-1]))
    growth = [100 * (last / first - 1) for first, last in zip(sizes[1], sizes[-1], strict=True)]
    print(f"growth from {2 * STEP} on (%)" + "".join(f" {each:+.1f}" for each in growth))


def resident_mb(workers: Sequence[psutil.Process]) -> list[float]:
    """Of each worker and then of its pool."""
    sizes = []
    for worker in workers:
        sizes.append(worker.memory_info().rss / 2**20)
        sizes.append(sum(each.memory_info().rss for each in worker.children()) / 2**20)
    return sizes
