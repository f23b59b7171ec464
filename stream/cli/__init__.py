"""The command ``nashra``. One small file for each command or group; ``main`` lists them."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.acls import acls
from stream.cli.broker import broker
from stream.cli.common import EXIT_CODES, Main, Settings, examples
from stream.cli.config import config
from stream.cli.deadletters import deadletters
from stream.cli.demo import demo
from stream.cli.diff import diff
from stream.cli.explain import explain
from stream.cli.replay import replay
from stream.cli.run import run
from stream.cli.schemas import schemas
from stream.cli.tail import tail
from stream.cli.topics import topics
from stream.cli.up import up
from stream.cli.worker import worker

START_HERE = examples(
    "nashra run samples            the processors alone, no broker",
    "nashra demo                   all of it, on a broker that comes along",
    "nashra explain FILE           what each step did to one page",
)
EXIT_CODE_HELP = "\b\nExit codes:\n" + "\n".join(
    f"  {code:<4} {meaning}" for code, meaning in EXIT_CODES.items()
)


@click.group(
    cls=Main,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{START_HERE}\n\n{EXIT_CODE_HELP}",
)
@click.version_option(package_name="nashra")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file; else the one NASHRA_CONFIG names, else ./nashra.toml.",
)
@click.pass_context
def main(ctx: click.Context, config_file: Path | None) -> None:
    """Live news feeds, Arabic first: pages in, clean and enriched articles out, over Kafka."""
    ctx.obj = Settings(config_file)


for command in (
    run,
    explain,
    diff,
    demo,
    replay,
    tail,
    deadletters,
    up,
    worker,
    broker,
    topics,
    acls,
    config,
    schemas,
):
    main.add_command(command)
