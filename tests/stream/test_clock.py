"""The clock that stands still: one page, one article, whenever and wherever it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from processors.tools import load_tools
from schemas.errors import InputError
from schemas.pages import RawPage
from stream.clock import clock_of, moment, parse_instant, standing_at
from stream.config import load_config
from stream.local import LocalPipeline
from stream.stage import utc_now
from tests.support.cli_kit import ARTICLE, invoke
from tests.support.stream_kit import FETCHED_AT, page

AT = "2026-01-15T09:30:00Z"


def test_an_instant_needs_a_zone_and_becomes_utc() -> None:
    at = parse_instant("2026-01-15T12:30:00+03:00")
    assert (at, at.tzinfo) == (datetime(2026, 1, 15, 9, 30, tzinfo=UTC), UTC)
    for text in ("2026-01-15T09:30:00", "yesterday", "", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(InputError, match=r"--clock: .* is no moment"):
            parse_instant(text)


def test_modes() -> None:
    at = datetime(2026, 1, 15, tzinfo=UTC)
    assert clock_of("live") is utc_now
    assert moment(clock_of("page"), at) == at
    assert moment(standing_at(at), at + timedelta(days=1)) == at
    assert abs(moment(clock_of("live"), at) - utc_now()) < timedelta(minutes=1)


def test_the_configuration_knows_the_modes() -> None:
    assert load_config(None, {"NASHRA_CONFIG": ""}).worker.clock == "live"
    environ = {"NASHRA_CONFIG": "", "NASHRA_WORKER__CLOCK": "page"}
    assert load_config(None, environ).worker.clock == "page"


def test_without_a_clock_an_article_tells_the_time_of_its_page() -> None:
    given: RawPage = page("clock", ARTICLE)
    pipeline = LocalPipeline(load_tools(), None)
    first, second = pipeline.process(given), pipeline.process(given)
    assert isinstance(first, bytes)
    assert first == second
    article = orjson.loads(first)
    shown = FETCHED_AT.isoformat().replace("+00:00", "Z")
    assert {article[f"{what}_at"] for what in ("fetched", "cleaned", "enriched")} == {shown}


def test_run_gives_the_same_bytes_twice_and_keeps_what_a_page_states(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "a.txt").write_text(ARTICLE, "utf-8")
    own = {"url": "https://news.example/a", "text": ARTICLE, "fetched_at": "2025-12-31T23:59:59Z"}
    (folder / "b.jsonl").write_bytes(orjson.dumps(own))
    first, second = (invoke("run", str(folder), "--clock", AT) for _ in range(2))
    assert first.exit_code == 0, first.stderr
    assert first.stdout_bytes == second.stdout_bytes
    articles = [orjson.loads(line) for line in first.stdout_bytes.splitlines()]
    assert [one["fetched_at"] for one in articles] == [AT, own["fetched_at"]]
    assert all(one["fetched_at"] == one["cleaned_at"] == one["enriched_at"] for one in articles)


@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_clock_that_shows_no_time_is_refused(command: str) -> None:
    result = invoke(command, "-", "--clock", "2026-01-15")
    assert result.exit_code == 2
    assert "'2026-01-15' is no moment; write an ISO 8601 time with its zone" in result.stderr
