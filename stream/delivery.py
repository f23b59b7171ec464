"""Delivery: every record is acknowledged by the broker before its source counts as done.

Nothing is ever dropped: trouble is retried with back-off until it ends or the process stops.
Only what the broker can never take (too large, a time it forbids) comes back as refused.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    RecordListTooLargeError,
    UnknownProducerId,
)

from schemas.errors import Reason, TransientError
from stream.stage import Out

log = logging.getLogger(__name__)

MAX_BACK_OFF_S = 30.0
STOP_GRACE_S = 5.0
"""How long a stopping worker goes on trying before it leaves a batch to its successor."""

CLOSE_S = 3.0
"""How long a producer may take to close; one whose broker is frozen would never end."""

TRIES_PER_PRODUCER = 5
"""Failed tries in a row after which a new producer takes over: the old one may be the trouble."""

WAITING_S = 10.0
"""How often a wait for the broker is told: an idempotent producer retries by itself, unheard."""

_STEP_S = 0.5
_DEAD_SENDER = "Unexpected error during batch delivery"
"""What every send says once the task that sends for aiokafka's producer has died: it never
recovers."""

_LOST_COUNT = (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)
"""Broker and idempotent producer disagree on what was sent, or it is closed: for ever."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_REFUSING = (*TOO_LARGE, InvalidTimestampError)
"""Errors that no retry can cure: the record itself is the trouble."""


class Sender(Protocol):
    """What sends records, as ``AIOKafkaProducer`` does."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> asyncio.Future[object]:
        """Queue a record; the future ends with the broker's acknowledgement."""


class Producer(Sender, Protocol):
    """What delivery needs of ``AIOKafkaProducer``."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Flush and disconnect."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the broker will never take.

    Attributes:
        index: Its place in what was given to :meth:`Deliverer.deliver`, from 0.
        reason: Word for the dead letter.
        message: Sentence for the dead letter.
    """

    index: int
    reason: Reason
    message: str


class DeliveryStoppedError(TransientError):
    """The process stops while records wait: whoever reads their sources next sends them."""


