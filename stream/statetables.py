"""Tables of state: typed values over one partition's folder and its changes in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from schemas.codec import decode, encode
from schemas.errors import DecodeError, StateError
from schemas.topics import Topic
from stream.changelog import Change
from stream.recovery import TimeOf
from stream.statedb import Batch, PartitionDb, Position

log = logging.getLogger(__name__)

R = TypeVar("R")


class NotOwnedError(StateError):
    """State of a partition that this worker does not own (any more)."""


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[R]):
    """A table.

    Attributes:
        topic: Its changelog; its name is the table's name.
        record: Type of the values.
        time_of: When a value counts from; ``None``: values do not age. Only a table with it can
            be a :class:`~stream.seenwindow.SeenWindow`.
    """

    topic: Topic
    record: type[R]
    time_of: Callable[[R], datetime] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as stored; ``data`` ``None``: removed. ``at_ms``: its time, where values age."""

    data: bytes | None
    at_ms: int | None = None


Key = tuple[str, bytes]
"""Table name and key."""


@dataclass(slots=True)
class Owned:
    """One partition.

    Attributes:
        db: Its folder.
        positions: How far each table's changelog has been taken over.
        pending: Changes not yet committed.
        flying: Changes that are being committed.
        outdated: Index entries to remove with the next commit: table, ms, key.
        counts: Keys of each table whose values age, pending ones too.
        floors: Where the index by time of such a table begins: ms, key.
        with_holes: Tables in whose changelog somebody else wrote meanwhile.
    """

    db: PartitionDb
    positions: dict[str, Position]
    counts: dict[str, int]
    floors: dict[str, tuple[int, bytes]]
    pending: dict[Key, Cell] = field(default_factory=dict)
    flying: dict[Key, Cell] = field(default_factory=dict)
    outdated: list[tuple[str, int, bytes]] = field(default_factory=list)
    with_holes: set[str] = field(default_factory=set)

    def get(self, table: str, key: bytes) -> bytes | None:
        """The newest value, committed or not."""
        place = (table, key)
        cell = self.pending.get(place) or self.flying.get(place)
        return self.db.get(table, key) if cell is None else cell.data

    def advance(self, logged: Iterable[tuple[int, Change]]) -> None:
        """Move the positions over changes of our own, given with their offsets, in any order.

        At a hole somebody else wrote: the position stays before it, so that the next owner reads
        all from there in the changelog's order.
        """
        for offset, change in sorted(logged, key=lambda pair: pair[0]):
            table = change.place.topic
            position = self.positions[table]
            if offset == position.next_offset and table not in self.with_holes:
                self.positions[table] = Position(offset + 1, change.checksum, position.saved_at_ms)
            elif table not in self.with_holes:
                self.with_holes.add(table)
                log.warning("state.foreign_write", extra={"table": table, "offset": offset - 1})

    def stamp(self, batch: Batch, now_ms: int) -> None:
        """Write the positions; those that are up to date, as of now."""
        for table in self.positions:
            if table not in self.with_holes:
                self.positions[table] = replace(self.positions[table], saved_at_ms=now_ms)
            batch.move(table, self.positions[table])

    def keep_pending(self) -> None:
        """What could not be committed is pending again, under what came after it."""
        self.pending = {**self.flying, **self.pending}
        self.flying = {}


class Table(Generic[R]):
    """A table of a :class:`~stream.state.State`: typed values by partition and key."""

    def __init__(self, owned: Callable[[int], Owned], spec: TableSpec[R]) -> None:
        """Take over a description; ``owned`` gives a partition that is ready."""
        self._owned = owned
        self.name = spec.topic.name
        self._spec = spec

    def get(self, partition: int, key: bytes) -> R | None:
        """The newest value; ``None``: there is none, or none that this version can read.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        return self._decoded(self._owned(partition).get(self.name, key))

    def put(self, partition: int, key: bytes, value: R) -> None:
        """Set a value; it is kept with the next commit.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        at_ms = None if self._spec.time_of is None else self.at_ms(value)
        cell = Cell(encode(value), at_ms)
        self._owned(partition).pending[self.name, key] = cell

    def delete(self, partition: int, key: bytes) -> None:
        """Remove a value with the next commit.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        self._owned(partition).pending[self.name, key] = Cell(None)

    def at_ms(self, value: R) -> int:
        """The time of a value, ms since 1970; 0 where values do not age."""
        time_of = self._spec.time_of
        return 0 if time_of is None else as_ms(time_of(value))

    def items(self, partition: int) -> Iterator[tuple[bytes, R]]:
        """All keys and values, in no order that may be relied on.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        owned = self._owned(partition)
        changed = {**owned.flying, **owned.pending}
        changed = {place: cell for place, cell in changed.items() if place[0] == self.name}
        for (_, key), cell in changed.items():
            value = self._decoded(cell.data)
            if value is not None:
                yield key, value
        for key, data in owned.db.items(self.name):
            if (self.name, key) not in changed:
                value = self._decoded(data)
                if value is not None:
                    yield key, value

    def _decoded(self, data: bytes | None) -> R | None:
        if data is None:
            return None
        try:
            return decode(self._spec.record, data)
        except DecodeError as error:
            log.warning("state.unreadable", extra={"table": self.name, "why": str(error)})
            return None


def time_reader(spec: TableSpec[Any]) -> TimeOf | None:
    """Reads the time out of a stored value; ``None``: values do not age."""
    time_of = spec.time_of
    if time_of is None:
        return None

    def read(data: bytes) -> int | None:
        try:
            return as_ms(time_of(decode(spec.record, data)))
        except DecodeError:
            return 0  # unreadable: as old as can be, so that it goes

    return read


def as_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)
