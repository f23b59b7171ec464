"""The AsyncAPI 3.0.0 document: topics, messages, headers and promises, as a subscriber sees them.

The document describes the *subscriber's* application (AsyncAPI counts the other way round from
most people's first guess): ``receive`` is what a subscriber reads, ``send`` what it may publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.records import Article, CleanArticle, DeadLetter, Feed, RawPage
from schemas.topics import ALL, Topic

ASYNCAPI_VERSION = "3.0.0"
KAFKA_BINDING_VERSION = "0.5.0"
CONTRACT_VERSION = "1.0.0"

JSON_TYPE = "application/json"
BYTES_TYPE = "application/octet-stream"

PROMISE = """\
nashra reads live news and publishes cleaned, enriched articles.

**Delivery** is at least once. The same record may come again: de-duplicate on `id` + `revision`.
A correction is a new record with a higher `revision`; the later one wins. Order holds per key
only.

**A tombstone** (null value) on a compacted topic means: gone. Absence means nothing.

**Time**: the Kafka timestamp is the moment we saw the page (`fetched_at`), so reading from a time
on replays by when we saw it. Older records than the retention are gone.

**Evolution** within `.v1`: fields are added, always optional; none is removed, retyped or newly
required. Ignore fields that you do not know. A break is a new topic `.v2`, published beside `.v1`
for one retention period.

