"""Each workaround beside Faust as it comes.

A test on ``stock`` shows the defect. Once it fails, Faust is cured: remove the workaround it names.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import faust
    from faust.tables.recovery import Recovery as StockRecovery
    from faust.types import TP
    from faust.types.tuples import ConsumerMessage

from schemas.errors import ConfigError
from stream import faust_compat
from stream.faust_compat import InWork, Recovery, check_version, install

A, B = TP("pages", 0), TP("pages", 1)


def message(offset: int, tp: TP = A) -> ConsumerMessage:
    made = ConsumerMessage(tp.topic, tp.partition, offset, 0.0, 0, {}, b"k", b"v", None, tp=tp)
    made.incref()
    return made


class Rig:
    """A consumer that no thread feeds: messages are taken by hand, commits are noted."""

    def __init__(self, *, ours: bool) -> None:
        self.app = faust.App("rig", broker="aiokafka://127.0.0.1:1", store="memory://")
        if ours:
            install(self.app, idempotent=False)
        self.app.topics._acking_topics.add(A.topic)
        self.consumer: Any = self.app.consumer
        self.committed: dict[TP, int] = {}
        self.refusals = 0
        self.consumer.assignment = lambda: {A, B}
        self.consumer._commit = self._commit
        self.consumer._on_partitions_revoked = self._revoked
        self.app.producer.flush = self._flushed

    def close(self) -> None:
        self.consumer._thread.thread_loop.close()

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        self.committed.update(offsets)
        return True

    async def _revoked(self, revoked: set[TP]) -> None:
        await self.consumer.wait_empty()  # as faust.App does

    async def _flushed(self) -> None:
        """There is nothing to flush."""

    def take(self, *offsets: int, tp: TP = A) -> list[ConsumerMessage]:
        taken = [message(offset, tp) for offset in offsets]
        for each in taken:
            self.consumer.track_message(each)
        return taken

    def done(self, *messages: ConsumerMessage) -> None:
        for each in messages:
            each.ack(self.consumer)


@pytest_asyncio.fixture
async def ours() -> AsyncIterator[Rig]:
    rig = Rig(ours=True)
    yield rig
    rig.close()


@pytest_asyncio.fixture
async def stock() -> AsyncIterator[Rig]:
    rig = Rig(ours=False)
    yield rig
    rig.close()


def cured(letter: str) -> str:
    return f"Faust no longer does this: remove workaround {letter} from stream/faust_compat.py"


async def test_b_stock_commits_past_a_message_in_work(stock: Rig) -> None:
    first, *others = stock.take(*range(10))
    stock.done(*others)
    await stock.consumer.commit()
    assert stock.committed == {A: 10}, cured("B")
    assert not first.acked


async def test_b_a_commit_stops_at_the_first_message_in_work(ours: Rig) -> None:
    taken = ours.take(*range(10))
    other = ours.take(5, 6, tp=B)
    ours.done(*taken[:3], *taken[4:], *other)
    for _ in range(2):
        await ours.consumer.commit()
        assert ours.committed == {A: 3, B: 7}
    ours.done(taken[3])
    await ours.consumer.commit()
    assert ours.committed == {A: 10, B: 7}


async def test_b_offsets_that_do_not_exist_hold_nothing_back(ours: Rig, stock: Rig) -> None:
    for rig in (ours, stock):
        before, after, last = rig.take(0, 5, 6)
        await rig.consumer._add_gap(A, 1, 5)
        rig.done(before, last)
        await rig.consumer.commit()
        assert not after.acked
    assert stock.committed == {A: 7}, cured("B")
    assert ours.committed == {A: 5}


@given(st.permutations(range(30)), st.integers(0, 30))
def test_b_no_order_of_acknowledgements_passes_a_message_in_work(
    order: list[int], until: int
) -> None:
    work, taken = InWork(), [message(100 + 3 * number) for number in range(30)]
    for each in taken:
        work.add(each)
    assert work.position(A) == 100
    for number in order[:until]:
        taken[number].acked = True
        if number % 2:  # Faust does not discard each one
            work.discard(taken[number])
    left = [each.offset for each in taken if not each.acked]
    assert work.position(A) == (min(left) if left else 100 + 3 * 29 + 1)
    assert len(work) == len(left)


async def test_b_a_late_acknowledgement_of_an_earlier_assignment_counts_for_nothing(
    ours: Rig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faust_compat, "DRAIN_S", 0.1)
    *old, done = ours.take(7, 8, 9)
    ours.done(done)
    await ours.consumer.on_partitions_revoked({A, B})
    assert ours.committed == {A: 7}, "held at the revoke: not committed"
    new = ours.take(7, 8)
    ours.done(*old, new[1])
    await ours.consumer.commit()
    assert ours.committed == {A: 7}
    ours.done(new[0])
    await ours.consumer.commit()
    assert ours.committed == {A: 9}


async def test_b_nothing_is_committed_for_partitions_that_went_away(ours: Rig) -> None:
    ours.done(*ours.take(0, 1))
    held = ours.take(0, 1, tp=B)
    ours.consumer.let_go(held)
    await ours.consumer.on_partitions_revoked({A, B})
    ours.committed.clear()
    ours.consumer.assignment = lambda: {A}
    ours.done(*held)
    await ours.consumer.commit()
    assert ours.committed == {}


async def test_c_stock_forgets_at_a_revoke_what_was_done(stock: Rig) -> None:
    stock.done(*stock.take(*range(100)))
    await stock.consumer.on_partitions_revoked({A, B})
    assert stock.committed == {}, cured("C")


async def test_c_a_revoke_waits_for_messages_in_work_and_commits_them(ours: Rig) -> None:
    taken = ours.take(*range(100))
    ours.done(*taken[1:])
    asyncio.get_running_loop().call_later(0.1, ours.done, taken[0])
    await ours.consumer.on_partitions_revoked({A, B})
    assert ours.committed == {A: 100}
    assert not ours.consumer.flow_active, "nothing may come through before the next seek"


async def test_c_what_is_let_go_is_not_waited_for_and_never_passed(ours: Rig) -> None:
    taken = ours.take(*range(5))
    ours.done(taken[0], *taken[2:])
    ours.consumer.let_go([taken[1]])
    await asyncio.wait_for(ours.consumer.wait_empty(), 5)
    assert ours.committed == {A: 1}


async def test_c_the_last_commit_follows_one_in_flight(ours: Rig) -> None:
    may_end = asyncio.Event()
    first, second = ours.take(0, 1)

    async def slow(offsets: dict[TP, int]) -> bool:
        await may_end.wait()
        return await ours._commit(offsets)

    ours.consumer._commit = slow
    ours.done(first)
    running = asyncio.ensure_future(ours.consumer.commit())
    await asyncio.sleep(0)
    ours.done(second)
    asyncio.get_running_loop().call_later(0.05, may_end.set)
    await ours.consumer.wait_empty()
    assert ours.committed == {A: 2}
    await running


async def test_d_a_commit_ends_though_the_broker_is_away(
    ours: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(faust_compat, "COMMIT_S", 0.05)
    thread = ours.consumer._thread
    thread._consumer = SimpleNamespace(
        assignment=lambda: {A}, commit=lambda _: asyncio.Event().wait()
    )
    assert not await thread._commit({A: 1})
    assert "consumer.not_committed" in caplog.messages


async def test_d_a_commit_that_failed_is_made_again(ours: Rig, stock: Rig) -> None:
    for rig in (ours, stock):
        rig.refusals = 1
        rig.done(*rig.take(0, 1))
        await rig.consumer.commit()
        assert rig.committed == {}
        await rig.consumer.commit()
    assert ours.committed == {A: 2}
    assert stock.committed == {}, cured("D")


async def test_a_the_flow_is_stopped_when_partitions_are_resumed(ours: Rig, stock: Rig) -> None:
    assert await _flow_at_resume(stock, StockRecovery), cured("A")
    assert not await _flow_at_resume(ours, Recovery)


async def _flow_at_resume(rig: Rig, kind: type[Any]) -> bool:
    """Whether records come through between the resume and the seek."""
    flows: list[bool] = []
    rig.consumer.resume_partitions = lambda _: flows.append(rig.consumer.flow_active)
    rig.consumer.perform_seek = rig._flushed
    rig.app._fetcher = SimpleNamespace(maybe_start=rig._flushed)
    rig.app.assignor.assigned_standbys = set
    recovery = kind(rig.app, rig.app.tables)
    rig.app.on_rebalance_start()
    rig.app.consumer_generation_id = 1
    await recovery.on_recovery_completed(1)
    assert rig.consumer.flow_active
    return flows[0]


async def test_a_stopping_the_flow_waits_for_the_fetch_on_its_way(ours: Rig, stock: Rig) -> None:
    async def waits(rig: Rig) -> bool:
        records = asyncio.Event()

        async def fetch(*_: object) -> dict[TP, list[object]]:
            await records.wait()
            return {}

        rig.consumer._thread.getmany = fetch
        rig.consumer._set_active_tps({A})
        fetching = asyncio.ensure_future(rig.consumer._wait_next_records(1.0))
        await asyncio.sleep(0)
        rig.consumer.stop_flow()
        stopped = asyncio.ensure_future(rig.consumer.wait_for_stopped_flow())
        await asyncio.sleep(0.01)
        is_waiting = not stopped.done()
        records.set()
        await asyncio.gather(fetching, stopped)
        return is_waiting

    assert not await waits(stock), cured("A (_getmany)")
    assert await waits(ours)


def test_another_faust_is_refused() -> None:
    check_version(faust.__version__)
    with pytest.raises(ConfigError, match=r"0\.15\.3 only"):
        check_version("0.16.0")


async def test_an_idempotent_app_makes_idempotent_producers(ours: Rig) -> None:
    assert ours.app.producer._settings_extra() == {}
    ours.app.transport.idempotent = True
    assert ours.app.producer._settings_extra() == {"enable_idempotence": True}
