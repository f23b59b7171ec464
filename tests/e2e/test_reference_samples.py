"""The project's reference samples: the broker path against the processors alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.topics import ENRICHED
from stream.cli.common import child_environ
from stream.config import Config
from tests.support.articles import read_pages
from tests.support.cli_kit import ROOT, nashra
from tests.support.stream_kit import Worker, consume_ids

pytestmark = pytest.mark.broker

MOVING = ("fetched_at", "cleaned_at", "enriched_at", "versions")
"""Fields that tell when and with what: each run has its own."""


def _still(value: bytes) -> dict[str, Any]:
    record = orjson.loads(value)
    return {name: what for name, what in record.items() if name not in MOVING}


def test_a_replay_gives_the_articles_of_a_run(
    shared: Path, config: Config, tmp_path: Path, validate_record: Callable[[bytes], None]
) -> None:
    samples, environ = shared / "samples", child_environ(config)
    ids = [page.article_id for page in read_pages(samples)]
    assert len(set(ids)) == 5
    workers = [
        Worker(nashra("worker", role), tmp_path / role, **environ)
        for role in ("cleaner", "enricher")
    ]
    with workers[0], workers[1]:
        subprocess.run(nashra("replay", str(samples)), cwd=ROOT, env=environ, check=True)
        found = consume_ids(config, ENRICHED, ids, timeout_s=60)
    assert sorted(record.key.decode() for record in found) == sorted(ids)
    for record in found:
        validate_record(record.value)
    ran = subprocess.run(
        nashra("run", str(samples)), cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE
    )
    alone = {article["id"]: article for article in map(_still, ran.stdout.splitlines())}
    assert {record.key.decode(): _still(record.value) for record in found} == alone
