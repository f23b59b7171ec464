"""A Faust worker with state: ``state_worker.py BOOTSTRAP PREFIX DATA_DIR``.

It reads ``PREFIX.in``: keys with the values 1, 2, 3 ... in order, and remembers the last value of
each key. A line ``gap KEY had N got M`` says that state or messages were lost; ``did N`` that N
messages are done; ``again`` that a message came twice.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import faust
    from faust.worker import Worker

from schemas.records import FeedEntry
from schemas.state import FeedPollState
from schemas.topics import Topic
from stream import faust_compat, logs
from stream.apps import app_settings
from stream.changelog import KafkaChangelog
from stream.state import State
from stream.stateapp import attach_state
from stream.statetables import Table, TableSpec
from tests.support.state_kit import state_topics
from tests.support.stream_kit import config_for


class StateApp(faust.App):  # type: ignore[misc]
    """An app that closes its state at its end."""

    local: State

    async def _on_agent_error(self, agent: object, exc: BaseException) -> None:
        del agent
        await self.crash(exc)

    async def on_stop(self) -> None:
        await super().on_stop()
        await self.local.close()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def new_app(bootstrap: str, prefix: str, data_dir: str) -> StateApp:
    config = config_for(bootstrap, Path(data_dir))
    source, changelog = state_topics(prefix)
    app = StateApp(f"{prefix}-app", **app_settings("connector", config))
    faust_compat.install(app, idempotent=False)
    polls = TableSpec(changelog, FeedPollState)
    app.local = State(
        [polls],
        folder=Path(data_dir) / "state",
        changelog=KafkaChangelog(
            config.kafka, client_id=prefix, should_stop=lambda: bool(app.should_stop)
        ),
        clock=lambda: datetime.now(UTC),
        lock_wait_s=1.0,
    )
    attach_state(app, app.local, source.name)
    add_agent(app, app.local.table(polls), source)
    return app


def add_agent(app: StateApp, table: Table[FeedPollState], source: Topic) -> None:
    assert source.record is FeedEntry

    async def work(stream: Any) -> None:
        async for events in stream.take_events(16, within=0.05):
            held = [event.message for event in events]
            for message in held:
                message.incref()  # acknowledged only after the commit, whatever take_events does
            for message in held:
                if await app.local.ready(message.partition):
                    remember(table, message)
            await asyncio.sleep(0.1)  # so that the joins find work
            await app.local.commit()
            for message in held:
                message.decref()
            say(f"did {len(held)}")

    topic = app.topic(source.name, key_type=bytes, value_type=bytes)
    app.agent(topic, name="work", concurrency=1)(work)


def remember(table: Table[FeedPollState], message: Any) -> None:
    known = table.get(message.partition, message.key)
    had, got = known.failures if known else 0, int(message.value)
    if got <= had:
        say("again")
        return
    if got > had + 1:
        say(f"gap {message.key.decode()} had {had} got {got}")
    value = FeedPollState(feed_id="f", next_poll_at=datetime.now(UTC), failures=got)
    table.put(message.partition, message.key, value)


def main() -> None:
    logs.set_up("json", "info")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = new_app(*sys.argv[1:4])
    worker = Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
