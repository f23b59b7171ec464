"""Delivery of results: outputs and dead letters, until the broker has acknowledged all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.errors import BrokerError
from stream.deadletter import MAX_VALUE_BYTES, out_of
from stream.delivery import Deliverer, Refused
from stream.stage import Dead, Fate, Message, Out, Publish, Stage


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Sends what became of messages.

    Attributes:
        stage: Whose results these are.
        deliverer: Sends records.
        clock: Gives ``now`` for dead letters, aware UTC.
    """

    stage: Stage
    deliverer: Deliverer
    clock: Callable[[], datetime] = field(repr=False)

    async def deliver(self, messages: Sequence[Message], results: Sequence[Fate]) -> list[Fate]:
        """Send all; what the broker will never take becomes a dead letter of its message.

        Returns:
            What became of the messages in the end.

        Raises:
            DeliveryStoppedError: The process stops with records unsent.
            BrokerError: The dead-letter topic takes no letters.
        """
        given = [list(self._outs(*pair)) for pair in zip(messages, results, strict=True)]
        refused: dict[int, Refused] = {}
        for is_last in (False, True):
            owners: list[int] = []
            outs: list[Out] = []
            for index, all_of_one in enumerate(given):
                wanted = [out for out in all_of_one if self._is_last(out) is is_last]
                if index not in refused:
                    outs += wanted
                    owners += [index] * len(wanted)
            if outs:
                refused |= {owners[no.index]: no for no in await self.deliverer.deliver(outs)}
        delivered: list[Fate] = list(results)
        for index, item in refused.items():
            dead = Dead(item.reason, item.message, "deliver")
            was_letter = isinstance(results[index], Dead)
            await self._deliver_letter(
                messages[index], dead, max_value_bytes=0 if was_letter else None
            )
            delivered[index] = dead
        return delivered

    def _is_last(self, out: Out) -> bool:
        """Whether a record tells the next worker that its message is done.

        So it goes when all others of its message are acknowledged: a worker killed in between
        would leave a message that counts as a repeat, and whose other records nobody sends.
        """
        return self.stage.dedup is not None and out.topic == self.stage.dedup.output

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

    def _outs(self, message: Message, result: Fate) -> tuple[Out, ...]:
        if isinstance(result, Publish):
            return result.outs
        return (self._letter(message, result),) if isinstance(result, Dead) else ()

    def _letter(self, message: Message, dead: Dead, *, max_value_bytes: int | None = None) -> Out:
        cap = MAX_VALUE_BYTES if max_value_bytes is None else max_value_bytes
        return out_of(self.stage, message, dead, now=self.clock(), max_value_bytes=cap)
