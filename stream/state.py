"""State that survives: tables on the local disk, each change first acknowledged by a changelog.

A worker *owns* partitions: those that its consumer group gave it. It reads and writes the state of
these alone::

    await state.own(partitions)          # opens, and reads back what the disk lacks
    polls = state.table(POLLS_TABLE)
    polls.put(partition, b"feed-1", FeedPollState(...))
    await state.commit()                 # changelog, acknowledged; then the disk
    await state.release(partitions)      # when they are revoked

Order matters: outputs first, then ``commit``, then the source's acknowledgement. A crash between
them repeats work and loses nothing. The disk never holds what the changelog lacks. Why these are
no Faust tables: docs/decisions/008.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import StateError
from stream.changelog import Change, Changelog, Place
from stream.recovery import Recovery, RecoveryInterruptedError
from stream.statedb import (
    Batch,
    DamagedStateError,
    PartitionDb,
    StateMemory,
    open_patiently,
)
from stream.statetables import NotOwnedError, Owned, Table, TableSpec, as_ms, time_reader

log = logging.getLogger(__name__)

R = TypeVar("R")

LOCK_WAIT_S = 10.0
"""How long to wait for a folder that the process before us is still closing."""


class State:
    """All tables of one app."""

    def __init__(
        self,
        specs: Sequence[TableSpec[Any]],
        *,
        folder: Path,
        changelog: Changelog,
        clock: Callable[[], datetime],
        lock_wait_s: float = LOCK_WAIT_S,
    ) -> None:
        """Prepare; nothing is opened before :meth:`own`.

        Args:
            specs: The tables.
            folder: Where the folders of the partitions lie; one worker process each.
            changelog: Where changes go first.
            clock: Now, aware UTC.
            lock_wait_s: How long to wait for a folder that another process has open.
        """
        self.clock = clock
        self.before_commit: list[Callable[[], None]] = []
        self._specs = {spec.topic.name: spec for spec in specs}
        self._folder = folder
        self._changelog = changelog
        self._lock_wait_s = lock_wait_s
        self._memory = StateMemory()
        self._owned: dict[int, Owned] = {}
        self._expected: set[int] = set()
        self._being_made: frozenset[int] = frozenset()
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        times = {spec.topic.name: time_reader(spec) for spec in specs}
        self._recovery = Recovery(changelog, times, clock)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions whose state is ready. A timer works for these alone."""
        return frozenset(self._owned)

    def table(self, spec: TableSpec[R]) -> Table[R]:
        """A table by its description.

        Raises:
            KeyError: It is none of this state's tables.
        """
        return Table(self.owned, self._specs[spec.topic.name])

    def own(self, partitions: Collection[int]) -> Coroutine[Any, Any, None]:
        """Make the state of these partitions ready; of those that are, nothing is done.

        What the disk lacks is read back from the changelog; a folder that cannot be trusted is put
        aside and built anew. From the call on :meth:`ready` waits for them; those released while
        they are made ready are left out.

        Raises:
            StateError: A folder cannot be used; says why.
            DeliveryStoppedError: The process stops meanwhile.
        """
        self._expected |= set(partitions)
        return self._own(frozenset(partitions))

    async def ready(self, partition: int) -> bool:
        """Wait until a partition's state is ready; ``False``: it is not (any more) to be."""
        while partition in self._expected and partition not in self._owned:
            await self._changed.wait()
        return partition in self._owned

    async def release(self, partitions: Collection[int]) -> None:
        """Let go of partitions after a commit in flight; what is not committed is dropped."""
        self._expected -= set(partitions)
        if self._being_made & set(partitions):
            self._recovery.is_interrupted = True
        async with self._lock:
            leaving = [self._owned.pop(number, None) for number in set(partitions)]
            await asyncio.to_thread(self._leave, [each for each in leaving if each is not None])
            self._tell()

    async def close(self) -> None:
        """Release all and disconnect."""
        await self.release(self._expected | self._owned.keys())
        await self._changelog.stop()

    async def commit(self) -> int:
        """Write all changes to the changelog, wait for it, then write them to the disk.

        Returns:
            How many changes there were.

        Raises:
            DeliveryStoppedError: The process stops and Kafka does not take them.
            StateError: The disk is full or broken; Kafka has the changes.
        """
        async with self._lock:
            for prepare in self.before_commit:
                prepare()
            for owned in self._owned.values():
                owned.flying, owned.pending = owned.pending, {}
            try:
                return await self._commit_flying()
            finally:
                for owned in self._owned.values():
                    owned.keep_pending()

    def owned(self, partition: int) -> Owned:
        """A partition that is ready.

        Raises:
            NotOwnedError: It is not.
        """
        try:
            return self._owned[partition]
        except KeyError:
            raise NotOwnedError(f"partition {partition} is not this worker's") from None

    async def _own(self, partitions: frozenset[int]) -> None:
        async with self._lock:
            while missing := sorted((partitions & self._expected) - self._owned.keys()):
                started = time.monotonic()
                self._being_made = frozenset(missing)
                try:
                    self._owned |= await self._make_ready(missing)
                except RecoveryInterruptedError:
                    continue  # some were released meanwhile; what was read of all is kept
                except DamagedStateError as error:
                    log.warning("state.damaged", extra={"why": str(error)})
                    self._owned |= await self._make_ready(missing)  # marked: built anew
                finally:
                    self._being_made = frozenset()
                    self._recovery.is_interrupted = False
                took_s = round(time.monotonic() - started, 2)
                log.info("state.ready", extra={"partitions": missing, "took_s": took_s})
            self._tell()

    def _tell(self) -> None:
        """Wake those who wait in :meth:`ready`."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _make_ready(self, partitions: Sequence[int]) -> dict[int, Owned]:
        """Open folders and bring them up to date; all or none stay open."""
        opened: dict[int, PartitionDb] = {}
        ready: dict[int, Owned] = {}
        try:
            for number in partitions:
                opened[number] = await self._open(number)
            recovered = await self._recovery.recover(opened, self._open)
            for number, (positions, counts) in recovered.items():
                floors = dict.fromkeys(counts, (0, b""))
                ready[number] = Owned(opened[number], positions, counts, floors)
        finally:
            await self._changelog.stop_reading()
            if not ready:
                await asyncio.to_thread(_close_all, list(opened.values()))
        return ready

    async def _commit_flying(self) -> int:
        changes = [
            Change(Place(table, number), key, cell.data)
            for number, owned in self._owned.items()
            for (table, key), cell in owned.flying.items()
        ]
        offsets = await self._changelog.append(changes) if changes else []
        logged: dict[int, list[tuple[int, Change]]] = {}
        for offset, change in zip(offsets, changes, strict=True):
            logged.setdefault(change.place.partition, []).append((offset, change))
        for number, owned in self._owned.items():
            if number in logged or owned.outdated:
                batch = self._batch(owned, logged.get(number, []))
                await asyncio.to_thread(owned.db.write, batch)
                owned.flying = {}
        return len(changes)

    def _batch(self, owned: Owned, logged: list[tuple[int, Change]]) -> Batch:
        batch = Batch()
        for (table, key), cell in owned.flying.items():
            if cell.data is None:
                batch.delete(table, key)
            else:
                batch.put(table, key, cell.data, cell.at_ms)
                if cell.at_ms is not None:
                    owned.floors[table] = min(owned.floors[table], (cell.at_ms, key))
        for table, at_ms, key in owned.outdated:
            batch.forget_time(table, at_ms, key)
        owned.outdated = []
        owned.advance(logged)
        owned.stamp(batch, as_ms(self.clock()))
        return batch

    def _leave(self, leaving: Sequence[Owned]) -> None:
        """Note that the folders were up to date until now, and close them."""
        for owned in leaving:
            batch = Batch()
            owned.stamp(batch, as_ms(self.clock()))
            try:
                owned.db.write(batch)
            except StateError as error:
                log.warning("state.not_stamped", extra={"why": str(error)})
            owned.db.close()

    async def _open(self, number: int) -> PartitionDb:
        folder = self._folder / f"p{number:05}"
        return await asyncio.to_thread(self._recovery.open, folder, self._opener)

    def _opener(self, folder: Path) -> PartitionDb:
        return open_patiently(folder, self._memory, self._lock_wait_s)


def _close_all(folders: Sequence[PartitionDb]) -> None:
    for folder in folders:
        folder.close()
