"""The hand-annotated samples: a regression bar (the lists were written with them in view)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processors.entities import load_gazetteer

SHARED = Path(__file__).parents[3].parent / "shared"
ORACLE = SHARED / "oracle" / "samples.json"

pytestmark = pytest.mark.skipif(not ORACLE.exists(), reason="no shared/oracle beside the checkout")

Span = tuple[int, int]


def compare(name: str, gold: dict[str, Any]) -> tuple[int, int, int]:
    """True positives, predictions, required mentions of one file's body."""
    raw = (SHARED / "samples" / name).read_text(encoding="utf-8")
    start, end = gold["body_start"], gold["body_end"]
    required: dict[Span, str] = {}
    optional: list[Span] = []
    for entity in gold["entities"]:
        for first, last in entity["mentions"]:
            span = (first - start, last - start)
            if first < start or last > end:
                continue
            if entity["optional"]:
                optional.append(span)
            else:
                required[span] = entity["type"]
    found = {
        (mention.start, mention.end): entity.type
        for entity in load_gazetteer().extract(gold["title"], raw[start:end])
        for mention in entity.mentions
    }
    judged = {
        span: kind
        for span, kind in found.items()
        if not any(span[0] < last and first < span[1] for first, last in optional)
    }
    right = sum(required.get(span) == kind for span, kind in judged.items())
    return right, len(judged), len(required)


def test_mentions_of_the_samples(record_property: Callable[[str, object], None]) -> None:
    files = json.loads(ORACLE.read_text(encoding="utf-8"))["files"]
    counts = [compare(name, gold) for name, gold in files.items() if gold.get("entities")]
    right, judged, required = (sum(column) for column in zip(*counts, strict=True))
    precision, recall = right / judged, right / required
    record_property("mention_precision", precision)
    record_property("mention_recall", recall)
    assert precision >= 0.95, f"P {precision:.3f} R {recall:.3f}, {required} required mentions"
    assert recall >= 0.95, f"P {precision:.3f} R {recall:.3f}, {required} required mentions"
