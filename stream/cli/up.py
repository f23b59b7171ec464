"""``nashra up``: broker, topics and supervised workers on one machine."""

from __future__ import annotations

import sys
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING

import click

from schemas.errors import BrokerError
from stream.cli.broker import port_option
from stream.cli.common import Settings, child_environ, examples, pass_settings, run_async, stdout

if TYPE_CHECKING:
    from stream.broker import EmbeddedBroker
    from stream.config import Config
    from stream.supervisor import Command


@click.command(epilog=examples("nashra up", "nashra up --port 0 --workers 2"))
@port_option
@click.option(
    "--workers",
    type=click.IntRange(1, 12),
    default=1,
    show_default=True,
    help="Processes of each role.",
)
@pass_settings
def up(settings: Settings, port: int | None, workers: int) -> None:
    """Run everything on the embedded broker until Ctrl-C.

    Starts the broker, creates the topics, and keeps a cleaner and an enricher running: one that
    dies is started again, later each time it dies early.
    """
    from stream.broker import EmbeddedBroker, embedded_config

    config = settings.config()
    with EmbeddedBroker(
        config.broker.host,
        config.broker.port if port is None else port,
        data_dir=config.data_dir,
    ) as running:
        tuned = embedded_config(config, running.bootstrap)
        code = run_async(_up(tuned, workers, running))
        if not running.is_running():
            raise BrokerError(f"the broker died; its last words are in {running.log_file}")
    click.get_current_context().exit(code)


async def _up(config: Config, workers: int, broker: EmbeddedBroker) -> int:
    from stream import logs
    from stream.admin import apply_topics
    from stream.supervisor import Supervisor

    logs.set_up(config.log.format, config.log.level)
    states = await apply_topics(config)
    out = stdout()
    out.print(f"broker: {config.kafka.bootstrap}")
    out.print("topics: " + ", ".join(state.topic.name for state in states), soft_wrap=True)
    out.print(f"next:   nashra replay samples --bootstrap {config.kafka.bootstrap}")
    out.print(f"        nashra tail enriched --follow --bootstrap {config.kafka.bootstrap}")
    out.print("Ctrl-C stops all")
    sys.stdout.flush()
    return await Supervisor(commands(config, workers)).run(broker.is_running)


def commands(config: Config, workers: int) -> list[Command]:
    """The worker processes, each with exactly this configuration."""
    from stream.config import replace
    from stream.supervisor import worker_commands

    if config.log.format == "auto" and sys.stdout.isatty():
        # Their output comes through our pipe: they cannot see that a person reads it.
        config = replace(config, log=replace(config.log, format="console"))
    environ = child_environ(config)
    roles = {"cleaner": workers, "enricher": workers}
    return [with_changes(command, env=environ) for command in worker_commands(roles)]
