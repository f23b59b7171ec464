"""What goes over the pipe comes out the same, and what makes no sense is a dead letter."""

from __future__ import annotations

import pytest

from schemas.errors import Outcome, Reason
from schemas.topics import CLEAN
from stream.stage import Dead, Drop, Mark, Message, Out, Publish, Result, Retry
from stream.wire import answer, decode_reply, encode_request
from tests.stream.fakes import message, stage

TOPICS = {CLEAN.name: CLEAN}


@pytest.mark.parametrize(
    "result",
    [
        Publish(
            (
                Out(
                    topic=CLEAN,
                    key=None,
                    value=b"\x00\xff",
                    headers=(("a", b"1"), ("b", None)),
                    timestamp_ms=1,
                ),
            )
        ),
        Publish(()),
        Drop(Outcome.SKIPPED, Reason.TOMBSTONE),
        Drop(Outcome.DUPLICATE),
        Dead(Reason.EMPTY, "nothing in it", "extract", 3),
        Retry("later", "lookup"),
    ],
)
def test_a_result_comes_back_as_it_was(result: Result) -> None:
    reply, is_spent = answer(stage(lambda _: result), encode_request(message(), None))
    assert decode_reply(reply, TOPICS).result == result
    assert not is_spent


def test_the_stage_gets_the_message_as_it_was() -> None:
    seen: list[Message] = []

    def fn(given: Message) -> Result:
        seen.append(given)
        return Drop(Outcome.SKIPPED)

    given = message(None, key=None, headers={"x": None, "y": b"\xff"})
    answer(stage(fn), encode_request(given, None))
    assert seen == [given]


def test_the_mark_comes_along_and_a_known_one_spares_the_work() -> None:
    with_dedup = stage(dedup=True)
    given = message(b"a=1", key=b"a")
    reply = decode_reply(answer(with_dedup, encode_request(given, b"0"))[0], TOPICS)
    assert reply.mark == Mark(b"a", b"1")
    assert isinstance(reply.result, Publish)
    known = decode_reply(answer(with_dedup, encode_request(given, b"1"))[0], TOPICS)
    assert known.result == Drop(Outcome.DUPLICATE)


@pytest.mark.parametrize("nonsense", [b"", b"\x00", b"\xff" * 9, b"\x92\x91\xa4what\xc0"])
def test_a_reply_that_is_none_is_a_dead_letter(nonsense: bytes) -> None:
    result = decode_reply(nonsense, TOPICS).result
    assert isinstance(result, Dead)
    assert result.reason is Reason.STEP_FAILED


def test_a_topic_that_the_stage_may_not_write_is_a_dead_letter() -> None:
    reply, _ = answer(stage(), encode_request(message(b"x"), None))
    result = decode_reply(reply, {}).result
    assert isinstance(result, Dead)
    assert CLEAN.name in result.message


def test_a_lone_surrogate_in_a_sentence_passes() -> None:
    reply, _ = answer(
        stage(lambda _: Dead(Reason.EMPTY, "\ud800")), encode_request(message(), None)
    )
    assert decode_reply(reply, TOPICS).result == Dead(Reason.EMPTY, "?")


def test_memory_that_ran_out_is_told_and_ends_the_process() -> None:
    def fn(_: Message) -> Result:
        raise MemoryError

    reply, is_spent = answer(stage(fn), encode_request(message(), None))
    result = decode_reply(reply, TOPICS).result
    assert isinstance(result, Dead)
    assert result.reason is Reason.OUT_OF_MEMORY
    assert is_spent
