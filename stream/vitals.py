"""What can be seen of a running Faust worker from outside its agents; reads, changes nothing.

Faust and aiokafka tell too little of this by public means: the private names are all here and in
``stream/faust_compat.py``, which is bound to one version of Faust.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stream.health import Vitals

if TYPE_CHECKING:
    from stream.apps import NashraApp

_SECOND_LOOK_S = 0.05
_COMMIT_S = 10.0


class Eye:
    """Looks at one app, again and again."""

    def __init__(
        self,
        app: NashraApp,
        now_s: Callable[[], float] = time.monotonic,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """Look at this app.

        Args:
            app: Whose consumer to look at.
            now_s: Monotonic time.
            clock_s: Time since 1970, as aiokafka stamps the answers that it gets.
        """
        self._app = app
        self._now_s = now_s
        self._clock_s = clock_s
        self._committed: dict[Any, int] = {}
        self._done = 0
        self._answered_s: float | None = None

    def look(self) -> Vitals:
        """What there is to see now; an app that has not started shows nothing."""
        client = _client_of(self._app)
        assignment = None if client is None else _assignment_of(client)
        in_flight = self._app.runner.in_flight
        if client is None or assignment is None or self._app.rebalancing:
            return self._vitals(is_member=False, in_flight=in_flight, lag=0)
        places = {tp: assignment.state_value(tp) for tp in assignment.tps}
        self._note_commits()
        self._note_answers(client, places)
        lag = sum(_unread(state) for state in places.values()) + self._uncommitted()
        seen = self._vitals(is_member=True, in_flight=in_flight, lag=lag)
        return replace(seen, partitions=len(places))

    async def start_over(self) -> list[str]:
        """Commit the beginning for partitions that end before what was read of them.

        Their topic was deleted and made again, or the broker lost data. Left alone, Faust would
        pass over everything below the old offset, after a fresh start too. Nothing more is
        committed by this process: the next one reads them from their beginning.

        Returns:
            Their names: ``nashra.pages.v1/3``.
        """
        client = _client_of(self._app)
        assignment = None if client is None else _assignment_of(client)
        if assignment is None or self._app.rebalancing or not self._gone_back(assignment):
            return []
        await asyncio.sleep(_SECOND_LOOK_S)  # a seek in another thread looks the same meanwhile
        back = self._gone_back(assignment) if assignment.active else []
        if back:
            consumer = self._app.consumer
            consumer._unacked_messages.forget(consumer.assignment())  # noqa: SLF001 - ours
            with contextlib.suppress(TimeoutError):  # then the next process comes here again
                committing = consumer._thread.commit(dict.fromkeys(back, 0))  # noqa: SLF001 - no public name
                await asyncio.wait_for(committing, _COMMIT_S)
        return [f"{tp.topic}/{tp.partition}" for tp in back]

    def _gone_back(self, assignment: Any) -> list[Any]:
        """Partitions that end, or are read, before what Faust read of them.

        Faust's offset is that of the last record, or of the next one after a seek.
        """
        read = self._app.consumer._read_offset  # noqa: SLF001 - no public name
        states = {tp: assignment.state_value(tp) for tp in assignment.tps}
        return [
            tp
            for tp, state in sorted(states.items())
            if state.highwater is not None
            and state.has_valid_position
            and (read.get(tp) or -1) > min(state.highwater, state.position)
        ]

    def _vitals(self, *, is_member: bool, in_flight: int, lag: int) -> Vitals:
        return Vitals(
            is_member=is_member,
            done=self._done,
            in_flight=in_flight,
            lag=lag,
            answered_s=self._answered_s,
        )

    def _note_commits(self) -> None:
        """Commits come last, so one that went on means that all before it did."""
        committed = self._app.consumer._committed_offset  # noqa: SLF001 - no public name
        now = {tp: offset for tp, offset in dict(committed).items() if offset is not None}
        if any(offset > self._committed.get(tp, -1) for tp, offset in now.items()):
            self._done += 1
            self._answered_s = self._now_s()
        self._committed = now

    def _note_answers(self, client: Any, places: dict[Any, Any]) -> None:
        """Every fetch that the broker answers bears a time, also one without records."""
        stamps = [state.timestamp for state in places.values() if state.timestamp is not None]
        if stamps:
            at_s = self._now_s() - (self._clock_s() - max(stamps) / 1000)
            self._answered_s = max(at_s, self._answered_s or at_s)
        elif not places and client._coordinator.coordinator_id is not None:  # noqa: SLF001 - as above
            self._answered_s = self._now_s()  # nothing to fetch: more workers than partitions

    def _uncommitted(self) -> int:
        """Messages that were done or are in work, and are not committed."""
        consumer = self._app.consumer
        places = {tp: consumer._unacked_messages.position(tp) for tp in self._committed}  # noqa: SLF001 - ours
        return sum(max(0, (position or 0) - self._committed[tp]) for tp, position in places.items())


def _client_of(app: NashraApp) -> Any:
    """The aiokafka consumer; ``None`` before it is made."""
    thread = getattr(app.consumer, "_thread", None)
    return getattr(thread, "_consumer", None)


def _assignment_of(client: Any) -> Any:
    subscription = client._subscription.subscription  # noqa: SLF001 - no public name
    return None if subscription is None else subscription.assignment


def _unread(state: Any) -> int:
    """Messages of a partition that the broker has and we have not read."""
    if state.highwater is None or not state.has_valid_position:
        return 0
    return max(0, int(state.highwater - state.position))
