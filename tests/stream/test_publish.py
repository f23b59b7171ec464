from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stream.publish import OLDEST_TIMESTAMP, record_time

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "is_kept"),
    [
        (timedelta(0), True),
        (timedelta(hours=2), True),
        (OLDEST_TIMESTAMP, True),
        (OLDEST_TIMESTAMP + timedelta(seconds=1), False),
        (timedelta(days=4_000), False),
        (-timedelta(seconds=1), False),
        (-timedelta(days=2), False),
    ],
)
def test_the_kafka_timestamp_is_one_that_the_topic_can_bear(age: timedelta, is_kept: bool) -> None:
    assert record_time(NOW - age, NOW) == (NOW - age if is_kept else NOW)
