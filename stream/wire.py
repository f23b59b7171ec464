"""What goes over the pipe to a process of the pool and back: bytes, and what they mean.

The bytes are MessagePack, not pickle: a process that a page has taken over can send no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from schemas.errors import Outcome, Reason
from schemas.topics import Topic
from stream.stage import Dead, Drop, Mark, Message, Out, Publish, Result, Retry, Stage, run_stage


class _Request(msgspec.Struct, array_like=True, frozen=True):
    """A message, and the digest last published under its key."""

    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes | None]
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    known: bytes | None


class _Out(msgspec.Struct, array_like=True, frozen=True):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int


class _Publish(msgspec.Struct, array_like=True, frozen=True, tag="publish"):
    outs: tuple[_Out, ...]


class _Drop(msgspec.Struct, array_like=True, frozen=True, tag="drop"):
    outcome: Outcome
    reason: Reason | None


class _Dead(msgspec.Struct, array_like=True, frozen=True, tag="dead"):
    reason: Reason
    message: str
    step: str | None
    attempts: int


class _Retry(msgspec.Struct, array_like=True, frozen=True, tag="retry"):
    message: str
    step: str | None


class _Reply(msgspec.Struct, array_like=True, frozen=True):
    result: _Publish | _Drop | _Dead | _Retry
    mark: Mark | None


class Reply(NamedTuple):
    """The answer of the process.

    Attributes:
        result: What becomes of the message.
        mark: Mark of the message; ``None``: it has none, or is to be processed in any case.
    """

    result: Result
    mark: Mark | None


_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(_Request).decode
_decode_reply = msgspec.msgpack.Decoder(_Reply).decode


def encode_request(message: Message, known: bytes | None) -> bytes:
    """A message for the pool.

    Args:
        message: What came in.
        known: Digest of what was published last of the article whose id is the message's key;
            ``None``: unknown.
    """
    return _encode(
        _Request(
            message.key,
            message.value,
            dict(message.headers),
            message.topic,
            message.partition,
            message.offset,
            message.timestamp_ms,
            known,
        )
    )


def answer(stage: Stage, request: bytes) -> tuple[bytes, bool]:
    """Run a stage on a request; never raises.

    Returns:
        The reply, and whether the process should end now because its memory ran out.
    """
    marks: list[Mark] = []
    try:
        given = _decode_request(request)
        known, key = given.known, given.key
        message = Message(
            key=key,
            value=given.value,
            headers=given.headers,
            topic=given.topic,
            partition=given.partition,
            offset=given.offset,
            timestamp_ms=given.timestamp_ms,
        )

        def is_known(mark: Mark) -> bool:
            marks.append(mark)
            return mark.article == key and mark.digest == known

        result = run_stage(stage, message, is_known)
        reply = _encode_reply(result, marks[0] if marks else None)
    except MemoryError:
        result = Dead(Reason.OUT_OF_MEMORY, "the page took more memory than it may")
        reply = _encode_reply(result, None)
    is_spent = isinstance(result, Dead) and result.reason is Reason.OUT_OF_MEMORY
    return reply, is_spent


def decode_reply(reply: bytes, topics: Mapping[str, Topic]) -> Reply:
    """What a process answered; what is no answer of ours is a :class:`Dead`.

    Args:
        reply: As it came.
        topics: By name, the topics that the stage may write.
    """
    try:
        read = _decode_reply(reply)
        return Reply(_result(read.result, topics), read.mark)
    except (msgspec.DecodeError, KeyError) as error:
        return Reply(_no_result(f"{type(error).__name__}: {error}"), None)


def _encode_reply(result: Result, mark: Mark | None) -> bytes:
    try:
        return _encode(_Reply(_wired(result), mark))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        return _encode(_Reply(_wired(_no_result(f"{type(error).__name__}: {error}")), mark))


def _no_result(why: str) -> Dead:
    return Dead(Reason.STEP_FAILED, f"the stage gave no result that can be sent: {why}")


def _wired(result: Result) -> _Publish | _Drop | _Dead | _Retry:
    match result:
        case Publish(outs):
            return _Publish(
                tuple(
                    _Out(out.topic.name, out.key, out.value, out.headers, out.timestamp_ms)
                    for out in outs
                )
            )
        case Drop(outcome, reason):
            return _Drop(outcome, reason)
        case Dead(reason, message, step, attempts):
            return _Dead(reason, message.encode("utf-8", "replace").decode(), step, attempts)
        case Retry(message, step):
            return _Retry(message.encode("utf-8", "replace").decode(), step)
    raise TypeError(f"a {type(result).__name__}")


def _result(read: _Publish | _Drop | _Dead | _Retry, topics: Mapping[str, Topic]) -> Result:
    match read:
        case _Publish(outs):
            return Publish(
                tuple(
                    Out(
                        topic=topics[out.topic],
                        key=out.key,
                        value=out.value,
                        headers=out.headers,
                        timestamp_ms=out.timestamp_ms,
                    )
                    for out in outs
                )
            )
        case _Drop(outcome, reason):
            return Drop(outcome, reason)
        case _Dead(reason, message, step, attempts):
            return Dead(reason, message, step, attempts)
        case _Retry(message, step):
            return Retry(message, step)
