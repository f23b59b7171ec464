"""One batch through a stage: run, deliver, then remember and count. Knows no engine.

Only when :meth:`BatchRunner.handle` has returned may the engine commit the batch: by then every
output and every dead letter is acknowledged by the broker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.errors import BrokerError, Outcome, Reason
from stream.counts import Counts
from stream.deadletter import MAX_VALUE_BYTES, out_of
from stream.delivery import Deliverer
from stream.seen import Seen
from stream.stage import Dead, Drop, Mark, Message, Out, Publish, Result, Stage, run_stage

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class BatchRunner:
    """Takes batches of one stage, in order, one at a time.

    Attributes:
        stage: What to do with each message.
        deliverer: Sends outputs and dead letters.
        clock: Gives ``now``, aware UTC.
        seen: What was published; ``None``: the stage has no dedup.
        counts: What became of the messages so far.
    """

    stage: Stage
    deliverer: Deliverer
    clock: Callable[[], datetime]
    seen: Seen | None = None
    counts: Counts = field(default_factory=Counts)

    async def handle(self, messages: Sequence[Message], partitions: Iterable[int] = ()) -> None:
        """Process a batch to its end.

        Args:
            messages: In the order of their offsets.
            partitions: Partitions assigned now; what was published there is read back at once.

        Raises:
            DeliveryStoppedError: The process stops with records unsent; the batch must not be
                committed.
        """
        started = time.perf_counter()
        if self.seen is not None:
            await self.seen.load({*partitions, *(message.partition for message in messages)})
        # A thread keeps the loop free for heartbeats; issue 3 brings the killable process pool.
        results = await asyncio.to_thread(self._run, messages)
        results = await self._deliver(messages, results)
        self._remember(messages, results)
        outcomes = [_outcome(result) for result in results]
        self.counts.merge(outcomes)
        self._report(messages, outcomes, time.perf_counter() - started)

    def _run(self, messages: Sequence[Message]) -> list[Result]:
        """Run the stage over the batch; a repeat within the batch is a repeat too."""
        pending: dict[bytes, bytes] = {}
        results: list[Result] = []
        for message in messages:

            def is_known(mark: Mark, partition: int = message.partition) -> bool:
                if mark.article in pending:
                    return pending[mark.article] == mark.digest
                return self.seen is not None and self.seen.has(partition, mark)

            result = run_stage(self.stage, message, is_known)
            pending.update(self._marks(result))
            results.append(result)
        return results

    async def _deliver(self, messages: Sequence[Message], results: list[Result]) -> list[Result]:
        """Send all; what the broker will never take becomes a dead letter of its message."""
        owners: list[int] = []
        outs: list[Out] = []
        for index, result in enumerate(results):
            for out in self._outs(messages[index], result):
                owners.append(index)
                outs.append(out)
        refused = {owners[item.index]: item for item in await self.deliverer.deliver(outs)}
        results = list(results)
        for index, item in refused.items():
            dead = Dead(item.reason, item.message, "deliver")
            was_letter = isinstance(results[index], Dead)
            await self._deliver_letter(
                messages[index], dead, max_value_bytes=0 if was_letter else None
            )
            results[index] = dead
        return results

    async def _deliver_letter(
        self, message: Message, dead: Dead, *, max_value_bytes: int | None
    ) -> None:
        """Send one letter; if even that is refused, without the original's bytes."""
        out = self._letter(message, dead, max_value_bytes=max_value_bytes)
        if not await self.deliverer.deliver([out]):
            return
        if max_value_bytes == 0:
            raise BrokerError(
                "the dead-letter topic refuses a letter without a value: "
                "check its max.message.bytes"
            )
        await self._deliver_letter(message, dead, max_value_bytes=0)

    def _outs(self, message: Message, result: Result) -> tuple[Out, ...]:
        if isinstance(result, Publish):
            return result.outs
        return () if isinstance(result, Drop) else (self._letter(message, result),)

    def _letter(self, message: Message, dead: Dead, *, max_value_bytes: int | None = None) -> Out:
        cap = MAX_VALUE_BYTES if max_value_bytes is None else max_value_bytes
        return out_of(self.stage, message, dead, now=self.clock(), max_value_bytes=cap)

    def _remember(self, messages: Sequence[Message], results: Iterable[Result]) -> None:
        if self.seen is not None:
            for message, result in zip(messages, results, strict=True):
                for mark in self._marks(result):
                    self.seen.add(message.partition, mark)

    def _marks(self, result: Result) -> list[Mark]:
        dedup = self.stage.dedup
        if dedup is None or not isinstance(result, Publish):
            return []
        marks = (dedup.mark_of(dict(out.headers)) for out in result.outs)
        return [mark for mark in marks if mark is not None]

    def _report(
        self,
        messages: Sequence[Message],
        outcomes: Iterable[tuple[Outcome, Reason | None]],
        took_s: float,
    ) -> None:
        counts = Counts()
        counts.merge(outcomes)
        fields = {name: count for name, count in counts.snapshot().items() if count}
        log.info(
            "batch.done",
            extra={
                "stage": self.stage.name,
                "messages": len(messages),
                **fields,
                "took_ms": round(took_s * 1000),
            },
        )


def _outcome(result: Result) -> tuple[Outcome, Reason | None]:
    if isinstance(result, Publish):
        return Outcome.PUBLISHED, None
    if isinstance(result, Drop):
        return result.outcome, result.reason
    return Outcome.DEAD_LETTER, result.reason
