"""State: changelog first, then the disk; what the disk lacks or got wrong is read back."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from schemas.errors import StateError
from schemas.state import POLLS
from stream.changelog import Change, Place
from stream.delivery import DeliveryStoppedError
from stream.statetables import NotOwnedError
from tests.support.state_kit import HOSTS_TABLE, POLLS_TABLE, Setup, failures, poll, put, reopened

PLACE = Place(POLLS.name, 0)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path / "state")


async def test_a_committed_value_survives_a_restart_without_reading_it_back(setup: Setup) -> None:
    state = await setup.ready()
    for number in range(10):
        await put(state, b"a", number)
    state = await reopened(setup, state)
    assert failures(state, b"a") == 9
    assert setup.changelog.records_read == 1, "only the last one, to know the changelog again"
    await state.close()


async def test_a_value_is_read_before_its_commit_and_gone_when_released(setup: Setup) -> None:
    state = await setup.ready()
    state.table(POLLS_TABLE).put(0, b"a", poll("f", 1))
    assert failures(state, b"a") == 1
    assert setup.changelog.logs == {}
    await state.release([0])
    await state.own([0])
    assert failures(state, b"a") is None
    await state.close()


async def test_a_failed_changelog_leaves_the_disk_alone_and_the_change_pending(
    setup: Setup,
) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    setup.changelog.error = DeliveryStoppedError("no broker")
    with pytest.raises(DeliveryStoppedError):
        await put(state, b"a", 2)
    assert failures(state, b"a") == 2
    assert state.owned(0).db.get(POLLS.name, b"a") == setup.changelog.live(PLACE)[b"a"]
    assert await state.commit() == 1
    state = await reopened(setup, state)
    assert failures(state, b"a") == 2
    await state.close()


async def test_a_change_made_during_a_commit_waits_for_the_next(setup: Setup) -> None:
    state = await setup.ready()
    table = state.table(POLLS_TABLE)
    table.put(0, b"a", poll("f", 1))
    committing = asyncio.create_task(state.commit())
    await asyncio.sleep(0)
    table.put(0, b"a", poll("f", 2))
    assert failures(state, b"a") == 2
    assert await committing == 1
    assert failures(state, b"a") == 2
    assert await state.commit() == 1
    await state.close()


async def test_many_changes_of_a_key_are_one_record(setup: Setup) -> None:
    state = await setup.ready()
    for number in range(5):
        state.table(POLLS_TABLE).put(0, b"a", poll("f", number))
    assert await state.commit() == 1
    assert await state.commit() == 0
    await state.close()


async def test_a_deleted_key_is_a_tombstone(setup: Setup) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    state.table(POLLS_TABLE).delete(0, b"a")
    assert failures(state, b"a") is None
    await state.commit()
    assert setup.changelog.logs[PLACE][-1] == Change(PLACE, b"a", None)
    state = await reopened(setup, state)
    assert failures(state, b"a") is None
    await state.close()


async def test_items_are_the_disk_under_what_is_pending(setup: Setup) -> None:
    state = await setup.ready()
    for key in (b"a", b"b", b"c"):
        await put(state, key, 1)
    table = state.table(POLLS_TABLE)
    table.put(0, b"b", poll("f", 2))
    table.delete(0, b"c")
    table.put(0, b"d", poll("f", 4))
    found = {key: value.failures for key, value in table.items(0)}
    assert found == {b"a": 1, b"b": 2, b"d": 4}
    assert list(state.table(HOSTS_TABLE).items(0)) == []
    await state.close()


async def test_partitions_are_apart(setup: Setup) -> None:
    state = await setup.ready(0, 1)
    await put(state, b"a", 1, partition=1)
    assert failures(state, b"a", partition=0) is None
    await state.release([1])
    assert state.partitions == {0}
    with pytest.raises(NotOwnedError, match="partition 1"):
        failures(state, b"a", partition=1)
    await state.close()


async def test_a_value_of_a_later_version_is_none_and_said(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.changelog.write(Change(PLACE, b"a", b'{"schema":"feed-poll/2.0"}'))
    state = await setup.ready()
    assert failures(state, b"a") is None
    assert "state.unreadable" in caplog.text
    await state.close()


async def test_own_that_fails_leaves_nothing_open(setup: Setup) -> None:
    setup.folder.mkdir()
    (setup.folder / "p00001").write_text("no folder")
    state = setup.state()
    with pytest.raises(StateError, match="p00001: the state folder cannot be used"):
        await state.own([0, 1])
    assert state.partitions == frozenset()
    await state.own([0])
    await state.close()


async def test_ready_waits_while_state_is_made_ready(setup: Setup) -> None:
    state = setup.state()
    assert not await state.ready(0)
    owning = asyncio.create_task(state.own([0]))
    state.own([1]).close()  # expected from the call on
    waiting = [asyncio.create_task(state.ready(number)) for number in (0, 1)]
    await owning
    assert await waiting[0]
    assert not waiting[1].done()
    await state.release([1])
    assert not await waiting[1]
    await state.close()


@pytest.mark.parametrize("seed", range(3))
async def test_state_is_as_a_dict_whatever_happens(setup: Setup, seed: int) -> None:
    dice = random.Random(seed)
    state = await setup.ready()
    model: dict[bytes, int] = {}
    for number in range(120):
        key = b"%d" % dice.randrange(12)
        if dice.random() < 0.3:
            state.table(POLLS_TABLE).delete(0, key)
            model.pop(key, None)
        else:
            state.table(POLLS_TABLE).put(0, key, poll("f", number))
            model[key] = number
        if dice.random() < 0.2:
            setup.changelog.error = DeliveryStoppedError("no broker")
            with pytest.raises(DeliveryStoppedError):
                await state.commit()
        await state.commit()
        if dice.random() < 0.1:
            await state.close()
            if dice.random() < 0.5:
                shutil.rmtree(setup.folder)
                setup.changelog.compact(PLACE)
            state = await setup.ready()
        found = {key: value.failures for key, value in state.table(POLLS_TABLE).items(0)}
        assert found == model
    await state.close()
