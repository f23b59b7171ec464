from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.files import find_files
from connectors.identity import article_id
from connectors.readers import PageRead, Reader, ReadFailure, ReadResult
from schemas.codec import encode
from schemas.records import RawPage

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
# "The text of the page."
TEXT = "نص الصفحة."
PLAIN = {"url": "https://news.example/a", "text": TEXT}

Read = Callable[..., list[ReadResult]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file and read it."""

    def run(name: str, data: bytes | object, **options: Any) -> list[ReadResult]:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else orjson.dumps(data))
        reader = Reader(max_file_bytes=10_000, clock=lambda: NOW, **options)
        return list(reader.read(find_files([str(path)])))

    return run


def _page(results: list[ReadResult]) -> RawPage:
    (result,) = results
    assert isinstance(result, PageRead), result
    return result.page


def _failure(results: list[ReadResult]) -> str:
    (result,) = results
    assert isinstance(result, ReadFailure), result
    return str(result)


def test_text_files_keep_their_bytes(read: Read, validate_record: Callable[[bytes], None]) -> None:
    data = TEXT.encode("windows-1256")
    page = _page(read("a.txt", data))
    assert page.body == data
    assert page.text is None
    assert (page.media_type, page.origin, page.fetched_at) == ("text", "file:a.txt", NOW)
    assert page.article_id == article_id(None, data)
    assert page.url is None
    validate_record(encode(page))


def test_the_same_content_under_two_names_is_one_article(read: Read) -> None:
    assert _page(read("a.txt", b"x")).article_id == _page(read("b.txt", b"x")).article_id


def test_an_address_makes_the_id_of_a_page(read: Read) -> None:
    page = _page(read("a.html", b"<p>x", url="https://news.example/a?utm_source=y"))
    assert page.url == "https://news.example/a?utm_source=y"
    assert page.article_id == article_id("https://news.example/a", b"")
    assert page.media_type == "html"


def test_a_plain_object(read: Read, validate_record: Callable[[bytes], None]) -> None:
    page = _page(
        read(
            "a.json",
            PLAIN
            | {
                "title": "T",
                "published": "9/19/2015",
                "publisher": "P",
                "country": "TN",
                "language": "ar",
                "timezone": "Africa/Tunis",
            },
        )
    )
    assert (page.headline, page.published_raw, page.text) == ("T", "9/19/2015", TEXT)
    assert (page.source.publisher, page.source.country) == ("P", "TN")
    assert (page.source.language, page.source.timezone) == ("ar", "Africa/Tunis")
    assert page.fetched_at == NOW
    validate_record(encode(page))


def test_html_of_a_plain_object(read: Read) -> None:
    page = _page(read("a.json", {"url": "https://news.example/a", "html": "<p>x"}))
    assert (page.media_type, page.text) == ("html", "<p>x")


def test_a_raw_page_comes_back_as_it_was(read: Read) -> None:
    page = RawPage(article_id="0" * 32, body=b"\xff\xfe", headline="T", fetched_at=NOW)
    (result,) = read("a.jsonl", encode(page))
    assert isinstance(result, PageRead)
    assert result.page == page
    assert (result.line, result.original_at) == (1, NOW)


def test_an_array_of_pages_with_one_bad_item(read: Read) -> None:
    first, second, third = read("a.json", [PLAIN, {"url": "https://x.example"}, PLAIN])
    assert isinstance(first, PageRead)
    assert isinstance(third, PageRead)
    assert first.page.origin == "file:a.json:1"
    assert isinstance(second, ReadFailure)
    assert "item 2: nothing in html or text" in str(second)


def test_one_bad_line_never_stops_the_rest(read: Read) -> None:
    good = orjson.dumps(PLAIN)
    data = (
        b"\xef\xbb\xbf" + good + b"\n\n{broken\n" + good + b"\n[]\n" + b"x" * 20_000 + b"\n" + good
    )
    results = read("a.jsonl", data)
    lines = [(type(one).__name__, getattr(one, "line", None)) for one in results]
    assert lines == [
        ("PageRead", 1),
        ("ReadFailure", 3),
        ("PageRead", 4),
        ("ReadFailure", 5),
        ("ReadFailure", 6),
        ("PageRead", 7),
    ]
    assert "a.jsonl:3: not JSON" in str(results[1])
    assert "a page is an object, this is a list" in str(results[3])
    assert "longer than 10,000 bytes" in str(results[4])


BAD: list[tuple[object, str]] = [
    ({"text": "x"}, "missing required field `url`"),
    ({"url": "https://x.example"}, "nothing in html or text"),
    (PLAIN | {"text": " \n"}, "nothing in html or text"),
    (PLAIN | {"html": "<p>"}, "html and text are both set"),
    (PLAIN | {"title": "a", "headline": "b"}, "headline and title are both set"),
    (PLAIN | {"titel": "a"}, "unknown field 'titel': did you mean title?"),
    (PLAIN | {"q": "a"}, "unknown field 'q': known are url, html"),
    (PLAIN | {"publisher": 7}, "$.publisher"),
    (PLAIN | {"url": " "}, "url is empty"),
    (PLAIN | {"fetched_at": "2026-01-31T08:00:00"}, "fetched_at needs a zone"),
    ({"schema": "article/1.0"}, "schema is 'article/1.0': only pages"),
    ({"schema": "page/2.0", "article_id": "0" * 32, "fetched_at": "2026-01-31T08:00:00Z"}, "page/"),
    ({"schema": "page/1.0", "article_id": "0" * 32}, "missing required field `fetched_at`"),
    (
        {"schema": "page/1.0", "article_id": "0" * 32, "fetched_at": "2026-01-31T08:00:00Z"},
        "exactly one of body and text",
    ),
    ("text", "a page is an object, this is a string"),
    (None, "a page is an object, this is null"),
    (7, "a page is an object, this is a number"),
    ([], "an empty list"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_a_wrong_object_is_told_by_field(read: Read, value: object, message: str) -> None:
    assert message.lower() in _failure(read("a.json", orjson.dumps(value))).lower()


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.json", "a.jsonl"])
@pytest.mark.parametrize("data", [b"", b" \n\n"])
def test_an_empty_file_is_a_failure(read: Read, name: str, data: bytes) -> None:
    assert "empty file" in (text := _failure(read(name, data))) or "not one line" in text


@pytest.mark.parametrize(
    ("data", "what"), [(b"%PDF-1.7\n", "PDF"), (b"\x89PNG\r\n", "PNG"), (b"\x1f\x8b\x08", "gzip")]
)
def test_known_binary_kinds_are_named(read: Read, data: bytes, what: str) -> None:
    assert what in _failure(read("a.txt", data))


def test_other_garbage_is_left_to_the_cleaner(read: Read) -> None:
    assert _page(read("a.txt", b"\x00\xff\x00garbage")).body == b"\x00\xff\x00garbage"


def test_not_utf8_json_is_a_failure(read: Read) -> None:
    assert "not JSON" in _failure(read("a.json", '{"url": "é"}'.encode("latin-1")))


def test_standard_input_is_json_lines() -> None:
    reader = Reader(10_000, lambda: NOW, stdin=io.BytesIO(orjson.dumps(PLAIN) + b"\nx\n"))
    page, failure = reader.read(find_files(["-"]))
    assert isinstance(page, PageRead)
    assert page.page.origin == "file:-:1"
    assert str(failure).startswith("standard input:2: not JSON")


@pytest.mark.parametrize(
    ("extra", "at"),
    [
        ({"fetched_at": "2026-01-01T00:00:00+02:00"}, datetime(2025, 12, 31, 22, tzinfo=UTC)),
        ({"published": "2026-01-01T00:00:00Z"}, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"published": "2026-01-01T00:00:00"}, None),
        ({"published": "yesterday"}, None),
        ({}, None),
    ],
)
def test_the_original_time_is_only_what_the_file_states(
    read: Read, extra: dict[str, str], at: datetime | None
) -> None:
    (result,) = read("a.json", PLAIN | extra)
    assert isinstance(result, PageRead)
    assert result.original_at == at


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("is_record", [True, False])
def test_a_time_out_of_range_costs_its_line_only(read: Read, at: str, *, is_record: bool) -> None:
    record = {"schema": "page/1.0", "article_id": "0" * 32, "text": TEXT}
    bad = (record if is_record else PLAIN) | {"fetched_at": at}
    bad_result, good = read("a.jsonl", orjson.dumps(bad) + b"\n" + orjson.dumps(PLAIN))
    assert "out of range" in str(bad_result)
    assert isinstance(good, PageRead)


def test_times_become_utc_and_odd_ones_are_left_to_the_cleaner(read: Read) -> None:
    page = _page(read("a.json", PLAIN | {"fetched_at": "2026-01-31T10:00:00+02:00"}))
    assert page.fetched_at.isoformat() == "2026-01-31T08:00:00+00:00"
    (result,) = read("a.json", PLAIN | {"published": "0001-01-01T00:00:00+14:00"})
    assert isinstance(result, PageRead)
    assert result.original_at is None


def test_a_file_name_that_is_no_utf_8_still_makes_a_record(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(path).write_bytes(TEXT.encode())
    page = _page(list(Reader(10_000, lambda: NOW).read(find_files([path]))))
    assert page.origin == "file:caf\ufffd.txt"
    assert encode(page)
