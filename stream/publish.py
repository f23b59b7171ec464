"""Pages to the topic ``nashra.pages.v1``: many in flight, each acknowledged before it counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import (
    KafkaError,
)

from connectors.files import ReadFailure, megabytes
from connectors.readers import PageRead
from schemas.codec import encode
from schemas.errors import DecodeError
from schemas.records import RawPage
from schemas.topics import MAX_MESSAGE_BYTES, PAGES
from stream.admin import require_topics
from stream.config import Config
from stream.delivery import TOO_LARGE
from stream.events import cloud_event
from stream.kafka import as_broker_error, new_producer
from stream.stage import AGAIN, Headers, timestamp_ms

MAX_IN_FLIGHT = 500
"""Pages sent and not yet acknowledged: at 50 kB a page some 25 MB of memory at worst."""

OLDEST_TIMESTAMP = timedelta(days=1)
"""A page seen longer ago is stamped with the moment of publishing: ``nashra.pages.v1`` keeps three
days by timestamp, and Kafka may delete an archive just replayed before a worker comes to it."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A page on its way."""

    path: str
    line: int | None


class PagePublisher:
    """Publishes pages; use it as an async context manager.

    Attributes:
        published: Pages acknowledged so far.
        ids: Ids of these pages.
    """

    def __init__(self, config: Config, *, is_again: bool = False, source: str = "replay") -> None:
        """Prepare; connects when entered.

        Args:
            config: How to reach the broker.
            is_again: Workers process the pages although they did before.
            source: What of nashra publishes, for the CloudEvents header.
        """
        self.published = 0
        self.ids: set[str] = set()
        self._config = config
        self._is_again = is_again
        self._source = source
        self._pending: dict[asyncio.Future[Any], tuple[_Sent, str]] = {}
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            BrokerError: The broker does not answer, or the topic is missing.
        """
        await require_topics(self._config.kafka, [PAGES])
        producer = new_producer(
            self._config.kafka,
            client_id=f"nashra-{self._source}",
            linger_ms=self._config.worker.linger_ms,
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise as_broker_error(error, self._config.kafka, "write") from error
        self._producer = producer
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for future in self._pending:
            future.cancel()
        await self._producer.stop()

    @property
    def in_flight(self) -> int:
        """Pages sent and not yet acknowledged."""
        return len(self._pending)

    async def publish(self, read: PageRead) -> list[ReadFailure]:
        """Send a page; waits only while too many are in flight.

        Returns:
            Pages that failed since the last call (this one or earlier ones).

        Raises:
            BrokerError: The broker does not take pages any more.
        """
        failures: list[ReadFailure] = []
        sent = _Sent(read.path, read.line)
        try:
            future = await self._send(read.page)
        except TOO_LARGE:
            failures.append(_too_large(sent, read.page))
        except DecodeError as error:
            failures.append(ReadFailure(sent.path, str(error), sent.line))
        except KafkaError as error:
            raise as_broker_error(error, self._config.kafka, "write") from error
        else:
            self._pending[future] = (sent, read.page.article_id)
        if len(self._pending) >= MAX_IN_FLIGHT:
            await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
        return failures + self._reap()

    async def drain(self) -> list[ReadFailure]:
        """Wait until everything in flight is acknowledged or has failed.

        Returns:
            Pages that failed since the last call.

        Raises:
            BrokerError: The broker does not take pages any more.
        """
        if self._pending:
            await asyncio.wait(self._pending)
        return self._reap()

    async def _send(self, page: RawPage) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send(
            PAGES.name,
            encode(page),
            key=page.article_id.encode(),
            timestamp_ms=timestamp_ms(record_time(page.fetched_at, datetime.now(UTC))),
            headers=list(self._headers(page)),
        )
        return future

    def _headers(self, page: RawPage) -> Headers:
        headers = cloud_event(
            RawPage,
            event_id=f"{page.article_id}:{page.revision}",
            source=self._source,
            kind="page",
            subject=page.article_id,
            at=page.fetched_at,
        )
        return (*headers, (AGAIN, b"1")) if self._is_again else headers

    def _reap(self) -> list[ReadFailure]:
        """Count what the broker answered."""
        failures: list[ReadFailure] = []
        for future in [future for future in self._pending if future.done()]:
            sent, article_id = self._pending.pop(future)
            error = future.exception()
            if error is None:
                self.published += 1
                self.ids.add(article_id)
            elif isinstance(error, TOO_LARGE):
                failures.append(_too_large(sent, None))
            elif isinstance(error, KafkaError):
                raise as_broker_error(error, self._config.kafka, "write") from error
            else:
                raise error
        return failures


def record_time(fetched_at: datetime, now: datetime) -> datetime:
    """The Kafka timestamp of a page: when it was seen, where the topic can bear that.

    A time in the future (Kafka refuses those past an hour) and one more than a day back become
    ``now``; the record itself keeps what it says.
    """
    return fetched_at if now - OLDEST_TIMESTAMP <= fetched_at <= now else now


def _too_large(sent: _Sent, page: RawPage | None) -> ReadFailure:
    size = f"{megabytes(page.size_bytes())} page: " if page is not None else ""
    return ReadFailure(
        sent.path,
        f"{size}too large for {PAGES.name}, which takes {megabytes(MAX_MESSAGE_BYTES)} a record",
        sent.line,
    )
