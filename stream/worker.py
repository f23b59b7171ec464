"""Run one worker process: checks first, then Faust, then an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from schemas.errors import BrokerError, ConfigError
from schemas.topics import DEAD_LETTERS, HEARTBEAT, Topic
from stream import logs
from stream.access import require_group
from stream.acl import app_id
from stream.admin import list_topics, require_topics
from stream.config import Config
from stream.diagnosis import RefusedError
from stream.kafka import check_broker
from stream.pool import Pool
from stream.roles import ROLES
from stream.slot import Work
from stream.stage import Stage
from stream.watchdog import StalledError, Watchdog

log = logging.getLogger(__name__)

_RETRY_S = 0.5
MAX_WAIT_STEP_S = 10.0
"""Longest pause between two looks for the broker at start."""

STOP_LIMIT_S = 45.0
"""Longest stop; a broker that froze in a bad moment must not keep a process that has to end."""


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
        PoolError: The processes for the work cannot start; says what to look at.
    """
    stage = ROLES.get(role)
    if stage is None:
        raise ConfigError(f"no role {role!r}; there are {', '.join(ROLES)}")
    arguments = {"role": role, "clock": config.worker.clock}
    if config.pool.processes:
        work = Work(factory="stream.stages:make_stage", arguments=arguments)
        return run_stage_worker(stage, config, work)
    from stream.stages import make_stage

    return run_stage_worker(make_stage(role, config.worker.clock), config)


def run_stage_worker(stage: Stage, config: Config, work: Work | None = None) -> int:
    """Run a worker for one stage; see :func:`run_worker`.

    Args:
        stage: What it does.
        config: As for :func:`run_worker`.
        work: How the pool's processes make that stage; ``None``: it runs in a thread, without
            limits.
    """
    logs.set_up(config.log.format, config.log.level)
    topics = (stage.source, *stage.outputs, DEAD_LETTERS, HEARTBEAT)
    asyncio.run(wait_for_broker(config, topics, app_id(stage.name)))
    loop = _new_loop()
    pool = None
    if work is not None:  # before anything is fetched: the first page finds it warm
        pool = Pool(work, config.pool, config.log)
        versions = loop.run_until_complete(_warm(pool))
        stage = replace(stage, versions=versions)
    from stream.apps import build_app

    app = build_app(stage, config, loop=loop, processor=pool)
    _watch(app, config, topics)
    log.info("worker.started", extra={"role": stage.name, "bootstrap": config.kafka.bootstrap})
    code = _run_faust(app, loop)
    log.info("worker.stopped", extra={"role": stage.name, "code": code})
    return code


async def _warm(pool: Pool) -> dict[str, str]:
    """Start the pool, and import Faust while its processes load their tools on other cores."""
    starting = asyncio.ensure_future(pool.start())
    await asyncio.sleep(_RETRY_S / 10)  # the processes are launched
    from stream import apps  # noqa: F401 - a second of work, done here

    return await starting


def _watch(app: Any, config: Config, topics: Sequence[Topic]) -> None:
    """Have the app's health looked after while it runs."""
    from stream.vitals import Eye

    async def probe() -> None:
        await check_broker(config.kafka)
        await require_topics(config.kafka, topics)

    def end(error: StalledError) -> None:
        end_within(STOP_LIMIT_S)
        app.runner.hooks.fail(error)

    eye = Eye(app)
    watchdog = Watchdog(app.health, eye.look, probe, end, start_over=eye.start_over)

    async def watch() -> None:
        await watchdog.run(lambda: bool(app.should_stop))

    app.task(watch)


async def wait_for_broker(
    config: Config, topics: Sequence[Topic], group: str | None = None
) -> None:
    """Wait until broker and topics are there, with a log line at each step of the back-off.

    Without ``worker.wait_s`` it waits without end: a broker that comes back is met within
    :data:`MAX_WAIT_STEP_S`, sooner than by an orchestrator that restarts us ever more seldom.

    Raises:
        RefusedError: TLS or the login fails: somebody has to change something.
        BrokerError: They are not there in time, or partitions do not match; says what to do.
    """
    loop = asyncio.get_running_loop()
    wait_s = config.worker.wait_s
    deadline = None if wait_s is None else loop.time() + wait_s
    step_s = _RETRY_S
    while True:
        try:
            await check_broker(config.kafka)
            await require_topics(config.kafka, topics)
            if group is not None:
                await require_group(config.kafka, group)
            break
        except RefusedError:
            raise
        except BrokerError as error:
            if deadline is not None and loop.time() + step_s >= deadline:
                raise
            log.warning("worker.waiting", extra={"why": str(error), "again_in_s": step_s})
        await asyncio.sleep(step_s)
        step_s = min(2 * step_s, MAX_WAIT_STEP_S)
    await _check_partitions(config, topics)


async def _check_partitions(config: Config, topics: Sequence[Topic]) -> None:
    """An article must stay on one partition number from topic to topic: so counts must match."""
    wrong = [
        f"{state.topic.name} has {state.partitions} partitions, not {state.topic.partitions}"
        for state in await list_topics(config.kafka, topics, config.topics.partitions)
        if state.partitions != state.topic.partitions
    ]
    if wrong:
        raise BrokerError(
            "; ".join(wrong) + ": set topics.partitions to what is there, "
            "or delete the topic and create it with `nashra topics apply`"
        )


def end_within(limit_s: float) -> None:
    """End this process (exit code 1) if it still runs then, whatever its loop and threads do."""

    def end() -> None:
        log.warning("worker.aborted", extra={"after_s": limit_s})
        os._exit(1)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()


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
            app.health.stop()
            end_within(STOP_LIMIT_S)
            super()._schedule_shutdown(number)

    worker = QuietWorker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return 0 if not end.code else 1
    return 0
