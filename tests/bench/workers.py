"""Memory and start-up time of the embedded broker and of idle workers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.codec import encode
from schemas.topics import CLEAN, ENRICHED, PAGES, Topic
from stream.admin import apply_topics
from stream.broker import EmbeddedBroker
from stream.config import Config, KafkaConfig
from tests.support.text import text_page

SETTLE_S = 5.0


def idle_workers() -> None:
    """Start broker, cleaner and enricher; print what each takes while nothing happens."""
    print("\n## Embedded broker and idle workers")
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        with EmbeddedBroker(port=0, data_dir=folder) as broker:
            started_s = time.perf_counter() - start_s
            config = Config(kafka=KafkaConfig(bootstrap=broker.bootstrap))
            asyncio.run(apply_topics(config))
            asyncio.run(publish_page(broker.bootstrap))
            show("broker", broker.pid or 0, started_s, "answers a metadata request")
            worker("cleaner", CLEAN, broker.bootstrap, folder)
            worker("enricher", ENRICHED, broker.bootstrap, folder)
            show("broker, afterwards", broker.pid or 0, None, "")


async def publish_page(bootstrap: str) -> None:
    """One page to work on, so that "ready" means: has worked."""
    page = text_page("عنوان الخبر\n\n" + "كلمة " * 30 + ".")
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(PAGES.name, encode(page), key=page.article_id.encode())


def worker(role: str, output: Topic, bootstrap: str, folder: str) -> None:
    """One worker at default settings but a session time-out of 6 s, until its first output."""
    variables = {
        "NASHRA_KAFKA__BOOTSTRAP": bootstrap,
        "NASHRA_WORKER__SESSION_TIMEOUT_S": "6",
        "NASHRA_WORKER__HEARTBEAT_INTERVAL_S": "1",
        "NASHRA_DATA_DIR": folder,
    }
    start_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "stream", "worker", role],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        asyncio.run(first_record(bootstrap, output))
        started_s = time.perf_counter() - start_s
        time.sleep(SETTLE_S)
        show(role, process.pid, started_s, "has published its first article")
    finally:
        process.terminate()
        process.wait()


async def first_record(bootstrap: str, topic: Topic) -> None:
    """Return when the topic has a record."""
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        await consumer.getone()


def show(name: str, pid: int, started_s: float | None, until: str) -> None:
    """Print one process's resident memory and start-up time."""
    rss_mb = psutil.Process(pid).memory_info().rss / 1024 / 1024
    start = "" if started_s is None else f"{started_s:6.2f} s until it {until}"
    print(f"{name:20} {rss_mb:6.0f} MB resident  {start}")
