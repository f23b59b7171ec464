"""The error tree and the closed vocabularies of outcomes and reasons.

::

    NashraError                 every one has ``reason``: the word in header, log and metric
    ├── ConfigError             refuse to start
    │   └── RuleFileError
    ├── InputError              a file or argument of the user's; names the file and the line
    ├── DecodeError             bytes that are no such record; names the path in the record
    ├── ProcessingError         a page that cannot be turned into an article; names the step
    ├── TransientError          try again later: broker away, time-out
    ├── BrokerError             broker, topic or port trouble that a person must look at
    ├── StateError              local state (folder, lock, disk) that cannot be used
    └── PoolError               the processes that do the work cannot be started

An article that is *not wanted* (empty page, duplicate) is no error but a :class:`Skip` value.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one message at one hop. Closed: each message is counted exactly once."""

    PUBLISHED = "published"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    DEAD_LETTER = "dead_letter"


class Reason(StrEnum):
    """Why a message was skipped or became a dead letter. Closed list: a metric label."""

    TOMBSTONE = "tombstone"
    UNDECODABLE = "undecodable"
    UNKNOWN_SCHEMA = "unknown-schema"
    EMPTY = "empty"
    NOT_TEXT = "not-text"
    NO_MAIN_TEXT = "no-main-text"
    TOO_LARGE = "too-large"
    STEP_FAILED = "step-failed"
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    WORKER_DIED = "worker-died"
    GAVE_UP = "gave-up"


class NashraError(Exception):
    """Base of every error that nashra raises on purpose.

    Attributes:
        reason: One word for header, log and metric.
    """

    reason: str = "error"


class ConfigError(NashraError):
    """The configuration cannot be used; the process refuses to start."""

    reason = "config"


class RuleFileError(ConfigError):
    """A rule or gazetteer file is wrong; the message names file, rule and field."""

    reason = "rule-file"


class InputError(NashraError):
    """A file or argument from the user cannot be used; the message names it and the line."""

    reason = "input"


class DecodeError(NashraError):
    """Bytes that are not the record they should be; the message holds the path (``$.body``)."""

    reason = Reason.UNDECODABLE


class ProcessingError(NashraError):
    """A page that can never become an article.

    Attributes:
        step: Name of the pipeline step that refused it.
    """

    def __init__(self, message: str, *, step: str, reason: Reason) -> None:
        """Keep the step and the reason beside the sentence for people."""
        super().__init__(message)
        self.step = step
        self.reason = reason


class TransientError(NashraError):
    """Something that may work later; the caller retries with back-off."""

    reason = "transient"


class BrokerError(NashraError):
    """The broker, a topic or a port is not as it must be; the message says what to do."""

    reason = "broker"


class StateError(NashraError):
    """Local state cannot be used; the message names the folder and says what to do."""

    reason = "state"


class PoolError(NashraError):
    """The processes that do the work cannot be started; the message says what to look at."""

    reason = "pool"
