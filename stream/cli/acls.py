"""``nashra acls show|apply``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stream.cli.common import (
    Settings,
    bootstrap_option,
    examples,
    pass_settings,
    run_async,
    stdout,
)
from stream.cli.output import line_output

if TYPE_CHECKING:
    from stream.access import GrantState
    from stream.acl import Grant

_FLAGS = {"topic": "--topic", "group": "--group", "cluster": "--cluster"}


user_option = click.option(
    "--user",
    "users",
    multiple=True,
    metavar="ROLE=PRINCIPAL",
    help="Who has a role, e.g. cleaner=nashra-cleaner or operator=CN=ops,O=news. Repeatable.",
)


@click.group()
def acls() -> None:
    """Who may do what on the broker: one list for each role."""


@acls.command(
    epilog=examples(
        "nashra acls show",
        "nashra acls show --role cleaner --role enricher",
        "nashra acls show --user cleaner=CN=cleaner --format kafka-acls > grant.sh",
    )
)
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only this; repeatable.")
@user_option
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "kafka-acls"]), default="table"
)
@bootstrap_option
@pass_settings
def show(
    settings: Settings,
    roles: tuple[str, ...],
    users: tuple[str, ...],
    form: str,
    bootstrap: str | None,
) -> None:
    """Print what each role needs; asks no broker.

    With kafka-acls: one command of Kafka's own tool a line. A role without a --user stands as a
    user of that name.
    """
    from stream.acl import ROLES, grants, parse_user

    pairs = [parse_user(text) for text in users]
    named = {role for role, _ in pairs}
    chosen = roles or named or ROLES
    wanted = [pair for pair in pairs if pair[0] in chosen]
    wanted += [(role, role) for role in chosen if role not in named]
    found = grants(wanted)
    if form == "kafka-acls":
        lines = [_command(each, settings.config(bootstrap).kafka.bootstrap) for each in found]
    else:
        lines = [_as_json(found)] if form == "json" else [_row(each) for each in found]
    with line_output(None) as out:
        out.write("".join(f"{line}\n" for line in lines).encode())


@acls.command(
    "apply",
    epilog=examples(
        "nashra acls apply --user cleaner=nashra-cleaner --user enricher=nashra-enricher",
        "nashra acls apply --user operator=CN=ops,O=news --dry-run",
    ),
)
@user_option
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what is missing; add nothing.")
@bootstrap_option
@pass_settings
def apply_(
    settings: Settings, users: tuple[str, ...], bootstrap: str | None, *, is_dry_run: bool
) -> None:
    """Give users the rights of their roles on the broker; nothing is taken away.

    Needs a user who may alter the cluster's lists (role admin, or a super user). Again: adds
    nothing.
    """
    from stream.access import apply_acls
    from stream.acl import grants, parse_user

    if not users:
        raise click.UsageError("name at least one --user ROLE=PRINCIPAL")
    wanted = grants(parse_user(text) for text in users)
    kafka = settings.config(bootstrap).kafka
    _say(run_async(apply_acls(kafka, wanted, is_dry_run=is_dry_run)), is_dry_run=is_dry_run)


def _say(states: list[GrantState], *, is_dry_run: bool) -> None:
    """One line an entry, and a sum."""
    out = stdout()
    for each in states:
        out.print(f"{each.state:<8} {_what(each.grant)}")
    new = sum(each.state != "exists" for each in states)
    verb = "would be added" if is_dry_run else "added"
    out.print(f"{new} {verb}, {len(states) - new} were there")


def _what(grant: Grant) -> str:
    acl = grant.acl
    name = f"{acl.name}*" if acl.pattern == "prefixed" else acl.name
    return f"{grant.principal} {acl.operation} {acl.resource} {name}"


def _row(grant: Grant) -> str:
    acl = grant.acl
    name = f"{acl.name}*" if acl.pattern == "prefixed" else acl.name
    return (
        f"{grant.role:<10} {grant.principal:<16} {acl.operation:<16} {acl.resource:<7} "
        f"{name:<28} {acl.why}"
    )


def _as_json(found: list[Grant]) -> str:
    import orjson

    rows = [
        {
            "role": each.role,
            "principal": each.principal,
            "resource": each.acl.resource,
            "name": each.acl.name,
            "pattern": each.acl.pattern,
            "operation": each.acl.operation,
            "why": each.acl.why,
        }
        for each in found
    ]
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()


def _command(grant: Grant, bootstrap: str) -> str:
    """A line for a shell; ``admin.properties`` holds the login of whoever runs it."""
    import shlex

    acl = grant.acl
    operation = "".join(word.capitalize() for word in acl.operation.split("-"))
    place = [_FLAGS[acl.resource]] + ([] if acl.resource == "cluster" else [acl.name])
    words = ["kafka-acls.sh", "--bootstrap-server", bootstrap]
    words += ["--command-config", "admin.properties", "--add"]
    words += ["--allow-principal", grant.principal, "--operation", operation, *place]
    words += ["--resource-pattern-type", acl.pattern] if acl.pattern == "prefixed" else []
    return shlex.join(words)
