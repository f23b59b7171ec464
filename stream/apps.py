"""The Faust apps: a thin shell with guard rails around a stage.

What Faust 0.15.3 does by itself loses or repeats messages in several ways (docs/decisions/002);
every setting below that differs from its default answers one of them; what no setting cures is
in ``stream/faust_compat.py``.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    # Faust's own imports use old names of its dependencies; nothing that we could change.
    warnings.simplefilter("ignore", DeprecationWarning)
    import faust

from schemas.errors import ConfigError
from schemas.topics import MAX_MESSAGE_BYTES
from stream import faust_compat
from stream.config import Config, KafkaConfig
from stream.delivery import Deliverer
from stream.health import Health
from stream.hooks import Limits
from stream.kafka import BATCH_BYTES, COMPRESSION, new_producer, sasl_password
from stream.pool import Inline, Processor
from stream.retry import RetryPolicy
from stream.runner import Runner
from stream.seen import Seen, tail_reader
from stream.stage import Stage, utc_now
from stream.tls import ssl_context

ENV_PREFIX = "NASHRA_FAUST_"
"""Faust reads about 80 plain environment names by itself; these are the only ones it sees."""


class NashraApp(faust.App):  # type: ignore[misc]
    """A Faust app for one stage.

    Attributes:
        runner: What the agent hands its messages to.
        has_failed: A delivery or the pool broke; nothing more is taken from the topic.
        health: How the worker is; ``stream/watchdog.py`` looks after it.
    """

    logger = logging.getLogger("faust.nashra")  # quiet as the rest of Faust
    runner: Runner
    health: Health
    has_failed = False

    async def on_stop(self) -> None:
        """Let what is in work end, then close the pool and the producer."""
        await super().on_stop()
        await self.runner.stop()

    def hand_back(self) -> list[object]:
        """Give up all messages that are not in work; ``stream/faust_compat.py`` lets them go."""
        return self.runner.take_back()

    async def disown(self, revoked: Iterable[Any]) -> None:
        """Send nothing more for partitions that were revoked."""
        source = self.runner.stage.source.name
        await self.runner.disown(tp.partition for tp in revoked if tp.topic == source)

    async def _on_agent_error(self, agent: object, exc: BaseException) -> None:
        """End the worker. Faust would commit past the failed message and go on: that loses it.

        What was held is not acknowledged, so the next worker gets it again.
        """
        del agent
        self.has_failed = True
        await self.crash(exc)


def build_app(
    stage: Stage,
    config: Config,
    *,
    deliverer: Deliverer | None = None,
    loop: Any = None,
    processor: Processor | None = None,
) -> NashraApp:
    """The app of a stage; its id and consumer group is ``nashra-<stage name>``.

    Args:
        stage: What it does; its name is the role.
        config: Kafka address, security, timings.
        deliverer: Who sends; ``None``: a producer of its own.
        loop: Event loop to run on; ``None``: the current one.
        processor: What runs the stage; ``None``: a thread.

    Raises:
        ConfigError: A certificate or the data folder cannot be used, or Faust is another version.
    """
    from stream.agents import add_agent

    app = NashraApp(f"nashra-{stage.name}", loop=loop, **app_settings(stage.name, config))
    faust_compat.install(app, idempotent=config.kafka.idempotence)
    deliverer = deliverer or Deliverer(
        lambda: new_producer(
            config.kafka, client_id=f"nashra-{stage.name}", linger_ms=config.worker.linger_ms
        ),
        should_stop=lambda: bool(app.should_stop),
    )
    worker = config.worker
    app.runner = Runner(
        stage,
        deliverer,
        processor or Inline(stage),
        utc_now,
        seen=_new_seen(stage, config, lambda: bool(app.should_stop)),
        limits=Limits(
            messages=worker.max_in_flight,
            size_bytes=worker.max_in_flight_mb << 20,
            retry=RetryPolicy(attempts=worker.retry_attempts, within_s=worker.retry_within_s),
        ),
    )
    app.health = Health(worker.stall_s, time.monotonic())
    add_agent(app, config)
    return app


def app_settings(
    role: str, config: Config, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Faust's settings for a role.

    Raises:
        ConfigError: A certificate or the data folder cannot be used.
    """
    kafka, worker = config.kafka, config.worker
    return {
        # Only our prefix gets in, not even APP_ENV_PREFIX, which would change it.
        "env": {name: value for name, value in environ.items() if name.startswith(ENV_PREFIX)},
        "env_prefix": ENV_PREFIX,
        "broker": [f"aiokafka://{server.strip()}" for server in kafka.bootstrap.split(",")],
        "broker_credentials": _credentials(kafka),
        "broker_request_timeout": max(kafka.request_timeout_s, worker.session_timeout_s + 5),
        "broker_session_timeout": worker.session_timeout_s,
        "broker_heartbeat_interval": worker.heartbeat_interval_s,
        "broker_commit_interval": worker.commit_interval_s,
        "consumer_group_instance_id": worker.instance_id,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": MAX_MESSAGE_BYTES,
        # Outputs go through stream/delivery.py; these hold should anything else ever be sent.
        "producer_acks": -1,
        "producer_linger": worker.linger_ms / 1000,
        "producer_max_batch_size": BATCH_BYTES,
        "producer_max_request_size": MAX_MESSAGE_BYTES,
        "producer_compression_type": COMPRESSION,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "stream_wait_empty": True,  # SIGTERM finishes the batch in flight
        "topic_allow_declare": False,  # `nashra topics apply` does
        "topic_disable_leader": True,
        "topic_partitions": config.topics.partitions,
        "topic_replication_factor": config.topics.replication_factor,
        "store": "memory://",
        "TableManager": faust_compat.TableManager,
        "datadir": _data_dir(config, role),
        "web_enabled": False,
        "worker_redirect_stdouts": False,
    }


def _credentials(kafka: KafkaConfig) -> Any:
    """Security as Faust wants it; ``None`` for PLAINTEXT."""
    context = ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL_"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=sasl_password(kafka),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def _data_dir(config: Config, role: str) -> Path:
    """Faust's folder, made with its parents (Faust makes only the last one)."""
    path = Path(config.data_dir).absolute() / role
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data_dir: cannot make {path} ({error.strerror})") from error
    return path


def _new_seen(stage: Stage, config: Config, should_stop: Callable[[], bool]) -> Seen | None:
    if stage.dedup is None:
        return None
    window = config.worker.dedup_window
    read = tail_reader(config.kafka, stage.dedup.output.name, window, should_stop)
    return Seen(window, read, stage.dedup, window_s=config.worker.dedup_window_s)
