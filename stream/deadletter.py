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

CUT = PREFIX + "cut"
"""Header of a letter that lacks more of its original: ``key``, ``headers`` or ``key,headers``."""

REQUEUE = "nashra-requeue-"
"""Headers of a message that was put back: how often, tries so far, why it failed last."""

REQUEUE_COUNT = REQUEUE + "count"
REQUEUE_ATTEMPTS = REQUEUE + "attempts"
REQUEUE_REASON = REQUEUE + "reason"

SETTLES = "nashra-settles-"
"""Headers of a settlement, a record without a value on the dead-letter topic: the letter at
``offset`` of the same partition is done with (``how``, ``at``, ``by``)."""

MAX_VALUE_BYTES = MAX_MESSAGE_BYTES - 128 * 1024
"""Larger originals are cut to this; the rest is room for key and headers."""

MAX_HEADER_BYTES = 64 * 1024
"""Original headers past this sum are left out (an own message is far below)."""

MAX_SENTENCE_CHARS = 2_000
MAX_KEY_BYTES = 32 * 1024
MAX_COUNT_DIGITS = 18


def letter_of(stage: Stage, message: Message, dead: Dead, *, now: datetime) -> DeadLetter:
    """The dead letter of a message that ``stage`` refused at ``now``.

    Its attempts go on counting where a message was requeued.
    """
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
        attempts=count_in(message.headers, REQUEUE_ATTEMPTS) + dead.attempts,
        failed_at=now,
        versions=dict(stage.versions),
    )


def to_out(
    letter: DeadLetter,
    headers: Mapping[str, bytes | None] | None = None,
    *,
    max_value_bytes: int = MAX_VALUE_BYTES,
    has_all_headers: bool = True,
) -> Out:
    """Write a letter as a Kafka record that is sure to fit.

    Args:
        letter: What to write.
        headers: Original headers as bytes; ``None``: take the decoded ones of the letter.
        max_value_bytes: A longer original is cut to this, which :data:`TRUNCATED` tells.
        has_all_headers: Whether ``headers`` are all there were; if not, :data:`CUT` tells.
    """
    if headers is None:
        headers = {name: value.encode() for name, value in letter.headers.items()}
    # A letter that died twice keeps only its last story.
    originals = {name: value for name, value in headers.items() if not name.startswith(PREFIX)}
    kept = _within(originals.items(), MAX_HEADER_BYTES)
    value, length = letter.original, len(letter.original or b"")
    key = letter.key if letter.key is None else letter.key[:MAX_KEY_BYTES]
    if key is None and value is None:
        key = b""  # aiokafka sends no record without key and value
    error_headers = _error_headers(letter)
    if value is not None and length > max_value_bytes:
        value = value[:max_value_bytes]
        error_headers += ((TRUNCATED, str(length).encode()),)
    cut = ["key"] if key != letter.key else []
    cut += [] if has_all_headers and len(kept) == len(originals) else ["headers"]
    if cut:
        error_headers += ((CUT, ",".join(cut).encode()),)
    return Out(
        topic=DEAD_LETTERS,
        key=key,
        value=value,
        headers=(*kept, *error_headers),
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
        return to_out(letter, {}, max_value_bytes=max_value_bytes, has_all_headers=False)


def from_message(message: Message) -> DeadLetter:
    """Read a record of the dead-letter topic.

    Raises:
        DecodeError: If an error header is missing or unreadable (names it), or if the record is
            a settlement.
    """
    if is_settlement(message):
        raise DecodeError("no dead letter: it settles one")
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
            versions=_versions(own["versions"]),
        )
    except KeyError as error:
        raise DecodeError(f"no dead letter: header {PREFIX}{error.args[0]} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise DecodeError(f"no dead letter: a {PREFIX}* header is unreadable: {error}") from error


def count_in(headers: Mapping[str, bytes | None], name: str) -> int:
    """A count in a header; 0 where it is missing or no count: anybody may write headers."""
    return _digits(headers.get(name)) or 0


def is_settlement(message: Message) -> bool:
    """Whether a record of the dead-letter topic says that an earlier one is done with."""
    headers = message.headers
    # A letter keeps the headers of its original, whatever they are called.
    is_named = SETTLES + "offset" in headers and PREFIX + "stage" not in headers
    return is_named and message.topic == DEAD_LETTERS.name


def settled_offset(message: Message) -> int | None:
    """Offset of the letter that a settlement is about; ``None``: it settles nothing.

    A letter stands before its settlement on the same partition.
    """
    offset = _digits(message.headers.get(SETTLES + "offset")) if is_settlement(message) else None
    return offset if offset is not None and offset < message.offset else None


def settlement_headers(offset: int, *, how: str, at: datetime, by: str) -> Headers:
    """Headers of the record that settles the letter at ``offset`` of the same partition."""
    fields = {"offset": str(offset), "how": how, "at": at.astimezone(UTC).isoformat(), "by": by}
    return tuple(
        (SETTLES + name, value.encode("utf-8", "replace")) for name, value in fields.items()
    )


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


def _versions(text: str) -> dict[str, str]:
    """The versions of a letter; whoever wrote the header may have written anything."""
    versions = orjson.loads(text)
    return {name: str(version) for name, version in dict(versions).items()}


def _digits(value: bytes | None) -> int | None:
    return int(value) if value and value.isdigit() and len(value) <= MAX_COUNT_DIGITS else None


def _text(value: bytes | None) -> str:
    """A header's value for people; one without a value is empty."""
    return (value or b"").decode("utf-8", "replace")


def _within(headers: Iterable[tuple[str, bytes | None]], budget: int) -> Headers:
    """The headers that fit, in order."""
    kept: list[tuple[str, bytes | None]] = []
    for name, value in headers:
        budget -= len(name.encode()) + len(value or b"")
        if budget >= 0:
            kept.append((name, value))
    return tuple(kept)
