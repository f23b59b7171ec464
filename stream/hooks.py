"""What ties a runner to its engine: how much it may take, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stream.retry import RetryPolicy


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
