"""One way to reach Kafka: every client gets its address, security and limits from here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, NodeNotReadyError, ProducerClosed, UnknownError

from schemas.errors import BrokerError
from schemas.topics import MAX_MESSAGE_BYTES
from stream.config import KafkaConfig
from stream.diagnosis import REACHING, RefusedError, find_reason
from stream.patience import with_pauses
from stream.tls import ssl_context

log = logging.getLogger(__name__)

BATCH_BYTES = 262_144
"""Producer batch. Kafka's 16 KiB hold hardly two pages; this halved the CPU per message."""

COMPRESSION = "zstd"
_RETRY_S = 0.5
CLOSE_S = 2.0
"""How long a client that is done may take to close; it goes on by itself."""


def client_settings(kafka: KafkaConfig) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes: address, time-out, security.

    Raises:
        ConfigError: If a certificate or key file cannot be used.
    """
    settings: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap.split(",")],
        "request_timeout_ms": int(kafka.request_timeout_s * 1000),
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
    }
    if kafka.security_protocol.startswith("SASL_"):
        settings["sasl_mechanism"] = kafka.sasl_mechanism
        settings["sasl_plain_username"] = kafka.sasl_username
        settings["sasl_plain_password"] = sasl_password(kafka)
    return settings


def sasl_password(kafka: KafkaConfig) -> str | None:
    """The SASL password in clear, for the client that logs in."""
    return kafka.sasl_password.reveal() if kafka.sasl_password else None


def new_producer(kafka: KafkaConfig, *, client_id: str, linger_ms: int = 10) -> AIOKafkaProducer:
    """A producer that waits for all replicas and compresses. Needs a running loop.

    With ``kafka.idempotence`` a request that is sent again because its answer was lost makes no
    second record, and the order within a partition holds.
    """
    return FallingBackProducer(
        **client_settings(kafka),
        client_id=client_id,
        acks="all",
        enable_idempotence=kafka.idempotence,
        compression_type=COMPRESSION,
        linger_ms=linger_ms,
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
    )


class FallingBackProducer(AIOKafkaProducer):  # type: ignore[misc]
    """An idempotent producer, or a plain one where the broker knows no producer ids.

    The embedded broker knows none in the old form that aiokafka asks in; Apache Kafka does.
    """

    def __init__(self, **options: Any) -> None:
        """As aiokafka's."""
        self._options = options
        super().__init__(**options)
        with_pauses(self.client)

    async def start(self) -> None:
        """Connect, and get a producer id if there is one to get."""
        try:
            await super().start()
        except UnknownError:
            if not self._options["enable_idempotence"]:
                raise
            log.info("producer.plain", extra={"why": "this broker gives no producer ids"})
            await self.stop()
            self._options["enable_idempotence"] = False
            super().__init__(**self._options)
            with_pauses(self.client)
            await super().start()

    async def stop(self) -> None:
        """Flush and disconnect; if this is cancelled, nothing more of it is ever sent.

        Else its retries would go on beside those of the producer that takes over, and an old
        record could come to stand after a newer one of its key.
        """
        try:
            await super().stop()
        except asyncio.CancelledError:
            self._message_accumulator.fail_all(ProducerClosed("not acknowledged before its end"))
            if self._sender.sender_task is not None:
                self._sender.sender_task.cancel()
            await self.client.close()
            raise


def new_reader(kafka: KafkaConfig, *, client_id: str) -> AIOKafkaConsumer:
    """A consumer without a group: it reads what it is assigned and commits nothing."""
    return AIOKafkaConsumer(
        **client_settings(kafka),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )


@asynccontextmanager
async def admin_client(kafka: KafkaConfig) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client.

    Raises:
        RefusedError: If TLS or the login fails.
        BrokerError: If the broker does not answer, or a request inside the block fails.
    """
    client = AIOKafkaAdminClient(**client_settings(kafka), client_id="nashra-admin")
    try:
        await client.start()
        yield client
    except KafkaError as error:
        settings = client_settings(kafka)
        reason = await find_reason(kafka, settings) if isinstance(error, REACHING) else None
        raise (reason or as_broker_error(error, kafka)) from error
    finally:
        await close_soon(client.close())


async def close_soon(closing: Awaitable[None]) -> None:
    """Close a client, and do not wait long: over TLS on uvloop that takes 30 s now and then."""
    task = asyncio.ensure_future(closing)
    await asyncio.wait({task}, timeout=CLOSE_S)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        log.warning("client.not_closed", extra={"error": repr(error)})


async def check_broker(kafka: KafkaConfig, wait_s: float = 0.0) -> None:
    """Wait until the broker answers; a login that it refuses is not tried again.

    Args:
        kafka: How to reach it.
        wait_s: How long to keep trying; 0: one try.

    Raises:
        RefusedError: TLS or the login fails.
        BrokerError: It does not answer; says what to do.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        try:
            async with admin_client(kafka) as client:
                await client.list_topics()
        except RefusedError:
            raise
        except BrokerError:
            if loop.time() + _RETRY_S >= deadline:
                raise
            await asyncio.sleep(_RETRY_S)
        else:
            return


def as_broker_error(error: KafkaError, kafka: KafkaConfig, operation: str = "use") -> BrokerError:
    """A Kafka client error as a sentence that says what to do.

    Args:
        error: What the client says.
        kafka: What is configured.
        operation: What was being done, in Kafka's terms; told where it was not allowed.
    """
    name = type(error).__name__
    if "Authorization" in name:
        return BrokerError(not_allowed(kafka, operation, _place(error)))
    if "Coordinator" in name:
        return BrokerError(
            f"the broker at {kafka.bootstrap} is not ready for groups yet: it answers, and makes "
            "its offsets topic at the first use"
        )
    if "Authentication" in name or "Sasl" in name:
        hint = "check kafka.sasl_username, its password and kafka.sasl_mechanism"
    elif isinstance(error, NodeNotReadyError):
        hint = "it was reached, but not at the address that it advertises: check its listeners"
    else:
        hint = (
            "start one with `nashra broker`, or point --bootstrap (kafka.bootstrap) at yours; "
            f"security_protocol is {kafka.security_protocol}"
        )
    return BrokerError(f"no answer from the broker at {kafka.bootstrap} ({error}): {hint}")


def not_allowed(kafka: KafkaConfig, operation: str, place: str) -> str:
    """Who may not do what where, and how to find out who may."""
    return (
        f"the broker at {kafka.bootstrap} does not let {_user(kafka)} {operation} {place}: "
        "`nashra acls show` lists what each role needs"
    )


def _user(kafka: KafkaConfig) -> str:
    """Who we are to the broker, as far as we know."""
    return kafka.sasl_username or (
        f"the owner of {kafka.ssl_certfile}" if kafka.ssl_certfile else "this client"
    )


def _place(error: KafkaError) -> str:
    """``topic nashra.pages.v1``: what the refusal is about, as far as the client tells."""
    kind = type(error).__name__.partition("Authorization")[0].lower()
    told = error.args[0] if error.args else ()
    names = sorted(map(str, told)) if isinstance(told, set | list | tuple) else [str(told)]
    return " ".join([kind, ", ".join(names)]).strip() if kind != "cluster" else "the cluster"
