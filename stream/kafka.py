"""One way to reach Kafka: every client gets its address, security and limits from here."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError, ConfigError
from schemas.topics import MAX_MESSAGE_BYTES
from stream.config import KafkaConfig

BATCH_BYTES = 262_144
"""Producer batch. Kafka's 16 KiB hold hardly two pages; this halved the CPU per message."""

COMPRESSION = "zstd"
_RETRY_S = 0.5


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


def ssl_context(kafka: KafkaConfig) -> ssl.SSLContext | None:
    """TLS settings: trust, and our own certificate for mTLS. ``None`` for plain connections.

    Raises:
        ConfigError: If a certificate or key file cannot be used.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    password = kafka.ssl_key_password
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
        if kafka.ssl_certfile:
            context.load_cert_chain(
                kafka.ssl_certfile, kafka.ssl_keyfile, password.reveal() if password else None
            )
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"kafka.ssl_cafile, ssl_certfile or ssl_keyfile cannot be used: {error}"
        ) from error
    return context


def sasl_password(kafka: KafkaConfig) -> str | None:
    """The SASL password in clear, for the client that logs in."""
    return kafka.sasl_password.reveal() if kafka.sasl_password else None


def new_producer(kafka: KafkaConfig, *, client_id: str, linger_ms: int = 10) -> AIOKafkaProducer:
    """A producer that waits for all replicas and compresses. Needs a running loop.

    Not idempotent yet: aiokafka's handshake for that fails on the embedded broker, and consumers
    key by id + revision anyway.
    """
    return AIOKafkaProducer(
        **client_settings(kafka),
        client_id=client_id,
        acks="all",
        compression_type=COMPRESSION,
        linger_ms=linger_ms,
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
    )


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
        BrokerError: If the broker does not answer, or a request inside the block fails.
    """
    client = AIOKafkaAdminClient(**client_settings(kafka), client_id="nashra-admin")
    try:
        await client.start()
        yield client
    except KafkaError as error:
        raise as_broker_error(error, kafka) from error
    finally:
        await client.close()


async def check_broker(kafka: KafkaConfig, wait_s: float = 0.0) -> None:
    """Wait until the broker answers.

    Args:
        kafka: How to reach it.
        wait_s: How long to keep trying; 0: one try.

    Raises:
        BrokerError: It does not answer; says what to do.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        try:
            async with admin_client(kafka) as client:
                await client.list_topics()
        except BrokerError:
            if loop.time() + _RETRY_S >= deadline:
                raise
            await asyncio.sleep(_RETRY_S)
        else:
            return


def as_broker_error(error: KafkaError, kafka: KafkaConfig) -> BrokerError:
    """A Kafka client error as a sentence that says what to do."""
    name = type(error).__name__
    if "Authentication" in name or "Sasl" in name:
        hint = "check kafka.sasl_username, its password and kafka.sasl_mechanism"
    elif "Authorization" in name:
        hint = "this user may not do that: check the ACLs"
    else:
        hint = (
            "start one with `nashra broker`, or point --bootstrap (kafka.bootstrap) at yours; "
            f"security_protocol is {kafka.security_protocol}"
        )
    return BrokerError(f"no answer from the broker at {kafka.bootstrap} ({error}): {hint}")
