"""TLS towards the broker: whom we trust, and our own certificate for mTLS.

Each file is tried by itself, so that the one that cannot be used is named.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from schemas.errors import ConfigError
from stream.config import KafkaConfig

_ENCRYPTED = b"ENCRYPTED"
"""Stands in the PEM file of every key that wants a password, in both forms that there are."""

_OTHER_KEY = "KEY_VALUES_MISMATCH"


def ssl_context(kafka: KafkaConfig) -> ssl.SSLContext | None:
    """TLS settings: trust, and our own certificate for mTLS. ``None`` for plain connections.

    Raises:
        ConfigError: If a certificate or key file cannot be used; names it.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"kafka.ssl_cafile: {kafka.ssl_cafile} cannot be used, it must hold certificates of "
            f"authorities in PEM ({_reason(error)})"
        ) from error
    if kafka.ssl_certfile and kafka.ssl_keyfile:
        _load_own(context, kafka, kafka.ssl_certfile, kafka.ssl_keyfile)
    return context


def _load_own(context: ssl.SSLContext, kafka: KafkaConfig, certificate: str, key: str) -> None:
    password = kafka.ssl_key_password
    try:
        is_encrypted = _ENCRYPTED in Path(key).read_bytes()
        # Never None: OpenSSL would ask on the terminal for the password of an encrypted key.
        context.load_cert_chain(certificate, key, password.reveal() if password else "")
    except ssl.SSLError as error:
        if error.reason == _OTHER_KEY:
            raise ConfigError(
                f"kafka.ssl_keyfile: {key} is not the key of kafka.ssl_certfile {certificate}"
            ) from error
        if is_encrypted:
            raise ConfigError(_about_password(key, is_set=password is not None)) from error
        raise ConfigError(
            f"kafka.ssl_certfile {certificate} or kafka.ssl_keyfile {key} cannot be used: each "
            f"must be in PEM ({_reason(error)})"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a password over 1,024 bytes
        raise ConfigError(
            f"kafka.ssl_certfile {certificate} or kafka.ssl_keyfile {key} cannot be used: "
            f"{_reason(error)}"
        ) from error


def _about_password(key: str, *, is_set: bool) -> str:
    if is_set:
        return f"kafka.ssl_key_password does not open kafka.ssl_keyfile {key}, or one is damaged"
    return f"kafka.ssl_keyfile: {key} is encrypted; set kafka.ssl_key_password_file"


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
