"""Fakes and builders for the tests of the stream's core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from schemas.topics import CLEAN, PAGES, Topic
from stream.delivery import Deliverer
from stream.stage import Dedup, Mark, Message, Out, Publish, Result, Stage

NOW = datetime(2026, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC)


def message(value: bytes | None = b"{}", *, offset: int = 7, **changes: object) -> Message:
    fields: dict[str, object] = {
        "key": b"key",
        "value": value,
        "headers": {},
        "topic": PAGES.name,
        "partition": 3,
        "offset": offset,
        "timestamp_ms": 1_700_000_000_123,
    }
    return Message(**{**fields, **changes})  # type: ignore[arg-type]


def out(value: bytes | None = b"v", *, key: bytes = b"k", topic: Topic = CLEAN) -> Out:
    return Out(topic=topic, key=key, value=value, headers=(("h", b"1"),), timestamp_ms=1)


def echo(given: Message) -> Result:
    """Publish the value; it is article and digest of the mark, or ``article=digest``."""
    value = given.value or b""
    made = Out(topic=CLEAN, key=given.key, value=value, headers=(("m", value),), timestamp_ms=1)
    return Publish((made,))


def mark(value: bytes) -> Mark:
    article, _, digest = value.partition(b"=")
    return Mark(article, digest or article)


def mark_of(headers: Mapping[str, bytes | None]) -> Mark | None:
    value = headers.get("m")
    return None if value is None else mark(value)


def stage(fn: Callable[[Message], Result] = echo, *, dedup: bool = False) -> Stage:
    how = Dedup(output=CLEAN, mark=lambda given: mark(given.value or b""), mark_of=mark_of)
    return Stage(
        name="cleaner",
        source=PAGES,
        outputs=(CLEAN,),
        fn=fn,
        versions={"nashra": "0", "rules": "common-1"},
        dedup=how if dedup else None,
    )


class FakeProducer:
    """Acknowledges all, but for what ``errors`` says.

    ``errors`` gets the try's number (from 1) and the value, and gives the error of the
    acknowledgement or ``None``.
    """

    def __init__(
        self, errors: Callable[[int, bytes | None], KafkaError | None] = lambda *_: None
    ) -> None:
        self._errors = errors
        self._tries: dict[bytes | None, int] = {}
        self.sent: list[tuple[str, bytes | None]] = []
        self.acked: list[tuple[str, bytes | None]] = []
        self.is_started = False
        self.is_stopped = False

    async def start(self) -> None:
        self.is_started = True

    async def stop(self) -> None:
        self.is_stopped = True

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> asyncio.Future[object]:
        self._tries[value] = self._tries.get(value, 0) + 1
        self.sent.append((topic, value))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        error = self._errors(self._tries[value], value)
        if error is None:
            self.acked.append((topic, value))
            future.set_result(None)
        else:
            future.set_exception(error)
        return future


def deliverer(producer: FakeProducer, should_stop: Callable[[], bool] = lambda: False) -> Deliverer:
    return Deliverer(lambda: producer, should_stop=should_stop, delay_s=lambda _: 0.0)
