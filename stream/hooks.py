"""What ties a runner to its engine: how much it may take, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stream.retry import RetryPolicy

SOON_S, GATHER_S = 0.02, 0.25
"""How long results wait for company: while nothing else is in work, and while there is.

A delivery costs nearly the same for one as for thirty: with much to do there are four a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be taken and not yet delivered, and how often it is tried.

    Attributes:
        messages: Most messages, those held for another try too.
        size_bytes: Most bytes of their values.
        retry: For failures that may pass.
    """

    messages: int = 4_096
    size_bytes: int = 64 << 20
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def pressure(self, messages: int, size_bytes: int) -> bool | None:
        """Whether no more may be taken; ``None``: as before, for less than half is done."""
        if messages >= self.messages or size_bytes >= self.size_bytes:
            return True
        is_half_done = messages * 2 <= self.messages and size_bytes * 2 <= self.size_bytes
        return False if is_half_done else None


@dataclass(slots=True, kw_only=True)
class Hooks:
    """What the engine does for the runner.

    Attributes:
        release: Acknowledges a message, given its token.
        fail: Ends the worker: something broke that no message is to blame for.
        set_pressure: Stops fetching (true) or lets it go on (false); may be told twice.
    """

    release: Callable[[object], None] = field(default=lambda _: None)
    fail: Callable[[BaseException], None] = field(default=lambda _: None)
    set_pressure: Callable[[bool], None] = field(default=lambda _: None)
