"""One line a second at most, and nothing left out."""

from __future__ import annotations

import logging

import pytest

from schemas.errors import Outcome, Reason
from stream.report import Reporter


def test_the_first_batch_is_told_at_once_and_later_ones_are_summed_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = 100.0
    reporter = Reporter("cleaner", lambda: now_s)
    published = (Outcome.PUBLISHED, None)
    with caplog.at_level(logging.INFO):
        reporter.add([published])
        now_s += 0.5
        reporter.add([published, (Outcome.SKIPPED, Reason.TOMBSTONE)])
        now_s += 0.6
        reporter.add([published])
        reporter.add([published])
        reporter.flush()
        reporter.flush()
    told = [vars(record) for record in caplog.records]
    assert [(each["messages"], each["published"]) for each in told] == [(1, 1), (3, 2), (1, 1)]
    assert told[1]["skipped.tombstone"] == 1
    assert told[0]["stage"] == "cleaner"
