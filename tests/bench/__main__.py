"""Measure what ``docs/performance.md`` states: ``make bench``.

Everything runs on this machine, one thing at a time. Figures of a shared machine swing; ratios and
CPU times swing less, so both are printed.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from processors.draft import Draft
from processors.pipeline import CLEAN_STEPS, enrich, finish
from processors.tools import Tools, load_tools
from schemas.records import RawPage
from stream.local import LocalPipeline
from tests.bench.delivery import delivery
from tests.bench.soak import soak
from tests.bench.workers import idle_workers
from tests.support.articles import read_pages
from tests.support.text import NOW

ROOT = Path(__file__).parents[2]
ARTICLES = 500


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all, and print their tables."""
    if unknown := set(names) - BENCHMARKS.keys():
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    print(
        f"# {platform.platform()}, Python {platform.python_version()}, {psutil.cpu_count()} cores"
    )
    pages = five_hundred_pages()
    for name in names or BENCHMARKS:
        BENCHMARKS[name](pages)


def text(pages: list[RawPage]) -> None:
    """Text work, start-up and memory: no Kafka but the embedded broker."""
    start_up()
    in_process(pages)
    whole_command()
    steps(pages)
    idle_workers()


def five_hundred_pages() -> list[RawPage]:
    """The good samples over and over, 500 pages."""
    good = [page for page in read_pages(ROOT / "samples") if "91-" not in page.origin]
    return [good[number % len(good)] for number in range(ARTICLES)]


def start_up() -> None:
    """Time of ``nashra --version`` and ``nashra run`` on one file, as whole processes."""
    print("\n## Start-up (whole process, best of 3)")
    one = str(ROOT / "samples" / "01-dateline-agencies.txt")
    for arguments in (["--version"], ["run", one]):
        best_s = min(timed(arguments) for _ in range(3))
        print(f"nashra {' '.join(Path(a).name for a in arguments):<40} {best_s * 1000:6.0f} ms")


def timed(arguments: list[str]) -> float:
    """Seconds that one nashra command takes."""
    start_s = time.perf_counter()
    command = [sys.executable, "-m", "stream", *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - start_s


def in_process(pages: list[RawPage]) -> None:
    """Articles per second of decode, clean, enrich, encode: what a worker does, one core."""
    pipeline = LocalPipeline(load_tools())
    pipeline.process(pages[0])
    start_s, cpu_s = time.perf_counter(), time.process_time()
    for page in pages:
        pipeline.process(page)
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n## Cleaner and enricher in one process, {len(pages)} sample pages, one core")
    print(
        f"{len(pages) / wall_s:8.0f} articles/s ({cpu_s / len(pages) * 1e3:.2f} ms CPU an article)"
    )
    print(f"{peak_mb:8.0f} MB peak memory of this process")


def whole_command() -> None:
    """``nashra run`` over 500 files, as a user types it."""
    with tempfile.TemporaryDirectory() as folder:
        texts = [path for path in sorted((ROOT / "samples").glob("*.txt")) if path.name[0] != "9"]
        for number in range(ARTICLES):
            source = texts[number % len(texts)]
            target = Path(folder) / f"{number:03}-{source.name}"
            target.write_bytes(source.read_bytes() + f"\n\n\u00a0{number}".encode())
        seconds = timed(["run", folder, "-o", str(Path(folder) / "out.jsonl")])
    print(f"\n## nashra run over {ARTICLES} text files (whole process, start included)")
    print(f"{ARTICLES / seconds:8.0f} articles/s ({seconds:.2f} s)")


def steps(pages: list[RawPage]) -> None:
    """Mean cost of each step."""
    tools = load_tools()
    spent: dict[str, float] = {}
    for page in pages:
        run_steps(page, tools, spent)
    total_s = sum(spent.values())
    print("\n## Cost of each step, mean over the sample pages")
    for name, seconds in spent.items():
        print(f"{name:14} {seconds / len(pages) * 1e6:8.0f} us  {100 * seconds / total_s:5.1f} %")


def run_steps(page: RawPage, tools: Tools, spent: dict[str, float]) -> None:
    """Run one page and add each step's seconds to ``spent``."""
    draft = Draft(page=page, now=NOW)
    for name, step in CLEAN_STEPS:
        start_s = time.perf_counter()
        draft = step(draft, tools)
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - start_s
    start_s = time.perf_counter()
    article = finish(draft, tools)
    spent["assemble"] = spent.get("assemble", 0.0) + time.perf_counter() - start_s
    start_s = time.perf_counter()
    enrich(article, tools, now=NOW)
    spent["entities"] = spent.get("entities", 0.0) + time.perf_counter() - start_s


BENCHMARKS: Mapping[str, Callable[[list[RawPage]], None]] = {
    "text": text,
    "delivery": delivery,
    "soak": soak,
}
"""By the name that ``make bench ARGS=...`` takes."""

if __name__ == "__main__":
    main(sys.argv[1:])
