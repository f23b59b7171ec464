"""Looks after a worker: says when nothing moves, finds out why, and ends it if that helps.

While the broker is away a worker waits for ever, for aiokafka and ``stream/delivery.py`` go on by
themselves when it is back. Only a worker that stands still although a fresh connection finds
everything in order ends itself (exit code 1): whoever supervises it starts it again, and nothing
that was not delivered has been committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from schemas.errors import BrokerError, TransientError
from stream.diagnosis import RefusedError
from stream.health import PATIENCE_S, Health, Report, State, Vitals

log = logging.getLogger(__name__)

INTERVAL_S = 1.0
BARE_S = 30.0
"""How often a worker without partitions asks whether its topics are there at all."""

PROBE_S = 15.0
"""How long a fresh connection may take; a frozen broker takes connections and says nothing."""


START_OVER = (
    "ends before what was read of it: the topic was deleted and made again, or the broker lost "
    "data; the next start reads it from its beginning"
)


class StalledError(TransientError):
    """A worker that no waiting helps: a new process may."""


class Watchdog:
    """Feeds :class:`~stream.health.Health` and acts on what it says."""

    def __init__(
        self,
        health: Health,
        look: Callable[[], Vitals],
        probe: Callable[[], Awaitable[None]],
        end: Callable[[StalledError], None],
        *,
        start_over: Callable[[], Awaitable[list[str]]] | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            health: Of the worker.
            look: What can be seen of it now.
            probe: Reaches the broker by a fresh connection and asks for the topics; raises
                :class:`~schemas.errors.BrokerError` if that fails.
            end: Ends the worker in an orderly way, without a commit of what is not done.
            start_over: Names the partitions that end before what was read of them, and sees to it
                that the next start reads them from their beginning; ``None``: there are none.
            now_s: Monotonic time.
        """
        self._health = health
        self._look = look
        self._probe = probe
        self._end = end
        self._start_over = start_over or _nothing
        self._now_s = now_s
        self._was_told_well = False
        self._bare_check_s = now_s() + BARE_S
        self._is_without_topic = False

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Look every second until the worker stops."""
        while not should_stop():
            await self.step()
            await asyncio.sleep(INTERVAL_S)

    async def step(self) -> None:
        """Look once."""
        vitals = self._look()
        state = self._health.observe(vitals, self._now_s())
        if state in (State.STOPPING, State.STALLED):
            return
        if state is State.READY and vitals.is_member and not vitals.partitions:
            await self._check_bare()
            return
        back = await self._start_over()
        if back:
            self._condemn(f"{', '.join(back)} {START_OVER}")
            return
        now_s = self._now_s()
        if self._health.should_tell(now_s) or self._health.is_due(now_s):
            await self._judge()
        elif self._health.report(now_s).is_well and not self._was_told_well:
            self._was_told_well = True
            self._tell("worker.ready", logging.INFO)

    async def _check_bare(self) -> None:
        """Tell a worker too many, which waits for its turn, from one whose topic is gone.

        aiokafka hears of a topic that was made again when its metadata is five minutes old.
        """
        if self._now_s() < self._bare_check_s:
            return
        why = await self._why()
        self._bare_check_s = self._now_s() + (PATIENCE_S if why else BARE_S)
        if why is not None:
            if not self._is_without_topic:
                self._tell("worker.waiting", logging.WARNING, why=why)
            self._is_without_topic = True
        elif self._is_without_topic:
            self._condemn("its topics are there again: a new process takes them at once")

    async def _judge(self) -> None:
        """Find out why nothing moves; say so, or end the worker."""
        why = await self._why()
        now_s = self._now_s()
        state = self._health.observe(self._look(), now_s)
        report = self._health.report(now_s)
        if state in (State.STOPPING, State.STALLED) or report.is_well:
            return
        if why is not None or report.why is not None:
            self._health.excuse(why, now_s)  # also once more, after the broker came back
        elif self._health.is_due(now_s):
            self._condemn(
                f"nothing has moved for {report.still_s:.0f} s, and a fresh connection to the "
                "broker finds all in order"
            )
            return
        self._was_told_well = False
        self._tell("worker.waiting", logging.WARNING)

    async def _why(self) -> str | None:
        """What a fresh connection runs into; ``None``: nothing."""
        try:
            await asyncio.wait_for(self._probe(), PROBE_S)
        except RefusedError as error:
            # Only a new process reads a password or a certificate again.
            self._condemn(str(error))
            return str(error)
        except BrokerError as error:
            return str(error)
        except TimeoutError:
            return f"the broker takes connections and does not answer within {PROBE_S:.0f} s"
        return None

    def _condemn(self, why: str) -> None:
        self._health.condemn(why)
        report = self._health.report(self._now_s())
        log.error("worker.stalled", extra=_fields(report))
        self._end(StalledError(why))

    def _tell(self, event: str, level: int, **more: object) -> None:
        log.log(level, event, extra=_fields(self._health.report(self._now_s())) | more)


async def _nothing() -> list[str]:
    return []


def _fields(report: Report) -> dict[str, object]:
    fields: dict[str, object] = {
        "state": str(report.state),
        "still_s": report.still_s,
        "in_flight": report.in_flight,
        "lag": report.lag,
    }
    return fields if report.why is None else {**fields, "why": report.why}
