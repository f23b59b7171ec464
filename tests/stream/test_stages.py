"""The cleaner's and the enricher's stage, with the real processors and no broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from processors.tools import Tools, load_tools
from schemas.codec import decode, encode
from schemas.errors import Outcome, Reason
from schemas.pages import PageSource
from schemas.records import Article, CleanArticle, FeedEntry
from schemas.topics import CLEAN, ENRICHED, LATEST
from stream.marks import PAGE_DIGEST, page_mark, published_mark
from stream.roles import ROLES
from stream.stage import AGAIN, Dead, Drop, Message, Publish, Retry, Stage, run_stage
from stream.stages import cleaner_stage, enricher_stage, make_stage
from tests.stream.fakes import NOW, message
from tests.support.stream_kit import page

# A short report: the council met on Sunday, the plan begins next month.
TEXT = """اجتماع للمجلس

عقد المجلس يوم الأحد اجتماعا طويلا بحث فيه خطة السنة الجديدة.

وقال الوزير إن الخطة تبدأ في الشهر القادم.
"""
PAGE = page("stages", TEXT)
TRACE = {"traceparent": b"00-1-2-01", "other": b"x"}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return load_tools()


@pytest.fixture(scope="module")
def cleaner(tools: Tools) -> Stage:
    return cleaner_stage(tools, lambda: NOW)


@pytest.fixture(scope="module")
def enricher(tools: Tools) -> Stage:
    return enricher_stage(tools, lambda: NOW)


def test_an_old_page_keeps_the_time_of_its_replay(cleaner: Stage) -> None:
    # Stamped with its own fetched_at, Kafka would delete an archive by age before it is read.
    replayed_ms = 1_900_000_000_000
    result = run_stage(cleaner, replace(message(encode(PAGE)), timestamp_ms=replayed_ms))
    assert isinstance(result, Publish)
    assert [out.timestamp_ms for out in result.outs] == [replayed_ms]


def test_a_page_becomes_a_clean_article_with_its_event(
    cleaner: Stage, validate_record: Callable[[bytes], None]
) -> None:
    result = run_stage(cleaner, message(encode(PAGE), headers=TRACE))
    assert isinstance(result, Publish)
    (out,) = result.outs
    headers = dict(out.headers)
    article = decode(CleanArticle, out.value or b"")
    validate_record(out.value or b"")
    assert (out.topic, out.key) == (CLEAN, PAGE.article_id.encode())
    assert out.timestamp_ms == message(b"").timestamp_ms
    assert article.cleaned_at == NOW
    assert headers["ce_id"] == f"{PAGE.article_id}:1".encode()
    assert headers["ce_type"] == b"org.nashra.article.clean.v1"
    assert headers["ce_time"] == b"2026-01-15T09:30:00.123000Z"
    assert [value for name, value in out.headers if name == "traceparent"] == [b"00-1-2-01"]
    assert "other" not in headers
    assert len(headers[PAGE_DIGEST]) == 64


def test_a_clean_article_becomes_the_same_bytes_on_two_topics(
    cleaner: Stage, enricher: Stage, validate_record: Callable[[bytes], None]
) -> None:
    cleaned = run_stage(cleaner, message(encode(PAGE)))
    assert isinstance(cleaned, Publish)
    result = run_stage(enricher, message(cleaned.outs[0].value))
    assert isinstance(result, Publish)
    event, latest = result.outs
    assert (event.topic, latest.topic) == (ENRICHED, LATEST)
    assert event.value == latest.value
    validate_record(event.value or b"")
    assert decode(Article, event.value or b"").enriched_at == NOW
    headers = dict(event.headers)
    assert headers["ce_source"] == b"nashra/enricher"
    assert headers["ce_dataschema"].endswith(b"article.v1.json")
    assert "traceparent" not in headers


@pytest.mark.parametrize(
    ("value", "reason", "step"),
    [
        (b"\x00", Reason.UNDECODABLE, "decode"),
        (b"{}", Reason.UNDECODABLE, "decode"),
        (b"[]", Reason.UNDECODABLE, "decode"),
        (encode(replace(PAGE, schema="page/9.0")), Reason.UNKNOWN_SCHEMA, "decode"),
        (encode(replace(PAGE, text=" \n ")), Reason.EMPTY, "extract"),
    ],
)
def test_what_can_never_become_an_article_is_dead(
    cleaner: Stage, value: bytes, reason: Reason, step: str
) -> None:
    result = run_stage(cleaner, message(value))
    assert isinstance(result, Dead)
    assert (result.reason, result.step) == (reason, step)


def test_tombstones_are_skipped(cleaner: Stage, enricher: Stage) -> None:
    for stage in (cleaner, enricher):
        assert run_stage(stage, message(None)) == Drop(Outcome.SKIPPED, Reason.TOMBSTONE)


ENTRY = FeedEntry(feed_id="feed", entry_id="1", discovered_at=PAGE.fetched_at)


def test_the_mark_of_a_page_is_the_mark_of_its_article(cleaner: Stage) -> None:
    def mark_left_by(given: Message) -> bytes | None:
        result = run_stage(cleaner, given)
        assert isinstance(result, Publish)
        return published_mark(dict(result.outs[0].headers))

    given = message(encode(PAGE))
    assert page_mark(given) == mark_left_by(given)
    for other in (
        replace(PAGE, revision=2),
        replace(PAGE, text=TEXT + "تتمة\n"),
        replace(PAGE, headline="عنوان آخر"),
        replace(PAGE, published_raw="2026-01-01"),
        replace(PAGE, source=PageSource(timezone="Asia/Amman")),
        replace(PAGE, media_type="html"),
        replace(PAGE, charset="windows-1256"),
        replace(PAGE, url="https://other.example/"),
        replace(PAGE, entry=replace(ENTRY, title="عنوان آخر")),
        replace(PAGE, entry=replace(ENTRY, published_raw="2026-01-01")),
    ):
        assert page_mark(message(encode(other))) != page_mark(given)
    assert page_mark(message(encode(replace(PAGE, origin="elsewhere")))) == page_mark(given)
    assert page_mark(message(b"\x00")) is None
    assert page_mark(message(None)) is None
    assert published_mark({}) is None


def test_json_nested_too_deeply_is_undecodable(cleaner: Stage) -> None:
    value = encode(PAGE)[:-1] + b',"deep":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    result = run_stage(cleaner, message(value))
    assert isinstance(result, Dead)
    assert (result.reason, result.step) == (Reason.UNDECODABLE, "decode")


def test_the_mark_goes_from_hop_to_hop_in_headers(cleaner: Stage, enricher: Stage) -> None:
    given = message(encode(PAGE), headers={AGAIN: b"1"})
    cleaned = run_stage(cleaner, given)
    assert isinstance(cleaned, Publish)
    headers = dict(cleaned.outs[0].headers)
    assert headers[AGAIN] == b"1", "the enricher has seen this article too"
    second = message(cleaned.outs[0].value, headers=headers)
    enriched = run_stage(enricher, second)
    assert isinstance(enriched, Publish)
    assert enricher.dedup is not None
    mark = enricher.dedup.mark(second)
    assert mark is not None
    for out in enriched.outs:
        assert AGAIN not in dict(out.headers)
        assert enricher.dedup.mark_of(dict(out.headers)) == mark
    repeat = replace(second, headers={k: v for k, v in headers.items() if k != AGAIN})
    assert run_stage(enricher, repeat, mark.__eq__) == Drop(Outcome.DUPLICATE)
    assert isinstance(run_stage(enricher, second, mark.__eq__), Publish)


def test_the_workers_stage_is_the_one_of_the_processes_but_for_the_tools(tools: Tools) -> None:
    for role, bare in ROLES.items():
        made = make_stage(role, "live")
        assert (made.name, made.source, made.outputs) == (bare.name, bare.source, bare.outputs)
        assert made.dedup == bare.dedup
        assert made.versions == tools.versions
        assert isinstance(run_stage(bare, message(b"{}")), Retry)
