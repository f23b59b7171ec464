"""``nashra worker ROLE``."""

from __future__ import annotations

import click

from stream.cli.common import Settings, bootstrap_option, examples, pass_settings


@click.command(
    epilog=examples(
        "nashra worker cleaner",
        "nashra worker enricher --bootstrap kafka:9092",
        "NASHRA_WORKER__INSTANCE_ID=cleaner-0 nashra worker cleaner",
    )
)
@click.argument("role", type=click.Choice(["cleaner", "enricher"]))
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for broker and topics instead of worker.wait_s.",
)
@bootstrap_option
@pass_settings
def worker(settings: Settings, role: str, wait_s: float | None, bootstrap: str | None) -> None:
    """Run one worker until SIGTERM or Ctrl-C; it finishes what is in flight.

    Run as many as there are partitions (12) to share; killed ones lose nothing. Ends with 1 if
    it crashed: start it again.
    """
    from stream.config import replace

    config = settings.config(bootstrap)
    if wait_s is not None:
        config = replace(config, worker=replace(config.worker, wait_s=wait_s))
    from stream.worker import run_worker

    click.get_current_context().exit(run_worker(role, config))
