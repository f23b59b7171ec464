"""Bring a partition's folder up to its changelog; put it aside where it cannot be trusted."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from schemas.errors import TransientError
from schemas.state import TOMBSTONES_KEPT_S
from stream.changelog import Bounds, Changelog, Logged, Place
from stream.statedb import Batch, DamagedStateError, PartitionDb, Position

log = logging.getLogger(__name__)

TimeOf = Callable[[bytes], "int | None"]
"""Reads a value's time (ms since 1970) for the index."""

KEPT_ASIDE = 2
"""How many folders put aside are kept for each partition; older ones are removed."""

_SAY_EVERY_S = 5.0
_MS = 1000

Open = Callable[[int], Awaitable[PartitionDb]]


class RecoveryInterruptedError(TransientError):
    """Partitions were taken away while their state was read back; what was read is kept."""


class Recovered(NamedTuple):
    """A partition that is up to date: positions by table, and keys of tables that age."""

    positions: dict[str, Position]
    counts: dict[str, int]


class Recovery:
    """Takes over changelogs.

    Attributes:
        is_interrupted: Set to end a reading back soon.
    """

    def __init__(
        self,
        changelog: Changelog,
        tables: Mapping[str, TimeOf | None],
        clock: Callable[[], datetime],
    ) -> None:
        """Prepare.

        Args:
            changelog: Where to read.
            tables: Changelog topics, and how to read a value's time where values age.
            clock: Now, aware UTC.
        """
        self._changelog = changelog
        self._tables = tables
        self._clock = clock
        self.is_interrupted = False

    def open(self, folder: Path, opener: Callable[[Path], PartitionDb]) -> PartitionDb:
        """Open a folder; one that is damaged is put aside. Blocks: call it in a thread."""
        try:
            return opener(folder)
        except DamagedStateError as error:
            put_aside(folder, str(error), self._clock())
            return opener(folder)

    async def recover(self, opened: dict[int, PartitionDb], reopen: Open) -> dict[int, Recovered]:
        """Bring folders up to date.

        Args:
            opened: Folder of each partition; one that cannot be trusted is replaced in it.
            reopen: Opens a partition's folder anew.

        Returns:
            What is known of each partition.
        """
        places = [Place(table, number) for number in opened for table in self._tables]
        bounds = await self._changelog.bounds(places)
        positions = await asyncio.to_thread(self._positions, opened)
        distrust = await self._distrust(positions, bounds)
        for number, why in distrust.items():
            await asyncio.to_thread(opened[number].close)
            await asyncio.to_thread(put_aside, opened[number].folder, why, self._clock())
            opened[number] = await reopen(number)
        starts = {
            place: bounds[place].first
            if place.partition in distrust or known is None
            else max(known.next_offset, bounds[place].first)
            for place, known in positions.items()
        }
        checksums = {
            place: 0 if place.partition in distrust or known is None else known.checksum
            for place, known in positions.items()
        }
        checksums |= await self._read_back(opened, starts, bounds)
        return await asyncio.to_thread(self._finish, opened, bounds, checksums)

    def _positions(self, opened: Mapping[int, PartitionDb]) -> dict[Place, Position | None]:
        return {
            Place(table, number): db.position(table)
            for number, db in opened.items()
            for table in self._tables
        }

    async def _distrust(
        self, positions: Mapping[Place, Position | None], bounds: Mapping[Place, Bounds]
    ) -> dict[int, str]:
        """Partitions whose folder cannot be trusted, and why."""
        oldest_ms = int(self._clock().timestamp() * _MS) - TOMBSTONES_KEPT_S * _MS
        found: dict[int, str] = {}
        to_check: dict[Place, Position] = {}
        for place, position in positions.items():
            if position is None:
                continue
            why = _out_of_bounds(place, position, bounds[place], oldest_ms)
            if why is not None:
                found.setdefault(place.partition, why)
            elif position.next_offset > bounds[place].first:
                to_check[place] = position
        starts = {place: position.next_offset - 1 for place, position in to_check.items()}
        ends = {place: position.next_offset for place, position in to_check.items()}
        async for chunk in self._changelog.read(starts, ends):
            for offset, change in chunk:
                position = to_check[change.place]
                if offset + 1 == position.next_offset and change.checksum != position.checksum:
                    found.setdefault(change.place.partition, _other_changelog(change.place))
        return found

    async def _read_back(
        self,
        opened: Mapping[int, PartitionDb],
        starts: Mapping[Place, int],
        bounds: Mapping[Place, Bounds],
    ) -> dict[Place, int]:
        """Read from the starts to the ends; returns the checksum of each place's last record."""
        ends = {place: bounds[place].end for place in starts}
        total = sum(max(0, ends[place] - start) for place, start in starts.items())
        checksums: dict[Place, int] = {}
        done, said_at = 0, time.monotonic()
        async for chunk in self._changelog.read(starts, ends):
            if self.is_interrupted:
                raise RecoveryInterruptedError("released while state was read back")
            if not chunk:
                continue
            last = chunk[-1][1]
            db = opened[last.place.partition]
            await asyncio.to_thread(self._take_over, db, chunk)
            checksums[last.place] = last.checksum
            done += len(chunk)
            if time.monotonic() - said_at > _SAY_EVERY_S:
                said_at = time.monotonic()
                log.info("state.reading_back", extra={"records": done, "at_most": total})
        if done:
            log.info("state.read_back", extra={"records": done})
        return checksums

    def _take_over(self, db: PartitionDb, chunk: list[Logged]) -> None:
        """Write a chunk of one place, with the position it leads to, as one batch."""
        batch = Batch()
        offset, last = chunk[-1]
        table = last.place.topic
        time_of = self._tables[table]
        for _, change in chunk:
            if change.value is None:
                batch.delete(table, change.key)
            else:
                at_ms = None if time_of is None else time_of(change.value)
                batch.put(table, change.key, change.value, at_ms)
        batch.move(table, Position(offset + 1, last.checksum, self._now_ms()))
        db.write(batch, is_bulk=True)

    def _finish(
        self,
        opened: Mapping[int, PartitionDb],
        bounds: Mapping[Place, Bounds],
        checksums: Mapping[Place, int],
    ) -> dict[int, Recovered]:
        """Write the final positions; what was read back is safe on the disk only now."""
        found: dict[int, Recovered] = {}
        for number, db in opened.items():
            batch = Batch()
            recovered = found[number] = Recovered({}, {})
            for table, time_of in self._tables.items():
                place = Place(table, number)
                position = Position(bounds[place].end, checksums[place], self._now_ms())
                recovered.positions[table] = position
                batch.move(table, position)
                if time_of is not None:
                    recovered.counts[table] = db.count(table)
            db.write(batch, is_bulk=True)
            db.flush()
        return found

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * _MS)


