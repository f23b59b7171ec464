"""The watchdog: waits with the broker, ends a worker that only a restart helps."""

from __future__ import annotations

import asyncio
import logging

import pytest

from schemas.errors import BrokerError
from stream import watchdog
from stream.diagnosis import RefusedError
from stream.health import Health, State, Vitals
from stream.watchdog import StalledError, Watchdog


class World:
    """A worker and its broker, made up; time moves by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.vitals = Vitals(is_member=True, done=0, in_flight=0, lag=0, answered_s=0.0)
        self.trouble: Exception | None = None
        self.back: list[str] = []
        self.ended: list[StalledError] = []
        self.health = Health(120.0, 0.0)
        self.dog = Watchdog(
            self.health,
            lambda: self.vitals,
            self._probe,
            self.ended.append,
            start_over=self._start_over,
            now_s=lambda: self.now_s,
        )

    async def _probe(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    async def _start_over(self) -> list[str]:
        return self.back

    async def pass_s(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1.0
            await self.dog.step()

    def stand_still(self) -> None:
        """Something to do, and no answer from here on."""
        self.vitals = Vitals(
            is_member=True, done=1, in_flight=3, lag=9, answered_s=self.vitals.answered_s
        )

    def move(self, done: int) -> None:
        self.vitals = Vitals(
            is_member=True, done=done, in_flight=0, lag=0, answered_s=self.now_s + 1
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_a_broker_that_is_away_is_waited_for_without_end(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.move(1)
    await world.pass_s(1)
    world.stand_still()
    world.trouble = BrokerError("no answer from the broker at there:9092")
    with caplog.at_level(logging.INFO, "stream.watchdog"):
        await world.pass_s(3_600)
    assert world.health.report(world.now_s).state is State.WAITING
    assert not world.ended
    lines = [record for record in caplog.records if record.message == "worker.waiting"]
    assert 5 < len(lines) < 40, "some lines an hour, each with the reason"
    assert {vars(record)["why"] for record in lines} == {str(world.trouble)}


async def test_it_says_when_all_is_well_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.move(1)
    await world.pass_s(1)
    world.stand_still()
    world.trouble = BrokerError("away")
    await world.pass_s(30)
    with caplog.at_level(logging.INFO, "stream.watchdog"):
        world.trouble = None
        world.move(2)
        await world.pass_s(1)
    told = [record.message for record in caplog.records]
    assert told == ["worker.waiting", "worker.waiting", "worker.ready"]


async def test_standing_still_beside_a_broker_that_is_well_ends_the_worker(world: World) -> None:
    world.move(1)
    await world.pass_s(1)
    world.stand_still()
    await world.pass_s(118)
    assert not world.ended
    await world.pass_s(10)
    (error,) = world.ended
    assert "nothing has moved for 120 s" in str(error)
    assert not world.health.report(world.now_s).is_live


async def test_after_the_broker_is_back_a_worker_has_as_long_as_ever(world: World) -> None:
    world.move(1)
    await world.pass_s(1)
    world.stand_still()
    world.trouble = BrokerError("away")
    await world.pass_s(1_000)
    world.trouble = None
    await world.pass_s(60)
    assert not world.ended
    for done in range(2, 300):
        world.move(done)
        await world.pass_s(1)
    assert not world.ended


async def test_a_refused_login_ends_the_worker_for_a_new_one_reads_the_password_again(
    world: World,
) -> None:
    world.move(1)
    await world.pass_s(1)
    world.stand_still()
    world.trouble = RefusedError("the broker at there:9092 refuses the login of cleaner")
    await world.pass_s(40)
    assert [str(error) for error in world.ended] == [str(world.trouble)]


async def test_partitions_that_start_over_end_the_worker_at_once(world: World) -> None:
    world.back = ["nashra.pages.v1/3"]
    await world.pass_s(2)
    (error,) = world.ended
    assert "nashra.pages.v1/3 ends before what was read of it" in str(error)


async def test_a_probe_that_gets_no_answer_is_an_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PROBE_S", 0.01)

    async def frozen() -> None:
        await asyncio.sleep(60)

    world.dog = Watchdog(
        world.health,
        lambda: world.vitals,
        frozen,
        world.ended.append,
        now_s=lambda: world.now_s,
    )
    world.stand_still()
    await world.pass_s(200)
    assert not world.ended
    assert "does not answer" in str(world.health.report(world.now_s).why)


async def test_a_stopping_worker_is_left_alone(world: World) -> None:
    world.health.stop()
    world.stand_still()
    await world.pass_s(500)
    assert not world.ended


def bare(world: World, partitions: int = 0) -> None:
    """Nothing to do, and the broker answers."""
    world.vitals = Vitals(
        is_member=True,
        done=1,
        in_flight=0,
        lag=0,
        answered_s=world.now_s + 1_000,
        partitions=partitions,
    )


async def test_a_worker_too_many_waits_for_its_turn(world: World) -> None:
    bare(world)
    await world.pass_s(600)
    assert not world.ended


async def test_a_worker_whose_topic_was_made_again_is_ended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bare(world)
    world.trouble = BrokerError("missing on the broker: nashra.pages.v1")
    with caplog.at_level(logging.WARNING):
        await world.pass_s(100)
    assert [record.message for record in caplog.records] == ["worker.waiting"], "once"
    assert not world.ended
    world.trouble = None
    await world.pass_s(11)
    assert len(world.ended) == 1
    assert "there again" in str(world.ended[0])
