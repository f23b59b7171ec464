"""Takes messages of a stage, processes and delivers them, and lets go of them. Knows no engine.

A message is let go (``release``) only when every output and dead letter of it is acknowledged by
the broker. Messages of one key are processed and delivered in order; those of other keys overtake,
also while one waits for its next try.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial

from schemas.errors import Outcome, Reason
from schemas.topics import Topic
from stream.counts import Counts
from stream.delivery import Deliverer
from stream.hooks import GATHER_S, SOON_S, Hooks, Limits
from stream.lanes import Entry, Lanes
from stream.outbox import Outbox
from stream.pool import Processor
from stream.report import Reporter
from stream.seen import Seen
from stream.slot import Answer, Lost
from stream.stage import (
    Dead,
    Drop,
    Fate,
    Mark,
    Message,
    Publish,
    Result,
    Retry,
    Stage,
    outcome_of,
    with_attempts,
)
from stream.wire import Reply, decode_reply, encode_request

log = logging.getLogger(__name__)


class Runner:
    """One stage at work.

    Attributes:
        stage: What to do with each message.
        deliverer: Sends outputs and dead letters.
        clock: Gives ``now``, aware UTC.
        seen: What was published; ``None``: the stage has no dedup.
        hooks: Set by the engine before the first message.
        counts: What became of the messages so far.
    """

    def __init__(
        self,
        stage: Stage,
        deliverer: Deliverer,
        processor: Processor,
        clock: Callable[[], datetime],
        *,
        seen: Seen | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Prepare; ``limits`` has its defaults if ``None``."""
        self.stage = stage
        self.deliverer = deliverer
        self.clock = clock
        self.seen = seen
        self.hooks = Hooks()
        self.counts = Counts()
        self._processor = processor
        self._limits = limits or Limits()
        self._outbox = Outbox(stage=stage, deliverer=deliverer, clock=clock)
        self._topics: dict[str, Topic] = {topic.name: topic for topic in stage.outputs}
        self._lanes = Lanes(self._pump)
        self._arriving: list[Entry] = []
        self._results: list[tuple[Entry, Fate]] = []
        self._sending: list[tuple[Entry, Fate]] = []
        self._delivery: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.reporter = Reporter(stage.name)
        self._is_pressed = False
        self._has_failed = False

    @property
    def in_flight(self) -> int:
        """Messages taken and not yet let go."""
        return self._lanes.count

    def knows(self, partition: int) -> bool:
        """Whether nothing has to be read back before a message of this partition is taken."""
        return self.seen is None or self.seen.knows(partition)

    async def take(
        self, message: Message, token: object = None, partitions: Collection[int] = ()
    ) -> None:
        """Take a message; returns before it is processed.

        Args:
            message: In the order of the offsets of its partition.
            token: Given to ``hooks.release`` once it is done.
            partitions: Partitions assigned now; what was published there is read back at once.
        """
        entry = Entry(message, token)
        if self.seen is not None and not self.knows(message.partition):
            self._arriving.append(entry)
            await self.seen.load({*partitions, message.partition})
            if entry not in self._arriving:
                return  # given back or revoked meanwhile: another worker may have it by now
            self._arriving.remove(entry)
        self._lanes.add(entry)
        self._pump()
        self._press()

    def take_back(self) -> list[object]:
        """Forget all messages that are not in work; their tokens, to be given back un-acked."""
        tokens = [entry.token for entry in (*self._lanes.take_back(), *self._arriving)]
        self._arriving.clear()
        self._press()
        return tokens

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget revoked partitions: of what is in work there, nothing more is sent."""
        gone = frozenset(partitions)
        self._lanes.drop(gone)
        self._arriving = [it for it in self._arriving if it.message.partition not in gone]
        if self.seen is not None:
            self.seen.forget(gone)

    async def disown(self, partitions: Iterable[int]) -> None:
        """As :meth:`drop`, and end the delivery under way: others may have them by now.

        An old record must not come to stand after theirs. What is ours still is sent again.
        """
        self.drop(partitions)
        sending, delivery = self._sending, self._delivery
        if delivery is not None and any(entry.is_dropped for entry, _ in sending):
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)
            self._results[:0] = [pair for pair in sending if not pair[0].is_dropped]
            self._plan()

    async def stop(self) -> None:
        """End the processes and disconnect; what is in work then comes again elsewhere."""
        self._has_failed = True  # nothing more goes out
        self._lanes.take_back()
        await self._processor.stop()
        if self._timer is not None:
            self._timer.cancel()
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.gather(self._delivery, return_exceptions=True)
        await self.deliverer.stop()
        self.reporter.flush()

    def _pump(self) -> None:
        """Send what is ready to the processes, as long as there is room."""
        while not self._has_failed and self._processor.has_room:
            entry = self._lanes.next()
            if entry is None:
                return
            message = entry.message
            known = None
            if self.seen is not None and message.key is not None:
                known = self.seen.digest_of(message.partition, message.key)
            answer = self._processor.submit(encode_request(message, known))
            answer.add_done_callback(partial(self._on_answer, entry))

    def _on_answer(self, entry: Entry, answer: Answer) -> None:
        if answer.cancelled() or self._has_failed:
            return
        error = answer.exception()
        if error is not None:
            self._fail(error)
            return
        result = self._result_of(entry, answer.result())
        if entry.is_dropped:
            pass
        elif isinstance(result, Retry):
            self._try_again(entry, result)
        else:
            self._gather(entry, result)
        self._pump()

    def _result_of(self, entry: Entry, answer: bytes | Lost) -> Result:
        """What became of a message, by the process's word and ours on repeats."""
        if isinstance(answer, Lost):
            dead = Dead(answer.reason, answer.message, "pool", answer.attempts)
            fields = {"partition": entry.message.partition, "offset": entry.message.offset}
            log.warning("pool.lost", extra={"reason": str(dead.reason), **fields})
            return with_attempts(dead, entry.failures)
        reply: Reply = decode_reply(answer, self._topics)
        is_repeat = (
            reply.mark is not None
            and self.seen is not None
            and isinstance(reply.result, Publish)
            and self.seen.has(entry.message.partition, reply.mark)
        )
        if is_repeat:
            return Drop(Outcome.DUPLICATE)
        result = reply.result
        if self.seen is not None and isinstance(result, Publish):
            result = self.seen.without_outdated(entry.message.partition, result)
        return with_attempts(result, entry.failures)

    def _try_again(self, entry: Entry, result: Retry) -> None:
        now_s = asyncio.get_running_loop().time()
        entry.failures += 1
        if entry.failures == 1:
            entry.first_failed_s = now_s
        delay_s = self._limits.retry.delay_s(entry.failures, now_s - entry.first_failed_s)
        if delay_s is None:
            message = f"given up after {entry.failures} tries: {result.message}"
            self._gather(entry, Dead(Reason.GAVE_UP, message, result.step, entry.failures))
            return
        log.warning(
            "message.retry",
            extra={
                "partition": entry.message.partition,
                "offset": entry.message.offset,
                "attempt": entry.failures,
                "in_s": round(delay_s, 2),
                "error": result.message,
            },
        )
        self._lanes.hold(entry, delay_s)

    def _gather(self, entry: Entry, result: Fate) -> None:
        self._results.append((entry, result))
        self._plan()

    def _plan(self) -> None:
        """Deliver soon; what comes before that, or during a delivery, goes together."""
        if not self._results or self._delivery is not None:
            return
        is_last = len(self._results) >= self.in_flight
        if self._timer is not None:
            if not is_last:
                return
            self._timer.cancel()
        delay_s = SOON_S if is_last else GATHER_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if self._has_failed:
            return
        self._sending = [pair for pair in self._results if not pair[0].is_dropped]
        self._results.clear()
        if self._sending:
            self._delivery = asyncio.ensure_future(self._deliver(self._sending))
            self._delivery.add_done_callback(self._on_delivered)

    async def _deliver(self, pairs: list[tuple[Entry, Fate]]) -> None:
        entries = [entry for entry, _ in pairs]
        results = await self._outbox.deliver(
            [entry.message for entry in entries], [result for _, result in pairs]
        )
        outcomes = [outcome_of(result) for result in results]
        self.counts.merge(outcomes)
        self.reporter.add(outcomes)
        for entry, result in zip(entries, results, strict=True):
            if not entry.is_dropped:  # else its next owner may have gone on from there
                self._remember(entry, result)
            self._lanes.finish(entry)
            self.hooks.release(entry.token)
        self._pump()
        self._press()

    def _on_delivered(self, task: asyncio.Task[None]) -> None:
        self._delivery, self._sending = None, []
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)
        self._plan()

    def _remember(self, entry: Entry, result: Fate) -> None:
        dedup = self.stage.dedup
        if self.seen is None or dedup is None or not isinstance(result, Publish):
            return
        for out in result.outs:
            mark: Mark | None = dedup.mark_of(dict(out.headers))
            if mark is not None:
                self.seen.add(entry.message.partition, mark, out.timestamp_ms)

    def _press(self) -> None:
        """Tell the engine when to stop fetching, and when half is done to go on."""
        pressure = self._limits.pressure(self._lanes.count, self._lanes.size_bytes)
        if pressure or (pressure is False and self._is_pressed):
            self._is_pressed = pressure
            self.hooks.set_pressure(pressure)  # again and again: a rebalance makes it forget

    def _fail(self, error: BaseException) -> None:
        if not self._has_failed:
            self._has_failed = True
            self.hooks.fail(error)
