from __future__ import annotations

import signal
import time
from pathlib import Path

import orjson
import pytest

from connectors.readers import PageRead, Reader, ReadFailure
from connectors.replay import Pace, ReplayConnector
from schemas.errors import BrokerError
from stream.cli.interrupt import Stop
from stream.cli.reading import now
from stream.cli.replay import publish_all
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
        time.sleep(6)  # until the lines are read, also on a busy machine; the input stays open
        process.send_signal(number)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert b"stopped by Ctrl-C: 2 pages readable" in process.stderr.read()


def test_a_loop_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINE)
    args = ["replay", "a.jsonl", "--loop", "--rate", "50/s", "--dry-run"]
    with spawn(args, tmp_path) as process:
        time.sleep(6)  # a busy machine needs some seconds to start Python
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        words = process.stderr.read().split()
    assert words[:3] == [b"stopped", b"by", b"Ctrl-C:"]
    assert 1 < int(words[3].replace(b",", b"")) <= 50 * 6  # more than the one page there is


class Publisher:
    """Takes two pages and loses its broker, or asks to stop after so many."""

    def __init__(self, stop: Stop, *, breaks_after: int = 99, stops_after: int = 99) -> None:
        self.published = 0
        self._stop = stop
        self._breaks_after = breaks_after
        self._stops_after = stops_after

    async def publish(self, read: PageRead) -> list[ReadFailure]:
        if self.published == self._breaks_after:
            raise BrokerError("gone")
        self.published += 1
        if self.published == self._stops_after:
            self._stop.ask()
        return []

    async def drain(self) -> list[ReadFailure]:
        return []


def _connector(pages: Path, stop: Stop, *, is_loop: bool) -> ReplayConnector:
    reader = Reader(10_000, now)
    return ReplayConnector([str(pages)], reader, Pace(is_loop=is_loop), time.monotonic, stop.sleep)


async def test_a_broker_that_goes_away_tells_how_far_it_got(pages: Path) -> None:
    stop = Stop()
    publisher = Publisher(stop, breaks_after=2)
    with pytest.raises(BrokerError, match=r"gone; 2 pages had been published before"):
        await publish_all(_connector(pages, stop, is_loop=False), publisher, stop, lambda: None)


async def test_a_loop_says_each_failure_once(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = Stop()
    publisher = Publisher(stop, stops_after=10)
    outcome = await publish_all(
        _connector(pages, stop, is_loop=True), publisher, stop, lambda: None
    )
    assert (outcome.published, outcome.failed, outcome.is_stopped) == (10, 1, True)
    assert capsys.readouterr().err.count("not JSON") == 1
