"""A runner with fakes around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from stream.hooks import Hooks, Limits
from stream.retry import RetryPolicy
from stream.runner import Runner
from stream.seen import Seen
from stream.slot import Answer, Lost
from stream.stage import Message, Stage
from stream.wire import answer
from tests.stream.fakes import NOW, FakeProducer, deliverer, stage
from tests.stream.test_seen import FakeTopic

QUICK = RetryPolicy(attempts=3, within_s=5.0, first_s=0.02)


class FakeProcessor:
    """Answers in this process after ``delay_s`` of its request; ``lost`` says which never are."""

    def __init__(
        self,
        given: Stage,
        *,
        room: int = 8,
        delay_s: Callable[[], float] = lambda: 0.0,
        lost: Lost | None = None,
    ) -> None:
        self._stage = given
        self._room = room
        self._delay_s = delay_s
        self._lost = lost
        self.load = 0
        self.most = 0
        self.is_stopped = False

    @property
    def has_room(self) -> bool:
        return self.load < self._room

    def submit(self, request: bytes) -> Answer:
        self.load += 1
        self.most = max(self.most, self.load)
        made: Answer = asyncio.ensure_future(self._run(request))
        return made

    async def _run(self, request: bytes) -> bytes | Lost:
        await asyncio.sleep(self._delay_s())
        self.load -= 1
        return self._lost or answer(self._stage, request)[0]

    async def stop(self) -> None:
        self.is_stopped = True


class Engine:
    """Notes what a runner asks of its engine."""

    def __init__(self) -> None:
        self.released: list[object] = []
        self.errors: list[BaseException] = []
        self.pressure: list[bool] = []

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            release=self.released.append, fail=self.errors.append, set_pressure=self.pressure.append
        )


def runner(
    producer: FakeProducer,
    given: Stage | None = None,
    topic: FakeTopic | None = None,
    *,
    processor: FakeProcessor | None = None,
    limits: Limits | None = None,
) -> tuple[Runner, Engine]:
    given = given or stage()
    engine = Engine()
    memory = None
    if topic is not None and given.dedup is not None:
        memory = Seen(100, topic.read, given.dedup)
    made = Runner(
        given,
        deliverer(producer),
        processor or FakeProcessor(given),
        lambda: NOW,
        seen=memory,
        limits=limits or Limits(retry=QUICK),
    )
    made.hooks = engine.hooks
    return made, engine


async def handle(given: Runner, messages: Sequence[Message]) -> None:
    """Take all and wait until all is done."""
    for number, each in enumerate(messages):
        await given.take(each, number)
    await settle(given)


async def settle(given: Runner) -> None:
    await until(lambda: not given.in_flight)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.002)
