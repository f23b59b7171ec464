"""Dead letters: bytes untouched, the story in headers, there and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.asyncapi import asyncapi_document
from schemas.errors import DecodeError, Reason
from schemas.records import PUBLIC_RECORDS
from schemas.topics import DEAD_LETTERS, MAX_MESSAGE_BYTES
from stream.deadletter import (
    CUT,
    MAX_VALUE_BYTES,
    PREFIX,
    TRUNCATED,
    from_message,
    letter_of,
    out_of,
    to_out,
)
from stream.stage import Dead, Message, Out
from tests.stream.fakes import NOW, message, stage

DEAD = Dead(Reason.NOT_TEXT, "لا نص هنا", "extract")


def as_read(out: Out) -> Message:
    """The record as a consumer gets it."""
    return Message(
        key=out.key,
        value=out.value,
        headers=dict(out.headers),
        topic=out.topic.name,
        partition=0,
        offset=0,
        timestamp_ms=out.timestamp_ms,
    )


@given(
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=200),
    st.dictionaries(st.text("abc-", min_size=1, max_size=8), st.text(max_size=20)),
    st.none() | st.sampled_from(["decode", "extract"]),
)
def test_there_and_back(
    key: bytes | None, value: bytes | None, headers: dict[str, str], step: str | None
) -> None:
    assume(key is not None or value is not None)  # no such record can be sent
    raw = {name: text.encode("utf-8", "replace") for name, text in headers.items()}
    letter = letter_of(
        stage(), message(value, key=key, headers=raw), replace(DEAD, step=step), now=NOW
    )
    out = to_out(letter, raw)
    assert (out.topic, out.key, out.value) == (DEAD_LETTERS, key, value)
    assert from_message(as_read(out)) == letter
    assert from_message(as_read(to_out(letter))) == letter


def test_headers_that_are_no_text_stay_as_they_are() -> None:
    raw = {"traceparent": b"00-1", "odd": b"\xff\x00"}
    letter = letter_of(stage(), message(b"x", headers=raw), DEAD, now=NOW)
    assert dict(to_out(letter, raw).headers)["odd"] == b"\xff\x00"


def test_an_original_too_large_is_cut_and_says_so() -> None:
    value = b"z" * (MAX_MESSAGE_BYTES + 10)
    big = {"big": b"h" * 100_000, "small": b"1"}
    given = message(value, key=b"k" * 100_000, headers=big)
    out = to_out(letter_of(stage(), given, replace(DEAD, message="m" * 9_999), now=NOW), big)
    headers = dict(out.headers)
    assert len(out.value or b"") == MAX_VALUE_BYTES
    assert headers[TRUNCATED] == str(len(value)).encode()
    size = len(out.key or b"") + len(out.value or b"")
    size += sum(len(name) + len(each) + 10 for name, each in out.headers)
    assert size < MAX_MESSAGE_BYTES


def test_a_letter_that_dies_again_tells_only_its_last_story() -> None:
    first = to_out(letter_of(stage(), message(b"x"), DEAD, now=NOW), {})
    again = letter_of(stage(), as_read(first), Dead(Reason.EMPTY, "now empty"), now=NOW)
    out = to_out(again, dict(first.headers))
    names = [name for name, _ in out.headers]
    assert len(names) == len(set(names))
    assert dict(out.headers)[PREFIX + "reason"] == b"empty"


def test_what_is_no_dead_letter_is_told_by_header() -> None:
    with pytest.raises(DecodeError, match="nashra-error-stage is missing"):
        from_message(message())
    broken = as_read(to_out(letter_of(stage(), message(b"x"), DEAD, now=NOW), {}))
    headers = {**broken.headers, PREFIX + "offset": b"many"}
    with pytest.raises(DecodeError, match="unreadable"):
        from_message(replace(broken, headers=headers))


def test_the_headers_are_those_of_the_published_contract() -> None:
    document = asyncapi_document({record: f"{record.__name__}.json" for record in PUBLIC_RECORDS})
    stated = document["components"]["messages"]["deadLettersMessage"]["headers"]["properties"]
    out = to_out(letter_of(stage(), message(b"x"), DEAD, now=NOW), {})
    assert {name for name, _ in out.headers} == {
        name for name in stated if name not in (TRUNCATED, CUT)
    }


def test_a_header_without_a_value_goes_through_and_reads_as_empty() -> None:
    given = message(b"x", headers={"nothing": None, "traceparent": b"00-1"})
    out = out_of(stage(), given, DEAD, now=NOW)
    assert dict(out.headers)["nothing"] is None
    assert from_message(as_read(out)).headers == {"nothing": "", "traceparent": "00-1"}


def test_headers_that_cannot_be_written_cost_only_themselves() -> None:
    given = message(b"x", headers={"\ud800": b"no Unicode"})
    out = out_of(stage(), given, DEAD, now=NOW)
    letter = from_message(as_read(out))
    assert (letter.original, letter.reason, letter.headers) == (b"x", "not-text", {})
