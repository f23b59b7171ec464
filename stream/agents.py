"""The Faust agent: hands messages to the runner, acknowledges them when all is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stream.config import Config
from stream.heartbeat import Heart
from stream.hooks import Hooks
from stream.report import INTERVAL_S as REPORT_S
from stream.stage import Message

if TYPE_CHECKING:
    from stream.apps import NashraApp


def add_agent(app: NashraApp, config: Config) -> None:
    """Give the app its agent, its heartbeat, and the rules for revoked partitions."""
    source = app.runner.stage.source
    topic = app.topic(source.name, key_type=bytes, value_type=bytes)
    app.runner.hooks = hooks_for(app)

    async def consume(stream: Any) -> None:
        async for event in stream.events():
            await take(app, event.message)
            if app.has_failed:
                return

    async def forget(_app: object, revoked: Iterable[Any], **_: object) -> None:
        await app.disown(revoked)

    heart = Heart(app.runner, config.worker.instance_id, lambda: str(app.health.state))

    async def beat() -> None:
        await heart.beat()

    app.agent(topic, name=f"nashra.{app.runner.stage.name}", concurrency=1)(consume)
    app.on_partitions_revoked.connect(forget)
    app.task(beat)  # one at once: the timer's first comes after its interval
    app.timer(heart.interval_s, name="heartbeat")(beat)

    async def report() -> None:
        app.runner.reporter.flush()

    app.timer(REPORT_S, name="report")(report)


async def take(app: NashraApp, message: Any) -> None:
    """Hand a message to the runner, which acknowledges it when all of it is delivered.

    Faust acknowledges it too, when the agent asks for the next one or is cancelled. The extra
    reference makes that acknowledgement come to nothing before ours, and for good where the worker
    has failed: then nothing is taken.
    """
    message.incref()
    if app.has_failed:
        return
    # Faust builds this list anew each time: it is asked for only where a partition is new.
    partitions = () if app.runner.knows(message.partition) else _own_partitions(app)
    await app.runner.take(as_message(message), message, partitions)


def hooks_for(app: NashraApp) -> Hooks:
    """What the runner asks of Faust."""
    failures: list[asyncio.Future[None]] = []

    def release(message: Any) -> None:
        message.ack(app.consumer)

    def fail(error: BaseException) -> None:
        app.has_failed = True
        failures.append(asyncio.ensure_future(app.crash(error)))

    def set_pressure(is_on: bool) -> None:  # noqa: FBT001 - a hook: called by place
        for tp in app.consumer.assignment():
            if tp.topic == app.runner.stage.source.name:
                # Faust's own way to stop fetching a partition whose buffer is full.
                (app.consumer.on_buffer_full if is_on else app.consumer.on_buffer_drop)(tp)

    return Hooks(release=release, fail=fail, set_pressure=set_pressure)


def as_message(message: Any) -> Message:
    """A Faust message as ours."""
    return Message(
        key=message.key,
        value=message.value,
        headers=dict(message.headers or {}),
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=round((message.timestamp or 0) * 1000),
    )


def _own_partitions(app: NashraApp) -> tuple[int, ...]:
    source = app.runner.stage.source.name
    return tuple(tp.partition for tp in app.consumer.assignment() if tp.topic == source)
