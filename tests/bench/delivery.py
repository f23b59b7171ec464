"""Engines on real Kafka, side by side in one run: throughput, CPU, latency, what ours adds."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import orjson

from processors.tools import load_tools
from schemas.codec import encode
from schemas.records import RawPage
from schemas.topics import ENRICHED, PAGES
from stream.local import LocalPipeline
from tests.bench.engines import ENGINES
from tests.bench.stand import WORKER_CORES, Record, Run, Stand, stand

NOOP_MESSAGES = 6_000
NOOP_BYTES = 8_192
PAGES_PER_RUN = 1_200
WARM_UP_MESSAGES = 120
LATENCY_S = 8.0


def delivery(pages: list[RawPage]) -> None:
    """Print all tables; needs Java 17 and Maven."""
    with tempfile.TemporaryDirectory() as folder, stand(Path(folder)) as here:
        inputs = {"noop": noop_records(), "clean": page_records(pages, PAGES_PER_RUN)}
        for work, records in inputs.items():
            engines(here, work, records)
        whole_pipeline(here, pages)


def engines(here: Stand, work: str, records: list[Record]) -> None:
    """Each engine with one process and with two, beside the plain aiokafka loop."""
    print(f"\n## {work}: {len(records)} messages on Apache Kafka, each worker pinned to a core")
    print(
        "engine     workers  messages/s  CPU us/message  of aiokafka  p50 ms  p99 ms at half load"
    )
    plain_per_s = 0.0
    for engine in ("aiokafka", "nashra", "quix"):
        alone_per_s = 0.0
        for count in (1, 2):
            run, half = measured(here, engine, work, records, count)
            plain_per_s = plain_per_s or run.per_s
            alone_per_s = alone_per_s or run.per_s
            print(
                f"{engine:10} {count:7} {run.per_s:11.0f} {run.cpu_us:15.0f} "
                f"{run.per_s / plain_per_s:12.2f} {half.latency_ms(0.5):7.0f} "
                f"{half.latency_ms(0.99):7.0f}   x{run.per_s / alone_per_s:.2f} of one worker"
            )


def measured(
    here: Stand, engine: str, work: str, records: list[Record], count: int
) -> tuple[Run, Run]:
    """At full load, and then at half of it."""
    assert engine in ENGINES
    source, output = f"bench.in.{engine}.{work}.{count}", f"bench.out.{engine}.{work}.{count}"
    here.make_topic(source)
    here.make_topic(output)
    command = ["-m", "tests.bench.engines", engine, work, source, output]
    command.append(here.config.kafka.bootstrap)
    with here.workers([command] * count, WORKER_CORES[:count]) as workers:
        warm_up = records[:WARM_UP_MESSAGES]
        full = here.measure(source, output, records, warm_up)(workers)
        rate = full.per_s / 2
        some = records[: int(rate * LATENCY_S)]
        return full, here.measure(source, output, some, warm_up, rate=rate)(workers)


def whole_pipeline(here: Stand, pages: list[RawPage]) -> None:
    """Cleaner and enricher on one core through Kafka, beside both in one process without it."""
    records = page_records(pages, PAGES_PER_RUN)
    core = WORKER_CORES[0]
    commands = [["-m", "stream", "worker", role] for role in ("cleaner", "enricher")]
    with here.workers(commands, [core, core]) as workers:
        warm_up = [page_records(pages, WARM_UP_MESSAGES, part) for part in "bc"]
        full = here.measure(PAGES.name, ENRICHED.name, records, warm_up[0])(workers)
        rate = full.per_s / 2
        some = page_records(pages, int(rate * LATENCY_S), "d")
        half = here.measure(PAGES.name, ENRICHED.name, some, warm_up[1], rate=rate)(workers)
    alone_per_s, alone_us = in_process(pages, core)
    print(f"\n## Cleaner and enricher, {len(records)} sample pages, both on one core")
    print(f"through Kafka      {full.per_s:7.0f} articles/s  {full.cpu_us:7.0f} us CPU an article")
    print(f"nashra run's path  {alone_per_s:7.0f} articles/s  {alone_us:7.0f} us CPU an article")
    print(f"engine overhead    {100 * (full.cpu_us / alone_us - 1):7.1f} % CPU")
    print(
        f"half load          p50 {half.latency_ms(0.5):.0f} ms, p99 {half.latency_ms(0.99):.0f} ms "
        "from page to enriched article"
    )


def in_process(pages: list[RawPage], core: int) -> tuple[float, float]:
    """Articles a second and CPU microseconds an article, without a broker."""
    pipeline = LocalPipeline(load_tools())
    pipeline.process(pages[0])
    os.sched_setaffinity(0, {core})
    start_s, cpu_s = time.perf_counter(), time.process_time()
    for number in range(PAGES_PER_RUN):
        pipeline.process(pages[number % len(pages)])
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return PAGES_PER_RUN / wall_s, cpu_s / PAGES_PER_RUN * 1e6


def noop_records() -> list[Record]:
    """JSON objects of 8 KiB."""
    rows = ({"id": number, "text": "x" * (NOOP_BYTES - 40)} for number in range(NOOP_MESSAGES))
    return [(str(row["id"]).encode(), orjson.dumps(row)) for row in rows]


def page_records(pages: list[RawPage], count: int, part: str = "a", start: int = 0) -> list[Record]:
    """The sample pages over and over, each time as another article; ``part``: a hex digit."""
    records = []
    for number in range(start, start + count):
        page = pages[number % len(pages)]
        again = replace(page, article_id=f"{part}{number:031x}")
        records.append((again.article_id.encode(), encode(again)))
    return records
