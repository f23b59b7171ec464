"""Certificates and passwords made on the spot: private, usable, and never printed."""

from __future__ import annotations

import ssl
import stat
import sys
from pathlib import Path

import pytest

from schemas.errors import BrokerError
from stream.config import load_config
from stream.kafka import ssl_context
from stream.pki import Security, SecurityFiles, make_security

SECURITY = Security(users=("admin", "cleaner"))


@pytest.fixture
def made(tmp_path: Path) -> SecurityFiles:
    return make_security(SECURITY, tmp_path / "secrets", "127.0.0.1")


def test_only_the_owner_can_read_what_is_secret(made: SecurityFiles) -> None:
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    for path in (
        made.server_pem,
        made.key_pem("cleaner"),
        made.password_file("admin"),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_each_user_has_a_password_of_its_own(made: SecurityFiles) -> None:
    assert len(made.password("admin")) >= 20
    assert made.password("admin") != made.password("cleaner")
    assert made.password("cleaner") not in repr(made.kafka_config("cleaner", "SASL_SSL", "b:1"))


def test_keys_are_in_the_form_that_kafka_reads(made: SecurityFiles) -> None:
    assert "BEGIN PRIVATE KEY" in made.server_pem.read_text()
    assert "BEGIN CERTIFICATE" in made.server_pem.read_text()


def test_both_ends_trust_each_other(made: SecurityFiles) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=made.ca_pem)
    server.load_cert_chain(made.server_pem)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl_context(made.kafka_config("cleaner", "SSL", "127.0.0.1:1"))
    assert client is not None
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = there.getpeercert()
    assert certificate is not None
    assert (("commonName", "cleaner"),) in certificate["subject"]


def test_a_client_file_is_a_configuration_without_a_secret_in_it(made: SecurityFiles) -> None:
    path = made.write_client_file("cleaner", "127.0.0.1:1", copies=3)
    password = made.password("cleaner")
    assert password not in path.read_text("utf-8")
    config = load_config(path, {})
    assert config.topics.replication_factor == 3
    assert config.kafka.sasl_username == "cleaner"
    assert config.kafka.sasl_password is not None
    assert config.kafka.sasl_password.reveal() == password


def test_a_missing_trustme_is_told_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(BrokerError, match=r"trustme.*nashra\[kafka\]"):
        make_security(SECURITY, tmp_path, "127.0.0.1")
    assert list(tmp_path.iterdir()) == []
