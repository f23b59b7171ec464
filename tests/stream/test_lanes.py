"""Lanes: who may go, who waits, and how much there is."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from stream.lanes import Entry, Lanes
from tests.stream.fakes import message


def entry(key: str, offset: int, partition: int = 0) -> Entry:
    made = message(b"12345", key=key.encode(), offset=offset, partition=partition)
    return Entry(made, offset)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_a_key_has_one_message_in_work_and_keeps_its_order(steps: list[tuple[str, bool]]) -> None:
    lanes = Lanes(lambda: None)
    in_work: list[Entry] = []
    handed: dict[bytes | None, list[int]] = {}
    for offset, (key, is_finishing) in enumerate(steps):
        lanes.add(entry(key, offset))
        while (ready := lanes.next()) is not None:
            assert ready.message.key not in {each.message.key for each in in_work}
            handed.setdefault(ready.message.key, []).append(ready.message.offset)
            in_work.append(ready)
        if is_finishing and in_work:
            lanes.finish(in_work.pop(0))
    assert all(offsets == sorted(offsets) for offsets in handed.values())
    assert lanes.size_bytes == 5 * lanes.count


def test_what_is_not_in_work_is_taken_back_and_the_rest_stays() -> None:
    lanes = Lanes(lambda: None)
    for offset, key in enumerate("aab"):
        lanes.add(entry(key, offset))
    first = lanes.next()
    assert first is not None
    assert [each.token for each in lanes.take_back()] == [1, 2]
    assert lanes.next() is None
    assert lanes.count == 1
    lanes.finish(first)
    assert (lanes.count, lanes.size_bytes) == (0, 0)


async def test_a_held_message_is_taken_back_and_never_wakes_up() -> None:
    woken: list[int] = []
    lanes = Lanes(lambda: woken.append(1))
    lanes.add(entry("a", 0))
    held = lanes.next()
    assert held is not None
    lanes.hold(held, 0.01)
    assert lanes.next() is None
    assert lanes.take_back() == [held]
    await asyncio.sleep(0.03)
    assert not woken
    lanes.add(entry("a", 0))
    lanes.hold(lanes.next() or held, 0.0)
    await asyncio.sleep(0.01)
    assert woken
    assert lanes.next() is not None


def test_a_revoked_partition_is_gone_and_its_late_answers_change_nothing() -> None:
    lanes = Lanes(lambda: None)
    for offset, partition in enumerate((0, 1)):
        lanes.add(entry("a", offset, partition))
    gone, kept = lanes.next(), lanes.next()
    assert gone is not None
    assert kept is not None
    lanes.drop([0])
    assert (gone.is_dropped, kept.is_dropped) == (True, False)
    again = entry("a", 0)
    lanes.add(again)
    lanes.finish(gone)
    assert lanes.next() is again, "read again after the partition came back"
    assert lanes.count == 2