class Deliverer:
    """Sends records and waits for every acknowledgement; keeps the order of each key."""

    def __init__(
        self,
        new_producer: Callable[[], Producer],
        *,
        should_stop: Callable[[], bool] = lambda: False,
        delay_s: Callable[[int], float] | None = None,
    ) -> None:
        """Prepare; the producer starts with the first delivery.

        Args:
            new_producer: Makes the Kafka producer, inside the running loop.
            should_stop: Whether the process is to stop.
            delay_s: Seconds to wait before try 2, 3 ... (given 1, 2 ...); ``None``:
                :func:`back_off_s`.
        """
        self._new_producer = new_producer
        self._should_stop = should_stop
        self._delay_s = delay_s or back_off_s
        self._stopping_since_s: float | None = None
        self._producer: Producer | None = None
        self._starting = asyncio.Lock()
        self._is_stopped = False

    async def deliver(self, outs: Sequence[Out]) -> list[Refused]:
        """Send all and wait for all acknowledgements, however long it takes.

        Returns:
            The records that can never be delivered; all others are acknowledged.

        Raises:
            DeliveryStoppedError: The process stops and the broker still does not take them.
        """
        waiting = dict(enumerate(outs))
        refused: list[Refused] = []
        attempt = 0
        while waiting:
            errors = await self._unless_stopped(self._send_all(waiting), len(waiting))
            refused += [_as_refused(i, e) for i, e in errors.items() if isinstance(e, _REFUSING)]
            failed = {i: e for i, e in errors.items() if not isinstance(e, _REFUSING)}
            waiting = _to_repeat(waiting, failed)
            if waiting:
                attempt += 1
                if attempt % TRIES_PER_PRODUCER == 0 or any(map(_is_broken, failed.values())):
                    await self._drop_producer()
                await self._back_off(attempt, next(iter(failed.values())), len(waiting))
        return refused

    async def try_once(self, out: Out) -> bool:
        """Send one record that may be lost (a heartbeat); whether the broker acknowledged it."""
        try:
            errors = await self._send_all({0: out})
        except DeliveryStoppedError:
            return False
        for error in errors.values():
            log.warning("delivery.lost", extra={"topic": out.topic.name, "error": repr(error)})
        return not errors

    async def stop(self) -> None:
        """Flush and disconnect; later deliveries raise :class:`DeliveryStoppedError`."""
        self._is_stopped = True
        await self._drop_producer()

    async def _drop_producer(self) -> None:
        """Close the producer if there is one, within :data:`CLOSE_S`; the next send makes a new."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        closing = asyncio.wait_for(producer.stop(), CLOSE_S)
        # As a value: whatever a broken producer says at its end is no reason to end with it.
        (answer,) = await asyncio.gather(closing, return_exceptions=True)
        if answer is not None:
            log.warning("delivery.producer_not_closed", extra={"error": repr(answer)})

    async def _unless_stopped(
        self, sending: Coroutine[Any, Any, dict[int, KafkaError]], records: int
    ) -> dict[int, KafkaError]:
        """Wait for the answers; a broker that froze must not keep a stopping worker for ever."""
        task = asyncio.ensure_future(sending)
        waited_s, told_s = 0.0, 0.0
        try:
            while not (await asyncio.wait({task}, timeout=_STEP_S))[0]:
                if self._is_grace_over():
                    raise DeliveryStoppedError(f"stopping with {records} records not acknowledged")
                waited_s += _STEP_S
                if waited_s - told_s >= WAITING_S:
                    told_s = waited_s
                    log.warning("delivery.waiting", extra={"records": records, "for_s": waited_s})
            return task.result()
        finally:
            task.cancel()

    async def _send_all(self, outs: dict[int, Out]) -> dict[int, KafkaError]:
        """Send side by side; then alone what was refused, for its batch may be to blame.

        Size and time are checked for a whole batch: one bad record has its neighbours refused.

        Returns:
            The error of each record that was not acknowledged.
        """
        tasks = []
        errors: dict[int, KafkaError] = {}
        for index, out in outs.items():
            try:
                tasks.append((index, await self._send(out)))
            except KafkaError as error:
                errors[index] = error
        answers = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
        if any(isinstance(answer, _REFUSING) for answer in answers):
            await self._drop_producer()  # an idempotent one has counted the refused as sent
        for (index, _), answer in zip(tasks, answers, strict=True):
            if isinstance(answer, _REFUSING) and len(outs) > 1:
                errors |= await self._send_all({index: outs[index]})
            elif isinstance(answer, KafkaError):
                errors[index] = answer
            elif isinstance(answer, BaseException):
                raise answer
        return errors

    async def _send(self, out: Out) -> asyncio.Future[object]:
        producer = await self._connected()
        return await producer.send(
            out.topic.name,
            out.value,
            key=out.key,
            timestamp_ms=out.timestamp_ms,
            headers=list(out.headers),
        )

    async def _connected(self) -> Producer:
        async with self._starting:
            if self._is_stopped:
                raise DeliveryStoppedError("the worker has stopped")
            if self._producer is None:
                producer = self._new_producer()
                try:
                    await producer.start()
                except (KafkaError, asyncio.CancelledError):
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _back_off(self, attempt: int, error: KafkaError, waiting: int) -> None:
        if self._is_grace_over():
            raise DeliveryStoppedError(f"stopping with {waiting} records unsent: {error}")
        delay_s = self._delay_s(attempt)
        fields = {"attempt": attempt, "records": waiting, "in_s": round(delay_s, 2)}
        log.warning("delivery.retry", extra={**fields, "error": repr(error)})
        while delay_s > 0:  # in short steps, so that a stop is seen
            await asyncio.sleep(min(delay_s, _STEP_S))
            delay_s = 0.0 if self._should_stop() else delay_s - _STEP_S

    def _is_grace_over(self) -> bool:
        """Whether the process has been asked to stop for :data:`STOP_GRACE_S`."""
        if not self._should_stop():
            return False
        now_s = asyncio.get_running_loop().time()
        self._stopping_since_s = self._stopping_since_s or now_s
        return now_s - self._stopping_since_s >= STOP_GRACE_S


def back_off_s(attempt: int) -> float:
    """Seconds before the next try: 0.2, 0.4, ... up to 30, less up to half by chance."""
    return min(MAX_BACK_OFF_S, 0.1 * 2.0 ** min(attempt, 20)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _is_broken(error: KafkaError) -> bool:
    """Whether the producer that says so never recovers."""
    return isinstance(error, _LOST_COUNT) or _DEAD_SENDER in str(error)


def _to_repeat(outs: dict[int, Out], failed: dict[int, KafkaError]) -> dict[int, Out]:
    """What failed, and what came after it with the same key: order within a key is kept."""
    again: dict[int, Out] = {}
    keys = set()
    for index, out in outs.items():
        place = (out.topic.name, out.key)
        if index in failed or place in keys:
            again[index] = out
            keys.add(place)
    return again


def _as_refused(index: int, error: KafkaError) -> Refused:
    if isinstance(error, TOO_LARGE):
        return Refused(index, Reason.TOO_LARGE, f"the record is too large for its topic: {error}")
    return Refused(index, Reason.STEP_FAILED, f"the broker refuses the record's time: {error}")
