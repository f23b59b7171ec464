"""What Faust 0.15.3 does wrong with offsets and tables, put right by subclassing; nothing else.

Each workaround bears the number of its upstream issue. ``tests/e2e/test_faust_traps.py`` shows the
defect on Faust as it comes: the day a test there fails, the workaround that it names can go.

- A (faust-streaming/faust#596): a table's recovery lets records through before it seeks.
- B (faust-streaming/faust#606, #707): a commit passes messages that are still in work.
- C (faust-streaming/faust#502): a revoke or a stop forgets what was done since the last commit.
- D (faust-streaming/faust#611): a commit that failed counts as made; one that hangs, hangs a stop.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterable, Iterator, MutableSet
from typing import Any

with warnings.catch_warnings():
    # Faust's own imports use old names of its dependencies; nothing that we could change.
    warnings.simplefilter("ignore", DeprecationWarning)
    import faust
    from faust.tables.manager import TableManager as FaustTableManager
    from faust.tables.recovery import Recovery as FaustRecovery
    from faust.transport.drivers import aiokafka as driver

from schemas.errors import ConfigError
from stream.kafka import FallingBackProducer
from stream.patience import with_pauses

log = logging.getLogger(__name__)

FAUST_VERSION = "0.15.3"
"""The only version that these were written and tested for."""

DRAIN_S = 20.0
"""How long a revoke or a stop waits for messages in work; what remains comes again elsewhere."""

COMMIT_S = 5.0
"""How long one commit, or the farewell to the group, may take; the broker may be away."""

FETCH_MIN_BYTES, FETCH_WAIT_MS = 256 * 1024, 200
"""The broker answers a fetch when it has so much, or after so long."""

_STEP_S = 0.05

_FAUST_LOG = logging.getLogger("faust.nashra")
"""For what Faust's own code says in our subclasses: as quiet as the rest of Faust."""


def install(app: Any, *, idempotent: bool) -> None:
    """Give an app our transport, before it is started.

    Args:
        app: The Faust app; its settings must name :class:`TableManager` if it has tables.
        idempotent: Whether Faust's own producer (changelogs of tables) is idempotent.

    Raises:
        ConfigError: Another version of Faust is installed.
    """
    check_version(faust.__version__)
    app.transport = Transport(app.conf.broker_consumer, app)
    app.transport.idempotent = idempotent


def check_version(version: str) -> None:
    """Refuse a Faust that the workarounds were not tested with.

    Raises:
        ConfigError: Says what to do.
    """
    if version != FAUST_VERSION:
        raise ConfigError(
            f"faust-streaming {version} is installed, and stream/faust_compat.py was tested with "
            f"{FAUST_VERSION} only: install that one (uv sync), or run "
            "tests/e2e/test_faust_traps.py on the new one and change FAUST_VERSION"
        )


