"""What a dead letter is when it goes back to the topic it came from; decides, sends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from schemas.topics import ALL, DEAD_LETTERS, Topic
from stream.deadletter import PREFIX, REQUEUE, REQUEUE_ATTEMPTS, REQUEUE_COUNT, REQUEUE_REASON
from stream.letters import Listed, moment
from stream.publish import record_time
from stream.stage import AGAIN, Message, Out, timestamp_ms

MAX_REQUEUES = 3
"""A message that failed after so many requeues is put back only by force: it goes in a circle."""

_TOPICS = {topic.name: topic for topic in ALL}


def refusal(listed: Listed, *, is_forced: bool = False) -> str | None:
    """Why a letter cannot be put back; ``None``: it can.

    Args:
        listed: The letter.
        is_forced: Also one that failed after :data:`MAX_REQUEUES` requeues, or whose topic is
            compacted.
    """
    letter = listed.letter
    if letter is None:
        return f"cannot be requeued, {listed.why}"
    return _missing(listed) or _topic_refusal(listed, letter.topic, is_forced=is_forced)


def _missing(listed: Listed) -> str | None:
    """What of the original was not kept."""
    if listed.truncated_from is not None:
        kept, size = listed.size_bytes or 0, listed.truncated_from
        return (
            f"cannot be requeued, only {kept:,} of its {size:,} bytes were kept; "
            "bring the page again from its source, then discard the letter"
        )
    if listed.cut:
        return f"cannot be requeued, its {listed.cut.replace(',', ' and ')} did not fit and was cut"
    if listed.key is None and listed.size_bytes is None:
        return "cannot be requeued, it has neither key nor value"
    return None


def _topic_refusal(listed: Listed, name: str, *, is_forced: bool) -> str | None:
    topic = _TOPICS.get(name)
    if topic is None or topic is DEAD_LETTERS:
        return f"cannot be requeued, nashra reads no topic {name!r}"
    if is_forced:
        return None
    if listed.requeued >= MAX_REQUEUES:
        return f"failed again after {listed.requeued} requeues; --force puts it back all the same"
    if topic.cleanup != "delete":
        return (
            f"{topic.name} keeps only the last record of a key, and this one may be older; "
            "--force puts it back all the same"
        )
    return None


def requeue_out(listed: Listed, message: Message, *, now: datetime) -> Out:
    """The original message as it goes back to its topic.

    Key, value and headers are the original's; the story of the failure becomes the
    ``nashra-requeue-*`` headers, and :data:`~stream.stage.AGAIN` lets it pass the dedup. It keeps
    its Kafka timestamp where the topic's retention can bear that (:func:`record_time`).
    """
    letter = listed.letter
    if letter is None:
        raise ValueError(f"letter {listed.place} is unreadable: refusal() says so")
    originals = [
        (name, value)
        for name, value in message.headers.items()
        if not name.startswith((PREFIX, REQUEUE)) and name != AGAIN
    ]
    story = {
        AGAIN: "1",
        REQUEUE_COUNT: str(listed.requeued + 1),
        REQUEUE_ATTEMPTS: str(letter.attempts),
        REQUEUE_REASON: f"{letter.stage}: {letter.reason}",
    }
    at = record_time(moment(letter.timestamp_ms) or now, now)
    return Out(
        topic=_TOPICS[letter.topic],
        key=message.key,
        value=message.value,
        headers=(*originals, *((name, text.encode()) for name, text in story.items())),
        timestamp_ms=timestamp_ms(at),
    )


def topics_of(letters: Iterable[Listed]) -> set[Topic]:
    """Topics that the letters go back to."""
    names = {listed.letter.topic for listed in letters if listed.letter is not None}
    return {_TOPICS[name] for name in names if name in _TOPICS}
