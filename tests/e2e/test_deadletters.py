"""``nashra deadletters`` on a real broker: looked at, put back after a fix, gone from the list."""

from __future__ import annotations

import base64
import hashlib
import signal
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import Result

from schemas.codec import encode
from schemas.topics import CLEAN, DEAD_LETTERS, PAGES
from stream.config import Config
from stream.stage import AGAIN
from tests.support.cli_kit import invoke
from tests.support.fates import POISON
from tests.support.stream_kit import (
    REPOSITORY,
    Worker,
    consume,
    consume_ids,
    page,
    produce,
    sent,
)

pytestmark = pytest.mark.broker

FATE_WORKER = str(REPOSITORY / "tests" / "e2e" / "fate_worker.py")


def worker(config: Config, log: Path, **env: str) -> Worker:
    argv = [sys.executable, FATE_WORKER, config.kafka.bootstrap, config.data_dir]
    return Worker(argv, log, **env)


def deadletters(config: Config, *args: str) -> Result:
    return invoke("deadletters", *args, "--bootstrap", config.kafka.bootstrap)


def letters(config: Config, *keys: str) -> list[dict[str, object]]:
    """The letters of these keys that are on the list."""
    result = deadletters(config, "list", "--json", "--since", "1h")
    assert result.exit_code == 0, result.output
    coded = {base64.b64encode(key.encode()).decode() for key in keys}
    found = map(orjson.loads, result.stdout_bytes.splitlines())
    return [letter for letter in found if letter["key"] in coded]


def wait_for_letters(config: Config, key: str, count: int) -> None:
    """Until so many letters of a key were ever written (settlements aside)."""
    name = "nashra-error-stage"
    consume(
        config,
        DEAD_LETTERS,
        lambda got: sum(r.key == key.encode() and name in dict(r.headers) for r in got) >= count,
    )


def test_a_requeue_after_a_fix_empties_the_list(config: Config, tmp_path: Path) -> None:
    pages = [page(f"{tmp_path}-{number}", f"{POISON}raise") for number in range(3)]
    keys = [each.article_id for each in pages]
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    produce(config, [sent(each, traceparent=trace, odd=b"\xff") for each in pages])
    with worker(config, tmp_path / "log") as broken:
        for key in keys:
            wait_for_letters(config, key, 1)
        assert [each["attempts"] for each in letters(config, *keys)] == [1, 1, 1]
        first = str(letters(config, keys[0])[0]["letter"])
        assert deadletters(config, "requeue", first).exit_code == 0
        wait_for_letters(config, keys[0], 2)  # it is not fixed yet
        check_export(config, tmp_path / "letters.jsonl", keys[1], encode(pages[1]))
        (again,) = letters(config, keys[0])
        assert (again["attempts"], again["requeued"]) == (2, 1)
        assert again["letter"] != first
        assert broken.signal(signal.SIGTERM) == 0

    with worker(config, tmp_path / "log2", FATES_FIXED="1") as fixed:
        places = [str(each["letter"]) for each in letters(config, *keys)]
        dry = deadletters(config, "requeue", *places, "--dry-run")
        assert dry.stdout.count(f" -> {PAGES.name}\n") == len(places) == 3
        done = deadletters(config, "requeue", *places)
        assert (done.exit_code, "3 letters requeued" in done.stderr) == (0, True), done.output
        articles = consume_ids(config, CLEAN, keys)
        assert fixed.signal(signal.SIGTERM) == 0
    assert len(articles) == 3
    assert all(dict(each.headers)["traceparent"] == trace for each in articles)
    assert letters(config, *keys) == []
    assert "settled    requeued at" in deadletters(config, "show", first).stdout
    back = [each for each in consume_ids(config, PAGES, keys) if AGAIN in dict(each.headers)]
    counts = sorted(dict(each.headers)["nashra-requeue-count"] for each in back)
    assert counts == [b"1", b"1", b"1", b"2"]
    assert all(dict(each.headers)["odd"] == b"\xff" for each in back)
    assert {each.value for each in back} == {encode(each) for each in pages}


def check_export(config: Config, file: Path, key: str, original: bytes) -> None:
    """The letter of a key as a record in a file."""
    result = deadletters(config, "export", str(file), "--id", key)
    assert result.exit_code == 0, result.output
    (record,) = map(orjson.loads, file.read_bytes().splitlines())
    assert base64.b64decode(record["original"]) == original
    assert (record["schema"], record["reason"]) == ("dead-letter/1.0", "step-failed")


def test_what_strangers_write_is_listed_shown_and_discarded(config: Config, tmp_path: Path) -> None:
    key = hashlib.sha256(str(tmp_path).encode()).hexdigest()
    value = b"\x00 no letter \xff"
    headers = {"nashra-error-stage": b"fake", "n": None}
    produce(config, [(key.encode(), value, headers)], DEAD_LETTERS)
    (listed,) = letters(config, key)
    place = str(listed["letter"])
    assert (listed["stage"], listed["size_bytes"]) == ("unreadable", len(value))
    assert deadletters(config, "show", place, "--raw").stdout_bytes == value
    refused = deadletters(config, "requeue", place)
    assert refused.exit_code == 1
    assert f"left: letter {place}: cannot be requeued" in refused.stderr
    assert deadletters(config, "discard", place).exit_code == 0
    assert letters(config, key) == []
    tail = invoke("tail", "dead-letters", "--json", "--bootstrap", config.kafka.bootstrap)
    assert tail.exit_code == 0
    mine = [orjson.loads(line) for line in tail.stdout.splitlines() if key in line]
    assert [sorted(each) for each in mine] == [["error", "key"]], "a settlement is no record to see"
