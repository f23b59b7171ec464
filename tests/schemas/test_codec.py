"""Bytes and records: what goes out comes back, and what is wrong is refused by its path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.errors import DecodeError, Reason
from schemas.records import (
    PUBLIC_RECORDS,
    Article,
    Extraction,
    Feed,
    FeedStatus,
    Heartbeat,
    RawPage,
    Source,
)
from tests.support.contract import contract_errors
from tests.support.strategies import records

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

ARTICLE: dict[str, Any] = {
    "schema": "article/1.0",
    "id": "0" * 32,
    "content_hash": "1" * 64,
    "body": "text",
    "extraction": {"method": "text"},
    "fetched_at": "2026-03-04T05:06:07Z",
    "cleaned_at": "2026-03-04T05:06:08Z",
    "enriched_at": "2026-03-04T05:06:09Z",
}


@pytest.mark.parametrize("record_type", PUBLIC_RECORDS, ids=lambda record: record.__name__)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_record_comes_back_and_keeps_the_contract(
    record_type: type[Any], data: st.DataObject
) -> None:
    record = data.draw(records(record_type))
    written = codec.encode(record)
    assert codec.decode(record_type, written) == record
    assert contract_errors(written) == []


def test_arabic_stays_readable_and_times_end_in_z() -> None:
    # "Tunis" in Arabic.
    name = "تونس"
    beat = Heartbeat(worker_id=name, role="cleaner", beat_at=AT, started_at=AT)
    written = codec.encode(beat).decode()
    assert name in written
    assert '"beat_at":"2026-03-04T05:06:07Z"' in written


def test_other_zones_are_read_as_the_same_moment() -> None:
    zone = timezone(timedelta(hours=3))
    record = codec.decode(Article, _article(fetched_at="2026-03-04T08:06:07+03:00"))
    assert record.fetched_at == AT
    assert record.fetched_at == AT.astimezone(zone)


def test_bytes_travel_as_base64() -> None:
    page = RawPage(article_id="a" * 32, body=b"\xff\x00", fetched_at=AT)
    written = codec.encode(page)
    assert orjson.loads(written)["body"] == "/wA="
    assert codec.decode(RawPage, written).body == b"\xff\x00"


def test_unknown_fields_are_ignored_at_any_depth() -> None:
    data = _article(mood="calm", source={"host": "news.example", "rank": 3})
    assert codec.decode(Article, data).source == Source(host="news.example")


def test_newer_minor_version_is_read() -> None:
    assert codec.decode(Article, _article(schema="article/1.7")).schema == "article/1.7"


def test_missing_optional_fields_take_their_defaults() -> None:
    article = codec.decode(Article, orjson.dumps(ARTICLE))
    assert article.headline is None
    assert article.entities == ()
    assert article.revision == 1
    assert article.extraction == Extraction(method="text", score=1.0)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("body", 7, "$.body"),
        ("body", None, "$.body"),
        ("id", "short", "$.id"),
        ("revision", 0, "$.revision"),
        ("revision", 1.5, "$.revision"),
        ("authors", "one", "$.authors"),
        ("authors", ["one", 2], "$.authors[1]"),
        ("fetched_at", "2026-03-04T05:06:07", "$.fetched_at"),
        ("published_at", "2026-03-04T05:06:07", "$.published_at"),
        ("fetched_at", "yesterday", "$.fetched_at"),
        ("fetched_at", 1_770_000_000, "$.fetched_at"),
        ("direction", "up", "$.direction"),
        ("source", {"host": 1}, "$.source.host"),
        ("entities", [{"name": "n", "type": "DATE", "id": "x"}], "$.entities[0].type"),
        (
            "entities",
            [{"name": "n", "type": "PER", "id": "x", "mentions": [{"text": "n", "start": -1}]}],
            "$.entities[0].mentions[0].start",
        ),
    ],
)
def test_wrong_value_is_refused_by_its_path(field: str, value: object, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(Article, _article(**{field: value}))
    assert str(caught.value).startswith("not a Article: ")
    assert str(caught.value).endswith(f"`{path}`")
    assert caught.value.reason == Reason.UNDECODABLE


@pytest.mark.parametrize("field", ["id", "body", "extraction", "fetched_at", "enriched_at"])
def test_missing_field_is_named(field: str) -> None:
    data = {key: value for key, value in ARTICLE.items() if key != field}
    with pytest.raises(DecodeError, match=f"missing required field `{field}`"):
        codec.decode(Article, orjson.dumps(data))


@pytest.mark.parametrize(
    "schema", ["article/2.0", "clean-article/1.0", "article", "", "article/10.0"]
)
def test_other_record_or_major_version_is_refused(schema: str) -> None:
    with pytest.raises(DecodeError, match=r"at \$\.schema") as caught:
        codec.decode(Article, _article(schema=schema))
    assert caught.value.reason == Reason.UNKNOWN_SCHEMA


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"7", b"{", b"\x00\x01\x02", b'{"a": "\xff"}', b"\xef\xbb\xbf{}"],
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^not a Feed: "):
        codec.decode(Feed, data)


def test_share_out_of_bounds_is_refused() -> None:
    status = {
        "feed_id": "f",
        "state": "ok",
        "polled_at": "2026-03-04T05:06:07Z",
        "duplicate_share": 1.1,
    }
    with pytest.raises(DecodeError, match=r"\$\.duplicate_share"):
        codec.decode(FeedStatus, orjson.dumps(status))


def test_lone_surrogate_cannot_be_written() -> None:
    with pytest.raises(DecodeError, match="cannot be written as JSON"):
        codec.encode(Feed(id="\ud800", url="https://news.example/feed"))


def _article(**changes: object) -> bytes:
    return orjson.dumps(ARTICLE | changes)
