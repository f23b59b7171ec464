"""``nashra broker``: a broker alone, the embedded one or Apache Kafka."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from stream.cli.common import (
    EXIT_BROKER,
    EXIT_USAGE,
    Settings,
    examples,
    fail,
    pass_settings,
    stderr,
    stdout,
)

if TYPE_CHECKING:
    from stream.broker import EmbeddedBroker
    from stream.config import Config
    from stream.kafkacluster import KafkaCluster
    from stream.pki import Security

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Port to listen on instead of broker.port; 0 takes a free one.",
)

_POLL_S = 0.5


@click.command(
    epilog=examples(
        "nashra broker",
        "nashra broker --port 0",
        "nashra broker --engine kafka",
        "nashra broker --engine kafka --nodes 3 --secure",
    )
)
@port_option
@click.option(
    "--engine",
    type=click.Choice(["embedded", "kafka"]),
    help="Instead of broker.engine: embedded (in memory, at once) or Apache Kafka.",
)
@click.option(
    "--nodes", type=click.Choice(["1", "3"]), default="1", help="Nodes of the Kafka cluster."
)
@click.option("--secure", "is_secure", is_flag=True, help="Kafka with TLS, passwords and ACLs.")
@pass_settings
def broker(
    settings: Settings, port: int | None, engine: str | None, nodes: str, *, is_secure: bool
) -> None:
    """Run a broker until Ctrl-C; what it holds is gone then.

    Good for a laptop and for tests. Apache Kafka needs Java 17; the first time Maven brings it
    (45 MB, half a minute). With --secure it makes an authority, a certificate and a password for
    each role of `nashra acls` and shows where they lie.
    """
    config = settings.config()
    chosen = engine or config.broker.engine
    if chosen == "embedded" and (is_secure or nodes != "1"):
        fail("--nodes and --secure are for Apache Kafka: add --engine kafka", EXIT_USAGE)
    place = config.broker.port if port is None else port
    if chosen == "embedded":
        _serve_embedded(config, place)
    else:
        _serve_kafka(config, place, int(nodes), is_secure=is_secure)


def _serve_embedded(config: Config, port: int) -> None:
    from stream.broker import EmbeddedBroker

    with EmbeddedBroker(config.broker.host, port, data_dir=config.data_dir) as running:
        out = stdout()
        out.print(f"broker: {running.bootstrap}  (memory only, log: {running.log_file})")
        out.print(f"topics: nashra topics apply --bootstrap {running.bootstrap}")
        _until_ctrl_c(running)


def _serve_kafka(config: Config, port: int, nodes: int, *, is_secure: bool) -> None:
    from stream.kafkacluster import KafkaCluster

    with KafkaCluster(
        nodes,
        port,
        data_dir=config.data_dir,
        security=_security() if is_secure else None,
        host=config.broker.host,
        say=stderr().print,
    ) as running:
        out = stdout()
        out.print(f"broker: {running.bootstrap}  (Apache Kafka, log: {running.log_file})")
        copies = " with topics.replication_factor = 3 in the configuration" if nodes > 1 else ""
        if running.secrets is None:
            out.print(f"topics: nashra topics apply --bootstrap {running.bootstrap}{copies}")
        else:
            _show_secrets(running)
        _until_ctrl_c(running)


def _security() -> Security:
    """An administrator, and a user for each role with rights of its own."""
    from stream.acl import ROLES
    from stream.pki import ADMIN, Security

    return Security(users=tuple(dict.fromkeys((ADMIN, *ROLES))))


def _show_secrets(running: KafkaCluster) -> None:
    """Where everything lies, and a configuration to paste; never a secret itself."""
    out = stdout()
    admin, *others = running.write_client_files()
    out.print(f"secrets: {admin.parent}  (ca.pem; per user NAME.pem, .key, .password, .toml)")
    out.print(f"users:  {admin.stem} may do all; {', '.join(path.stem for path in others)}: by ACL")
    out.print(f"topics: nashra --config {admin} topics apply")
    rights = " ".join(f"--user {path.stem}={path.stem}" for path in others)
    out.print(f"rights: nashra --config {admin} acls apply {rights}", soft_wrap=True)
    out.print(f"\n# {admin}\n{admin.read_text('utf-8')}")


def _until_ctrl_c(running: EmbeddedBroker | KafkaCluster) -> None:
    try:
        stdout().print("Ctrl-C stops it")
        sys.stdout.flush()
        while running.is_running():
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return
    fail(f"the broker has ended; its log is {running.log_file}", EXIT_BROKER)
