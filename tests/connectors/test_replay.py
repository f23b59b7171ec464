from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from connectors.base import CONNECTORS
from connectors.readers import PageRead, Reader, ReadFailure
from connectors.replay import Pace, ReplayConnector, Schedule, parse_rate
from schemas.errors import InputError

START = datetime(2026, 1, 31, 8, tzinfo=UTC)


class FakeTime:
    """A clock that goes forward only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def _connector(paths: Sequence[str], pace: Pace, time: FakeTime) -> ReplayConnector:
    reader = Reader(10_000, lambda: START)
    return ReplayConnector(paths, reader, pace, time.monotonic, time.sleep)


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Three pages, 10 s and 50 s apart, and a bad line."""
    lines: list[bytes] = []
    for number, offset_s in enumerate((0, 10, 60)):
        at = START + timedelta(seconds=offset_s)
        page = {"url": f"https://news.example/{number}", "text": "x", "fetched_at": at}
        lines.append(orjson.dumps(page))
    lines.insert(1, b"{broken")
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b"\n".join(lines))
    return str(path)


async def _arrivals(connector: ReplayConnector, time: FakeTime, limit: int = 99) -> list[float]:
    """Seconds after the start at which pages came."""
    found: list[float] = []
    async with aclosing(connector.poll()) as results:
        async for result in results:
            if isinstance(result, PageRead):
                found.append(time.now_s - 100.0)
            if len(found) == limit:
                break
    return found


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (Pace(), [0, 0, 0]),
        (Pace(rate_per_s=2), [0, 0.5, 1]),
        (Pace(speedup=10), [0, 1, 6]),
        (Pace(speedup=10, rate_per_s=0.25), [0, 4, 8]),
    ],
)
async def test_paces(archive: str, pace: Pace, expected: list[float]) -> None:
    time = FakeTime()
    assert await _arrivals(_connector([archive], pace, time), time) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (Pace(rate_per_s=1, is_loop=True), [0, 1, 2, 3, 4, 5, 6]),
        (Pace(speedup=10, is_loop=True), [0, 1, 6, 6, 7, 12, 12]),
    ],
)
async def test_a_loop_starts_again(archive: str, pace: Pace, expected: list[float]) -> None:
    time = FakeTime()
    found = await _arrivals(_connector([archive], pace, time), time, limit=7)
    assert found == pytest.approx(expected)


async def test_a_loop_over_nothing_ends(tmp_path: Path) -> None:
    time = FakeTime()
    connector = _connector([str(tmp_path)], Pace(is_loop=True), time)
    results = [result async for result in connector.poll()]
    assert [type(result) for result in results] == [ReadFailure]


async def test_standard_input_cannot_loop() -> None:
    with pytest.raises(InputError, match=r"only once"):
        await anext(_connector(["-"], Pace(is_loop=True), FakeTime()).poll())


async def test_failures_come_as_values(archive: str) -> None:
    results = [result async for result in _connector([archive], Pace(), FakeTime()).poll()]
    assert [type(result) for result in results] == [PageRead, ReadFailure, PageRead, PageRead]


def test_pages_without_a_time_or_out_of_order_are_due_at_once() -> None:
    schedule = Schedule(Pace(speedup=1))
    times = [None, START, START + timedelta(seconds=5), None, START - timedelta(days=1)]
    assert [schedule.due_s(at) for at in times] == [0, 0, 5, 5, 5]


@pytest.mark.parametrize(
    ("text", "rate"), [("50/s", 50), ("50", 50), ("600/m", 10), ("36/h", 0.01), ("0.5 / S", 0.5)]
)
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "0/s", "-1/s", "fast", "5/d", "1e400"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(InputError, match=r"write e.g. 50/s"):
        parse_rate(text)


def test_the_registry_names_its_connectors() -> None:
    assert list(CONNECTORS) == ["replay"]
    connector = CONNECTORS["replay"]
    assert connector is ReplayConnector


def test_a_pause_is_followed_by_no_burst() -> None:
    schedule = Schedule(Pace(rate_per_s=2))
    assert [schedule.due_s(None, now_s) for now_s in (0.0, 0.0, 0.5)] == [0, 0.5, 1]
    late = [schedule.due_s(None, 60.0) for _ in range(3)]
    assert late == pytest.approx([60, 60.5, 61], abs=0.051)


def test_a_sleep_that_overshoots_does_not_slow_the_rate() -> None:
    schedule = Schedule(Pace(rate_per_s=100))
    due_s = [schedule.due_s(None, number / 100 + 0.003) for number in range(50)]
    assert due_s == pytest.approx([number / 100 for number in range(50)])