class InWork(MutableSet[Any]):
    """The messages that agents have taken and not acknowledged, by partition and offset.

    Stands in for Faust's ``WeakSet``, which forgets a message that nobody refers to any more,
    acknowledged or not.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[Any, dict[int, Any]] = {}
        self._next: dict[Any, int] = {}

    def add(self, value: Any) -> None:
        """Note that a message was taken; one read again takes the place of the older one."""
        self._held.setdefault(value.tp, {})[value.offset] = value
        self._next[value.tp] = max(value.offset + 1, self._next.get(value.tp, 0))

    def discard(self, value: Any) -> None:
        """Note that it was acknowledged; one of an earlier assignment changes nothing."""
        held, offset = self._held.get(value.tp, {}), value.offset
        if held.get(offset) is value:
            del held[offset]

    def let_go(self, messages: Iterable[Any]) -> None:
        """Wait no longer for these, which will not be finished here; never commit past them."""
        for message in messages:
            held, offset = self._held.get(message.tp, {}), message.offset
            if held.get(offset) is message:
                held[offset] = None

    def forget(self, partitions: Iterable[Any]) -> None:
        """Drop all that is known of partitions that were revoked."""
        for tp in partitions:
            self._held.pop(tp, None)
            self._next.pop(tp, None)

    def position(self, tp: Any) -> int | None:
        """Where a commit may go: the first offset in work, else the one after the last taken.

        ``None``: nothing was taken from this partition.
        """
        held = self._held.get(tp, {})
        for offset, message in list(held.items()):
            if message is not None and message.acked:  # discarded by Faust but for odd cases
                del held[offset]
        return min(held, default=self._next.get(tp))

    def __contains__(self, value: object) -> bool:
        return any(value is message for message in self)

    def __iter__(self) -> Iterator[Any]:
        every = (message for held in self._held.values() for message in held.values())
        return iter([message for message in every if message is not None and not message.acked])

    def __len__(self) -> int:
        return len(list(iter(self)))


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread; a broker that is away does not keep it for ever."""

    logger = _FAUST_LOG

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        with_pauses(consumer._client)  # noqa: SLF001 - no public name
        return consumer

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Let the broker gather records for a moment: a fetch for each one costs more than it."""
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = FETCH_MIN_BYTES  # noqa: SLF001 - Faust has no setting for it
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - as above
        return consumer

    async def _commit(self, offsets: Any) -> bool:
        """D: aiokafka tries until the broker is back, and a stop would wait for that."""
        try:
            return bool(await asyncio.wait_for(super()._commit(offsets), COMMIT_S))
        except TimeoutError:
            log.warning("consumer.not_committed", extra={"waited_s": COMMIT_S})
            return False

    async def on_thread_stop(self) -> None:
        """Leave the group, if the broker is there to hear it."""
        leaving = asyncio.ensure_future(super().on_thread_stop())
        await asyncio.wait({leaving}, timeout=COMMIT_S)
        # aiokafka cancels its own task where the broker is gone: then it is done, and cancelled.
        if not leaving.done() or leaving.cancelled() or leaving.exception() is not None:
            leaving.cancel()
            log.warning("consumer.left_silently")


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer with commits that never pass a message in work."""

    logger = _FAUST_LOG

    def __init__(self, *args: Any, **options: Any) -> None:
        """As Faust's."""
        super().__init__(*args, **options)
        self._unacked_messages = InWork()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def let_go(self, messages: Iterable[Any]) -> None:
        """See :meth:`InWork.let_go`."""
        self._unacked_messages.let_go(messages)

    def _new_offset(self, tp: Any) -> int | None:
        """B: Faust takes a hole of one offset for compaction, and any hole before a commit."""
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._unacked_messages.position(tp)

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        """B: offsets that do not exist are never in work; Faust counts the one after as done."""

    async def _commit_offsets(self, offsets: Any, **options: Any) -> bool:
        """D: what was not committed is tried again at the next interval."""
        before = {tp: self._committed_offset[tp] for tp in offsets}
        is_done = bool(await super()._commit_offsets(offsets, **options))
        if not is_done:
            self._committed_offset.update(before)
        return is_done

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """C: finish and commit first, forget after."""
        # Faust stops the flow only where there are partitions: a worker that had none would let
        # records through before its first seek, and lose them.
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        client = self._thread._consumer  # noqa: SLF001 - no public name
        if client is not None and client._coordinator.generation < 0:  # noqa: SLF001 - as above
            # The group went on without us: what is in work must not come after what others do.
            self._unacked_messages.forget(revoked)
        await self.wait_empty()
        self._unacked_messages.forget(revoked)
        await super().on_partitions_revoked(revoked)

    async def wait_empty(self) -> None:
        """C: wait for what is in work, within a limit, then commit all that is done."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        while self._unacked_messages and loop.time() < deadline:
            if self.should_stop or self.app.crashed:
                break
            # An app that queues messages by itself gives back those that it has not begun.
            self.let_go(getattr(self.app, "hand_back", list)())
            await asyncio.sleep(_STEP_S)
        try:
            await asyncio.wait_for(self._commit_all(), 2 * COMMIT_S)
        except TimeoutError:  # a crash may have ended the thread that was to answer
            log.warning("consumer.not_committed", extra={"waited_s": 2 * COMMIT_S})

    async def _commit_all(self) -> None:
        """Commit once more after a commit in flight, which may not know of the latest."""
        await self.maybe_wait_for_commit_to_finish()
        await self.commit_and_end_transactions()

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        """A: without this ``wait_for_stopped_flow`` never waits; the caller sets it again."""
        self.not_waiting_next_records.clear()
        return await super()._getmany(active_partitions, timeout)


class Producer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, idempotent without transactions too (Faust has no setting for that)."""

    logger = _FAUST_LOG

    def _settings_extra(self) -> dict[str, Any]:
        extra = dict(super()._settings_extra())
        return {**extra, "enable_idempotence": True} if self.transport.idempotent else extra

    @property
    def _producer_type(self) -> type[FallingBackProducer]:
        return FallingBackProducer


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's transport with our consumer and producer.

    Attributes:
        idempotent: Whether producers are.
    """

    Consumer = Consumer
    Producer = Producer
    idempotent = False


class Recovery(FaustRecovery):  # type: ignore[misc]
    """Faust's table recovery without its race."""

    logger = _FAUST_LOG

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """A: let nothing through between the end of the recovery and the seek."""
        self.app.consumer.stop_flow()
        await self.app.consumer.wait_for_stopped_flow()
        await super().on_recovery_completed(generation_id)


class TableManager(FaustTableManager):  # type: ignore[misc]
    """Faust's table manager with our recovery."""

    logger = _FAUST_LOG

    @property
    def recovery(self) -> Recovery:
        """Made at its first use."""
        recovery: Recovery | None = self._recovery  # type: ignore[has-type]
        if recovery is None:
            recovery = self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return recovery
