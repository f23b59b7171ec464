"""``nashra tail --json``: whatever stands on the topic, each line is JSON."""

from __future__ import annotations

import base64

import orjson
import pytest

from schemas.topics import PAGES
from stream.cli.tail import json_line
from stream.stage import Message


def message(value: bytes | None) -> Message:
    return Message(key=b"k", value=value, topic=PAGES.name, partition=0, offset=0, timestamp_ms=0)


def test_a_value_stands_as_it_is_on_one_line() -> None:
    assert json_line(PAGES, message(b'{"a":\n1}')) == b'{"a": 1}'


def test_a_tombstone_says_so() -> None:
    assert orjson.loads(json_line(PAGES, message(None)))["tombstone"] is True


@pytest.mark.parametrize("value", [b"\xff\x00", b"{", b'"\xed\xa0\x80"', b""])
def test_what_is_no_json_comes_as_an_object_with_the_bytes(value: bytes) -> None:
    line = orjson.loads(json_line(PAGES, message(value)))
    assert base64.b64decode(line["value_base64"]) == value
    assert line["error"]
