"""Planted passwords are looked for in everything that comes out of a worker and the commands."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import click
import orjson
import pytest
from cryptography.hazmat.primitives import serialization

from schemas.topics import CLEAN, DEAD_LETTERS, HEARTBEAT
from stream.cli import main
from stream.config import Config, KafkaConfig
from stream.kafkacluster import KafkaCluster
from stream.tail import TailOptions, tail
from tests.support.access_kit import ROOT_USER, As
from tests.support.cli_kit import ARTICLE, invoke
from tests.support.stream_kit import produce

pytestmark = pytest.mark.broker

KEY_PASSWORD = "planted-key-password-93f"
WRONG = "planted-wrong-password-1c7"


@pytest.fixture
def locked_key(guarded: KafkaCluster, tmp_path: Path) -> Path:
    """The cleaner's key behind a password."""
    plain = Path(str(guarded.kafka_config("cleaner", "SSL").ssl_keyfile)).read_bytes()
    key = serialization.load_pem_private_key(plain, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(KEY_PASSWORD.encode()),
    )
    (tmp_path / "locked.key").write_bytes(locked)
    return tmp_path / "locked.key"


def planted(guarded: KafkaCluster) -> list[bytes]:
    """The passwords, in clear and as base64."""
    assert guarded.secrets is not None
    words = [guarded.secrets.password("cleaner"), KEY_PASSWORD, WRONG]
    clear = [word.encode() for word in words]
    return clear + [base64.b64encode(word).rstrip(b"=") for word in clear]


def found_in(output: bytes, secrets: list[bytes]) -> list[bytes]:
    return [secret for secret in secrets if secret in output]


def arguments(pid: int) -> bytes:
    """What `ps` shows of a process and all that it started (Linux)."""
    folder = Path(f"/proc/{pid}")
    if not folder.exists():
        return b""
    inner = (folder / "task" / str(pid) / "children").read_text().split()
    return b"".join([(folder / "cmdline").read_bytes(), *(arguments(int(one)) for one in inner)])


async def all_written(kafka: KafkaConfig) -> bytes:
    """Everything on the topics that a cleaner writes to."""
    found: list[bytes] = []
    for topic in (CLEAN, DEAD_LETTERS, HEARTBEAT):
        async for message in tail(kafka, topic, TailOptions(has_settlements=True)):
            found += [message.key or b"", message.value or b""]
            found += [value or b"" for value in message.headers.values()]
    return b"\n".join(found)


def test_a_worker_at_debug_level_says_no_secret(
    guarded: KafkaCluster, locked_key: Path, tmp_path: Path
) -> None:
    secrets = planted(guarded)
    page = orjson.dumps({"url": f"https://news.example/{tmp_path.name}", "text": ARTICLE})
    (tmp_path / "pages.jsonl").write_bytes(page + b"\n")
    data = tmp_path / "data"
    worker = As(guarded, "cleaner", data).worker(
        "cleaner",
        tmp_path / "worker.log",
        NASHRA_LOG__LEVEL="debug",
        NASHRA_KAFKA__SSL_CERTFILE=str(guarded.kafka_config("cleaner", "SSL").ssl_certfile),
        NASHRA_KAFKA__SSL_KEYFILE=str(locked_key),
        NASHRA_KAFKA__SSL_KEY_PASSWORD=KEY_PASSWORD,
    )
    with worker:
        published = As(guarded, "replay", tmp_path).invoke("replay", str(tmp_path / "pages.jsonl"))
        assert published.exit_code == 0, published.stderr
        produce(Config(kafka=guarded.kafka_config(ROOT_USER)), [(b"bad", b"{}", {})])
        worker.wait_for('"batch.done"', 60)
        assert worker.process is not None
        shown = arguments(worker.process.pid)
    assert shown.count(b"python") > 1, "the processes of its pool were not seen"
    log = worker.said().encode()
    assert b"SaslAuthenticateRequest_v1(hidden)" in log, "nothing was logged at debug level"
    assert found_in(log, secrets) == []
    assert found_in(shown, secrets) == []
    written = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert found_in(written, secrets) == []
    records = asyncio.run(all_written(guarded.kafka_config(ROOT_USER)))
    assert b'"role":"cleaner"' in records
    assert b"bad" in records
    assert found_in(records, secrets) == []


def _helps(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield (*path, "--help")
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, (*path, name))


def test_no_command_says_a_secret(guarded: KafkaCluster, locked_key: Path, tmp_path: Path) -> None:
    secrets = planted(guarded)
    assert guarded.secrets is not None
    by_variable: dict[str, str | None] = {
        "sasl_password_file": None,
        "sasl_password": guarded.secrets.password("cleaner"),
        "ssl_certfile": guarded.kafka_config("cleaner", "SSL").ssl_certfile,
        "ssl_keyfile": str(locked_key),
        "ssl_key_password": KEY_PASSWORD,
    }
    user = As(guarded, "cleaner", tmp_path)
    runs = [
        user.invoke(*args, **by_variable)
        for args in (
            ("config", "show"),
            ("config", "show", "--format", "json"),
            ("topics", "list"),
            ("topics", "apply"),
            ("tail", "pages", "--max", "1"),
            ("acls", "show", "--format", "kafka-acls"),
            ("acls", "apply", "--user", "replay=x"),
            ("deadletters", "list"),
        )
    ]
    runs += [
        user.invoke("topics", "list", **{**by_variable, "sasl_password": WRONG}),
        user.invoke("topics", "list", **{**by_variable, "ssl_key_password": WRONG}),
        user.invoke("config", "show", **{**by_variable, "sasl_mechanism": WRONG[:3]}),
        *(invoke(*args) for args in _helps(main, ())),
    ]
    for run in runs:
        assert found_in(run.stdout_bytes + run.stderr_bytes, secrets) == []
        assert run.exception is None or isinstance(run.exception, SystemExit)
    assert {run.exit_code for run in runs} == {0, 1, 2, 3}
