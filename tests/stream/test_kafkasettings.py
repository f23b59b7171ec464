"""What a Kafka node is told, in clear and secure, alone and in a cluster."""

from __future__ import annotations

from pathlib import Path

from stream.kafkasettings import (
    ClusterPlan,
    Listener,
    NodePlan,
    SecurityPlan,
    node_settings,
    settings_text,
)

SECURITY = SecurityPlan(
    server_pem=Path("/s/server.pem"),
    ca_pem=Path("/s/ca.pem"),
    client_auth="required",
    super_users=("kafka", "admin"),
)


def plan(nodes: int = 1, security: SecurityPlan | None = None) -> ClusterPlan:
    names: tuple[Listener, ...] = ("SASL_SSL", "SSL") if security else ("PLAINTEXT",)
    made = tuple(
        NodePlan(
            node_id=number,
            directory_id=f"dir-{number}",
            folder=Path(f"/k/node-{number}"),
            host="127.0.0.1",
            ports={name: number * 1000 + place for place, name in enumerate(names)},
            controller_port=number * 1000 + 900,
        )
        for number in range(1, nodes + 1)
    )
    return ClusterPlan(cluster_id="c", nodes=made, security=security)


def test_one_node_in_clear() -> None:
    cluster = plan()
    settings = node_settings(cluster.nodes[0], cluster)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:1000,CONTROLLER://127.0.0.1:1900"
    assert settings["auto.create.topics.enable"] == "false"
    assert (settings["default.replication.factor"], settings["min.insync.replicas"]) == ("1", "1")
    assert settings["log.dirs"] == "/k/node-1/data"
    assert "authorizer.class.name" not in settings
    assert not any(name.startswith("ssl.") for name in settings)


def test_three_nodes_keep_three_copies_and_want_two_in_sync() -> None:
    cluster = plan(3)
    assert cluster.voters == (
        "1@127.0.0.1:1900:dir-1,2@127.0.0.1:2900:dir-2,3@127.0.0.1:3900:dir-3"
    )
    for node in cluster.nodes:
        settings = node_settings(node, cluster)
        assert settings["node.id"] == str(node.node_id)
        assert settings["controller.quorum.bootstrap.servers"].count(",") == 2
        for name, value in settings.items():
            if name.endswith("replication.factor"):
                assert value == "3", name
            if name.endswith((".min.isr", "insync.replicas")):
                assert value == "2", name


def test_a_secure_node_speaks_nothing_in_clear_and_allows_nothing_by_itself() -> None:
    cluster = plan(1, SECURITY)
    settings = node_settings(cluster.nodes[0], cluster)
    protocols = dict(
        entry.split(":") for entry in settings["listener.security.protocol.map"].split(",")
    )
    assert protocols == {"CONTROLLER": "SSL", "SASL_SSL": "SASL_SSL", "SSL": "SSL"}
    assert settings["inter.broker.listener.name"] == "SSL"
    assert settings["allow.everyone.if.no.acl.found"] == "false"
    assert settings["authorizer.class.name"].endswith("StandardAuthorizer")
    assert settings["super.users"] == "User:kafka;User:admin"
    assert settings["listener.name.ssl.ssl.client.auth"] == "required"
    assert settings["listener.name.controller.ssl.client.auth"] == "required"
    assert settings["sasl.enabled.mechanisms"] == "SCRAM-SHA-256,SCRAM-SHA-512"
    assert "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config" in settings
    assert cluster.nodes[0].probe_port == 1001, "the one that wants no SASL login"


def test_a_copied_node_gets_an_id_of_its_own() -> None:
    cluster = plan(3)
    assert cluster.nodes[1].meta_text("c").splitlines() == [
        "version=1",
        "cluster.id=c",
        "node.id=2",
        "directory.id=dir-2",
    ]


def test_backslashes_survive_a_properties_file() -> None:
    assert settings_text({"a": "x\\y", "b": "1"}) == "a=x\\\\y\nb=1\n"
