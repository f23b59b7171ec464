"""What a Kafka node is told: the plan of a cluster and its ``server.properties`` (no I/O)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Listener = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
ClientAuth = Literal["required", "requested"]

CONTROLLER = "CONTROLLER"
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node.

    Attributes:
        node_id: 1, 2, 3.
        directory_id: Kafka's id of its data folder (22 characters).
        folder: Settings, log and data.
        host: Address of all its listeners.
        ports: Port of each client listener; clients use the first one.
        controller_port: Where the controllers talk to each other.
    """

    node_id: int
    directory_id: str
    folder: Path
    host: str
    ports: Mapping[Listener, int]
    controller_port: int

    @property
    def port(self) -> int:
        """Port of the first listener."""
        return next(iter(self.ports.values()))

    @property
    def probe_port(self) -> int:
        """Port that answers without a SASL login."""
        return self.ports.get("SSL", self.port)

    @property
    def data(self) -> Path:
        """Folder of the logs."""
        return self.folder / "data"

    @property
    def meta_file(self) -> Path:
        """What marks the data folder as formatted."""
        return self.data / "meta.properties"

    def meta_text(self, cluster_id: str) -> str:
        """Content of :attr:`meta_file`."""
        return settings_text(
            {
                "version": "1",
                "cluster.id": cluster_id,
                "node.id": str(self.node_id),
                "directory.id": self.directory_id,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPlan:
    """How the secure listeners work.

    Attributes:
        server_pem: Key (PKCS#8) and certificate of the nodes, in one file.
        ca_pem: Whom they trust.
        client_auth: ``required``: the SSL listener takes only clients with a certificate.
        super_users: Names that may do everything; the nodes' own among them.
    """

    server_pem: Path
    ca_pem: Path
    client_auth: ClientAuth
    super_users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """What all nodes share.

    Attributes:
        cluster_id: Kafka's id of the cluster (22 characters).
        nodes: All of them.
        security: ``None``: everything in clear, nobody is asked who he is.
        mechanisms: SCRAM mechanisms of the users.
    """

    cluster_id: str
    nodes: tuple[NodePlan, ...]
    security: SecurityPlan | None = None
    mechanisms: tuple[str, ...] = ("SCRAM-SHA-256", "SCRAM-SHA-512")

    @property
    def voters(self) -> str:
        """The controllers as the storage tool wants them."""
        return ",".join(
            f"{node.node_id}@{node.host}:{node.controller_port}:{node.directory_id}"
            for node in self.nodes
        )


def node_settings(node: NodePlan, cluster: ClusterPlan) -> dict[str, str]:
    """All settings of one node."""
    listeners = ",".join(f"{name}://{node.host}:{port}" for name, port in node.ports.items())
    controllers = ",".join(f"{each.host}:{each.controller_port}" for each in cluster.nodes)
    inner = "SSL" if cluster.security else "PLAINTEXT"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.bootstrap.servers": controllers,
        "listeners": f"{listeners},{CONTROLLER}://{node.host}:{node.controller_port}",
        "advertised.listeners": f"{listeners},{CONTROLLER}://{node.host}:{node.controller_port}",
        "controller.listener.names": CONTROLLER,
        "inter.broker.listener.name": inner,
        "listener.security.protocol.map": ",".join(
            (f"{CONTROLLER}:{inner}", *(f"{name}:{name}" for name in node.ports))
        ),
        "log.dirs": str(node.data),
        **_sizes(len(cluster.nodes)),
        **(_security_settings(cluster, cluster.security) if cluster.security else {}),
    }


def settings_text(settings: Mapping[str, str]) -> str:
    """As a Java properties file."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _sizes(nodes: int) -> dict[str, str]:
    """Small, quick to start, and as safe as so many nodes can be."""
    copies, safe = str(min(3, nodes)), str(2 if nodes >= 3 else 1)
    return {
        # Topics are made by `nashra topics apply`, never by a misspelt name.
        "auto.create.topics.enable": "false",
        "num.partitions": "4",
        "default.replication.factor": copies,
        "min.insync.replicas": safe,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": safe,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": safe,
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.segment.bytes": str(16 * 1024 * 1024),
        "log.index.size.max.bytes": str(1024 * 1024),
        # Its default, 128 MiB, does not fit the heap.
        "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
        # A node that ends or freezes is found out within seconds.
        "broker.session.timeout.ms": "6000",
        "broker.heartbeat.interval.ms": "1000",
        "replica.lag.time.max.ms": "6000",
        "controller.quorum.election.timeout.ms": "500",
        "controller.quorum.fetch.timeout.ms": "2000",
    }


def _security_settings(cluster: ClusterPlan, security: SecurityPlan) -> dict[str, str]:
    """TLS on every listener, SCRAM on one, and nobody may do what no ACL allows."""
    mechanisms = ",".join(cluster.mechanisms)
    logins = {
        f"listener.name.sasl_ssl.{mechanism.lower()}.sasl.jaas.config": SCRAM_LOGIN
        for mechanism in cluster.mechanisms
    }
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.server_pem),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.ca_pem),
        "listener.name.controller.ssl.client.auth": "required",
        "listener.name.ssl.ssl.client.auth": security.client_auth,
        "listener.name.sasl_ssl.ssl.client.auth": "none",
        # A certificate for `CN=cleaner` and the SCRAM user `cleaner` are one principal.
        "ssl.principal.mapping.rules": "RULE:^.*?CN=([^,]+).*$/$1/,DEFAULT",
        "sasl.enabled.mechanisms": mechanisms,
        **logins,
        "authorizer.class.name": AUTHORIZER,
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(f"User:{name}" for name in security.super_users),
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
