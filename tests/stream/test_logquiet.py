"""Libraries say the same thing once, then ever more seldom."""

from __future__ import annotations

import logging
from typing import Any

from stream.logquiet import FIRST_S, LONGEST_S, Bounded


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def line(name: str, text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "file", 1, text, values, None)


def hidden(record: logging.LogRecord) -> Any:
    return getattr(record, "hidden", None)


def test_a_hundred_lines_a_second_become_a_handful() -> None:
    clock = Clock()
    bounded = Bounded(("aiokafka",), clock)
    shown = 0
    for tick in range(60_000):  # ten minutes
        clock.now_s = tick / 100
        shown += bounded.filter(line("aiokafka.client", "Unable connect to %s: %s", tick, "no"))
    assert shown == 6  # at 0, 10, 30, 70, 150, 310 s


def test_a_shown_line_says_how_many_it_stands_for() -> None:
    clock = Clock()
    bounded = Bounded(("aiokafka",), clock)
    assert bounded.filter(line("aiokafka", "away"))
    assert not bounded.filter(line("aiokafka", "away"))
    assert not bounded.filter(line("aiokafka", "away"))
    assert bounded.filter(line("aiokafka", "another thing"))
    clock.now_s = FIRST_S
    record = line("aiokafka", "away")
    assert bounded.filter(record)
    assert hidden(record) == 2


def test_trouble_after_a_quiet_time_is_told_at_once_and_in_short_steps_again() -> None:
    clock = Clock()
    bounded = Bounded(("aiokafka",), clock)
    for _ in range(3):
        assert bounded.filter(line("aiokafka", "away"))
        clock.now_s += 3 * LONGEST_S
    assert bounded.filter(line("aiokafka", "away"))
    clock.now_s += FIRST_S
    assert bounded.filter(line("aiokafka", "away"))


def test_our_own_lines_are_all_shown() -> None:
    bounded = Bounded(("aiokafka",), Clock())
    assert all(bounded.filter(line("stream.delivery", "delivery.retry")) for _ in range(9))
    assert all(bounded.filter(line("aiokafkaish", "word")) for _ in range(9))
