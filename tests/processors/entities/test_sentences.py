"""Each hand-written sentence gives exactly the mentions written beside it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from processors.entities import GazetteerExtractor, load_gazetteer

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "sentences.toml").read_text(encoding="utf-8")
)["case"]


@pytest.fixture(scope="module")
def extractor() -> GazetteerExtractor:
    return load_gazetteer()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_sentence(case: dict[str, Any], extractor: GazetteerExtractor) -> None:
    """Prefix, text and type of every mention, in order, and nothing else."""
    entities = extractor.extract(case.get("headline"), case["text"])
    mentions = sorted(
        (mention.start, f"{mention.prefix}|{mention.text}|{entity.type}")
        for entity in entities
        for mention in entity.mentions
    )
    assert [mention for _, mention in mentions] == case["expect"]


def test_there_are_enough_sentences() -> None:
    assert len(CASES) >= 80
