"""One log line about what became of messages, at most once a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from schemas.errors import Outcome, Reason
from stream.counts import Counts

log = logging.getLogger(__name__)

INTERVAL_S = 1.0


class Reporter:
    """Sums up batches; the first is told at once."""

    def __init__(self, stage: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing to tell."""
        self._stage = stage
        self._now_s = now_s
        self._told_s: float | None = None
        self._counts = Counts()
        self._messages = 0

    def add(self, outcomes: Sequence[tuple[Outcome, Reason | None]]) -> None:
        """Count a batch that was delivered."""
        self._counts.merge(outcomes)
        self._messages += len(outcomes)
        if self._told_s is None or self._now_s() - self._told_s >= INTERVAL_S:
            self.flush()

    def flush(self) -> None:
        """Tell what was not told yet."""
        if not self._messages:
            return
        fields = {name: count for name, count in self._counts.snapshot().items() if count}
        log.info("batch.done", extra={"stage": self._stage, "messages": self._messages, **fields})
        self._told_s = self._now_s()
        self._counts = Counts()
        self._messages = 0
