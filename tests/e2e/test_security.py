"""Each role works with its own ACLs and is refused the rest, on Apache Kafka over TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from schemas.errors import BrokerError
from schemas.topics import ALL, CLEAN, ENRICHED, FEEDS, PAGES, Topic
from stream.access import apply_acls, require_group
from stream.acl import ROLES, Acl, acls_of, grants
from stream.config import Config, KafkaConfig
from stream.kafka import admin_client, client_settings, new_producer
from stream.kafkacluster import KafkaCluster
from stream.tail import TailOptions, tail
from tests.support.access_kit import NOBODY, ROOT_USER, As
from tests.support.cli_kit import ARTICLE
from tests.support.stream_kit import produce

pytestmark = pytest.mark.broker

EVERYBODY = (*ROLES, NOBODY)
PROBE = b"probe"
GROUPS = {
    "nashra-connector": FEEDS,
    "nashra-cleaner": CLEAN,
    "nashra-enricher": ENRICHED,
    "nashra-subscriber-any": ENRICHED,
    "somebody-else": ENRICHED,
}
"""Groups to commit in, with a topic that their owners may read and do not consume."""


def rights(role: str) -> tuple[Acl, ...]:
    return () if role == NOBODY else acls_of(role)


def allows(role: str, resource: str, name: str, operation: str) -> bool:
    """Whether the table of roles says so."""
    return any(
        acl.resource == resource
        and acl.operation == operation
        and (acl.name == name or (acl.pattern == "prefixed" and name.startswith(acl.name)))
        for acl in rights(role)
    )


async def may_read(kafka: KafkaConfig, topic: Topic) -> bool:
    """Whether the first record of a topic (there is one) comes."""
    try:
        found = [one.offset async for one in tail(kafka, topic, TailOptions(max_records=1))]
    except BrokerError as error:
        if f"topic {topic.name}: `nashra acls show`" not in str(error):
            raise
        return False
    assert found, f"{topic.name} is empty"
    return True


async def may_write(kafka: KafkaConfig) -> set[str]:
    """Topics that take a tombstone; workers skip those."""
    taken: set[str] = set()
    producer = new_producer(kafka, client_id="probe")
    try:
        await producer.start()
        for topic in ALL:
            try:
                await producer.send_and_wait(topic.name, None, key=PROBE)
            except TopicAuthorizationFailedError:
                continue
            taken.add(topic.name)
    except ClusterAuthorizationFailedError:
        return taken  # who may write nowhere gets no producer id
    finally:
        await producer.stop()
    return taken


async def may_commit(kafka: KafkaConfig, group: str) -> bool:
    """Whether an offset can be committed for the group."""
    place = TopicPartition(GROUPS[group].name, 0)
    consumer = AIOKafkaConsumer(
        **client_settings(kafka), group_id=group, enable_auto_commit=False, client_id="probe"
    )
    try:
        consumer.assign([place])
        await consumer.start()
        await consumer.commit({place: 0})
    except (GroupAuthorizationFailedError, TopicAuthorizationFailedError):
        return False
    finally:
        await consumer.stop()
    return True


@pytest.fixture(scope="module")
def probed(guarded: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> KafkaCluster:
    """The cluster, with a record on every topic."""
    wrote = asyncio.run(may_write(guarded.kafka_config(ROOT_USER)))
    assert wrote == {topic.name for topic in ALL}
    return guarded


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_role_reads_and_writes_its_topics_and_no_others(
    probed: KafkaCluster, role: str
) -> None:
    kafka = probed.kafka_config(role)
    may = {topic.name for topic in ALL if await may_read(kafka, topic)}
    assert may == {topic.name for topic in ALL if allows(role, "topic", topic.name, "read")}
    wanted = {topic.name for topic in ALL if allows(role, "topic", topic.name, "write")}
    assert await may_write(kafka) == wanted


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_role_commits_in_its_groups_and_no_others(probed: KafkaCluster, role: str) -> None:
    kafka = probed.kafka_config(role, "SSL")
    may = {group for group in GROUPS if await may_commit(kafka, group)}
    assert may == {group for group in GROUPS if allows(role, "group", group, "read")}


async def test_a_worker_learns_before_it_starts_that_its_group_is_not_for_it(
    probed: KafkaCluster,
) -> None:
    mine = probed.kafka_config("cleaner")
    assert await may_commit(mine, "nashra-cleaner")  # waits until there is a coordinator
    await require_group(mine, "nashra-cleaner")
    with pytest.raises(BrokerError, match="does not let enricher read group nashra-cleaner"):
        await require_group(probed.kafka_config("enricher"), "nashra-cleaner")


@pytest.mark.parametrize("role", EVERYBODY)
async def test_only_the_admin_makes_topics_and_hands_out_rights(
    guarded: KafkaCluster, role: str
) -> None:
    kafka = guarded.kafka_config(role)
    async with admin_client(kafka) as client:
        wanted = [NewTopic(name, 1, 1) for name in ("nashra.probe.v1", "elsewhere")]
        answer = await client.create_topics(wanted, validate_only=True)
    codes = {name: code for name, code, *_ in map(tuple, answer.topic_errors)}
    refused = {TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno}
    assert (codes["nashra.probe.v1"] == 0) == (role == "admin")
    assert codes["elsewhere"] in refused
    asked = apply_acls(kafka, grants([("replay", "probe")]), is_dry_run=True)
    if role == "admin":
        assert [each.state for each in await asked] == ["missing"]
        return
    with pytest.raises(BrokerError, match=f"does not let {role} .* the cluster"):
        await asked


def test_a_page_goes_all_the_way_each_role_with_its_own_rights(
    guarded: KafkaCluster, tmp_path: Path
) -> None:
    url = f"https://news.example/{tmp_path.name}"
    page = tmp_path / "pages.jsonl"
    page.write_bytes(orjson.dumps({"url": url, "text": ARTICLE}) + b"\n")
    bad = (b"not-a-page", b"{}", dict[str, bytes | None]())
    who = {name: As(guarded, name, tmp_path / name) for name in ROLES}
    certificate = guarded.kafka_config("cleaner", "SSL")
    cleaner = who["cleaner"].worker(  # a password and a certificate at the same time
        "cleaner",
        tmp_path / "cleaner.log",
        NASHRA_KAFKA__SASL_MECHANISM="SCRAM-SHA-512",
        NASHRA_KAFKA__SSL_CERTFILE=str(certificate.ssl_certfile),
        NASHRA_KAFKA__SSL_KEYFILE=str(certificate.ssl_keyfile),
    )
    enricher = As(guarded, "enricher", tmp_path / "e", "SSL").worker(
        "enricher", tmp_path / "enricher.log"
    )
    with cleaner, enricher:
        published = who["replay"].invoke("replay", str(page))
        assert published.exit_code == 0, published.stderr
        produce(Config(kafka=who["operator"].kafka), [bad])
        enricher.wait_for("batch.done", 60)
        read = who["subscriber"].invoke("tail", "enriched", "--json")
    assert url in [orjson.loads(line).get("url") for line in read.stdout.splitlines()]
    letters = who["operator"].invoke("deadletters", "list")
    assert letters.exit_code == 0, letters.stderr
    assert "not-a-page" in letters.stdout
    beats = who["subscriber"].invoke("tail", "heartbeat", "--json").stdout
    assert {"cleaner", "enricher"} <= {
        orjson.loads(line).get("role") for line in beats.splitlines()
    }
    for worker in (cleaner, enricher):
        assert worker.wait() == 0
        assert "uthorization" not in worker.said(), worker.said()


def test_the_admin_gives_rights_once(guarded: KafkaCluster, tmp_path: Path) -> None:
    admin, late = As(guarded, "admin", tmp_path), As(guarded, "admin", tmp_path, "SSL")
    user = f"replay=CN={tmp_path.name},O=news"
    dry = admin.invoke("acls", "apply", "--user", user, "--dry-run")
    assert (dry.exit_code, dry.stdout.splitlines()[-1]) == (0, "1 would be added, 0 were there")
    first = admin.invoke("acls", "apply", "--user", user)
    assert first.exit_code == 0, first.stderr
    assert first.stdout.splitlines() == [
        f"added    User:CN={tmp_path.name},O=news write topic {PAGES.name}",
        "1 added, 0 were there",
    ]
    again = late.invoke("acls", "apply", "--user", user)
    assert again.stdout.splitlines()[-1] == "0 added, 1 were there"


@pytest.mark.parametrize(
    ("user", "args", "words"),
    [
        ("subscriber", ("tail", "pages"), f"describe topic {PAGES.name}"),
        ("replay", ("tail", "pages"), f"read topic {PAGES.name}"),
        ("cleaner", ("replay", "pages.jsonl"), f"write topic {PAGES.name}"),
        ("enricher", ("worker", "cleaner", "--wait", "0"), f"describe topic {PAGES.name}"),
        (NOBODY, ("deadletters", "list"), "describe topic nashra.dead-letters.v1"),
        (
            "operator",
            ("acls", "apply", "--user", "admin=operator"),
            "alter the access lists of the cluster",
        ),
    ],
)
def test_a_refusal_names_user_operation_and_place(
    probed: KafkaCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    args: tuple[str, ...],
    words: str,
) -> None:
    line = orjson.dumps({"url": "https://news.example/refused", "text": ARTICLE}) + b"\n"
    (tmp_path / "pages.jsonl").write_bytes(line)
    monkeypatch.chdir(tmp_path)
    result = As(probed, user, tmp_path).invoke(*args)
    assert result.exit_code == 3, result.stderr
    assert f"does not let {user} {words}: `nashra acls show`" in result.stderr


def test_topics_say_what_is_hidden_from_a_user(guarded: KafkaCluster, tmp_path: Path) -> None:
    mine = As(guarded, "subscriber", tmp_path).invoke("topics", "list")
    assert mine.exit_code == 1
    assert f"{PAGES.name}: not shown to this user (describe)" in mine.stderr
    assert f"{ENRICHED.name}: its settings are not shown" in mine.stderr
    assert "nashra topics apply" not in mine.stderr
    assert As(guarded, "operator", tmp_path).invoke("topics", "list").exit_code == 0
