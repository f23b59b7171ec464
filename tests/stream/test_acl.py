"""Each role gets what it needs and nothing else."""

from __future__ import annotations

import shlex

import orjson
import pytest

from schemas.errors import InputError
from schemas.state import CHANGELOGS
from schemas.topics import ALL, CLEAN, DEAD_LETTERS, ENRICHED, HEARTBEAT, LATEST, PAGES, Topic
from stream.acl import (
    CLUSTER,
    ROLES,
    SUBSCRIBER_GROUPS,
    acls_of,
    app_id,
    as_principal,
    grants,
    parse_user,
)
from stream.apps import build_app
from stream.config import Config
from stream.roles import ROLES as STAGES
from tests.support.cli_kit import invoke

ADMIN_ONLY = {"create", "alter", "delete"}


def topics_with(role: str, operation: str) -> set[str]:
    return {
        acl.name for acl in acls_of(role) if acl.resource == "topic" and acl.operation == operation
    }


def names(*topics: Topic) -> set[str]:
    return {topic.name for topic in topics}


def test_a_stage_reads_its_source_and_its_own_output_and_writes_its_output() -> None:
    assert topics_with("cleaner", "read") == names(PAGES, CLEAN)
    assert topics_with("cleaner", "write") == names(CLEAN, DEAD_LETTERS, HEARTBEAT)
    assert topics_with("enricher", "read") == names(CLEAN, ENRICHED)
    assert topics_with("enricher", "write") == names(ENRICHED, LATEST, DEAD_LETTERS, HEARTBEAT)


@pytest.mark.parametrize("role", list(STAGES))
async def test_a_stage_may_join_the_group_of_its_app(role: str, tmp_path: object) -> None:
    app = build_app(STAGES[role], Config(data_dir=str(tmp_path)))
    (group,) = (acl for acl in acls_of(role) if acl.resource == "group")
    assert (group.name, group.pattern, group.operation) == (app.conf.id, "literal", "read")
    assert app_id(role) == app.conf.id


def test_only_the_connector_touches_its_state() -> None:
    state = names(*CHANGELOGS)
    for role in ROLES:
        may = topics_with(role, "read") | topics_with(role, "write")
        assert state & may == (state if role == "connector" else set())


def test_subscribers_read_what_is_public_and_write_nothing() -> None:
    assert topics_with("subscriber", "read") == names(*(one for one in ALL if one.is_public))
    assert topics_with("subscriber", "write") == set()
    groups = [acl for acl in acls_of("subscriber") if acl.resource == "group"]
    assert [(one.name, one.pattern) for one in groups] == [(SUBSCRIBER_GROUPS, "prefixed")]
    assert not any(app_id(role).startswith(SUBSCRIBER_GROUPS) for role in STAGES)


def test_the_operator_puts_letters_back_where_stages_read() -> None:
    sources = {stage.source.name for stage in STAGES.values()}
    assert sources | names(DEAD_LETTERS) <= topics_with("operator", "write")
    assert topics_with("operator", "read") == names(*ALL)


def test_only_the_admin_changes_the_cluster() -> None:
    for role, acls in ROLES.items():
        may = {acl.operation for acl in acls} & ADMIN_ONLY
        touches_cluster = any(acl.name == CLUSTER for acl in acls)
        assert bool(may) == touches_cluster == (role == "admin"), role


@pytest.mark.parametrize("role", list(ROLES))
def test_nobody_is_given_a_thing_twice_or_without_a_reason(role: str) -> None:
    places = [acl.place for acl in acls_of(role)]
    assert len(set(places)) == len(places)
    assert all(acl.why for acl in acls_of(role))


def test_a_principal_of_two_roles_gets_each_entry_once() -> None:
    both = grants([("cleaner", "one"), ("enricher", "User:one")])
    entries = [(grant.principal, grant.acl.place) for grant in both]
    assert len(set(entries)) == len(entries)
    assert {grant.principal for grant in both} == {"User:one"}
    assert len(entries) == len({acl.place for acl in (*acls_of("cleaner"), *acls_of("enricher"))})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cleaner=nashra-cleaner", ("cleaner", "User:nashra-cleaner")),
        ("cleaner=User:c", ("cleaner", "User:c")),
        ("operator=CN=ops,O=news", ("operator", "User:CN=ops,O=news")),
        ("operator=CN=a:b", ("operator", "User:CN=a:b")),
    ],
)
def test_a_user_is_role_and_principal(text: str, expected: tuple[str, str]) -> None:
    assert parse_user(text) == expected


@pytest.mark.parametrize("text", ["cleaner", "cleaner=", "=x", "boss=x", "cleaner=Group:x"])
def test_what_is_no_user_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_user(text)


def test_an_empty_principal_is_refused() -> None:
    with pytest.raises(InputError, match="no principal"):
        as_principal("User:")


def test_show_lists_every_entry_of_every_role() -> None:
    shown = invoke("acls", "show")
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) == sum(map(len, ROLES.values()))
    one = invoke("acls", "show", "--role", "replay").stdout.split()
    assert one[:5] == ["replay", "User:replay", "write", "topic", PAGES.name]


def test_show_as_json_has_the_principal_that_was_named() -> None:
    shown = invoke("acls", "show", "--user", "subscriber=CN=them", "--format", "json")
    rows = orjson.loads(shown.stdout)
    assert {row["principal"] for row in rows} == {"User:CN=them"}
    assert {row["role"] for row in rows} == {"subscriber"}
    assert {"resource": "group", "pattern": "prefixed", "operation": "read"}.items() <= rows[
        -1
    ].items()


def test_show_as_commands_can_be_pasted_into_a_shell() -> None:
    shown = invoke(
        "acls", "show", "--user", "admin=CN=a b;rm,O=x", "--format", "kafka-acls",
        "--bootstrap", "k:9093",
    )  # fmt: skip
    lines = [shlex.split(line) for line in shown.stdout.splitlines()]
    assert len(lines) == len(acls_of("admin"))
    assert all(line[:3] == ["kafka-acls.sh", "--bootstrap-server", "k:9093"] for line in lines)
    assert all("User:CN=a b;rm,O=x" in line for line in lines)
    assert lines[0][-6:] == [
        "--operation", "Create", "--topic", "nashra.", "--resource-pattern-type", "prefixed",
    ]  # fmt: skip
    assert lines[-1][-3:] == ["--operation", "Alter", "--cluster"]
    assert "DescribeConfigs" in shown.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("show", "--role", "boss"), "error: no role 'boss'; there are connector, cleaner"),
        (("show", "--user", "cleaner"), "error: 'cleaner' is not ROLE=PRINCIPAL"),
        (("apply", "--user", "cleaner=Group:x"), "(Group: is not known)"),
        (("apply",), "name at least one --user ROLE=PRINCIPAL"),
    ],
)
def test_a_wrong_argument_is_told(args: tuple[str, ...], words: str) -> None:
    result = invoke("acls", *args)
    assert result.exit_code == 2
    assert words in result.stderr
