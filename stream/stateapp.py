"""Tie state to a Faust app: its partitions come and go with those of the app's source topic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from stream.state import State


def attach_state(app: Any, state: State, topic: str) -> None:
    """Make state ready when partitions are assigned, and release it when they are revoked.

    An agent asks ``await state.ready(partition)`` before it works, and acknowledges a message only
    after ``await state.commit()``. A timer works for ``state.partitions`` alone. The app calls
    ``await state.close()`` in its ``on_stop``, after Faust's own.

    Faust tells of a revoke after the work in flight has ended, so its commit goes through.

    Args:
        app: The Faust app.
        state: Its state; the changelogs have as many partitions as the topic.
        topic: Name of the source topic whose partition numbers the state follows.
    """
    owning: set[asyncio.Future[None]] = set()

    async def own(_app: object, assigned: Iterable[Any], **_: object) -> None:
        # Beside the rebalance, not within it: a long reading back must not miss its deadline.
        task = asyncio.ensure_future(state.own(_numbers(assigned, topic)))
        owning.add(task)
        task.add_done_callback(ended)

    def ended(task: asyncio.Future[None]) -> None:
        owning.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not app.should_stop:
            crash = asyncio.ensure_future(app.crash(error))
            owning.add(crash)
            crash.add_done_callback(owning.discard)

    async def release(_app: object, revoked: Iterable[Any], **_: object) -> None:
        await state.release(_numbers(revoked, topic))

    app.on_partitions_assigned.connect(own)
    app.on_partitions_revoked.connect(release)


def _numbers(partitions: Iterable[Any], topic: str) -> set[int]:
    return {tp.partition for tp in partitions if tp.topic == topic}
