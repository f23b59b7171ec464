"""When to try again, and when to give up."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_S = 0.5
MAX_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Back-off with a cap on tries and on time.

    Attributes:
        attempts: Most tries, the first included.
        within_s: Longest time from the first failure to the last try.
        first_s: Wait before the second try, up to half of it less by chance; it doubles.
    """

    attempts: int = 6
    within_s: float = 60.0
    first_s: float = FIRST_S

    def delay_s(self, failures: int, since_first_s: float) -> float | None:
        """Seconds to wait before the next try.

        Args:
            failures: Tries that failed so far, from 1.
            since_first_s: Seconds since the first of them.

        Returns:
            ``None``: give up.
        """
        if failures >= self.attempts:
            return None
        longest_s = min(MAX_S, self.first_s * 2.0 ** min(failures - 1, 20))
        delay_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        return delay_s if since_first_s + delay_s <= self.within_s else None
