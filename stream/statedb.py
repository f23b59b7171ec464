"""One partition's state on the local disk: RocksDB, small, and never the only copy.

All that stands here stands in the changelog topics too, so a folder that cannot be trusted is put
aside and built anew. A write and the changelog position it belongs to are one atomic batch.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rocksdict

from schemas.errors import StateError

log = logging.getLogger(__name__)

CACHE_BYTES = 16 * 1024 * 1024
WRITE_BUFFER_BYTES = 16 * 1024 * 1024
_MIB = 1024 * 1024

_VALUES, _TIMES, _POSITIONS = b"v", b"t", b"p"
"""First byte of a stored key: a value, an entry of the index by time, a changelog position."""

_TIME = struct.Struct(">q")
_POSITION = struct.Struct(">qIq")

DAMAGED = "DAMAGED"
"""File in a state folder that says: build me anew. Written when a read finds damage."""


class DamagedStateError(StateError):
    """Files are broken; the next opening builds the folder anew."""


class LockedStateError(StateError):
    """Another process has the folder open."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a changelog partition has been taken over.

    Attributes:
        next_offset: First offset not taken over.
        checksum: Of the record before it: tells another changelog of the same name.
        saved_at_ms: When this was written, ms since 1970.
    """

    next_offset: int
    checksum: int
    saved_at_ms: int


class StateMemory:
    """The memory that all partitions of a process share: block cache and write buffers."""

    def __init__(
        self, cache_bytes: int = CACHE_BYTES, write_buffer_bytes: int = WRITE_BUFFER_BYTES
    ) -> None:
        """Set the caps, in bytes; RocksDB's own defaults would be per folder."""
        self._cache = rocksdict.Cache(cache_bytes)
        self._buffers = rocksdict.WriteBufferManager(write_buffer_bytes, allow_stall=False)

    @property
    def buffered_bytes(self) -> int:
        """What is written and not yet in files."""
        return int(self._buffers.get_usage())

    @property
    def cached_bytes(self) -> int:
        """Blocks held for reading."""
        return int(self._cache.get_usage())

    def options(self) -> rocksdict.Options:
        """RocksDB's options for one folder."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_cache_index_and_filter_blocks(v=True)
        blocks.set_bloom_filter(10.0, block_based=False)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(create_if_missing=True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self._buffers)
        options.set_write_buffer_size(4 * _MIB)
        options.set_max_write_buffer_number(2)
        options.set_max_open_files(64)
        options.set_max_total_wal_size(16 * _MIB)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(_MIB)
        options.set_stats_dump_period_sec(0)
        return options


class Batch:
    """Changes that reach the disk together or not at all."""

    def __init__(self) -> None:
        """Start empty."""
        self.raw = rocksdict.WriteBatch(raw_mode=True)

    def put(self, table: str, key: bytes, value: bytes, at_ms: int | None = None) -> None:
        """Store a value; ``at_ms``: its place in the index by time, ``None``: none."""
        self.raw.put(_key(_VALUES, table, key), value)
        if at_ms is not None:
            self.raw.put(_key(_TIMES, table, _TIME.pack(at_ms) + key), b"")

    def delete(self, table: str, key: bytes) -> None:
        """Remove a value; its index entry goes when its time comes."""
        self.raw.delete(_key(_VALUES, table, key))

    def forget_time(self, table: str, at_ms: int, key: bytes) -> None:
        """Remove an index entry."""
        self.raw.delete(_key(_TIMES, table, _TIME.pack(at_ms) + key))

    def move(self, table: str, position: Position) -> None:
        """Set the changelog position that the changes lead to."""
        packed = _POSITION.pack(position.next_offset, position.checksum, position.saved_at_ms)
        self.raw.put(_key(_POSITIONS, table, b""), packed)


class PartitionDb:
    """The open folder of one partition; not for use after :meth:`close`."""

    def __init__(self, folder: Path, memory: StateMemory) -> None:
        """Open or create.

        Raises:
            LockedStateError: Another process has it open.
            DamagedStateError: Its files are broken.
            StateError: The folder cannot be used; says why.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(_cannot_use(folder, error.strerror or str(error))) from error
        if (folder / DAMAGED).exists():
            raise DamagedStateError(f"{folder}: was found damaged before")
        with _explained(folder):
            self._db = rocksdict.Rdict(str(folder), memory.options())

    def get(self, table: str, key: bytes) -> bytes | None:
        """A value; ``None``: there is none."""
        with _explained(self.folder):
            value: bytes | None = self._db.get(_key(_VALUES, table, key))
        return value

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values of a table, by key."""
        prefix = _key(_VALUES, table, b"")
        for entry in self._scan(prefix, prefix):
            yield entry.key()[len(prefix) :], entry.value()

    def count(self, table: str) -> int:
        """How many keys a table has: about 1 us for each. Call it in a thread."""
        prefix = _key(_VALUES, table, b"")
        return sum(1 for _ in self._scan(prefix, prefix))

    def times(self, table: str, after: tuple[int, bytes]) -> Iterator[tuple[int, bytes]]:
        """The index by time: (ms, key), oldest first, from ``after`` on."""
        prefix = _key(_TIMES, table, b"")
        for entry in self._scan(prefix, prefix + _TIME.pack(after[0]) + after[1]):
            time_and_key = entry.key()[len(prefix) :]
            yield _TIME.unpack_from(time_and_key)[0], time_and_key[_TIME.size :]

    def _scan(self, prefix: bytes, start: bytes) -> Iterator[rocksdict.RdictIter]:
        """Step over the stored keys with this prefix.

        Not by ``keys()`` or ``items()``: rocksdict 0.3.29 ends those silently at damage.
        """
        with _explained(self.folder):
            entry = self._db.iter()
            entry.seek(start)
            while entry.valid() and entry.key().startswith(prefix):
                yield entry
                entry.next()
            entry.status()

    def position(self, table: str) -> Position | None:
        """How far this table's changelog has been taken over; ``None``: not at all."""
        with _explained(self.folder):
            packed = self._db.get(_key(_POSITIONS, table, b""))
        return None if packed is None else Position(*_POSITION.unpack(packed))

    def write(self, batch: Batch, *, is_bulk: bool = False) -> None:
        """Write a batch; ``is_bulk``: without a log of its own, :meth:`flush` when all is in."""
        options = rocksdict.WriteOptions()
        options.disable_wal = is_bulk
        with _explained(self.folder):
            self._db.write(batch.raw, write_opt=options)

    def flush(self) -> None:
        """Bring all that was written into files."""
        with _explained(self.folder):
            self._db.flush()

    def close(self) -> None:
        """Close and unlock. Trouble is only logged: the changelog has it all."""
        try:
            with _explained(self.folder):
                self._db.close()
        except StateError as error:
            log.warning("state.not_closed", extra={"folder": str(self.folder), "why": str(error)})


