"""A stage: one pure step between two topics, told apart from the engine that drives it.

Engine-neutral: no Faust, no Kafka client. A stage takes a :class:`Message` and says what becomes
of it: :class:`Publish`, :class:`Drop`, :class:`Dead` or :class:`Retry`. :func:`run_stage` is the
one border where an exception that nobody expected becomes a value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.errors import Outcome, Reason, TransientError
from schemas.topics import Topic

log = logging.getLogger(__name__)

Headers = tuple[tuple[str, bytes | None], ...]
"""Name and value; Kafka allows a header without a value."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AGAIN = "nashra-again"
"""Header of a page that is to be processed although it was before (``nashra replay --again``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One record as it came from a topic.

    Attributes:
        key: Kafka key.
        value: Kafka value; ``None``: a tombstone.
        headers: By name; of a name used twice the last value stands (Faust hands over a dict).
        topic: Topic name.
        partition: Partition, from 0.
        offset: Offset in the partition.
        timestamp_ms: Kafka timestamp, milliseconds since 1970.
    """

    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes | None] = field(default_factory=dict)
    topic: str
    partition: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """One record to publish.

    Attributes:
        topic: Where to.
        key: Kafka key; ``None`` only for a dead letter whose original had none.
        value: Kafka value; ``None`` only for a dead letter of a tombstone.
        headers: In order, no name twice.
        timestamp_ms: Kafka timestamp, milliseconds since 1970.
    """

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Publish:
    """The message became these records."""

    outs: tuple[Out, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """The message is not wanted: a duplicate, a tombstone, an empty page."""

    outcome: Outcome
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """No retry can help; the message goes to the dead letters.

    Attributes:
        reason: One word of the closed list.
        message: One sentence for a person.
        step: Pipeline step that refused it; ``None``: it did not get that far.
        attempts: How often it was tried.
    """

    reason: Reason
    message: str
    step: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Retry:
    """It may work later: the engine tries again with back-off, and gives up in the end.

    Attributes:
        message: One sentence for a person.
        step: Pipeline step that could not do it; ``None``: it did not get that far.
    """

    message: str
    step: str | None = None


Fate = Publish | Drop | Dead
"""What becomes of a message in the end."""

Result = Fate | Retry


class Mark(NamedTuple):
    """What was published of one article last.

    Attributes:
        article: Its id.
        digest: Of the revision and everything that the stage makes the article from.
        revision: The revision itself; 0: unknown.
    """

    article: bytes
    digest: bytes
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    """How a stage tells that it has already published what a message holds.

    Only the last mark of an article counts: a page that goes back to what it said before is news.

    Attributes:
        output: Topic whose records tell (by their headers) what was published.
        mark: The mark that this message would leave; ``None``: it cannot be told.
        mark_of: The mark in the headers of a published record; ``None``: it has none.
    """

    output: Topic
    mark: Callable[[Message], Mark | None]
    mark_of: Callable[[Mapping[str, bytes | None]], Mark | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the stream.

    Attributes:
        name: Name of the role, in headers, logs and dead letters.
        source: Topic that it reads.
        outputs: Topics that it may write, dead letters aside.
        fn: Pure function; may raise :class:`~schemas.errors.TransientError`, nothing else on
            purpose.
        versions: Versions of the code and rules, for dead letters and heartbeats.
        dedup: How repeats are known; ``None``: every message is processed.
    """

    name: str
    source: Topic
    outputs: tuple[Topic, ...]
    fn: Callable[[Message], Result]
    versions: Mapping[str, str] = field(default_factory=dict)
    dedup: Dedup | None = None


def run_stage(
    stage: Stage, message: Message, is_known: Callable[[Mark], bool] | None = None
) -> Result:
    """What becomes of one message; never raises.

    Args:
        stage: The step.
        message: What came in.
        is_known: Whether a mark of ``stage.dedup`` is the last published of its article;
            ``None``: ask nobody.
    """
    try:
        if is_known is not None and _is_repeat(stage, message, is_known):
            return Drop(Outcome.DUPLICATE)
        return stage.fn(message)
    except TransientError as error:
        return Retry(str(error))
    except MemoryError:  # unlogged: whatever still holds the memory must go first
        return Dead(Reason.OUT_OF_MEMORY, "the page took more memory than it may")
    # The one border: a bug met by one page must cost that page, not the worker.
    except Exception as error:
        log.exception(
            "stage.failed",
            extra={
                "stage": stage.name,
                "topic": message.topic,
                "partition": message.partition,
                "offset": message.offset,
            },
        )
        return Dead(Reason.STEP_FAILED, f"{type(error).__name__}: {error}")


def _is_repeat(stage: Stage, message: Message, is_known: Callable[[Mark], bool]) -> bool:
    if stage.dedup is None or AGAIN in message.headers:
        return False
    mark = stage.dedup.mark(message)
    return mark is not None and is_known(mark)


def with_attempts(result: Result, failures: int) -> Result:
    """A dead letter tells how often its message was tried in all, earlier failures included."""
    if isinstance(result, Dead) and failures:
        return Dead(result.reason, result.message, result.step, result.attempts + failures)
    return result


def outcome_of(result: Fate) -> tuple[Outcome, Reason | None]:
    """Under what a message counts."""
    if isinstance(result, Publish):
        return Outcome.PUBLISHED, None
    if isinstance(result, Drop):
        return result.outcome, result.reason
    return Outcome.DEAD_LETTER, result.reason


def timestamp_ms(at: datetime) -> int:
    """Milliseconds since 1970, rounded down; whole numbers all the way, so none is lost."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def utc_now() -> datetime:
    """The clock of live workers."""
    return datetime.now(UTC)
