"""The configuration: one TOML file, overlaid by ``NASHRA_*`` variables, read strictly.

Refuses anything it does not know: an unknown key or a value of the wrong kind is a
:class:`~schemas.errors.ConfigError` that names the key and the file or variable it came from.
The environment is a parameter; only ``stream/cli`` reads the process's own.
How a file and the variables become a :class:`Config` is in ``stream/configfile.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from schemas.errors import ConfigError
from schemas.topics import PARTITIONS
from stream.clock import ClockMode

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

S = TypeVar("S", bound=msgspec.Struct)

Positive = Annotated[float, Meta(gt=0, le=86_400)]
NotNegative = Annotated[float, Meta(ge=0, le=86_400)]
AtLeastOne = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65_535)]

MASK = "********"
"""What stands for a secret in every repr, log and listing; as long for each secret."""


class Secret:
    """A string that shows itself to nobody unless asked by :meth:`reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Hold ``value``."""
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for the client that logs in, never for a log line."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the sections: immutable, by keyword, nothing unknown."""


class KafkaConfig(_Section, frozen=True):
    """How every client reaches the broker.

    Attributes:
        bootstrap: ``host:port``, several joined by commas.
        security_protocol: Kafka's ``security.protocol``.
        sasl_mechanism: Needed by the SASL_* protocols.
        sasl_username: Needed by the SASL_* protocols.
        sasl_password: The password; rather set by variable or by ``sasl_password_file``.
        sasl_password_file: File that holds the password (one trailing newline is dropped).
        ssl_cafile: PEM file of the authorities to trust; ``None``: the system's.
        ssl_certfile: PEM file of our certificate (mTLS).
        ssl_keyfile: PEM file of its key.
        ssl_key_password: Password of that key.
        ssl_key_password_file: File that holds that password.
        request_timeout_s: How long one request may take.
        idempotence: Whether producers are idempotent; the embedded broker knows only plain ones.
    """

    bootstrap: str = "127.0.0.1:9092"
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: Secret | None = None
    sasl_password_file: str | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_key_password: Secret | None = None
    ssl_key_password_file: str | None = None
    request_timeout_s: Positive = 40.0
    idempotence: bool = True


class WorkerConfig(_Section, frozen=True):
    """How a worker consumes and produces.

    Attributes:
        session_timeout_s: The group drops a silent worker after this long.
        heartbeat_interval_s: At most a third of the session time-out.
        commit_interval_s: Time between two commits.
        max_in_flight: Most messages taken and not yet delivered; then the worker stops fetching.
        max_in_flight_mb: The same by size, in MiB.
        retry_attempts: How often a message is tried whose failure may pass.
        retry_within_s: Longest time spent on those tries.
        linger_ms: How long the producer waits for company before it sends.
        instance_id: Static membership (Kafka's ``group.instance.id``); ``None``: dynamic.
        dedup_window: How many article ids a worker remembers per partition; 0: none.
        dedup_window_s: How long it remembers them, by Kafka timestamp.
        wait_s: How long to wait at start for the broker and its topics; ``None``: without end.
        stall_s: How long nothing may move before the worker ends itself, if the broker is well.
        clock: What gives ``cleaned_at`` and ``enriched_at``; see ``stream/clock.py``.
    """

    session_timeout_s: Positive = 10.0
    heartbeat_interval_s: Positive = 3.0
    commit_interval_s: Positive = 0.5
    max_in_flight: AtLeastOne = 4_096
    max_in_flight_mb: AtLeastOne = 64
    retry_attempts: AtLeastOne = 6
    retry_within_s: Positive = 60.0
    linger_ms: Annotated[int, Meta(ge=0)] = 10
    instance_id: str | None = None
    dedup_window: Annotated[int, Meta(ge=0)] = 20_000
    dedup_window_s: Annotated[float, Meta(gt=0)] = 259_200.0
    wait_s: NotNegative | None = None
    stall_s: Positive = 120.0
    clock: ClockMode = "live"


class PoolConfig(_Section, frozen=True):
    """The processes in which a worker does the work of its stage.

    Attributes:
        processes: How many; 0: a thread of the worker, without limits.
        task_timeout_s: How long one page may take.
        memory_mb: Most memory (address space) of one process, in MiB.
        tasks_per_process: Pages after which a fresh process takes over.
    """

    processes: Annotated[int, Meta(ge=0, le=256)] = 1
    task_timeout_s: Positive = 20.0
    memory_mb: Annotated[int, Meta(ge=128)] = 768
    tasks_per_process: AtLeastOne = 20_000


class TopicsConfig(_Section, frozen=True):
    """What ``nashra topics apply`` asks for and the workers expect.

    Attributes:
        partitions: Of every topic that an article passes; never change it for live topics.
        replication_factor: Copies of each partition.
    """

    partitions: Annotated[int, Meta(ge=1, le=10_000)] = PARTITIONS
    replication_factor: AtLeastOne = 1


class BrokerConfig(_Section, frozen=True):
    """The broker that ``nashra broker`` runs, and where it (or the embedded one) listens.

    Attributes:
        engine: ``embedded``: in memory; ``kafka``: Apache Kafka. ``up`` and ``demo`` are always
            on the embedded one.
        host: Address to listen on.
        port: Port; 0 takes a free one.
    """

    engine: Literal["embedded", "kafka"] = "embedded"
    host: str = "127.0.0.1"
    port: Port = 9092


class ReplayConfig(_Section, frozen=True):
    """``max_file_bytes``: largest page file, and largest line or member, after inflating."""

    max_file_bytes: AtLeastOne = 20_000_000


class LogConfig(_Section, frozen=True):
    """Log lines: ``auto`` is readable on a terminal and JSON elsewhere."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(_Section, frozen=True):
    """The effective configuration. ``data_dir``: where local state is kept."""

    kafka: KafkaConfig = KafkaConfig()
    worker: WorkerConfig = WorkerConfig()
    pool: PoolConfig = PoolConfig()
    topics: TopicsConfig = TopicsConfig()
    broker: BrokerConfig = BrokerConfig()
    replay: ReplayConfig = ReplayConfig()
    log: LogConfig = LogConfig()
    data_dir: str = ".nashra"


SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "kafka": KafkaConfig,
    "worker": WorkerConfig,
    "pool": PoolConfig,
    "topics": TopicsConfig,
    "broker": BrokerConfig,
    "replay": ReplayConfig,
    "log": LogConfig,
}
"""The tables of the file, by name."""


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration: defaults, then the file, then the variables.

    Args:
        path: The TOML file; ``None``: the one that ``NASHRA_CONFIG`` names, else
            ``./nashra.toml`` if there is one, else none. ``NASHRA_CONFIG=`` (empty): no file.
        environ: Variables; ``NASHRA_KAFKA__REQUEST_TIMEOUT_S=5`` sets
            ``kafka.request_timeout_s``. ``NASHRA_FAUST_*`` are left to Faust.

    Raises:
        ConfigError: Names key, place and what to do.
    """
    from stream import configfile

    return configfile.load(path, environ).config


def with_bootstrap(config: Config, bootstrap: str | None) -> Config:
    """The same configuration for another broker address; ``None`` changes nothing.

    Raises:
        ConfigError: If it is no ``host:port`` list.
    """
    if bootstrap is None:
        return config
    check_bootstrap(bootstrap, "--bootstrap")
    return replace(config, kafka=replace(config.kafka, bootstrap=bootstrap))


def replace(struct: S, **changes: Any) -> S:
    """A copy of a section or configuration with some fields changed."""
    return msgspec.structs.replace(struct, **changes)


def check_bootstrap(bootstrap: str, field: str) -> None:
    """Refuse what is no comma-separated list of ``host:port``.

    Raises:
        ConfigError: Names ``field``.
    """
    if "@" in bootstrap:  # not repeated: what stands before it may be a password
        raise ConfigError(
            f"{field}: write host:port without a user; the login goes to kafka.sasl_username and "
            "kafka.sasl_password_file"
        )
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
            raise ConfigError(
                f"{field}: {server.strip()!r} is no broker address; write host:port, "
                "e.g. 127.0.0.1:9092, several joined by commas"
            )
