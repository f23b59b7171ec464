from __future__ import annotations

import signal
import time
from pathlib import Path

import orjson
import pytest

from tests.support.cli_kit import ARTICLE, invoke, spawn

LINE = orjson.dumps({"url": "https://news.example/a", "text": ARTICLE}) + b"\n"
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.txt").write_text(ARTICLE, "utf-8")
    (folder / "b.jsonl").write_bytes(LINE + b"broken\n" + LINE)
    return folder


def test_a_dry_run_reads_everything_and_needs_no_broker(pages: Path) -> None:
    result = invoke("replay", str(pages), "--dry-run", "--bootstrap", NOWHERE)
    assert result.exit_code == 1
    assert f"failed: {pages}/b.jsonl:2: not JSON" in result.stderr
    assert "3 pages readable, nothing published, 1 failed" in result.stderr
    assert result.stdout == ""


def test_standard_input(pages: Path) -> None:
    result = invoke("replay", "-", "--dry-run", stdin=LINE * 3)
    assert result.exit_code == 0
    assert "3 pages readable" in result.stderr


def test_a_broker_that_is_not_there(pages: Path) -> None:
    result = invoke("replay", str(pages), "--bootstrap", NOWHERE)
    assert result.exit_code == 3
    assert f"error: no answer from the broker at {NOWHERE}" in result.stderr
    assert "nashra broker" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate", "fast"], "'fast' is no rate; write e.g. 50/s"),
        (["--speedup", "0"], "Invalid value for '--speedup'"),
        (["--bootstrap", "nowhere"], "--bootstrap: 'nowhere' is no broker address"),
    ],
)
def test_wrong_options(pages: Path, options: list[str], message: str) -> None:
    result = invoke("replay", str(pages), *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_standard_input_cannot_loop() -> None:
    result = invoke("replay", "-", "--loop")
    assert result.exit_code == 2
    assert "only once" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_silent_input_and_tells_how_far_it_got(
    tmp_path: Path, number: signal.Signals
) -> None:
    with spawn(["replay", "-", "--dry-run"], tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(LINE * 2)
        process.stdin.flush()
        time.sleep(1.5)  # until the lines are read; the input stays open and silent
        process.send_signal(number)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert b"stopped by Ctrl-C: 2 pages readable" in process.stderr.read()


def test_a_loop_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINE)
    args = ["replay", "a.jsonl", "--loop", "--rate", "50/s", "--dry-run"]
    with spawn(args, tmp_path) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        words = process.stderr.read().split()
    assert words[:3] == [b"stopped", b"by", b"Ctrl-C:"]
    assert 1 < int(words[3].replace(b",", b"")) < 200
