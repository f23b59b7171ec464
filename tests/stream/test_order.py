"""Order within a key, tries again without blocking others, and bounds on what is in flight."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from schemas.errors import TransientError
from schemas.topics import DEAD_LETTERS
from stream.hooks import Limits
from stream.retry import RetryPolicy
from stream.stage import Message, Result, Retry, Stage
from tests.stream.fakes import FakeProducer, echo, message, stage
from tests.stream.runner_kit import QUICK, FakeProcessor, handle, runner, settle, until
from tests.stream.test_runner import LetterReader


def keyed(key: str, number: int, **changes: object) -> Message:
    """The value is the key and the number within it."""
    return message(f"{key}:{number}".encode(), key=key.encode(), offset=number, **changes)


def by_key(producer: FakeProducer) -> dict[bytes, list[int]]:
    numbers: dict[bytes, list[int]] = defaultdict(list)
    for _, value in producer.acked:
        key, _, number = (value or b"").partition(b":")
        numbers[key].append(int(number))
    return dict(numbers)


class Moody:
    """A stage that fails for a while: each message some tries first, given by chance."""

    def __init__(self, chance: random.Random, most: int) -> None:
        self._chance, self._most = chance, most
        self._left: dict[bytes, int] = {}

    def __call__(self, given: Message) -> Result:
        value = given.value or b""
        left = self._left.setdefault(value, self._chance.randint(0, self._most))
        if left:
            self._left[value] -= 1
            raise TransientError("not yet")
        return echo(given)


@pytest.mark.parametrize("seed", range(5))
async def test_a_key_keeps_its_order_under_delays_and_failures_by_chance(seed: int) -> None:
    chance = random.Random(seed)
    producer = FakeProducer()
    given = stage(Moody(chance, most=2))
    slow = FakeProcessor(given, room=4, delay_s=lambda: chance.random() / 200)
    limits = Limits(retry=RetryPolicy(attempts=5, within_s=9.0, first_s=0.005))
    made, engine = runner(producer, processor=slow, limits=limits)
    keys = [chance.choice("abcdefgh") for _ in range(120)]
    await handle(made, [keyed(key, number) for number, key in enumerate(keys)])
    wanted: dict[bytes, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        wanted[key.encode()].append(number)
    assert by_key(producer) == wanted
    assert sorted(engine.released, key=int) == list(range(120))  # type: ignore[call-overload]
    assert engine.released != list(range(120)), "keys were to overtake"
    assert slow.most <= 4


async def test_a_message_that_waits_for_its_next_try_holds_back_its_key_alone() -> None:
    failing = {b"a:0"}

    def fn(given: Message) -> Result:
        return Retry("the gazetteer is away") if given.value in failing else echo(given)

    producer = FakeProducer()
    slow_to_retry = Limits(retry=RetryPolicy(attempts=9, within_s=60.0, first_s=1.0))
    made, engine = runner(producer, stage(fn), limits=slow_to_retry)
    for number, key in enumerate("abab"):
        await made.take(keyed(key, number // 2), number)
    await until(lambda: len(engine.released) == 2)
    assert by_key(producer) == {b"b": [0, 1]}
    assert engine.released == [1, 3]
    failing.clear()
    await settle(made)
    assert by_key(producer) == {b"a": [0, 1], b"b": [0, 1]}


async def test_after_the_last_try_it_is_a_dead_letter_and_the_key_goes_on() -> None:
    def fn(given: Message) -> Result:
        return Retry("never", "lookup") if given.value == b"a:0" else echo(given)

    producer = LetterReader()
    made, engine = runner(producer, stage(fn))
    await handle(made, [keyed("a", 0), keyed("a", 1)])
    assert producer.letters == [("gave-up", "lookup", str(QUICK.attempts))]
    assert [value for _, value in producer.acked] == [b"a:0", b"a:1"]
    assert producer.acked[0][0] == DEAD_LETTERS.name
    assert engine.released == [0, 1]


async def test_a_failure_after_tries_counts_them_all() -> None:
    tries: list[int] = []

    def fn(given: Message) -> Result:
        tries.append(1)
        if len(tries) == 1:
            raise TransientError("once")
        raise ZeroDivisionError

    producer = LetterReader()
    made, _ = runner(producer, stage(fn))
    await handle(made, [keyed("a", 0)])
    assert [attempts for *_, attempts in producer.letters if attempts] == ["2"]


@pytest.mark.parametrize(
    "limits",
    [Limits(messages=10, retry=QUICK), Limits(size_bytes=30, retry=QUICK)],
    ids=["messages", "bytes"],
)
async def test_fetching_stops_at_the_limit_and_goes_on_at_half(limits: Limits) -> None:
    gate = asyncio.Event()
    slow = Gated(stage(), gate)
    made, engine = runner(FakeProducer(), processor=slow, limits=limits)
    for number in range(9):
        await made.take(keyed("k", number), number)
    assert engine.pressure == []
    await made.take(keyed("k", 9), 9)
    assert engine.pressure == [True]
    await made.take(keyed("k", 10), 10)
    assert engine.pressure == [True, True], "told again: a rebalance may have made it forget"
    gate.set()
    await settle(made)
    assert engine.pressure[-1] is False
    assert engine.pressure.count(False) == 1


async def test_messages_without_a_key_wait_for_nobody() -> None:
    slow = FakeProcessor(stage(), delay_s=lambda: 0.01)
    made, _ = runner(FakeProducer(), processor=slow)
    await handle(made, [message(b"x", key=None, offset=number) for number in range(5)])
    assert slow.most == 5


class Gated(FakeProcessor):
    """Answers when the gate opens."""

    def __init__(self, given: Stage, gate: asyncio.Event) -> None:
        super().__init__(given)
        self._gate = gate

    async def _run(self, request: bytes) -> bytes:
        await self._gate.wait()
        return await super()._run(request)  # type: ignore[return-value]


def test_back_off_doubles_and_ends_by_tries_and_by_time() -> None:
    policy = RetryPolicy(attempts=5, within_s=10.0, first_s=1.0)
    for failures, longest_s in ((1, 1.0), (2, 2.0), (3, 4.0)):
        delay_s = policy.delay_s(failures, 0.0)
        assert delay_s is not None
        assert longest_s / 2 <= delay_s <= longest_s
    assert policy.delay_s(5, 0.0) is None, "that was the fifth try"
    assert policy.delay_s(4, 9.0) is None, "8 s more would be too late"
