"""How a worker is, by what moves."""

from __future__ import annotations

from itertools import pairwise

from stream.health import MAX_STEP_S, PATIENCE_S, Health, State, Vitals

STALL_S = 120.0


def seen(
    now_s: float, *, done: int = 0, in_flight: int = 0, lag: int = 0, member: bool = True
) -> Vitals:
    """Vitals of a worker that the broker answers."""
    return Vitals(is_member=member, done=done, in_flight=in_flight, lag=lag, answered_s=now_s)


def silent(*, in_flight: int = 0) -> Vitals:
    """The same; the broker's last answer came at 0 s."""
    return seen(0.0, in_flight=in_flight)


def test_a_worker_is_ready_once_it_has_its_place_and_the_broker_answers() -> None:
    health = Health(STALL_S, 0.0)
    assert health.observe(seen(1.0, member=False), 1.0) is State.STARTING
    assert not health.report(1.0).is_ready
    assert health.observe(seen(2.0), 2.0) is State.READY
    assert health.report(2.0).is_ready


def test_an_idle_worker_stays_ready_as_long_as_the_broker_answers() -> None:
    health = Health(STALL_S, 0.0)
    for now_s in range(1_000):
        assert health.observe(seen(now_s), now_s) is State.READY
        assert not health.should_tell(now_s)
        assert not health.is_due(now_s)


def test_a_worker_that_works_through_a_backlog_is_ready() -> None:
    health = Health(STALL_S, 0.0)
    for now_s in range(1_000):
        vitals = seen(now_s, done=now_s // 9, in_flight=5, lag=9_000)
        health.observe(vitals, now_s)
        assert not health.is_due(now_s)
    assert health.report(999).state is State.READY


def test_a_broker_that_does_not_answer_is_waited_for() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(seen(0.0), 0.0)
    assert health.observe(silent(in_flight=1), PATIENCE_S) is State.WAITING
    report = health.report(40.0)
    assert (report.is_ready, report.is_live, report.still_s) == (False, True, 40.0)
    assert health.observe(seen(60.0, done=1), 60.0) is State.READY
    assert health.report(60.0).still_s == 0.0


def test_an_idle_worker_notices_too_that_the_broker_is_away() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(seen(0.0), 0.0)
    assert health.observe(silent(), 2 * PATIENCE_S) is State.WAITING


def test_no_progress_beside_an_answering_broker_asks_for_a_verdict() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(seen(0.0, done=1), 0.0)
    for now_s in range(1, 120):
        health.observe(seen(now_s, done=1, lag=7), now_s)
        assert not health.is_due(now_s)
    assert health.is_due(120.0)
    assert health.report(120.0).is_live
    health.condemn("no reason to wait")
    assert health.observe(seen(121.0, done=2), 121.0) is State.STALLED
    assert not health.report(121.0).is_live
    assert health.report(121.0).why == "no reason to wait"


def test_an_excuse_gives_as_long_again() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(silent(in_flight=1), 120.0)
    health.excuse("the broker is away", 120.0)
    assert not health.is_due(239.0)
    assert health.is_due(240.0)
    assert health.report(240.0).why == "the broker is away"
    health.observe(seen(241.0, done=1), 241.0)
    assert health.report(241.0).why is None


def test_a_worker_that_never_gets_its_place_is_due_too() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(seen(119.0, member=False), 119.0)
    assert not health.is_due(119.0)
    assert health.is_due(STALL_S)


def test_it_is_told_ever_more_seldom() -> None:
    health = Health(STALL_S, 0.0)
    told = [now_s for now_s in range(3_600) if health.should_tell(now_s)]
    assert told[:6] == [10, 20, 40, 80, 160, 320]
    assert {later - earlier for earlier, later in pairwise(told[5:])} == {MAX_STEP_S}


def test_a_stopping_worker_is_neither_ready_nor_to_be_ended() -> None:
    health = Health(STALL_S, 0.0)
    health.observe(seen(0.0), 0.0)
    health.stop()
    assert health.observe(silent(in_flight=1), 500.0) is State.STOPPING
    assert not health.is_due(500.0)
    assert (health.report(500.0).is_ready, health.report(500.0).is_live) == (False, True)
