"""One count per message, JSON-able, with closed labels."""

from __future__ import annotations

import orjson

from schemas.errors import Outcome, Reason
from stream.counts import Counts


def test_outcomes_are_always_there_and_reasons_where_there_are_some() -> None:
    counts = Counts()
    counts.add(Outcome.PUBLISHED)
    counts.merge([(Outcome.DEAD_LETTER, Reason.EMPTY), (Outcome.DEAD_LETTER, Reason.NOT_TEXT)])
    snapshot = counts.snapshot()
    assert snapshot == {
        "published": 1,
        "duplicate": 0,
        "skipped": 0,
        "dead_letter": 2,
        "dead_letter.empty": 1,
        "dead_letter.not-text": 1,
    }
    assert orjson.loads(orjson.dumps(snapshot)) == snapshot
