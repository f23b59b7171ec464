"""``nashra broker``: the embedded broker alone."""

from __future__ import annotations

import sys
import time

import click

from stream.cli.common import (
    EXIT_BROKER,
    Settings,
    examples,
    fail,
    pass_settings,
    stdout,
)

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Port to listen on instead of broker.port; 0 takes a free one.",
)

_POLL_S = 0.5


@click.command(epilog=examples("nashra broker", "nashra broker --port 0"))
@port_option
@pass_settings
def broker(settings: Settings, port: int | None) -> None:
    """Run the embedded broker until Ctrl-C. It keeps everything in memory.

    Good for a laptop and for tests; production runs Apache Kafka.
    """
    from stream.broker import EmbeddedBroker

    config = settings.config()
    with EmbeddedBroker(
        config.broker.host,
        config.broker.port if port is None else port,
        data_dir=config.data_dir,
    ) as running:
        out = stdout()
        out.print(f"broker: {running.bootstrap}  (memory only, log: {running.log_file})")
        out.print(f"topics: nashra topics apply --bootstrap {running.bootstrap}")
        out.print("Ctrl-C stops it")
        sys.stdout.flush()
        try:
            while running.is_running():
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            return
        fail(f"the broker has ended; its log is {running.log_file}", EXIT_BROKER)
