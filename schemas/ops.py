"""Records for operators: dead letters and heartbeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from schemas.types import Count, UtcDateTime

DEAD_LETTER_SCHEMA = "dead-letter/1.0"
HEARTBEAT_SCHEMA = "heartbeat/1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that no retry can help, with everything needed to understand and requeue it.

    On ``nashra.dead-letters.v1`` the Kafka value is ``original`` byte for byte and the key is the
    original key; every other field travels in ``nashra-error-*`` headers. This record is the
    decoded view of such a message.
    """

    schema: Annotated[str, Meta(description="Record name and version.")] = DEAD_LETTER_SCHEMA
    key: Annotated[bytes | None, Meta(description="Original key, base64 in JSON.")] = None
    original: Annotated[bytes | None, Meta(description="Original value; null: a tombstone.")] = None
    headers: Annotated[dict[str, str], Meta(description="Original headers, values as UTF-8.")] = (
        field(default_factory=dict)
    )
    stage: Annotated[str, Meta(description="Stage that refused it: cleaner, enricher.")]
    step: Annotated[str | None, Meta(description="Pipeline step, if it got that far.")] = None
    reason: Annotated[str, Meta(description="One word of the closed list `Reason`.")]
    message: Annotated[str, Meta(description="One sentence for a person.")]
    topic: Annotated[str, Meta(description="Topic it was read from.")]
    partition: Annotated[Count, Meta(description="Partition it was read from.")]
    offset: Annotated[Count, Meta(description="Kafka offset it was read at.")]
    timestamp_ms: Annotated[int, Meta(description="Original Kafka timestamp, ms since 1970.")]
    attempts: Annotated[int, Meta(ge=1, description="Tries before it was given up.")] = 1
    failed_at: Annotated[UtcDateTime, Meta(description="When it was given up.")]
    versions: Annotated[dict[str, str], Meta(description="Code versions that refused it.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign of life every 10 s. Topic ``nashra.heartbeat.v1``, key ``worker_id``."""

    schema: Annotated[str, Meta(description="Record name and version.")] = HEARTBEAT_SCHEMA
    worker_id: Annotated[str, Meta(description="Name of the worker process, stable over its life.")]
    role: Annotated[str, Meta(description="connector, cleaner or enricher.")]
    beat_at: Annotated[UtcDateTime, Meta(description="When the sign was given.")]
    started_at: Annotated[UtcDateTime, Meta(description="When the worker started.")]
    counts: Annotated[
        dict[str, Count], Meta(description="Messages since start by outcome (closed list).")
    ] = field(default_factory=dict)
    versions: Annotated[dict[str, str], Meta(description="Code versions that run.")] = field(
        default_factory=dict
    )
    health: Annotated[
        str | None,
        Meta(
            description="starting, ready, waiting-for-broker, stalled or stopping; null: not told."
        ),
    ] = None
