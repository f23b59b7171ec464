"""What the demo calls done."""

from __future__ import annotations

import pytest

from stream.demo import DemoReport


@pytest.mark.parametrize(
    ("articles", "dead", "is_complete"),
    [
        ({"a", "b"}, set(), True),
        ({"a"}, {"b"}, True),
        ({"a", "b"}, {"b"}, True),  # two pages of one id: one was refused
        ({"a"}, set(), False),
    ],
)
def test_a_demo_is_complete_when_every_page_came_out(
    articles: set[str], dead: set[str], *, is_complete: bool
) -> None:
    report = DemoReport(published={"a", "b"}, articles=articles, dead=dead)
    assert report.is_complete is is_complete
