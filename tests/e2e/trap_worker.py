"""A Faust worker that walks into a trap: ``trap_worker.py BOOTSTRAP TOPIC stock|ours TRAP DATA``.

The topic's name is the consumer group's too. Each event that the agent gets is a line ``got N``.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import faust
    from faust.worker import Worker

from stream import faust_compat

RARELY_S = 300.0
"""A commit interval that no test lives to see."""


def new_app(bootstrap: str, topic: str, kind: str, **settings: Any) -> faust.App:
    """An app as Faust makes it, or with our workarounds."""
    options: dict[str, Any] = {
        "broker": f"aiokafka://{bootstrap}",
        "value_serializer": "raw",
        "key_serializer": "raw",
        "store": "memory://",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": 1,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "broker_session_timeout": 6.0,
        "broker_request_timeout": 12.0,
        "broker_heartbeat_interval": 1.0,
        "broker_commit_interval": 0.3,
        "datadir": sys.argv[5],
    }
    if kind == "ours":
        options["TableManager"] = faust_compat.TableManager
    app = faust.App(topic, **(options | settings))
    if kind == "ours":
        faust_compat.install(app, idempotent=False)
    return app


def say(event: Any) -> None:
    sys.stdout.write(f"got {event.value.decode()}\n")
    sys.stdout.flush()


def out_of_order(bootstrap: str, topic: str, kind: str) -> faust.App:
    """Acknowledges every event but the one that says "slow"."""
    app = new_app(bootstrap, topic, kind)

    @app.agent(app.topic(topic, value_type=bytes))  # type: ignore[untyped-decorator]
    async def hold(stream: Any) -> None:
        held = []
        async for event in stream.noack().events():
            say(event)
            if event.value == b"slow":
                held.append(event)
            else:
                event.ack()

    return app


def rare_commits(bootstrap: str, topic: str, kind: str) -> faust.App:
    """Commits at a revoke and at its end only."""
    app = new_app(bootstrap, topic, kind, broker_commit_interval=RARELY_S)

    @app.agent(app.topic(topic, value_type=bytes))  # type: ignore[untyped-decorator]
    async def work(stream: Any) -> None:
        async for event in stream.events():
            say(event)

    return app


def with_table(bootstrap: str, topic: str, kind: str) -> faust.App:
    """Counts in a table, some milliseconds an event."""
    app = new_app(bootstrap, topic, kind, topic_allow_declare=True, topic_partitions=4)
    table = app.Table("seen", default=int, partitions=4)

    @app.agent(app.topic(topic, value_type=bytes, key_type=bytes))  # type: ignore[untyped-decorator]
    async def count(stream: Any) -> None:
        async for event in stream.events():
            table[event.key.decode()] += 1
            await asyncio.sleep(0.005)
            say(event)

    return app


def lanes(bootstrap: str, topic: str, kind: str) -> faust.App:
    """Up to 500 events side by side, each done after a time of its own; acknowledged as done."""
    app = new_app(bootstrap, topic, kind)
    slots = asyncio.Semaphore(500)
    running = set()

    async def one(event: Any) -> None:
        await asyncio.sleep(random.uniform(0.0, 1.5))
        say(event)
        event.ack()
        slots.release()

    @app.agent(app.topic(topic, value_type=bytes))  # type: ignore[untyped-decorator]
    async def work(stream: Any) -> None:
        async for event in stream.noack().events():
            await slots.acquire()
            task = asyncio.ensure_future(one(event))
            running.add(task)
            task.add_done_callback(running.discard)

    return app


TRAPS = {make.__name__: make for make in (out_of_order, rare_commits, with_table, lanes)}


def main() -> None:
    bootstrap, topic, kind, trap = sys.argv[1:5]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = TRAPS[trap](bootstrap, topic, kind)
    worker = Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main()
