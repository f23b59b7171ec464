"""The border: whatever a stage does, a message gets one fate."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from schemas.errors import Outcome, Reason
from stream.stage import AGAIN, Dead, Drop, Message, Publish, Result, run_stage, timestamp_ms
from tests.stream.fakes import mark, message, stage


def broken(given: Message) -> Result:
    raise ValueError(f"cannot take {given.offset}")


def test_a_result_passes_through() -> None:
    result = run_stage(stage(), message(b"x"))
    assert isinstance(result, Publish)
    assert result.outs[0].value == b"x"


def test_an_exception_becomes_a_dead_letter_and_an_error_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = run_stage(stage(broken), message(offset=9))
    assert result == Dead(Reason.STEP_FAILED, "ValueError: cannot take 9")
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.ERROR, "stage.failed")
    assert vars(record)["offset"] == 9
    assert record.exc_info is not None


def test_what_is_not_an_error_passes_the_border() -> None:
    def interrupted(given: Message) -> Result:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(stage(interrupted), message())


def test_a_known_mark_is_a_duplicate_unless_forced() -> None:
    known = {mark(b"x")}.__contains__
    deduping = stage(dedup=True)
    assert run_stage(deduping, message(b"x"), known) == Drop(Outcome.DUPLICATE)
    assert isinstance(run_stage(deduping, message(b"y"), known), Publish)
    forced = message(b"x", headers={AGAIN: b"1"})
    assert isinstance(run_stage(deduping, forced, known), Publish)
    assert isinstance(run_stage(stage(), message(b"x"), known), Publish), "no dedup, no duplicate"


@pytest.mark.parametrize("millisecond", [0, 1, 249, 567, 999])
def test_timestamps_lose_no_millisecond(millisecond: int) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, millisecond * 1000 + 999, tzinfo=UTC)
    assert timestamp_ms(at) % 1000 == millisecond
    assert datetime.fromtimestamp(timestamp_ms(at) / 1000, UTC).second == 5
