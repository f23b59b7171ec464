"""The event loop stays free while large pages go through the pool."""

from __future__ import annotations

import asyncio

from stream.config import PoolConfig
from stream.pool import Pool
from stream.runner import Runner
from stream.slot import Work
from tests.stream.fakes import NOW, FakeProducer, deliverer, message, stage
from tests.stream.pool_stages import FACTORY
from tests.stream.runner_kit import settle

LARGE = b"x" * (2 << 20)
LONGEST_S = 0.1


async def longest_pause_s(done: asyncio.Event) -> float:
    """The longest time that a task which only wants to sleep had to wait for the loop."""
    loop = asyncio.get_running_loop()
    longest_s, last_s = 0.0, loop.time()
    while not done.is_set():
        await asyncio.sleep(0.005)
        now_s = loop.time()
        longest_s, last_s = max(longest_s, now_s - last_s), now_s
    return longest_s


async def test_pages_of_two_mebibytes_never_block_the_loop_for_long() -> None:
    pool = Pool(Work(factory=FACTORY), PoolConfig())
    await pool.start()
    producer = FakeProducer()
    runner = Runner(stage(), deliverer(producer), pool, lambda: NOW)
    done = asyncio.Event()
    watch = asyncio.ensure_future(longest_pause_s(done))
    for number in range(20):
        await runner.take(message(LARGE, key=b"%d" % number, offset=number))
    await settle(runner)
    done.set()
    assert len(producer.acked) == 20
    assert await watch < LONGEST_S
    await runner.stop()
