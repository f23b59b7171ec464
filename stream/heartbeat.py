"""A sign of life on ``nashra.heartbeat.v1`` every 10 s: is my client working?"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from schemas.codec import encode
from schemas.ops import Heartbeat
from schemas.topics import HEARTBEAT
from stream.events import cloud_event
from stream.runner import Runner
from stream.stage import Out, timestamp_ms

INTERVAL_S = 10.0


class Heart:
    """Publishes what this worker has done so far."""

    interval_s = INTERVAL_S

    def __init__(
        self, runner: Runner, instance_id: str | None, state: Callable[[], str] | None = None
    ) -> None:
        """Start the count of uptime.

        Args:
            runner: Whose counts to publish.
            instance_id: Name of the worker; ``None``: role, host and process id.
            state: Gives the state of its health; ``None``: it is not told.
        """
        self._state = state
        self._runner = runner
        self._started_at = runner.clock()
        self.worker_id = instance_id or f"{runner.stage.name}-{socket.gethostname()}-{os.getpid()}"

    def record(self) -> Heartbeat:
        """The heartbeat of this moment."""
        return Heartbeat(
            worker_id=self.worker_id,
            role=self._runner.stage.name,
            beat_at=self._runner.clock(),
            started_at=self._started_at,
            counts=self._runner.counts.snapshot(),
            versions=dict(self._runner.stage.versions),
            health=None if self._state is None else self._state(),
        )

    async def beat(self) -> None:
        """Publish one; while the broker is away the one in flight waits, and no second begins."""
        record = self.record()
        beat_ms = timestamp_ms(record.beat_at)
        headers = cloud_event(
            Heartbeat,
            event_id=f"{self.worker_id}:{beat_ms}",
            source=record.role,
            kind="worker.heartbeat",
            subject=self.worker_id,
            at=record.beat_at,
        )
        out = Out(
            topic=HEARTBEAT,
            key=self.worker_id.encode(),
            value=encode(record),
            headers=headers,
            timestamp_ms=beat_ms,
        )
        await self._runner.deliverer.try_once(out)
