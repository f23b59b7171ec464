"""Why a broker cannot be reached: aiokafka logs the reason and says only "unable to bootstrap".

One more connection is made to learn it, and what TLS or the login says becomes a sentence.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from schemas.errors import BrokerError
from stream.config import KafkaConfig

REACHING = (KafkaConnectionError, NodeNotReadyError)
"""Errors behind which such a reason may hide."""

PROBE_TIMEOUT_S = 5.0
"""Longest wait of the second look; the first one was as patient as configured."""

_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH = 62, 64
_NOT_YET_VALID, _EXPIRED = 9, 10
"""OpenSSL's verification codes (X509_V_ERR_*)."""

_HANGING_UP = (
    KafkaConnectionError,
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    ssl.SSLEOFError,
)

_ALERT = "ALERT"
"""In the reason of every TLS error that the other side sent."""


class RefusedError(BrokerError):
    """TLS or the login fails: waiting does not help, somebody has to change something."""


async def find_reason(kafka: KafkaConfig, settings: Mapping[str, Any]) -> BrokerError | None:
    """Why TLS or the login fails.

    Args:
        kafka: What is configured, to name its keys.
        settings: The same as arguments of aiokafka's clients.

    Returns:
        A :class:`RefusedError`, or a :class:`~schemas.errors.BrokerError` where a broker that is
        just stopping would look the same. ``None`` if it is neither TLS nor the login: no such
        host, nobody listens there, or all is well now.
    """
    for host, port, _ in collect_hosts(settings["bootstrap_servers"], randomize=False):
        error = await _connect(host, port, settings)
        if error is None:
            return None
        sentence = _sentence(error, kafka)
        if sentence is not None:
            return RefusedError(f"the broker at {host}:{port} {sentence}")
        if isinstance(error, _HANGING_UP):
            return BrokerError(
                f"the broker at {host}:{port} hangs up at once: that port wants another "
                f"kafka.security_protocol than {kafka.security_protocol}, or it is just stopping"
            )
    return None


async def _connect(host: str, port: int, settings: Mapping[str, Any]) -> Exception | None:
    """The error of connecting, logging in and one request; ``None`` if it works."""
    options = {name: value for name, value in settings.items() if name != "bootstrap_servers"}
    options["request_timeout_ms"] = int(PROBE_TIMEOUT_S * 1000)
    try:
        connection = await create_conn(host, port, client_id="nashra-probe", **options)
        try:
            await connection.send(MetadataRequest([]))
        finally:
            connection.close()
    except (TimeoutError, OSError, KafkaError) as error:
        return error
    return None


def _sentence(error: Exception, kafka: KafkaConfig) -> str | None:
    """What the error means for whoever configured us; ``None``: nothing about security."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _about_their_certificate(cause, kafka)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _about_tls(cause, kafka)
        if isinstance(cause, SaslAuthenticationFailed):
            return (
                f"refuses the login of {kafka.sasl_username} by {kafka.sasl_mechanism}: "
                "check kafka.sasl_username, its password and kafka.sasl_mechanism"
            )
        if isinstance(cause, UnsupportedSaslMechanismError | IllegalSaslStateError):
            return (
                f"takes no login by {kafka.sasl_mechanism} on that port: check "
                "kafka.sasl_mechanism and kafka.security_protocol"
            )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__


def _about_their_certificate(error: ssl.SSLCertVerificationError, kafka: KafkaConfig) -> str:
    if error.verify_code in (_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH):
        return (
            f"shows a certificate for another name ({error.verify_message}): use a name that "
            "stands in it in kafka.bootstrap"
        )
    if error.verify_code == _EXPIRED:
        return "shows a certificate that has expired: the broker needs a new one"
    if error.verify_code == _NOT_YET_VALID:
        return "shows a certificate that is not valid yet: check the clocks"
    trusted = kafka.ssl_cafile or "the system's list of authorities"
    return (
        f"shows a certificate that {trusted} does not vouch for ({error.verify_message}): "
        "kafka.ssl_cafile must be the PEM file of the authority that signed it"
    )


def _about_tls(error: ssl.SSLError, kafka: KafkaConfig) -> str:
    reason = error.reason or str(error)
    if _ALERT not in reason:
        return (
            f"speaks no TLS on that port ({reason}): check kafka.bootstrap, and "
            f"kafka.security_protocol, which is {kafka.security_protocol}"
        )
    if kafka.ssl_certfile is None:
        return (
            f"wants a certificate of ours ({reason}): set kafka.ssl_certfile and kafka.ssl_keyfile"
        )
    return (
        f"refuses our certificate kafka.ssl_certfile {kafka.ssl_certfile} ({reason}): it must be "
        "valid now and signed by an authority that the broker trusts"
    )
