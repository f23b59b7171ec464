"""The window of seen entries: bounded by time and size, on the disk and in the changelog."""

from __future__ import annotations

import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schemas.state import SEEN, SeenEntry
from stream import seenwindow
from stream.changelog import Place
from stream.seenwindow import SeenWindow
from stream.state import State
from tests.support.state_kit import Setup

PLACE = Place(SEEN.name, 0)
DAY = timedelta(days=1)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path / "state")


def window(state: State, max_entries: int = 100) -> SeenWindow:
    return SeenWindow(state, max_age=DAY, max_entries=max_entries)


def entry(seen_at: datetime, digest: str = "d") -> SeenEntry:
    return SeenEntry(digest=digest, seen_at=seen_at)


async def add(setup: Setup, state: State, seen: SeenWindow, *keys: bytes) -> None:
    for key in keys:
        seen.add(0, key, entry(setup.clock.now))
    await state.commit()


async def test_an_entry_is_known_until_it_is_too_old(setup: Setup) -> None:
    state = await setup.ready()
    seen = window(state)
    assert seen.get(0, b"a") is None
    await add(setup, state, seen, b"a")
    setup.clock.turn(hours=23, minutes=59)
    assert seen.get(0, b"a") is not None
    setup.clock.turn(minutes=1)
    assert seen.get(0, b"a") is None, "before it is removed, too"
    await state.close()


async def test_what_is_too_old_leaves_disk_and_changelog(setup: Setup) -> None:
    state = await setup.ready()
    seen = window(state)
    await add(setup, state, seen, b"a", b"b")
    setup.clock.turn(hours=20)
    await add(setup, state, seen, b"c")
    setup.clock.turn(hours=10)
    await state.commit()
    assert setup.changelog.live(PLACE).keys() == {b"c"}
    assert [key for key, _ in state.owned(0).db.items(SEEN.name)] == [b"c"]
    assert list(state.owned(0).db.times(SEEN.name, (0, b""))) != []
    assert seen.count(0) == 1
    setup.changelog.compact(PLACE)
    await state.close()
    shutil.rmtree(setup.folder)
    state = await setup.ready()
    assert setup.changelog.records_read <= 2, "what is read back is as small as the window"
    await state.close()


async def test_no_more_than_so_many_and_the_longest_unseen_leave(setup: Setup) -> None:
    state = await setup.ready()
    seen = window(state, max_entries=3)
    for key in (b"a", b"b", b"c", b"d", b"e"):
        setup.clock.turn(seconds=1)
        await add(setup, state, seen, key)
    await state.commit()
    assert seen.count(0) == 3
    assert setup.changelog.live(PLACE).keys() == {b"c", b"d", b"e"}
    await state.close()


async def test_an_entry_that_is_seen_again_stays(setup: Setup) -> None:
    state = await setup.ready()
    seen = window(state)
    await add(setup, state, seen, b"a")
    for _ in range(10):
        setup.clock.turn(hours=12)
        assert seen.get(0, b"a") is not None
        await add(setup, state, seen, b"a")
    assert seen.count(0) == 1
    assert len(list(state.owned(0).db.times(SEEN.name, (0, b"")))) <= 2
    setup.clock.turn(hours=25)
    await state.commit()
    assert setup.changelog.live(PLACE) == {}
    await state.close()


async def test_an_unchanged_entry_is_written_now_and_then_a_changed_one_at_once(
    setup: Setup,
) -> None:
    state = await setup.ready()
    seen = window(state)
    await add(setup, state, seen, b"a")
    setup.clock.turn(minutes=10)
    await add(setup, state, seen, b"a")
    assert len(setup.changelog.logs[PLACE]) == 1
    seen.add(0, b"a", entry(setup.clock.now, digest="other"))
    await state.commit()
    assert len(setup.changelog.logs[PLACE]) == 2
    found = seen.get(0, b"a")
    assert found is not None
    assert found.digest == "other"
    assert seen.count(0) == 1
    await state.close()


async def test_the_window_goes_on_expiring_after_a_restart_and_a_lost_disk(setup: Setup) -> None:
    for is_lost in (False, True):
        state = await setup.ready()
        await add(setup, state, window(state), b"a", b"b")
        await state.close()
        if is_lost:
            shutil.rmtree(setup.folder)
        setup.clock.turn(hours=25)
        state = await setup.ready()
        seen = window(state)
        assert seen.count(0) == 2
        await state.commit()
        assert seen.count(0) == 0
        assert setup.changelog.live(PLACE) == {}
        await state.close()


async def test_an_entry_with_an_earlier_time_is_not_overlooked(setup: Setup) -> None:
    state = await setup.ready()
    seen = window(state)
    await add(setup, state, seen, b"a")
    setup.clock.turn(hours=25)
    await add(setup, state, seen, b"b")  # removes a: the search now begins behind it
    seen.add(0, b"late", entry(setup.clock.now - timedelta(hours=30)))
    await state.commit()
    assert seen.get(0, b"late") is None
    await state.commit()
    assert setup.changelog.live(PLACE).keys() == {b"b"}
    await state.close()


async def test_one_commit_removes_only_so_many(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seenwindow, "MAX_LOOKED_AT", 4)
    state = await setup.ready()
    seen = window(state)
    await add(setup, state, seen, *(b"%d" % number for number in range(10)))
    setup.clock.turn(hours=25)
    left = []
    for _ in range(4):
        await state.commit()
        left.append(seen.count(0))
    assert left[0] == 6
    assert left[-1] == 0
    await state.close()


@pytest.mark.parametrize("seed", range(3))
async def test_the_window_is_as_its_definition(setup: Setup, seed: int) -> None:
    dice = random.Random(seed)
    state = await setup.ready()
    seen = window(state, max_entries=8)
    last_seen: dict[bytes, datetime] = {}
    for _ in range(150):
        setup.clock.turn(hours=dice.choice([0, 1, 1, 4]))
        key = b"%d" % dice.randrange(20)
        before = seen.get(0, key)
        alive = {k for k, at in last_seen.items() if at > setup.clock.now - DAY}
        assert (before is None) or (key in alive)
        seen.add(0, key, entry(setup.clock.now))
        known = seen.get(0, key)
        assert known is not None
        last_seen[key] = known.seen_at
        await state.commit()
        await state.commit()
        assert seen.count(0) <= 8
        if dice.random() < 0.1:
            await state.close()
            if dice.random() < 0.5:
                shutil.rmtree(setup.folder)
            state = await setup.ready()
            seen = window(state, max_entries=8)
        newest = sorted(last_seen, key=lambda k: last_seen[k])[-4:]
        fresh = [k for k in newest if last_seen[k] > setup.clock.now - DAY]
        assert all(seen.get(0, k) is not None for k in fresh), "the newest never leave"
    await state.close()
