"""How a worker is: from what it did and what the broker answered. Pure; the clock is a parameter.

A worker that lives and does nothing looks well to whoever asks only whether the process is up, so
health looks at progress. An HTTP endpoint needs no more than :meth:`Health.report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PATIENCE_S = 10.0
"""How long nothing may move before that is worth a word."""

MAX_STEP_S = 300.0
"""Longest pause between two words about the same trouble; the first ones come faster."""


class State(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    """It has not joined its group yet."""
    READY = "ready"
    """It works, or there is nothing to do."""
    WAITING = "waiting-for-broker"
    """The broker does not answer it; nothing is lost, it goes on when the broker is back."""
    STALLED = "stalled"
    """The broker answers and nothing moves: the worker ends itself, to be started again."""
    STOPPING = "stopping"
    """It was asked to stop, and finishes what is in work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What can be seen of a worker at a moment.

    Attributes:
        is_member: Whether it has its place in the group (maybe without any partition).
        done: Grows with everything that moves on: messages taken, let go, commits.
        in_flight: Messages taken and not yet let go.
        lag: Messages known to the broker and not yet committed, of all its partitions.
        answered_s: Monotonic time of the broker's latest answer; ``None``: none yet.
        partitions: Partitions that it has been given; 0: others have them, or there are none.
    """

    is_member: bool
    done: int
    in_flight: int
    lag: int
    answered_s: float | None
    partitions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Health at a moment, for logs, heartbeat and probes.

    Attributes:
        state: What the worker is doing.
        still_s: Seconds in which nothing moved though there was something to do; 0: all is well.
        in_flight: Messages taken and not yet let go.
        lag: Messages that wait for it, as far as it knows.
        why: What is in the way, if it is known.
    """

    state: State
    still_s: float
    in_flight: int
    lag: int
    why: str | None

    @property
    def is_well(self) -> bool:
        """Whether it has its place and nothing waits for long."""
        return self.state is State.READY and not self.still_s

    @property
    def is_live(self) -> bool:
        """For a liveness probe: false only if a restart would help."""
        return self.state is not State.STALLED

    @property
    def is_ready(self) -> bool:
        """For a readiness probe."""
        return self.state is State.READY


class Health:
    """Watches one worker; feed it with :meth:`observe` every second or so."""

    def __init__(self, stall_s: float, now_s: float) -> None:
        """Begin.

        Args:
            stall_s: How long nothing may move before :meth:`is_due` asks for a verdict.
            now_s: Monotonic time of now.
        """
        self._stall_s = stall_s
        self._state = State.STARTING
        self._done = 0
        self._well_s = now_s
        self._step_s = PATIENCE_S
        self._verdict_s = now_s + stall_s
        self._why: str | None = None
        self._vitals = Vitals(is_member=False, done=0, in_flight=0, lag=0, answered_s=None)

    @property
    def state(self) -> State:
        """What the worker was doing when last observed."""
        return self._state

    def observe(self, vitals: Vitals, now_s: float) -> State:
        """Take in what is seen now; returns what the worker is doing."""
        self._vitals = vitals
        if self._state in (State.STOPPING, State.STALLED):
            return self._state
        if self._is_well(vitals, now_s):
            self._done, self._well_s, self._why = vitals.done, now_s, None
            self._step_s, self._verdict_s = PATIENCE_S, now_s + self._stall_s
            self._state = State.READY if vitals.is_member else self._state
        elif now_s - self._well_s >= PATIENCE_S:
            is_quiet = now_s - (vitals.answered_s or 0.0) >= PATIENCE_S
            starting = State.READY if vitals.is_member else State.STARTING
            self._state = State.WAITING if is_quiet else starting
        return self._state

    def _is_well(self, vitals: Vitals, now_s: float) -> bool:
        """Whether something moved, or nothing had to and the broker is there."""
        if not vitals.is_member or vitals.answered_s is None:
            return False
        if vitals.done != self._done:
            return True
        is_idle = not vitals.in_flight and not vitals.lag
        return is_idle and now_s - vitals.answered_s < PATIENCE_S

    def should_tell(self, now_s: float) -> bool:
        """Whether to say (again) that nothing moves; ever more seldom, and once all is well."""
        still_s = now_s - self._well_s
        if still_s < self._step_s:
            return False
        self._step_s = min(2 * self._step_s, self._step_s + MAX_STEP_S)
        return True

    def is_due(self, now_s: float) -> bool:
        """Whether nothing has moved for so long that somebody must find out whose fault it is."""
        return self._state is not State.STOPPING and now_s >= self._verdict_s

    def excuse(self, why: str | None, now_s: float) -> None:
        """It is or was not the worker's fault: wait on, and give it as long again.

        Args:
            why: What is in the way; ``None``: nothing any more.
            now_s: Monotonic time of now.
        """
        self._why = why
        self._verdict_s = now_s + self._stall_s

    def condemn(self, why: str) -> None:
        """It is the worker's fault: only a new process helps."""
        self._state, self._why = State.STALLED, why

    def stop(self) -> None:
        """The worker was asked to stop."""
        self._state = State.STOPPING

    def report(self, now_s: float) -> Report:
        """Health as it was when last observed."""
        still_s = max(0.0, now_s - self._well_s)
        return Report(
            state=self._state,
            still_s=round(still_s, 1) if still_s >= PATIENCE_S else 0.0,
            in_flight=self._vitals.in_flight,
            lag=self._vitals.lag,
            why=self._why,
        )
