"""The Faust agent: batches in, acknowledgement only after every output was acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stream.config import Config
from stream.heartbeat import Heart
from stream.stage import Message

if TYPE_CHECKING:
    from stream.apps import NashraApp


def add_agent(app: NashraApp, config: Config) -> None:
    """Give the app its agent, its heartbeat, and the rules for revoked partitions."""
    source = app.runner.stage.source
    topic = app.topic(source.name, key_type=bytes, value_type=bytes)
    worker = config.worker

    async def consume(stream: Any) -> None:
        async for events in stream.take_events(worker.batch_size, within=worker.batch_within_s):
            if app.has_failed:
                return
            await handle_events(app, events)

    async def forget(_app: object, revoked: Iterable[Any], **_: object) -> None:
        if app.runner.seen is not None:
            app.runner.seen.forget(tp.partition for tp in revoked)

    heart = Heart(app.runner, worker.instance_id)

    async def beat() -> None:
        await heart.beat()

    app.agent(topic, name=f"nashra.{app.runner.stage.name}", concurrency=1)(consume)
    app.on_partitions_revoked.connect(forget)
    app.task(beat)  # one at once: the timer's first comes after its interval
    app.timer(heart.interval_s, name="heartbeat")(beat)


async def handle_events(app: NashraApp, events: Iterable[Any]) -> None:
    """Process one batch, and let go of its messages only when all is delivered.

    ``take_events`` acknowledges a batch in a ``finally``: also when the agent is cancelled or
    fails in the middle of it. The extra reference makes that acknowledgement come to nothing, so
    such a batch is never committed and comes again.
    """
    held = [event.message for event in events]
    for message in held:
        message.incref()
    source = app.runner.stage.source.name
    partitions = [tp.partition for tp in app.consumer.assignment() if tp.topic == source]
    await app.runner.handle([as_message(message) for message in held], partitions)
    for message in held:
        message.decref()


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