def _out_of_bounds(place: Place, position: Position, bounds: Bounds, oldest_ms: int) -> str | None:
    """Why a position does not fit its changelog; ``None``: it does."""
    if position.next_offset > bounds.end:
        return (
            f"it is newer than the broker's data ({place.topic} partition {place.partition} ends "
            f"at offset {bounds.end}, the folder knows {position.next_offset}): the broker's data "
            "were removed or restored from a backup"
        )
    if position.next_offset < bounds.first:
        return (
            f"it is too old ({place.topic} partition {place.partition} starts at offset "
            f"{bounds.first}, the folder ends at {position.next_offset})"
        )
    if position.saved_at_ms < oldest_ms and position.next_offset < bounds.end:
        return (
            f"it is older than {TOMBSTONES_KEPT_S // 3600} h, so deletions on {place.topic} may "
            "have been missed"
        )
    return None


def _other_changelog(place: Place) -> str:
    return (
        f"it belongs to another changelog: {place.topic} partition {place.partition} was made "
        "anew, or data_dir was used with another broker"
    )


def put_aside(folder: Path, why: str, now: datetime) -> Path:
    """Rename a folder, keep the last few of them, and say so; returns the new name."""
    stamp = now.strftime("%Y%m%dT%H%M%S")
    aside = folder.with_name(f"{folder.name}.aside-{stamp}-{now.microsecond:06}")
    folder.rename(aside)
    log.warning(
        "state.put_aside",
        extra={"folder": str(folder), "kept_as": str(aside), "why": why, "next": "built anew"},
    )
    old = sorted(folder.parent.glob(f"{folder.name}.aside-*"))[:-KEPT_ASIDE]
    for each in old:
        shutil.rmtree(each, ignore_errors=True)
    return aside
