"""The pool: each bad page costs itself and no other, whatever it does to its process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.errors import PoolError, Reason
from schemas.topics import CLEAN
from stream import slot
from stream.config import PoolConfig
from stream.pool import Pool
from stream.slot import Lost, Work
from stream.stage import Dead, Publish, Retry
from stream.wire import decode_reply, encode_request
from tests.stream.fakes import message
from tests.stream.pool_stages import FACTORY

TOPICS = {CLEAN.name: CLEAN}


@asynccontextmanager
async def pool(
    *, marker: Path | None = None, factory: str = FACTORY, **changes: float
) -> AsyncIterator[Pool]:
    arguments = {"marker": str(marker)} if factory == FACTORY else {}
    limits = {"task_timeout_s": 0.5, "memory_mb": 256, **changes}
    made = Pool(Work(factory=factory, arguments=arguments), PoolConfig(**limits))  # type: ignore[arg-type]
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def fates(given: Pool, values: Sequence[bytes]) -> list[object]:
    """What becomes of each value: itself if it was published, else the result."""
    answers = await asyncio.gather(
        *(given.submit(encode_request(message(value), None)) for value in values)
    )
    results = [
        each if isinstance(each, Lost) else decode_reply(each, TOPICS).result for each in answers
    ]
    return [each.outs[0].value if isinstance(each, Publish) else each for each in results]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("deed", [b"hang", b"hang_in_c"])
async def test_a_page_that_hangs_is_lost_by_name_and_its_neighbours_go_on(deed: bytes) -> None:
    async with pool() as given:
        before, lost, *after = await fates(given, [b"one", deed, b"two", b"three"])
    assert [before, *after] == [b"one", b"two", b"three"]
    assert lost == Lost(Reason.TIMED_OUT, "not done within 0.5 s (pool.task_timeout_s)", 1)


@pytest.mark.parametrize(("deed", "end"), [(b"leave", "exit code 0"), (b"crash", "SIGSEGV")])
async def test_a_page_that_ends_its_process_is_tried_twice(deed: bytes, end: str) -> None:
    async with pool() as given:
        before, lost, after = await fates(given, [b"one", deed, b"two"])
    assert [before, after] == [b"one", b"two"]
    assert lost == Lost(Reason.WORKER_DIED, f"its process ended at it 2 times ({end})", 2)


async def test_a_page_that_met_an_accident_passes_at_its_second_try(tmp_path: Path) -> None:
    async with pool(marker=tmp_path / "once") as given:
        assert await fates(given, [b"leave_once", b"two"]) == [b"leave_once", b"two"]


async def test_a_page_that_eats_memory_is_dead_and_its_process_replaced() -> None:
    async with pool(task_timeout_s=20) as given:
        (first,) = given.pids
        before, dead, after = await fates(given, [b"one", b"eat", b"two"])
        assert given.pids != [first]
    assert [before, after] == [b"one", b"two"]
    assert isinstance(dead, Dead)
    assert dead.reason is Reason.OUT_OF_MEMORY


async def test_an_exception_a_print_and_a_failure_that_may_pass_keep_the_process() -> None:
    async with pool() as given:
        pids = given.pids
        boom, later, talk = await fates(given, [b"boom", b"later", b"talk"])
        assert given.pids == pids
    assert boom == Dead(Reason.STEP_FAILED, "RuntimeError: boom")
    assert later == Retry("not now")
    assert talk == b"talk"


async def test_what_is_no_result_is_a_dead_letter() -> None:
    async with pool(factory="tests.stream.pool_stages:not_a_result") as given:
        (dead,) = await fates(given, [b"x"])
    assert isinstance(dead, Dead)
    assert dead.reason is Reason.STEP_FAILED
    assert "a object" in dead.message


async def test_processes_are_replaced_after_their_tasks_without_a_loss() -> None:
    async with pool(tasks_per_process=3) as given:
        (first,) = given.pids
        values = [b"%d" % number for number in range(10)]
        assert await fates(given, values) == values
        assert given.pids != [first]
        assert is_gone(first)


async def test_a_process_killed_while_idle_is_replaced() -> None:
    async with pool() as given:
        (first,) = given.pids
        os.kill(first, signal.SIGKILL)
        assert await fates(given, [b"one"]) == [b"one"]


async def test_two_processes_work_side_by_side() -> None:
    async with pool(processes=2, task_timeout_s=5) as given:
        assert len(set(given.pids)) == 2
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        await fates(given, [b"doze:0.5", b"doze:0.5"])
        assert loop.time() - started_s < 0.95


async def test_stop_leaves_no_process_behind_not_even_a_busy_one() -> None:
    async with pool(processes=2, task_timeout_s=60) as given:
        pids = given.pids
        answer = given.submit(encode_request(message(b"hang"), None))
        await asyncio.sleep(0.05)
    assert len(pids) == 2
    assert all(map(is_gone, pids))
    assert not answer.done()


async def test_ctrl_c_and_sigterm_are_the_parents_business() -> None:
    async with pool() as given:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(given.pids[0], number)
        pids = given.pids
        assert await fates(given, [b"one"]) == [b"one"]
        assert given.pids == pids


async def test_a_stage_that_cannot_be_made_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slot, "STARTS", 2)
    with pytest.raises(PoolError, match=r"pool_stages:unusable\) did not start 2 times \(exit"):
        async with pool(factory="tests.stream.pool_stages:unusable"):
            pass


async def test_a_pool_that_cannot_go_on_answers_with_its_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with pool(marker=tmp_path / "once") as given:
        monkeypatch.setattr(slot.sys, "executable", str(tmp_path / "no-python"))
        answer = given.submit(encode_request(message(b"leave_once"), None))
        with pytest.raises(PoolError, match="cannot be started"):
            await answer
        with pytest.raises(PoolError, match="cannot be started"):
            await given.submit(encode_request(message(b"one"), None))
