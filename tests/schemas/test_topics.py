"""The topic table: sound in itself, and the same in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas import topics
from schemas.records import PUBLIC_RECORDS
from schemas.topics import DAY_S, PARTITIONS, Topic

NAME = re.compile(r"nashra\.[a-z]+([.-][a-z]+)*\.v[1-9][0-9]*")


def test_names_are_unique_and_versioned() -> None:
    names = [topic.name for topic in topics.ALL]
    assert len(set(names)) == len(names)
    for topic in topics.ALL:
        assert NAME.fullmatch(topic.name)


def test_topics_of_one_app_are_co_partitioned() -> None:
    # Heartbeats are joined with nothing; every other topic is.
    odd = {topic.name for topic in topics.ALL if topic.partitions != PARTITIONS}
    assert odd == {topics.HEARTBEAT.name}


def test_every_record_on_a_topic_is_public_and_back() -> None:
    assert {topic.record for topic in topics.ALL} == set(PUBLIC_RECORDS)


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_config_is_what_kafka_wants(topic: Topic) -> None:
    config = topic.config()
    assert all(isinstance(value, str) for value in config.values())
    assert set(config["cleanup.policy"].split(",")) <= {"delete", "compact"}
    # A topic that deletes must say when; a compacted one keeps the last record for ever.
    assert ("retention.ms" in config) is ("delete" in topic.cleanup)


def test_docs_table_is_the_topic_table(repository: Path) -> None:
    text = (repository / "docs" / "topics.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `nashra.")]
    assert rows == [_row(topic) for topic in topics.ALL]


def _row(topic: Topic) -> str:
    kept = "for ever" if topic.retention_s is None else f"{topic.retention_s // DAY_S} d"
    cells = [
        f"`{topic.name}`",
        topic.key,
        f"`{topic.record.__name__}`",
        topic.cleanup,
        kept,
        str(topic.partitions),
        "public" if topic.is_public else "internal",
        topic.about,
    ]
    return f"| {' | '.join(cells)} |"
