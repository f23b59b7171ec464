"""A secure Kafka with one user for each role, and the commands as one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from stream.acl import ROLES, grants
from tests.support.cli_kit import invoke, nashra
from tests.support.kafka_kit import started
from tests.support.stream_kit import Worker

if TYPE_CHECKING:
    from stream.config import KafkaConfig
    from stream.kafkacluster import KafkaCluster
    from stream.kafkasettings import Listener

ROOT_USER = "root"
NOBODY = "nobody"
"""A user with a login and no rights."""

USERS = (ROOT_USER, NOBODY, *ROLES)

_KEYS = (
    "bootstrap",
    "security_protocol",
    "sasl_mechanism",
    "sasl_username",
    "sasl_password_file",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "request_timeout_s",
)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node with TLS, SCRAM and all topics; each role has its ACLs, applied by ``root``."""
    from stream.access import apply_acls
    from stream.pki import Security

    security = Security(users=USERS, admins=(ROOT_USER,))
    for running in started(tmp_path_factory.mktemp("guarded"), security=security):
        wanted = grants((role, role) for role in ROLES)
        states = asyncio.run(apply_acls(running.kafka_config(ROOT_USER), wanted))
        assert {state.state for state in states} == {"added"}
        yield running


def environ_of(kafka: KafkaConfig, folder: Path, **changes: str | None) -> dict[str, str]:
    """The variables for this connection: no secret in them, only names of files.

    Args:
        kafka: How to connect.
        folder: Data folder.
        changes: Keys of ``[kafka]`` to set otherwise; ``None``: to leave out.
    """
    values: dict[str, object] = {key: getattr(kafka, key) for key in _KEYS} | changes
    environ = {
        f"NASHRA_KAFKA__{key.upper()}": str(value)
        for key, value in values.items()
        if value is not None
    }
    return environ | {"NASHRA_DATA_DIR": str(folder), "NASHRA_CONFIG": ""}


class As:
    """The commands of one user."""

    def __init__(
        self, running: KafkaCluster, user: str, folder: Path, listener: Listener | None = None
    ) -> None:
        self.kafka = running.kafka_config(user, listener)
        self._folder = folder

    def invoke(self, *args: str, **changes: str | None) -> Result:
        """Run ``nashra`` in this process."""
        return invoke(*args, environ=environ_of(self.kafka, self._folder, **changes))

    def worker(self, role: str, log: Path, **environ: str) -> Worker:
        """A worker process of this user, with short time-outs; not started."""
        quick = {
            "NASHRA_WORKER__SESSION_TIMEOUT_S": "6",
            "NASHRA_WORKER__HEARTBEAT_INTERVAL_S": "1",
        }
        mine = environ_of(self.kafka, self._folder)
        return Worker(nashra("worker", role), log, **(quick | mine | environ))
