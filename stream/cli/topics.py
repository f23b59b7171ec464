"""``nashra topics apply|list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stream.cli.common import (
    EXIT_SOME_FAILED,
    Settings,
    bootstrap_option,
    examples,
    pass_settings,
    run_async,
    stderr,
    stdout,
)

if TYPE_CHECKING:
    from stream.admin import TopicState


@click.group()
def topics() -> None:
    """The topics that nashra works with."""


@topics.command(
    "apply", epilog=examples("nashra topics apply", "nashra topics apply --bootstrap kafka:9092")
)
@bootstrap_option
@pass_settings
def apply_(settings: Settings, bootstrap: str | None) -> None:
    """Create the topics that are missing; what is there is never changed.

    A topic that is there but not as it should be is told, with exit code 1.
    """
    from stream.admin import apply_topics

    _show(run_async(apply_topics(settings.config(bootstrap))))


@topics.command("list", epilog=examples("nashra topics list"))
@bootstrap_option
@pass_settings
def list_(settings: Settings, bootstrap: str | None) -> None:
    """Show each topic, whether it is there, and what it holds.

    Exit code 1 if one is missing or not as it should be.
    """
    from stream.admin import list_topics

    config = settings.config(bootstrap)
    _show(run_async(list_topics(config.kafka, partitions=config.topics.partitions)))


def _show(states: list[TopicState]) -> None:
    """One line a topic; differences below it on standard error."""
    out = stdout()
    for state in states:
        count = "-" if state.partitions is None else str(state.partitions)
        out.print(f"{state.topic.name:<30} {state.state:<8} {count:>3}  {state.topic.about}")
    wrong = [state for state in states if state.state in ("differs", "missing", "hidden")]
    for state in states:
        for difference in state.differences:
            stderr().print(f"{state.topic.name}: {difference}")
    if any(state.state == "missing" for state in wrong):
        stderr().print("create the missing ones with `nashra topics apply`")
    if wrong:
        click.get_current_context().exit(EXIT_SOME_FAILED)
