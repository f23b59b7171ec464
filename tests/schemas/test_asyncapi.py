"""The AsyncAPI document: complete, equal to the topic table, every reference resolves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from schemas import export, topics
from schemas.asyncapi import channel_name
from schemas.records import DeadLetter
from schemas.topics import Topic
from tests.support.contract import GENERATED

DOCUMENT = export.asyncapi()


def test_head_says_version_and_promise() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["defaultContentType"] == "application/json"
    promise = DOCUMENT["info"]["description"]
    for word in ("at least once", "`id` + `revision`", "the later one wins", "tombstone"):
        assert word in promise


def test_only_known_top_level_parts() -> None:
    known = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations"}
    assert DOCUMENT.keys() <= known | {"components"}


def test_one_channel_per_topic() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert addresses == [topic.name for topic in topics.ALL]


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_channel_says_what_the_table_says(topic: Topic) -> None:
    channel = DOCUMENT["channels"][channel_name(topic)]
    kafka = channel["bindings"]["kafka"]
    config = kafka["topicConfiguration"]
    assert kafka["bindingVersion"] == "0.5.0"
    assert (kafka["topic"], kafka["partitions"]) == (topic.name, topic.partitions)
    assert ",".join(config["cleanup.policy"]) == topic.cleanup
    retention_ms = None if topic.retention_s is None else topic.retention_s * 1000
    assert config.get("retention.ms") == retention_ms
    assert topic.key in channel["description"]
    assert ("Internal" in channel["description"]) is not topic.is_public


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_message_has_key_headers_and_payload(topic: Topic) -> None:
    (ref,) = DOCUMENT["channels"][channel_name(topic)]["messages"].values()
    message = _resolve(ref["$ref"])
    headers = message["headers"]["properties"]
    assert message["bindings"]["kafka"]["key"]["description"]
    if topic.record is DeadLetter:
        assert {name.partition("-")[0] for name in headers} == {"nashra"}
        assert message["x-decoded-view"] == {"$ref": "./dead-letter.v1.json"}
    else:
        assert {"ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema"} <= headers.keys()
        assert message["payload"] == {"$ref": f"./{export.schema_file(topic.record)}"}


def test_dead_letter_headers_cover_the_record() -> None:
    message = DOCUMENT["components"]["messages"]["deadLettersMessage"]
    fields = {
        name.removeprefix("nashra-error-").replace("-", "_")
        for name in message["headers"]["properties"]
    }
    # Key, value and original headers stand where Kafka has them; a cut value is told on the wire.
    here = {"schema", "key", "original", "headers"}
    fields -= {"truncated", "cut"}
    assert fields | here == set(DeadLetter.__dataclass_fields__)


def test_every_topic_is_received_and_few_are_sent() -> None:
    actions: dict[str, set[str]] = {"receive": set(), "send": set()}
    for name, operation in DOCUMENT["operations"].items():
        address = _resolve(operation["channel"]["$ref"])["address"]
        actions[operation["action"]].add(address)
        assert name.startswith(operation["action"])
        assert operation["messages"]
    assert actions["receive"] == {topic.name for topic in topics.ALL}
    assert actions["send"] == {topics.FEEDS.name, topics.PAGES.name}


def test_every_reference_resolves() -> None:
    refs = list(_refs(DOCUMENT))
    assert refs
    for ref in refs:
        assert _resolve(ref), ref


def _resolve(ref: str) -> Any:
    """What a reference names: a part of this document, or a file beside it."""
    if ref.startswith("./"):
        return orjson.loads((GENERATED / ref).read_bytes())
    node: Any = DOCUMENT
    for step in ref.removeprefix("#/").split("/"):
        node = node[step]
    return node


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)
