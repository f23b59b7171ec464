"""A worker process with a stage of no consequence: ``python fake_worker.py BOOTSTRAP DATA_DIR``.

It passes text pages on as clean articles. A page that says "boom" raises, "hang" never ends, "eat"
takes all memory, "crash" ends its process. ``FAKE_SLEEP_S`` is the time per page; ``FAKE_BROKEN=1``
breaks the delivery of the second batch, as a bug of ours would; ``FAKE_POOL=1`` works in a process
of the pool, with small limits.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from schemas.articles import Extraction
from schemas.codec import decode, encode
from schemas.errors import DecodeError, NashraError, Outcome, Reason
from schemas.records import CleanArticle, RawPage
from schemas.topics import CLEAN, PAGES
from stream import delivery
from stream.config import PoolConfig, replace
from stream.events import article_event
from stream.marks import PAGE_DIGEST, page_digest, page_mark, published_mark
from stream.slot import Work
from stream.stage import Dead, Dedup, Drop, Message, Out, Publish, Result, Stage
from stream.worker import run_stage_worker
from tests.support.stream_kit import config_for

SLEEP_S = float(os.environ.get("FAKE_SLEEP_S", "0.001"))


def boom() -> None:
    raise RuntimeError("boom")


def hang() -> None:
    while True:
        pass


def eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(32 << 20))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


DEEDS: dict[str | None, Callable[[], None]] = {
    deed.__name__: deed for deed in (boom, hang, eat, crash)
}


def fn(message: Message) -> Result:
    if message.value is None:
        return Drop(Outcome.SKIPPED, Reason.TOMBSTONE)
    try:
        page = decode(RawPage, message.value)
    except DecodeError as error:
        return Dead(Reason(error.reason), str(error), "decode")
    if page.text in DEEDS:
        DEEDS[page.text]()
    time.sleep(SLEEP_S)
    article = CleanArticle(
        id=page.article_id,
        revision=page.revision,
        content_hash="0" * 64,
        body=(page.text or "") * (5_000 if page.text == "swell" * 100 else 1),
        extraction=Extraction(method="text"),
        fetched_at=page.fetched_at,
        cleaned_at=datetime.now(UTC),
    )
    headers = article_event(article, message.headers, stage="cleaner", kind="clean")
    headers += ((PAGE_DIGEST, page_digest(page).encode()),)
    out = Out(
        topic=CLEAN,
        key=article.id.encode(),
        value=encode(article),
        headers=headers,
        timestamp_ms=message.timestamp_ms,
    )
    return Publish((out,))


STAGE = Stage(
    name="cleaner",
    source=PAGES,
    outputs=(CLEAN,),
    fn=fn,
    versions={"fake": "1"},
    dedup=Dedup(output=CLEAN, mark=page_mark, mark_of=published_mark),
)


def make_stage() -> Stage:
    """The stage, for a process of the pool."""
    return STAGE


class BrokenDeliverer(delivery.Deliverer):
    """Fails in the second batch, before anything is sent."""

    batches = 0

    async def deliver(self, outs: Sequence[Out]) -> list[delivery.Refused]:
        self.batches += 1
        if self.batches == 2:
            raise RuntimeError("broken on purpose")
        return await super().deliver(outs)


def main() -> int:
    config = config_for(sys.argv[1], Path(sys.argv[2]))
    if os.environ.get("FAKE_BROKEN"):
        from stream import apps

        apps.Deliverer = BrokenDeliverer  # type: ignore[misc]
    work = None
    if os.environ.get("FAKE_POOL"):
        work = Work(factory="tests.e2e.fake_worker:make_stage")
        config = replace(config, pool=PoolConfig(task_timeout_s=1.0, memory_mb=256))
    try:
        return run_stage_worker(STAGE, config, work)
    except NashraError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main())
