"""The table of fates: what may lie on the page topic, and what becomes of it.

Walked by ``tests/stream/test_fates.py`` (the stage and the delivery in this process) and
``tests/e2e/test_fates.py`` (a real worker, a real broker); ``docs/delivery.md`` has the same rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from processors.tools import load_tools
from schemas.codec import decode, encode
from schemas.errors import DecodeError, Outcome, Reason, TransientError
from schemas.records import RawPage
from schemas.topics import MAX_MESSAGE_BYTES
from stream.stage import AGAIN, Headers, Message, Out, Publish, Result, Stage
from stream.stages import cleaner_stage
from tests.support.stream_kit import page

POISON = "poison: "
"""Texts that begin so make the step misbehave, see :func:`poisoned_stage`."""

TASK_TIMEOUT_S = 8.0
MAX_TRIES = 3
"""What the worker of these tests gives a page: so long, and so many tries of what may pass."""

# A municipality opens a garden: own words, long enough to be an article.
TEXT = """بلدية تفتتح حديقة عامة

صفاقس - وكالات: افتتحت البلدية اليوم حديقة عامة جديدة على الطريق الساحلية بعد أشغال دامت سنوات.

وقال رئيس البلدية إن الحديقة تضم مسلكا للدراجات وفضاء للأطفال ومكتبة صغيرة مفتوحة للعموم.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One row.

    Attributes:
        name: What lies on the topic, as the row in the docs is called.
        key: Kafka key.
        value: Kafka value.
        headers: Kafka headers, a name may come twice.
        outcome: What becomes of it.
        reason: Why, of what is skipped or dead.
        words: What the dead letter says of it, in part.
        tries: How often it is tried.
        needs: ``stage``: the stage and the delivery show it; ``worker``: it takes the whole worker;
            ``kafka``: the embedded broker does not do it.
    """

    name: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    outcome: Outcome
    reason: Reason | None = None
    words: str = ""
    tries: int = 1
    needs: str = "stage"

    @property
    def article_id(self) -> str:
        """Id of the article, if one comes of it."""
        return str(orjson.loads(self.value or b"{}")["article_id"])

    @property
    def is_dead(self) -> bool:
        """Whether a dead letter comes of it."""
        return self.outcome is Outcome.DEAD_LETTER


def fates() -> list[Fate]:
    """All rows; keys and ids are those of no other test."""
    return [*_passing(), *_skipped(), *_undecodable(), *_refused(), *_poison()]


def _passing() -> Iterator[Fate]:
    yield _row("a page")
    yield replace(_row("null key"), key=None)
    newer = {**_record("newer minor schema"), "schema": "page/1.9", "added": {"a": [1]}}
    yield replace(_row("newer minor schema"), value=_json(newer))
    odd: Headers = (("ce_id", b"\xff\xfe"), ("nothing", None), ("", b"no name"))
    yield replace(_row("garbage headers"), headers=odd)
    twice: Headers = (("traceparent", b"first"), ("traceparent", b"last"))
    yield replace(_row("header twice"), headers=twice)
    yield replace(_row("step that works at the third try", POISON + "later"), tries=3)


def _skipped() -> Iterator[Fate]:
    row = replace(_row("tombstone"), outcome=Outcome.SKIPPED)
    yield replace(row, value=None, reason=Reason.TOMBSTONE)
    repeat = replace(_row("a page"), name="the same page again", outcome=Outcome.DUPLICATE)
    yield replace(repeat, needs="worker")


def _undecodable() -> Iterator[Fate]:
    good = _json(_record("undecodable"))
    one = b'"revision":1'
    values = {
        "empty value": (b"", "truncated"),
        "no JSON": (b"\x00\xff no JSON", "malformed"),
        "half a JSON": (good[:-40], "truncated"),
        "JSON of another shape": (b"[1, 2, 3]", "got `array`"),
        "wrong type": (good.replace(one, b'"revision":"one"'), "$.revision"),
        "missing field": (b'{"schema":"page/1.0"}', "missing required field"),
        "time without a zone": (good.replace(b'00Z"', b'00"'), "$.fetched_at"),
        "invalid UTF-8": (good.replace(b"test:", b"\xff\xfe"), "0xff"),
        "lone surrogate": (good.replace(b"test:", b"\\ud800"), "surrogate"),
        "deep nesting": (b'{"added":' + b"[" * 200_000, "nested too deeply"),
        "NaN": (good.replace(one, b'"revision":NaN'), "malformed"),
        "number past 64 bits": (good.replace(one, b'"revision":1' + b"0" * 30), "64"),
        "number out of bounds": (good.replace(one, b'"revision":1e999'), "range"),
    }
    for name, (value, words) in values.items():
        yield _dead(name, value, Reason.UNDECODABLE, words)
    for name, schema in (("unknown schema version", "page/2.0"), ("another record", "article/1.0")):
        value = good.replace(b"page/1.0", schema.encode())
        yield _dead(name, value, Reason.UNKNOWN_SCHEMA, schema)


def _refused() -> Iterator[Fate]:
    yield _dead("page without text", _json(_record("blank", " \n ")), Reason.EMPTY)
    binary = replace(page("fate binary page", ""), text=None, body=bytes(range(256)) * 8)
    yield _dead("binary page", encode(binary), Reason.NOT_TEXT)
    markup = "<html><body><nav><a href='/'>الرئيسية</a></nav></body></html>"
    bare = replace(page("fate page of links only", markup), media_type="html")
    yield _dead("page of links only", encode(bare), Reason.NO_MAIN_TEXT)
    odd: Headers = (("odd", b"\xff\x00"), ("nothing", None), (AGAIN, b"1"))
    dead = _dead("dead page with odd headers", b"{", Reason.UNDECODABLE)
    yield replace(dead, headers=odd)
    yield replace(_dead("dead page with a null key", b"no key", Reason.UNDECODABLE), key=None)


def _poison() -> Iterator[Fate]:
    """Pages that make the step itself misbehave."""
    rows = {
        "step that raises": ("raise", Reason.STEP_FAILED, "ZeroDivisionError: on purpose"),
        "output too large": ("swell", Reason.TOO_LARGE, "too large for its topic"),
        "time that the broker refuses": ("future", Reason.STEP_FAILED, "refuses the record's time"),
        "step that never works": ("never", Reason.GAVE_UP, "given up after 3 tries: not yet"),
        "page that kills its process": ("kill", Reason.WORKER_DIED, ""),
        "page that hangs": ("hang", Reason.TIMED_OUT, ""),
        "page that eats memory": ("eat", Reason.OUT_OF_MEMORY, ""),
    }
    needs = {"future": "kafka", "kill": "worker", "hang": "worker", "eat": "worker"}
    tries = {"never": MAX_TRIES, "kill": 2}
    for name, (how, reason, words) in rows.items():
        value = _json(_record(name, POISON + how))
        row = _dead(name, value, reason, words)
        yield replace(row, tries=tries.get(how, 1), needs=needs.get(how, "stage"))


def poisoned_stage(*, is_fixed: bool = False) -> Stage:
    """The real cleaner, but for pages that say how to misbehave, unless that is fixed."""
    real = cleaner_stage(load_tools())
    seen: dict[str, int] = {}

    def fn(message: Message) -> Result:
        how = _poison_of(message.value)
        if how is None:
            return real.fn(message)
        seen[how] = seen.get(how, 0) + 1
        return _misbehave("" if is_fixed else how, seen[how], real, message)

    return replace(real, fn=fn)


def _misbehave(how: str, tries: int, real: Stage, message: Message) -> Result:
    if how == "raise":
        raise ZeroDivisionError("on purpose")
    if how == "never" or (how == "later" and tries < 3):
        raise TransientError("not yet")
    if how == "kill":
        os._exit(9)
    if how == "hang":
        time.sleep(600)
    if how == "eat":
        return _eat()
    text = replace(decode(RawPage, message.value or b""), text=TEXT)
    result = real.fn(replace(message, value=encode(text)))
    assert isinstance(result, Publish), result
    return Publish(tuple(_spoilt(out, how) for out in result.outs))


def _spoilt(out: Out, how: str) -> Out:
    if how == "swell":
        return replace(out, value=os.urandom(MAX_MESSAGE_BYTES + 1))  # does not compress
    if how == "future":
        return replace(out, timestamp_ms=int((time.time() + 86_400) * 1000))
    return out


def _eat() -> Result:
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


def _poison_of(value: bytes | None) -> str | None:
    if value is None or POISON.encode() not in value:
        return None
    try:
        text = decode(RawPage, value).text or ""
    except DecodeError:
        return None
    return text.removeprefix(POISON) if text.startswith(POISON) else None


def _row(name: str, text: str = TEXT) -> Fate:
    """A page of its own that is published; the rows say by ``replace`` what is different."""
    value = _json(_record(name, text))
    return Fate(name=name, key=_key(name), value=value, outcome=Outcome.PUBLISHED)


def _dead(name: str, value: bytes, reason: Reason, words: str = "") -> Fate:
    row = replace(_row(name), value=value, outcome=Outcome.DEAD_LETTER)
    return replace(row, reason=reason, words=words)


def _key(name: str) -> bytes:
    return page(f"fate {name}", "").article_id.encode()


def _record(name: str, text: str = TEXT) -> dict[str, object]:
    record: dict[str, object] = orjson.loads(encode(page(f"fate {name}", text)))
    return record


def _json(value: object) -> bytes:
    return orjson.dumps(value)
