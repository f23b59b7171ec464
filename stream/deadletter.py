"""Dead letters on the wire: the original bytes untouched, everything else in headers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from schemas.errors import DecodeError
from schemas.ops import DeadLetter
from schemas.topics import DEAD_LETTERS, MAX_MESSAGE_BYTES
from stream.stage import Dead, Headers, Message, Out, Stage, timestamp_ms

log = logging.getLogger(__name__)

PREFIX = "nashra-error-"
TRUNCATED = PREFIX + "truncated"
"""Header of a letter whose value was cut: the original length in bytes."""

MAX_VALUE_BYTES = MAX_MESSAGE_BYTES - 128 * 1024
"""Larger originals are cut to this; the rest is room for key and headers."""

MAX_HEADER_BYTES = 64 * 1024
"""Original headers past this sum are left out (an own message is far below)."""

MAX_SENTENCE_CHARS = 2_000
MAX_KEY_BYTES = 32 * 1024


def letter_of(stage: Stage, message: Message, dead: Dead, *, now: datetime) -> DeadLetter:
    """The dead letter of a message that ``stage`` refused at ``now``."""
    return DeadLetter(
        key=message.key,
        original=message.value,
        headers={name: _text(value) for name, value in message.headers.items()},
        stage=stage.name,
        step=dead.step,
        reason=str(dead.reason),
        message=dead.message[:MAX_SENTENCE_CHARS],
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=message.timestamp_ms,
        failed_at=now,
        versions=dict(stage.versions),
    )


def to_out(
    letter: DeadLetter,
    headers: Mapping[str, bytes | None] | None = None,
    *,
    max_value_bytes: int = MAX_VALUE_BYTES,
) -> Out:
    """Write a letter as a Kafka record that is sure to fit.

    Args:
        letter: What to write.
        headers: Original headers as bytes; ``None``: take the decoded ones of the letter.
        max_value_bytes: A longer original is cut to this, which :data:`TRUNCATED` tells.
    """
    if headers is None:
        headers = {name: value.encode() for name, value in letter.headers.items()}
    value, length = letter.original, len(letter.original or b"")
    error_headers = _error_headers(letter)
    if value is not None and length > max_value_bytes:
        value = value[:max_value_bytes]
        error_headers += ((TRUNCATED, str(length).encode()),)
    return Out(
        topic=DEAD_LETTERS,
        key=letter.key if letter.key is None else letter.key[:MAX_KEY_BYTES],
        value=value,
        headers=(*_within(headers.items(), MAX_HEADER_BYTES), *error_headers),
        timestamp_ms=timestamp_ms(letter.failed_at),
    )


def out_of(
    stage: Stage,
    message: Message,
    dead: Dead,
    *,
    now: datetime,
    max_value_bytes: int = MAX_VALUE_BYTES,
) -> Out:
    """The dead letter as a Kafka record, whatever the message holds; never raises.

    If its headers cannot be written, the letter goes without them.
    """
    try:
        letter = letter_of(stage, message, dead, now=now)
        return to_out(letter, message.headers, max_value_bytes=max_value_bytes)
    except Exception:
        log.exception(
            "letter.failed", extra={"partition": message.partition, "offset": message.offset}
        )
        letter = letter_of(stage, replace(message, headers={}), dead, now=now)
        return to_out(letter, {}, max_value_bytes=max_value_bytes)


def from_message(message: Message) -> DeadLetter:
    """Read a record of the dead-letter topic.

    Raises:
        DecodeError: If an error header is missing or unreadable; names it.
    """
    own = {
        name.removeprefix(PREFIX): _text(value)
        for name, value in message.headers.items()
        if name.startswith(PREFIX)
    }
    others = {
        name: _text(value) for name, value in message.headers.items() if not name.startswith(PREFIX)
    }
    try:
        return DeadLetter(
            key=message.key,
            original=message.value,
            headers=others,
            stage=own["stage"],
            step=own.get("step"),
            reason=own["reason"],
            message=own["message"],
            topic=own["topic"],
            partition=int(own["partition"]),
            offset=int(own["offset"]),
            timestamp_ms=int(own["timestamp-ms"]),
            attempts=int(own["attempts"]),
            failed_at=datetime.fromisoformat(own["failed-at"]).astimezone(UTC),
            versions=orjson.loads(own["versions"]),
        )
    except KeyError as error:
        raise DecodeError(f"no dead letter: header {PREFIX}{error.args[0]} is missing") from error
    except ValueError as error:
        raise DecodeError(f"no dead letter: a {PREFIX}* header is unreadable: {error}") from error


def _error_headers(letter: DeadLetter) -> Headers:
    fields: dict[str, str | None] = {
        "stage": letter.stage,
        "step": letter.step,
        "reason": letter.reason,
        "message": letter.message,
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "timestamp-ms": str(letter.timestamp_ms),
        "attempts": str(letter.attempts),
        "failed-at": letter.failed_at.astimezone(UTC).isoformat(),
        "versions": orjson.dumps(letter.versions).decode(),
    }
    return tuple(
        (PREFIX + name, value.encode("utf-8", "replace"))
        for name, value in fields.items()
        if value is not None
    )


def _text(value: bytes | None) -> str:
    """A header's value for people; one without a value is empty."""
    return (value or b"").decode("utf-8", "replace")


def _within(headers: Iterable[tuple[str, bytes | None]], budget: int) -> Headers:
    """The headers that fit, in order; a letter that died twice keeps only the last story."""
    kept: list[tuple[str, bytes | None]] = []
    for name, value in headers:
        budget -= len(name.encode()) + len(value or b"")
        if budget >= 0 and not name.startswith(PREFIX):
            kept.append((name, value))
    return tuple(kept)
