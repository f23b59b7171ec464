"""A certificate or key that cannot be used is named, and OpenSSL never asks on the terminal."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from schemas.errors import ConfigError
from stream.config import KafkaConfig, Secret
from stream.tls import ssl_context

PASSWORD = "planted-key-password"
Files = Callable[[str], str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Paths of certificates and keys by name."""
    folder = tmp_path_factory.mktemp("pki")
    authority = trustme.CA()
    mine, other = authority.issue_cert("mine.example"), authority.issue_cert("other.example")
    authority.cert_pem.write_to_path(folder / "ca")
    mine.cert_chain_pems[0].write_to_path(folder / "cert")
    mine.private_key_pem.write_to_path(folder / "key")
    other.private_key_pem.write_to_path(folder / "other-key")
    key = serialization.load_pem_private_key(mine.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(PASSWORD.encode())
    for name, form in (
        ("locked", serialization.PrivateFormat.PKCS8),
        ("locked-old", serialization.PrivateFormat.TraditionalOpenSSL),
    ):
        data = key.private_bytes(serialization.Encoding.PEM, form, locked)
        (folder / name).write_bytes(data)
    (folder / "junk").write_bytes(b"no PEM at all")
    return lambda name: str(folder / name)


def mtls(files: Files, *, cert: str = "cert", key: str = "key", ca: str = "ca") -> KafkaConfig:
    return KafkaConfig(
        security_protocol="SSL",
        ssl_cafile=files(ca),
        ssl_certfile=files(cert),
        ssl_keyfile=files(key),
    )


def with_password(kafka: KafkaConfig, password: str) -> KafkaConfig:
    return KafkaConfig(
        security_protocol="SSL",
        ssl_cafile=kafka.ssl_cafile,
        ssl_certfile=kafka.ssl_certfile,
        ssl_keyfile=kafka.ssl_keyfile,
        ssl_key_password=Secret(password),
    )


def test_a_plain_connection_has_no_tls() -> None:
    assert ssl_context(KafkaConfig()) is None


def test_names_and_signatures_are_checked(files: Files) -> None:
    context = ssl_context(mtls(files))
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("key", ["locked", "locked-old"])
def test_the_password_opens_the_key(files: Files, key: str) -> None:
    assert ssl_context(with_password(mtls(files, key=key), PASSWORD)) is not None


@pytest.mark.parametrize("key", ["locked", "locked-old"])
def test_a_locked_key_without_its_password_asks_nobody(files: Files, key: str) -> None:
    with pytest.raises(ConfigError, match="is encrypted; set kafka"):
        ssl_context(mtls(files, key=key))


def test_a_wrong_password_is_told_and_not_repeated(files: Files) -> None:
    for password in ("wrong-planted", "x" * 2_000):
        with pytest.raises(ConfigError) as caught:
            ssl_context(with_password(mtls(files, key="locked"), password))
        assert "ssl_keyfile" in str(caught.value)
        assert password not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ca": "junk"}, "kafka.ssl_cafile: "),
        ({"ca": "nowhere"}, "kafka.ssl_cafile: "),
        ({"key": "other-key"}, "is not the key of kafka.ssl_certfile"),
        ({"key": "junk"}, "each must be in PEM"),
        ({"cert": "junk"}, "each must be in PEM"),
        ({"key": "nowhere"}, "No such file"),
    ],
)
def test_each_file_is_named(files: Files, changed: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        ssl_context(mtls(files, **changed))
    assert files(next(iter(changed.values()))) in str(caught.value)
