"""Apache Kafka on this machine, without Docker: one node or three, for tests and local use."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import socket
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import BrokerError
from stream.broker import claim_port
from stream.config import KafkaConfig
from stream.kafka import admin_client
from stream.kafkajars import Say, kafka_jars
from stream.kafkaserver import KafkaNode, ScramUser, format_storage
from stream.kafkasettings import ClusterPlan, Listener, NodePlan
from stream.pki import Security, SecurityFiles, make_security

_LOWEST_PORT, _PORTS = 15_000, 15_000
"""Below what the kernel gives to outgoing connections (32768 and up on Linux): there a client that
keeps trying a port on loopback while the broker is down may connect to itself and keep it."""
_PORT_TRIES = 100


class KafkaCluster:
    """A Kafka cluster as a context manager; it dies with this process, even on ``kill -9``.

    Each start begins with empty storage; a node that is stopped, killed or restarted in between
    keeps its data. Start it from the main thread (see :func:`stream.children.dies_with_parent`).

    Attributes:
        host: Address it listens on.
        port: Port of the first node's first listener; the chosen one after :meth:`start` if 0
            was asked for.
        nodes: The nodes, after :meth:`start`.
        secrets: Certificates and passwords, after :meth:`start`; ``None`` without security.
    """

    def __init__(
        self,
        nodes: int = 1,
        port: int = 0,
        *,
        data_dir: str,
        security: Security | None = None,
        host: str = "127.0.0.1",
        say: Say = lambda _: None,
    ) -> None:
        """Prepare; nothing runs before :meth:`start`.

        Args:
            nodes: How many; 1 or 3.
            port: TCP port of the first node; 0 takes a free one. The others take free ones.
            data_dir: Folder for settings, logs and data; made if missing.
            security: Certificates and users to make; ``None``: everything in clear.
            host: Address to listen on.
            say: Gets a line before something that takes long.
        """
        self.host = host
        self.port = port
        self.nodes: tuple[KafkaNode, ...] = ()
        self.secrets: SecurityFiles | None = None
        self._count = nodes
        self._data_dir = Path(data_dir).absolute()
        self._security = security
        self._say = say

    @property
    def folder(self) -> Path:
        """Everything of this cluster; one folder per port, emptied by each start."""
        return self._data_dir / "kafka" / f"port-{self.port}"

    @property
    def bootstrap(self) -> str:
        """``host:port`` of every node, for clients (``SASL_SSL`` in a secure cluster)."""
        return ",".join(node.bootstrap for node in self.nodes)

    @property
    def log_file(self) -> Path:
        """The first node's log."""
        return self.nodes[0].log_file

    @property
    def pid(self) -> int | None:
        """Process id of the first node; ``None`` while it does not run."""
        return self.nodes[0].pid if self.nodes else None

    def is_running(self) -> bool:
        """Whether any node lives."""
        return any(node.is_running() for node in self.nodes)

    def start(self) -> None:
        """Format, start all nodes and wait until they serve and know each other.

        Raises:
            BrokerError: Port in use, no Java, no jars, or it did not come up; says what to do.
        """
        jars = kafka_jars(os.environ, say=self._say)
        self.port = claim_port(self.host, self.port) if self.port else _free_port(self.host)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        plan, users = self._plan()
        format_storage(plan, jars, users)
        tls = self.secrets.node_context() if self.secrets else None
        self.nodes = tuple(KafkaNode(node, plan, jars, tls) for node in plan.nodes)
        try:
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                node.wait(brokers=self._count)
        except BrokerError:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop all nodes, drop their data, keep their logs; safe to call twice."""
        if self.nodes and self.nodes[0].writes_archive:
            self.nodes[0].stop()
        self.kill()  # nobody comes back to this data: no need for an orderly end
        for node in self.nodes:
            shutil.rmtree(node.plan.data, ignore_errors=True)

    def kill(self) -> None:
        """``kill -9`` every node."""
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def kafka_config(
        self, user: str | None = None, listener: Listener | None = None
    ) -> KafkaConfig:
        """How nashra's clients reach this cluster.

        Args:
            user: Who they are, one of the users of ``security``; ``None`` without security.
            listener: ``SASL_SSL`` (password) or ``SSL`` (certificate); ``None``: the first one.
        """
        first = next(iter(self.nodes[0].plan.ports))
        chosen = first if listener is None else listener
        bootstrap = ",".join(f"{self.host}:{node.plan.ports[chosen]}" for node in self.nodes)
        if self.secrets is None or user is None:
            return KafkaConfig(bootstrap=bootstrap, request_timeout_s=10.0)
        return self.secrets.kafka_config(user, chosen, bootstrap)

    def write_client_files(self) -> list[Path]:
        """Write a configuration file for each user beside the certificates, and tell where."""
        if self.secrets is None or self._security is None:
            return []
        return [
            self.secrets.write_client_file(user, self.bootstrap, copies=len(self.nodes))
            for user in self._security.users
        ]

    def leader_of(self, topic: str, partition: int) -> KafkaNode:
        """The node that leads a partition now: for tests that take it away.

        Raises:
            BrokerError: No answer, no such partition, or nobody leads it at the moment.
        """
        leaders = asyncio.run(topic_leaders(self.kafka_config(self._admin), topic))
        if partition not in leaders:
            raise BrokerError(f"nobody leads partition {partition} of {topic}")
        return self.nodes[leaders[partition] - 1]

    @property
    def _admin(self) -> str | None:
        return self._security.admins[0] if self._security else None

    def _plan(self) -> tuple[ClusterPlan, list[ScramUser]]:
        nodes = tuple(self._node_plan(number) for number in range(1, self._count + 1))
        cluster_id = _kafka_id()
        if self._security is None:
            return ClusterPlan(cluster_id=cluster_id, nodes=nodes), []
        self.secrets = make_security(self._security, self.folder / "secrets", self.host)
        plan = ClusterPlan(
            cluster_id=cluster_id,
            nodes=nodes,
            security=self.secrets.plan(self._security),
        )
        users = [
            ScramUser(name=name, password=self.secrets.password(name))
            for name in self._security.users
        ]
        return plan, users

    def _node_plan(self, number: int) -> NodePlan:
        names: tuple[Listener, ...] = ("SASL_SSL", "SSL") if self._security else ("PLAINTEXT",)
        ports = {name: _free_port(self.host) for name in names}
        if number == 1:
            ports[names[0]] = self.port
        folder = self.folder / f"node-{number}"
        folder.mkdir()
        return NodePlan(
            node_id=number,
            directory_id=_kafka_id(),
            folder=folder,
            host=self.host,
            ports=ports,
            controller_port=_free_port(self.host),
        )


def _kafka_id() -> str:
    """A random id as Kafka writes them; it takes none that begins with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text


def _free_port(host: str) -> int:
    """A port that nobody listens on, below those of outgoing connections.

    Raises:
        BrokerError: None found.
    """
    for _ in range(_PORT_TRIES):
        port = _LOWEST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        return port
    raise BrokerError(f"no free port on {host} between {_LOWEST_PORT} and {_LOWEST_PORT + _PORTS}")


async def topic_leaders(kafka: KafkaConfig, topic: str) -> dict[int, int]:
    """Partition to the id of the node that leads it; none for a partition that nobody leads.

    Raises:
        BrokerError: The broker does not answer.
    """
    async with admin_client(kafka) as client:
        (described,) = await client.describe_topics([topic])
    return {
        entry["partition"]: entry["leader"]
        for entry in described["partitions"]
        if entry["leader"] >= 0
    }
