"""What is seen of a Faust worker, on a made-up one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from stream.faust_compat import InWork
from stream.vitals import Eye

CLOCK_S = 1_000_000.0


class TP(NamedTuple):
    topic: str
    partition: int


PLACE = TP("nashra.pages.v1", 3)


class Message:
    acked = False

    def __init__(self, offset: int) -> None:
        self.tp = PLACE
        self.offset = offset


def place(*, highwater: int | None, position: int, answered_s: float | None) -> Any:
    stamp = None if answered_s is None else int(answered_s * 1000)
    return SimpleNamespace(
        highwater=highwater, position=position, has_valid_position=True, timestamp=stamp
    )


@pytest.fixture
def app() -> Any:
    """A worker with one partition: 10 read of 12, 7 committed; the last answer is 2 s old."""
    state = place(highwater=12, position=10, answered_s=CLOCK_S - 2.0)
    assignment = SimpleNamespace(tps={PLACE}, state_value={PLACE: state}.get, active=True)
    client = SimpleNamespace(
        _subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)),
        _coordinator=SimpleNamespace(coordinator_id=1),
    )
    in_work = InWork()
    for offset in range(7, 10):
        in_work.add(Message(offset))
    done: list[dict[TP, int]] = []

    async def commit(offsets: dict[TP, int]) -> None:
        done.append(offsets)

    consumer = SimpleNamespace(
        _thread=SimpleNamespace(_consumer=client, commit=commit),
        _committed_offset={PLACE: 7},
        _read_offset={PLACE: 9},
        _unacked_messages=in_work,
        assignment=lambda: {PLACE},
    )
    return SimpleNamespace(
        consumer=consumer,
        rebalancing=False,
        runner=SimpleNamespace(in_flight=3),
        state=state,
        done=done,
    )


def eye(app: Any) -> Eye:
    return Eye(app, now_s=lambda: 100.0, clock_s=lambda: CLOCK_S)


def test_what_a_working_worker_shows(app: Any) -> None:
    app.consumer._committed_offset = {}
    seen = eye(app).look()
    assert (seen.is_member, seen.in_flight, seen.lag) == (True, 3, 2)
    assert seen.answered_s == pytest.approx(98.0)


def test_a_commit_that_went_on_is_progress_and_one_that_did_not_is_none(app: Any) -> None:
    watching = eye(app)
    first = watching.look().done
    assert watching.look().done == first
    app.consumer._committed_offset = {PLACE: 8}
    assert watching.look().done == first + 1


def test_what_is_done_and_not_committed_is_lag(app: Any) -> None:
    app.state.position = 12
    for offset in range(7, 10):
        app.consumer._unacked_messages.discard(
            next(one for one in app.consumer._unacked_messages if one.offset == offset)
        )
    assert eye(app).look().lag == 3


def test_a_worker_between_assignments_has_no_place(app: Any) -> None:
    app.rebalancing = True
    assert not eye(app).look().is_member


async def test_a_worker_that_has_not_started_shows_nothing(app: Any) -> None:
    app.consumer._thread = None
    seen = eye(app).look()
    assert (seen.is_member, seen.answered_s) == (False, None)
    assert await eye(app).start_over() == []


async def test_a_partition_that_ends_before_what_was_read_is_to_be_read_from_its_beginning(
    app: Any,
) -> None:
    app.state.highwater = 9  # 9 may also be the next offset, after a seek
    assert await eye(app).start_over() == []
    app.state.highwater = 8
    assert await eye(app).start_over() == ["nashra.pages.v1/3"]
    assert app.done == [{PLACE: 0}]
    assert app.consumer._unacked_messages.position(PLACE) is None


async def test_a_partition_that_is_read_again_from_its_beginning_starts_over(app: Any) -> None:
    app.state.highwater, app.state.position = 40, 3  # aiokafka went there by itself
    assert await eye(app).start_over() == ["nashra.pages.v1/3"]