**Text** is UTF-8 JSON, unescaped, NFC, in logical order. Offsets count Unicode code points from 0;
ends are exclusive."""

Json = dict[str, Any]

_SENDABLE = (Feed, RawPage)
"""Records that others may publish too: the feed list, and pages that they fetched themselves."""

_HEADERS: Mapping[str, str] = {
    "ce_specversion": "CloudEvents version: `1.0`.",
    "ce_id": "Unique per record and revision; a repeat has the same id.",
    "ce_source": "What produced it, e.g. `nashra/enricher`.",
    "ce_type": "Kind of event, e.g. `org.nashra.article.enriched.v1`.",
    "ce_time": "When it happened, RFC 3339, UTC.",
    "ce_subject": "Key of the record, e.g. the article id.",
    "ce_dataschema": "`$id` of the JSON Schema of the value.",
    "content-type": "`application/json`.",
}
_OPTIONAL_HEADERS: Mapping[str, str] = {
    "traceparent": "W3C trace context, where tracing is on.",
}
_ARTICLE_HEADERS: Mapping[str, str] = {
    "nashra-page-digest": "SHA-256 of the page and what its source states; tells repeated pages.",
}
_CLEAN_HEADERS: Mapping[str, str] = {
    "nashra-again": "`1`: process it although it was before (`nashra replay --again`).",
}
_ERROR_HEADERS: Mapping[str, str] = {
    "nashra-error-stage": "Stage that refused it: cleaner, enricher.",
    "nashra-error-reason": "One word of a closed list, e.g. `undecodable`.",
    "nashra-error-message": "One sentence for a person.",
    "nashra-error-topic": "Topic it was read from.",
    "nashra-error-partition": "Partition it was read from, decimal.",
    "nashra-error-offset": "Kafka offset it was read at, decimal.",
    "nashra-error-timestamp-ms": "Original Kafka timestamp, ms since 1970, decimal.",
    "nashra-error-attempts": "Tries before it was given up, decimal.",
    "nashra-error-failed-at": "When it was given up, RFC 3339, UTC.",
    "nashra-error-versions": "Code versions that refused it, a JSON object.",
}
_OPTIONAL_ERROR_HEADERS: Mapping[str, str] = {
    "nashra-error-step": "Pipeline step, if it got that far.",
    "nashra-error-truncated": "Original size in bytes, decimal, where the value had to be cut.",
    "nashra-error-cut": "`key`, `headers` or `key,headers`: what else had to be cut to fit.",
}


def asyncapi_document(payload_files: Mapping[type, str]) -> Json:
    """Describe all topics of the table.

    Args:
        payload_files: Record to the name of its JSON Schema file, beside the document.
    """
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "nashra",
            "version": CONTRACT_VERSION,
            "description": PROMISE,
        },
        "defaultContentType": JSON_TYPE,
        "servers": {
            "embedded": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "The embedded broker of a laptop; in production: yours.",
            }
        },
        "channels": {channel_name(topic): _channel(topic) for topic in ALL},
        "operations": dict(_operations()),
        "components": {
            "messages": {_message_name(topic): _message(topic, payload_files) for topic in ALL}
        },
    }


def channel_name(topic: Topic) -> str:
    """Name of a topic inside the document: ``nashra.feed-status.v1`` is ``feedStatus``."""
    words = topic.name.removeprefix("nashra.").rpartition(".")[0].replace("-", ".").split(".")
    return words[0] + "".join(word.title() for word in words[1:])


def _message_name(topic: Topic) -> str:
    return f"{channel_name(topic)}Message"


def _channel(topic: Topic) -> Json:
    message = _message_name(topic)
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.about} Key: {topic.key}.{_audience(topic)}",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {"kafka": _kafka_binding(topic)},
    }


def _audience(topic: Topic) -> str:
    """What a subscriber may count on."""
    return "" if topic.is_public else " Internal: may change without a new version."


def _kafka_binding(topic: Topic) -> Json:
    config: Json = dict(topic.config())
    config["cleanup.policy"] = topic.cleanup.split(",")
    for name in ("retention.ms", "max.message.bytes"):
        if name in config:
            config[name] = int(config[name])
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": config,
        "bindingVersion": KAFKA_BINDING_VERSION,
    }


def _message(topic: Topic, payload_files: Mapping[type, str]) -> Json:
    is_raw = topic.record is DeadLetter
    ref = {"$ref": f"./{payload_files[topic.record]}"}
    message: Json = {
        "name": topic.record.__name__,
        "title": f"{topic.record.__name__} on {topic.name}",
        "contentType": BYTES_TYPE if is_raw else JSON_TYPE,
        "headers": _dead_letter_headers() if is_raw else _cloud_event_headers(topic),
        "payload": ref,
        "bindings": {"kafka": _key_binding(topic)},
    }
    if is_raw:
        message["description"] = (
            "The value is the refused message, byte for byte. With its headers it is the record "
            f"of `{payload_files[topic.record]}`."
        )
        message["payload"] = {"description": "Any bytes; null: the refused message was null."}
        message["x-decoded-view"] = ref
    return message


def _key_binding(topic: Topic) -> Json:
    key: Json = {"type": "string", "description": f"UTF-8: {topic.key}."}
    if topic.key == "article id":
        key["pattern"] = "^[0-9a-f]{32}$"
    if topic.record is DeadLetter:
        key = {"description": "The original key, byte for byte; null: it had none."}
    return {"key": key, "bindingVersion": KAFKA_BINDING_VERSION}


def _cloud_event_headers(topic: Topic) -> Json:
    more: dict[str, str] = {}
    if topic.record in (CleanArticle, Article):
        more |= _ARTICLE_HEADERS
    if topic.record is CleanArticle:
        more |= _CLEAN_HEADERS
    return _header_schema(_HEADERS, {**_OPTIONAL_HEADERS, **more})


def _dead_letter_headers() -> Json:
    schema = _header_schema(_ERROR_HEADERS, _OPTIONAL_ERROR_HEADERS)
    schema["description"] = "The original headers untouched, and why it was refused."
    return schema


def _header_schema(always: Mapping[str, str], sometimes: Mapping[str, str]) -> Json:
    properties = {
        name: {"type": "string", "description": about}
        for name, about in {**always, **sometimes}.items()
    }
    return {"type": "object", "properties": properties, "required": list(always)}


def _operations() -> list[tuple[str, Json]]:
    """What a subscriber reads, and the little that it may write."""
    receives = [_operation("receive", topic, topic.about) for topic in ALL]
    sends = [
        _operation("send", topic, f"Publish to it yourself. {topic.about}")
        for topic in ALL
        if topic.record in _SENDABLE
    ]
    return receives + sends


def _operation(action: str, topic: Topic, summary: str) -> tuple[str, Json]:
    channel = channel_name(topic)
    operation: Json = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{_message_name(topic)}"}],
        "tags": [{"name": "public" if topic.is_public else "internal"}],
    }
    return f"{action}{channel[0].upper()}{channel[1:]}", operation
