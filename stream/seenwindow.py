"""Which feed entries were published already: a window bounded by time and by size.

What leaves the window is removed from the changelog too (a tombstone each), so what must be read
back after a lost disk stays as small as the window.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice

from schemas.state import SEEN, SeenEntry
from stream.state import State
from stream.statetables import Owned, TableSpec

SEEN_TABLE = TableSpec(SEEN, SeenEntry, time_of=lambda entry: entry.seen_at)

MAX_LOOKED_AT = 200
"""Most entries that one commit looks at in a partition to remove them: commits stay short."""

_REFRESH = 8
"""An unchanged entry is written again after this part of the window: 1/8."""


class SeenWindow:
    """The entries seen within ``max_age`` and at most ``max_entries`` of them in each partition.

    An entry that is too old is never answered. It is removed with a later commit of the state,
    as are those beyond ``max_entries``: :data:`MAX_LOOKED_AT` with each commit.
    """

    def __init__(self, state: State, *, max_age: timedelta, max_entries: int) -> None:
        """Take over the table; nobody else may write to it.

        Args:
            state: Has the table of :data:`SEEN_TABLE`.
            max_age: How long an entry is remembered after it was last seen in its feed.
            max_entries: Most entries of one partition; the longest unseen leave first.
        """
        self._table = state.table(SEEN_TABLE)
        self._state = state
        self._max_age = max_age
        self._max_entries = max_entries
        self._state.before_commit.append(self._remove_old)

    def get(self, partition: int, key: bytes) -> SeenEntry | None:
        """The entry as last seen; ``None``: not seen within the window. Changes nothing.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        entry = self._table.get(partition, key)
        if entry is None or entry.seen_at <= self._state.clock() - self._max_age:
            return None
        return entry

    def add(self, partition: int, key: bytes, entry: SeenEntry) -> None:
        """Remember an entry; one that is known and unchanged is written again only now and then.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        owned = self._state.owned(partition)
        known = self._table.get(partition, key)
        if known is None:
            owned.counts[self._table.name] += 1
        elif (
            entry.seen_at - known.seen_at < self._max_age / _REFRESH
            and replace(entry, seen_at=known.seen_at) == known
        ):
            return
        self._table.put(partition, key, entry)

    def count(self, partition: int) -> int:
        """How many entries the partition holds, those that are yet to be removed too.

        Raises:
            NotOwnedError: The partition is not ready.
        """
        return self._state.owned(partition).counts[self._table.name]

    def _remove_old(self) -> None:
        """Remove what is outside the window with the commit that is about to begin."""
        oldest_ms = round((self._state.clock() - self._max_age).timestamp() * 1000)
        for partition in self._state.partitions:
            self._remove_from(partition, self._state.owned(partition), oldest_ms)

    def _remove_from(self, partition: int, owned: Owned, oldest_ms: int) -> None:
        name = self._table.name
        for at_ms, key in islice(owned.db.times(name, owned.floors[name]), MAX_LOOKED_AT):
            # RocksDB is slow over what was just removed: the next search begins here.
            owned.floors[name] = (at_ms, key)
            if at_ms > oldest_ms and owned.counts[name] <= self._max_entries:
                break
            owned.outdated.append((name, at_ms, key))
            entry = self._table.get(partition, key)
            if entry is not None and self._table.at_ms(entry) == at_ms:  # else: seen again since
                self._table.delete(partition, key)
                owned.counts[name] -= 1
