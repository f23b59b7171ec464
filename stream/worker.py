"""Run one worker process: checks first, then Faust, then an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.errors import BrokerError, ConfigError
from schemas.topics import DEAD_LETTERS, HEARTBEAT, Topic
from stream import logs
from stream.admin import list_topics, require_topics
from stream.config import Config
from stream.kafka import check_broker
from stream.stage import Stage

if TYPE_CHECKING:
    from processors.tools import Tools

log = logging.getLogger(__name__)

_RETRY_S = 0.5


def run_worker(role: str, config: Config) -> int:
    """Run the worker of a role until SIGTERM or SIGINT.

    Args:
        role: ``cleaner`` or ``enricher``.
        config: ``worker.wait_s`` bounds the wait for broker and topics.

    Returns:
        0 after a graceful stop; 1 after a crash: start it again.

    Raises:
        ConfigError: No such role, or the configuration cannot be used.
        BrokerError: The broker or a topic is missing; says what to do.
    """
    from processors.tools import load_tools

    make = stage_makers().get(role)
    if make is None:
        raise ConfigError(f"no role {role!r}; there are {', '.join(stage_makers())}")
    return run_stage_worker(make(load_tools()), config)


def stage_makers() -> Mapping[str, Callable[[Tools], Stage]]:
    """Role to the function that makes its stage."""
    from stream.stages import cleaner_stage, enricher_stage

    return {"cleaner": cleaner_stage, "enricher": enricher_stage}


def run_stage_worker(stage: Stage, config: Config) -> int:
    """Run a worker for one stage; see :func:`run_worker`."""
    logs.set_up(config.log.format, config.log.level)
    topics = (stage.source, *stage.outputs, DEAD_LETTERS, HEARTBEAT)
    asyncio.run(wait_for_broker(config, topics))
    loop = _new_loop()
    from stream.apps import build_app

    app = build_app(stage, config, loop=loop)
    log.info("worker.started", extra={"role": stage.name, "bootstrap": config.kafka.bootstrap})
    code = _run_faust(app, loop)
    log.info("worker.stopped", extra={"role": stage.name, "code": code})
    return code


async def wait_for_broker(config: Config, topics: Sequence[Topic]) -> None:
    """Wait until broker and topics are there, at most ``worker.wait_s`` seconds.

    Raises:
        BrokerError: They are not, or partitions do not match; says what to do.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + config.worker.wait_s
    await check_broker(config.kafka, config.worker.wait_s)
    while True:
        try:
            await require_topics(config.kafka, topics)
        except BrokerError as error:
            if loop.time() + _RETRY_S >= deadline:
                raise
            log.warning("worker.waiting", extra={"why": str(error)})
            await asyncio.sleep(_RETRY_S)
        else:
            break
    await _check_partitions(config, topics)


async def _check_partitions(config: Config, topics: Sequence[Topic]) -> None:
    """An article must stay on one partition number from topic to topic: so counts must match."""
    wrong = [
        f"{state.topic.name} has {state.partitions} partitions, not {state.topic.partitions}"
        for state in await list_topics(config.kafka, topics)
        if state.partitions != state.topic.partitions
    ]
    if wrong:
        raise BrokerError("; ".join(wrong) + ": delete it and create it with `nashra topics apply`")


def _new_loop() -> asyncio.AbstractEventLoop:
    """Use uvloop where there is one: a third less CPU per message.

    Set as the policy too, because Faust's consumer thread makes a loop of its own.
    """
    if sys.platform != "win32":
        import uvloop

        with warnings.catch_warnings():
            # Policies go in Python 3.16, and with them Faust as it is.
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _run_faust(app: Any, loop: asyncio.AbstractEventLoop) -> int:
    """Run Faust's worker with our logging and without its banner; returns the exit code."""
    from faust.worker import Worker

    class QuietWorker(Worker):  # type: ignore[misc]
        """Prints nothing; a second signal ends it at once (the broker may be away for long)."""

        def _schedule_shutdown(self, number: signal.Signals) -> None:
            if self._signal_stop_time:
                log.warning("worker.aborted", extra={"signal": number.name})
                os._exit(1)  # at least once: what was in flight comes again
            super()._schedule_shutdown(number)

    worker = QuietWorker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return 0 if not end.code else 1
    return 0
