"""Counts of what became of each message: one count per message per hop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from schemas.errors import Outcome, Reason


class Counts:
    """Counts by outcome and reason, both closed lists."""

    __slots__ = ("_by",)

    def __init__(self) -> None:
        self._by: Counter[tuple[Outcome, Reason | None]] = Counter()

    def add(self, outcome: Outcome, reason: Reason | None = None) -> None:
        """Count one message; call it exactly once per message, after its outputs were acked."""
        self._by[outcome, reason] += 1

    def merge(self, outcomes: Iterable[tuple[Outcome, Reason | None]]) -> None:
        """Count many messages."""
        self._by.update(outcomes)

    def snapshot(self) -> dict[str, int]:
        """Every outcome (0 too), and ``outcome.reason`` where there is a reason; for JSON.

        ``skipped`` counts all skipped messages, ``skipped.empty`` those of them that were empty.
        """
        totals = {str(outcome): 0 for outcome in Outcome}
        details: dict[str, int] = {}
        for (outcome, reason), count in self._by.items():
            totals[outcome] += count
            if reason is not None:
                details[f"{outcome}.{reason}"] = count
        return totals | dict(sorted(details.items()))
