"""What the disk lacks or got wrong is read back from the changelog."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import pytest

from schemas.state import POLLS, TOMBSTONES_KEPT_S
from stream.changelog import Change, Place
from tests.support.state_kit import POLLS_TABLE, Setup, asides, failures, put, reopened

PLACE = Place(POLLS.name, 0)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path / "state")


async def test_a_lost_disk_is_read_back(setup: Setup) -> None:
    state = await setup.ready()
    for number in range(20):
        await put(state, b"%d" % (number % 7), number)
    await state.close()
    setup.changelog.compact(PLACE)
    shutil.rmtree(setup.folder)
    state = await setup.ready()
    found = {key: value.failures for key, value in state.table(POLLS_TABLE).items(0)}
    assert found == {b"%d" % (number % 7): number for number in range(13, 20)}
    await state.close()


async def test_only_what_is_new_is_read_back(setup: Setup) -> None:
    state = await setup.ready()
    for number in range(20):
        await put(state, b"a", number)
    await state.close()
    other = Setup(setup.folder.with_name("other"))
    other.changelog = setup.changelog
    state = await other.ready()
    await put(state, b"a", 20)
    await state.close()
    setup.changelog.records_read = 0
    state = await setup.ready()
    assert failures(state, b"a") == 20
    assert setup.changelog.records_read == 2
    await state.close()


async def test_state_newer_than_the_broker_is_put_aside_and_built_anew(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    state = await setup.ready()
    for number in range(5):
        await put(state, b"%d" % number, number)
    await state.close()
    del setup.changelog.logs[PLACE][2:]  # the broker was restored from an older backup
    with caplog.at_level(logging.WARNING):
        state = await setup.ready()
    assert [failures(state, b"%d" % number) for number in range(5)] == [0, 1, None, None, None]
    (said,) = (vars(each) for each in caplog.records if each.message == "state.put_aside")
    assert "newer than the broker's data" in said["why"]
    assert [str(each) for each in asides(setup)] == [said["kept_as"]]
    await put(state, b"a", 7)
    state = await reopened(setup, state)
    assert failures(state, b"a") == 7
    await state.close()


async def test_a_changelog_made_anew_is_known_though_it_is_as_long(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    state = await setup.ready()
    for number in range(5):
        await put(state, b"%d" % number, number)
    await state.close()
    other = Change(PLACE, b"x", setup.changelog.live(PLACE)[b"4"])
    setup.changelog.logs[PLACE] = [other] * 8
    state = await setup.ready()
    assert [key for key, _ in state.table(POLLS_TABLE).items(0)] == [b"x"]
    assert "another changelog" in next(str(vars(each).get("why", "")) for each in caplog.records)
    await state.close()


async def test_a_folder_that_may_have_missed_deletions_is_built_anew(setup: Setup) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    await put(state, b"b", 1)
    await state.close()
    setup.changelog.write(Change(PLACE, b"a", None))
    setup.changelog.write(Change(PLACE, b"c", setup.changelog.live(PLACE)[b"b"]))
    setup.changelog.compact(PLACE)  # the tombstone is gone
    setup.clock.turn(seconds=TOMBSTONES_KEPT_S + 1)
    state = await setup.ready()
    assert sorted(key for key, _ in state.table(POLLS_TABLE).items(0)) == [b"b", b"c"]
    await state.close()


async def test_a_table_that_was_quiet_for_long_is_not_taken_for_old(setup: Setup) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    setup.clock.turn(seconds=TOMBSTONES_KEPT_S + 1)
    await state.close()  # it was up to date until now
    value = setup.changelog.live(PLACE)[b"a"]
    setup.changelog.write(Change(PLACE, b"b", value))
    state = await setup.ready()
    assert failures(state, b"b") == 1
    assert asides(setup) == []
    await state.close()


async def test_an_old_folder_that_misses_nothing_is_kept(setup: Setup) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    setup.clock.turn(seconds=TOMBSTONES_KEPT_S + 1)
    state = await reopened(setup, state)
    assert failures(state, b"a") == 1
    assert asides(setup) == []
    await state.close()


async def test_what_another_wrote_in_between_is_taken_over_in_the_changelogs_order(
    setup: Setup,
) -> None:
    state = await setup.ready()
    await put(state, b"a", 1)
    late = setup.changelog.live(PLACE)[b"a"].replace(b'"failures":1', b'"failures":6')
    setup.changelog.write(Change(PLACE, b"late", late))
    await put(state, b"b", 2)
    state = await reopened(setup, state)
    assert failures(state, b"late") == 6
    assert failures(state, b"b") == 2
    await state.close()


async def test_the_last_two_folders_put_aside_are_kept(setup: Setup) -> None:
    for _ in range(4):
        state = await setup.ready()
        await put(state, b"a", 1)
        await state.close()
        setup.changelog.logs.clear()
        setup.clock.turn(seconds=1)
    state = await setup.ready()
    assert len(asides(setup)) == 2
    await state.close()


async def test_what_is_released_while_it_is_read_back_is_left_and_goes_on_later(
    setup: Setup,
) -> None:
    state = await setup.ready(0, 1)
    for number in range(30):
        await put(state, b"%d" % number, number)
        await put(state, b"%d" % number, number, partition=1)
    await state.close()
    shutil.rmtree(setup.folder)
    setup.changelog.records_read = 0
    state = setup.state()
    setup.changelog.on_chunk = lambda: releases.append(asyncio.ensure_future(state.release([0])))
    releases: list[asyncio.Future[None]] = []
    await state.own([0, 1])
    await asyncio.gather(*releases)
    assert state.partitions == {1}
    assert failures(state, b"29", partition=1) == 29
    await state.own([0])
    assert failures(state, b"29") == 29
    await state.close()