def open_patiently(folder: Path, memory: StateMemory, wait_s: float) -> PartitionDb:
    """Open a folder; while another process has it, try again for ``wait_s`` seconds.

    Blocks: call it in a thread.

    Raises:
        StateError: As :class:`PartitionDb`.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return PartitionDb(folder, memory)
        except LockedStateError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.25)


def _key(kind: bytes, table: str, key: bytes) -> bytes:
    return kind + table.encode() + b"\0" + key


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """RocksDB's errors (all of type ``Exception``) as ours."""
    try:
        yield
    except StateError:
        raise
    except Exception as error:
        text = str(error)
        if "LOCK" in text and ("lock hold" in text or "While lock file" in text):
            raise LockedStateError(
                f"{folder}: another process has this state folder open; stop it, or give each "
                "worker its own data_dir"
            ) from error
        if _is_damage(text):
            _mark_damaged(folder)
            raise DamagedStateError(f"{folder}: the state files are damaged ({text})") from error
        raise StateError(_cannot_use(folder, text)) from error


def _is_damage(text: str) -> bool:
    return text.startswith(("Corruption", "Invalid argument")) or "No such file" in text


def _mark_damaged(folder: Path) -> None:
    try:
        (folder / DAMAGED).touch()
    except OSError as error:
        log.warning("state.not_marked", extra={"folder": str(folder), "why": str(error)})


def _cannot_use(folder: Path, why: str) -> str:
    if "No space" in why or "File too large" in why or "quota" in why.lower():
        return f"{folder}: the disk is full ({why}); make room, nothing is lost: Kafka has it all"
    return f"{folder}: the state folder cannot be used ({why}); check data_dir and its permissions"
