"""The commands against a broker."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from stream.broker import EmbeddedBroker
from stream.kafkacluster import KafkaCluster
from tests.support.cli_kit import ARTICLE, ROOT, invoke, spawn

pytestmark = pytest.mark.broker


def _line(url: str, text: str = ARTICLE) -> bytes:
    return orjson.dumps({"url": url, "text": text}) + b"\n"


def test_topics_are_missing_then_applied_then_there(bare: EmbeddedBroker | KafkaCluster) -> None:
    to = ("--bootstrap", bare.bootstrap)
    missing = invoke("topics", "list", *to)
    assert missing.exit_code == 1
    assert "create the missing ones with `nashra topics apply`" in missing.stderr
    for command in (("replay", str(ROOT / "samples")), ("tail", "enriched")):
        result = invoke(*command, *to)
        assert result.exit_code == 3
        assert "error: missing on the broker at" in result.stderr
        assert "nashra topics apply" in result.stderr
    created = invoke("topics", "apply", *to)
    assert created.exit_code == 0, created.output
    assert created.stdout.count(" created ") == 9
    assert invoke("topics", "apply", *to).stdout.count(" exists ") == 9
    assert invoke("topics", "list", *to).exit_code == 0


def test_a_port_in_use_is_told(bare: EmbeddedBroker | KafkaCluster) -> None:
    for command in ("broker", "up", "demo"):
        result = invoke(command, "--port", str(bare.port))
        assert result.exit_code == 3
        assert f"port {bare.port} on 127.0.0.1 cannot be used" in result.stderr


def test_replay_and_tail(broker: EmbeddedBroker, tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    url = f"https://news.example/{tmp_path.name}"
    path.write_bytes(_line(url) + _line(f"{url}/large", "x" * 3_000_000) + b"broken\n" + _line(url))
    to = ("--bootstrap", broker.bootstrap)
    result = invoke("replay", str(path), "--again", *to)
    assert result.exit_code == 1
    assert f"failed: {path}:2: 3 MB page: too large for nashra.pages.v1" in result.stderr
    assert f"failed: {path}:3: not JSON" in result.stderr
    assert "2 pages published, 2 failed" in result.stderr
    read = invoke("tail", "pages", "--since", "1h", "--json", *to)
    assert read.exit_code == 0
    pages = [
        page
        for page in map(orjson.loads, read.stdout_bytes.splitlines())
        if isinstance(page, dict) and page.get("url") == url  # others' tests leave any JSON there
    ]
    assert [page["origin"] for page in pages] == ["file:pages.jsonl:1", "file:pages.jsonl:4"]
    assert len(invoke("tail", "pages", "--max", "1", *to).stdout.splitlines()) == 1


def test_replay_stops_in_the_middle_and_says_how_far(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        b"".join(_line(f"https://news.example/{tmp_path.name}/{number}") for number in range(500))
    )
    args = ["replay", "a.jsonl", "--rate", "20/s", "--bootstrap", broker.bootstrap]
    with spawn(args, tmp_path) as process:
        time.sleep(7)  # a busy machine needs some seconds to start Python
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert said.startswith("stopped by Ctrl-C: ")
    assert 0 < int(said.split()[3]) < 500


def test_demo_accounts_for_every_page(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE, "utf-8")
    (tmp_path / "b.txt").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "c.txt").write_bytes(b"")
    with spawn(["demo", "."], tmp_path) as process:
        out, errors = process.communicate(timeout=100)
    text = out.decode()
    assert process.returncode == 0, text + errors.decode()
    assert "read along with: nashra tail enriched --follow --bootstrap 127.0.0.1:" in text
    assert f"| {ARTICLE.splitlines()[0]}" in text
    assert "dead-letter " in text
    assert "reason=not-text stage=cleaner" in text
    assert "2 pages in, 1 article out, 1 dead letter, 1 unreadable file, " in text
    assert "failed: c.txt: empty file" in errors.decode()


@pytest.fixture
def children_of() -> Callable[[int], list[int]]:
    """Process ids of the children of a process (Linux)."""

    def children(pid: int) -> list[int]:
        text = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(word) for word in text.read_text().split()] if text.exists() else []

    return children


def test_up_runs_the_workers_and_ctrl_c_stops_all(
    tmp_path: Path, children_of: Callable[[int], list[int]]
) -> None:
    with spawn(["up", "--port", "0"], tmp_path) as process:
        assert process.stdout is not None
        first = process.stdout.readline().decode()
        assert first.startswith("broker: 127.0.0.1:")
        _wait_until(lambda: len(children_of(process.pid)) == 3)
        children = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_broker_runs_until_ctrl_c(tmp_path: Path) -> None:
    with spawn(["broker", "--port", "0"], tmp_path) as process:
        assert process.stdout is not None
        bootstrap = process.stdout.readline().split()[1].decode()
        assert invoke("topics", "apply", "--bootstrap", bootstrap).exit_code == 0
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert invoke("topics", "list", "--bootstrap", bootstrap).exit_code == 3


def _wait_until(is_so: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
