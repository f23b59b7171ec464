"""Certificates and passwords for a local secure broker, made on the spot. Nothing for production.

Needs the package ``trustme`` (the extra ``nashra[kafka]``).
"""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BrokerError
from stream.config import KafkaConfig, Secret
from stream.kafkasettings import ClientAuth, Listener, SecurityPlan

if TYPE_CHECKING:
    import trustme

NODE_USER = "kafka"
"""Whom the nodes' own certificate names."""
ADMIN = "admin"
DEFAULT_USERS = (ADMIN, "connector", "cleaner", "enricher", "replay", "operator", "subscriber")

_PRIVATE = 0o600
_PASSWORD_BYTES = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What to make for a secure cluster.

    Attributes:
        users: Each gets a certificate (``CN=name``) and a password.
        admins: Those of them who may do everything; the others start with no rights at all.
        client_auth: Of the SSL listener; ``requested`` lets clients without a certificate in, as
            ``User:ANONYMOUS``.
    """

    users: tuple[str, ...] = DEFAULT_USERS
    admins: tuple[str, ...] = (ADMIN,)
    client_auth: ClientAuth = "required"


@dataclass(frozen=True, slots=True)
class SecurityFiles:
    """Where certificates, keys and passwords lie; files with secrets are the owner's alone.

    Attributes:
        folder: Holds ``ca.pem``, ``server.pem`` and per user ``NAME.pem``, ``NAME.key`` and
            ``NAME.password``.
    """

    folder: Path

    @property
    def ca_pem(self) -> Path:
        """The authority that signed all certificates."""
        return self.folder / "ca.pem"

    @property
    def server_pem(self) -> Path:
        """Key and certificate of the nodes."""
        return self.folder / "server.pem"

    def cert_pem(self, user: str) -> Path:
        """The user's certificate."""
        return self.folder / f"{user}.pem"

    def key_pem(self, user: str) -> Path:
        """The key of the user's certificate."""
        return self.folder / f"{user}.key"

    def password_file(self, user: str) -> Path:
        """The user's password, one line."""
        return self.folder / f"{user}.password"

    def password(self, user: str) -> str:
        """The user's password."""
        return self.password_file(user).read_text("ascii").strip()

    def node_context(self) -> ssl.SSLContext:
        """TLS as one of the nodes: for asking them whether they serve."""
        context = ssl.create_default_context(cafile=self.ca_pem)
        context.load_cert_chain(self.server_pem)
        return context

    def plan(self, security: Security) -> SecurityPlan:
        """What the nodes are told."""
        return SecurityPlan(
            server_pem=self.server_pem,
            ca_pem=self.ca_pem,
            client_auth=security.client_auth,
            super_users=(NODE_USER, *security.admins),
        )

    def write_client_file(self, user: str, bootstrap: str, copies: int) -> Path:
        """Write a configuration for ``nashra --config``: this user, logging in by password.

        Args:
            user: One of the users.
            bootstrap: The cluster's address.
            copies: Copies that its topics shall have.

        Returns:
            The file; it names the password's file, not the password.
        """
        settings = {
            "bootstrap": bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_username": user,
            "sasl_password_file": str(self.password_file(user)),
            "ssl_cafile": str(self.ca_pem),
        }
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        path = self.folder / f"{user}.toml"
        path.write_text(f"[topics]\nreplication_factor = {copies}\n\n[kafka]\n{lines}", "utf-8")
        return path

    def kafka_config(self, user: str, listener: Listener, bootstrap: str) -> KafkaConfig:
        """How this user's clients reach the broker: by password or by certificate."""
        if listener == "SASL_SSL":
            return KafkaConfig(
                bootstrap=bootstrap,
                security_protocol="SASL_SSL",
                sasl_mechanism="SCRAM-SHA-256",
                sasl_username=user,
                sasl_password=Secret(self.password(user)),
                sasl_password_file=str(self.password_file(user)),
                ssl_cafile=str(self.ca_pem),
                request_timeout_s=10.0,
            )
        return KafkaConfig(
            bootstrap=bootstrap,
            security_protocol="SSL",
            ssl_cafile=str(self.ca_pem),
            ssl_certfile=str(self.cert_pem(user)),
            ssl_keyfile=str(self.key_pem(user)),
            request_timeout_s=10.0,
        )


def make_security(security: Security, folder: Path, host: str) -> SecurityFiles:
    """Make an authority, a certificate for the nodes, and a certificate and password per user.

    Args:
        security: For whom.
        folder: Where to; made if missing.
        host: What the nodes' certificate is for, beside ``localhost`` and ``127.0.0.1``.

    Raises:
        BrokerError: The package ``trustme`` is not installed.
    """
    authority = _new_authority()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = SecurityFiles(folder)
    authority.cert_pem.write_to_path(made.ca_pem)
    names = tuple(dict.fromkeys(("localhost", "127.0.0.1", host)))
    key, chain = _certificate(authority, names, NODE_USER)
    _write_private(made.server_pem, key + chain)
    for user in security.users:
        key, chain = _certificate(authority, (f"{user}.nashra.invalid",), user)
        made.cert_pem(user).write_bytes(chain)
        _write_private(made.key_pem(user), key)
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        _write_private(made.password_file(user), password.encode("ascii") + b"\n")
    return made


def _new_authority() -> trustme.CA:
    try:
        import trustme
    except ImportError as error:
        raise BrokerError(
            "certificates are made with the package trustme, which is not installed: "
            "pip install 'nashra[kafka]' (in a checkout: make dev)"
        ) from error
    return trustme.CA(organization_name="nashra on this machine")


def _certificate(
    authority: trustme.CA, names: Sequence[str], common_name: str
) -> tuple[bytes, bytes]:
    """Key in PKCS#8 (the one form Kafka reads) and certificate chain, both PEM."""
    from cryptography.hazmat.primitives import serialization

    made = authority.issue_cert(*names, common_name=common_name)
    key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None)
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return plain, b"".join(part.bytes() for part in made.cert_chain_pems)


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.touch(_PRIVATE)
    path.write_bytes(content)
