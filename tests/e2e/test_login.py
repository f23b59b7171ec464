"""A login that fails ends in one clear sentence, whatever the client, and nobody waits for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import trustme

from stream.broker import EmbeddedBroker
from stream.kafkacluster import KafkaCluster
from stream.kafkasettings import Listener
from tests.support.access_kit import As
from tests.support.cli_kit import invoke

pytestmark = pytest.mark.broker

COMMANDS = [
    ("topics", "list"),
    ("tail", "enriched"),
    ("replay", "pages.jsonl"),
    ("deadletters", "list"),
    ("acls", "apply", "--user", "replay=x"),
    ("worker", "cleaner"),
    ("worker", "enricher"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with files that do not belong to this broker."""
    (tmp_path / "pages.jsonl").write_bytes(b'{"url":"https://news.example/1","text":"x"}\n')
    (tmp_path / "wrong-password").write_text("wrong-planted-secret\n")
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "ca")
    mine = stranger.issue_cert("cleaner.example", common_name="cleaner")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    mine.private_key_pem.write_to_path(tmp_path / "key")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password(guarded: KafkaCluster, folder: Path, command: tuple[str, ...]) -> None:
    started = time.monotonic()
    result = As(guarded, "cleaner", folder).invoke(*command, sasl_password_file="wrong-password")
    assert result.exit_code == 3
    assert "refuses the login of cleaner by SCRAM-SHA-256: check kafka.sasl_user" in result.stderr
    assert "wrong-planted-secret" not in result.output
    assert "Traceback" not in result.output
    assert time.monotonic() - started < 25  # no waiting, no back-off


@pytest.mark.parametrize(
    ("listener", "changes", "code", "words"),
    [
        ("SASL_SSL", {"sasl_username": "ghost"}, 3, "refuses the login of ghost"),
        ("SASL_SSL", {"sasl_mechanism": "PLAIN"}, 3, "takes no login by PLAIN on that port"),
        ("SASL_SSL", {"ssl_cafile": None}, 3, "the system's list of authorities does not vouch"),
        ("SASL_SSL", {"sasl_password_file": "nowhere"}, 2, "kafka.sasl_password_file: nowhere"),
        ("SASL_SSL", {"ssl_cafile": "nowhere"}, 2, "kafka.ssl_cafile: nowhere is no file"),
        ("SASL_SSL", {"ssl_cafile": "pages.jsonl"}, 2, "kafka.ssl_cafile: pages.jsonl cannot"),
        ("SSL", {"ssl_cafile": "ca"}, 3, "shows a certificate that ca does not vouch for"),
        ("SSL", {"ssl_certfile": "cert", "ssl_keyfile": "key"}, 3, "refuses our certificate"),
        ("SSL", {"ssl_certfile": None, "ssl_keyfile": None}, 3, "wants a certificate of ours"),
        ("SSL", {"ssl_keyfile": "key"}, 2, "key is not the key of kafka.ssl_certfile"),
        ("SSL", {"ssl_keyfile": None}, 2, "mTLS needs both"),
    ],
)
def test_what_is_wrong_is_told(
    guarded: KafkaCluster,
    folder: Path,
    listener: Listener,
    changes: dict[str, str | None],
    code: int,
    words: str,
) -> None:
    result = As(guarded, "cleaner", folder, listener).invoke("topics", "list", **changes)
    assert words in result.stderr
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("port_of", "protocol"), [("SASL_SSL", "SSL"), ("SSL", "PLAINTEXT")])
def test_a_port_for_another_protocol(
    guarded: KafkaCluster, folder: Path, port_of: Listener, protocol: str
) -> None:
    keys = ["sasl_mechanism", "sasl_username", "sasl_password_file"]
    keys += ["ssl_cafile", "ssl_certfile", "ssl_keyfile"] if protocol == "PLAINTEXT" else []
    changes: dict[str, str | None] = {**dict.fromkeys(keys), "security_protocol": protocol}
    result = As(guarded, "cleaner", folder, port_of).invoke("topics", "list", **changes)
    assert result.exit_code == 3
    assert f"wants another kafka.security_protocol than {protocol}" in result.stderr


def test_a_broker_without_access_control_is_told(
    broker: EmbeddedBroker | KafkaCluster, kafka: KafkaCluster
) -> None:
    for bootstrap in {broker.bootstrap, kafka.bootstrap}:
        result = invoke("acls", "apply", "--user", "replay=x", "--bootstrap", bootstrap)
        assert result.exit_code == 3
        assert f"the broker at {bootstrap}" in result.stderr
        assert "access-control lists" in result.stderr
