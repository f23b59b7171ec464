"""The state's folders: locks, damage, full and foreign disks, memory."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from schemas.errors import StateError
from schemas.state import POLLS
from stream.statedb import (
    CACHE_BYTES,
    WRITE_BUFFER_BYTES,
    Batch,
    DamagedStateError,
    LockedStateError,
    PartitionDb,
    StateMemory,
    open_patiently,
)
from tests.support.state_kit import POLLS_TABLE, Setup, poll
from tests.support.stream_kit import REPOSITORY

TABLE = "t"


def python(code: str, *argv: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, argv)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
    )


HOLDER = """
    import sys
    from pathlib import Path
    from stream.statedb import PartitionDb, StateMemory
    db = PartitionDb(Path(sys.argv[1]), StateMemory())
    print("open", flush=True)
    sys.stdin.readline()
    db.close()
"""


def test_a_folder_that_another_process_has_open_is_named(tmp_path: Path) -> None:
    with python(HOLDER, tmp_path / "p0") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LockedStateError, match=r"p0: another process .* its own data_dir"):
            open_patiently(tmp_path / "p0", StateMemory(), wait_s=0.3)
        assert not (tmp_path / "p0" / "DAMAGED").exists()
        holder.communicate("\n", timeout=20)
    open_patiently(tmp_path / "p0", StateMemory(), wait_s=0).close()


def test_a_folder_that_is_let_go_meanwhile_is_opened(tmp_path: Path) -> None:
    with python(HOLDER, tmp_path / "p0") as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        holder.stdin.write("\n")
        holder.stdin.close()
        open_patiently(tmp_path / "p0", StateMemory(), wait_s=20).close()


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StateError, match=r"data/p0: the state folder cannot be used .*data_dir"):
        PartitionDb(tmp_path / "data" / "p0", StateMemory())


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StateError, match=r"/proc/nashra/p0: the state folder cannot be used"):
        PartitionDb(Path("/proc/nashra/p0"), StateMemory())


FILLER = """
    import os, resource, sys
    from pathlib import Path
    from schemas.errors import StateError
    from stream.statedb import Batch, PartitionDb, StateMemory
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    db = PartitionDb(Path(sys.argv[1]), StateMemory())
    try:
        for _ in range(100):
            batch = Batch()
            for _ in range(1000):
                batch.put("t", os.urandom(20), os.urandom(200))
            db.write(batch)
    except StateError as error:
        print(error)
"""


def test_a_full_disk_is_said_and_what_was_written_before_stays(tmp_path: Path) -> None:
    # A limit on file sizes stands for the full disk: mounting a small one needs rights.
    db = PartitionDb(tmp_path / "p0", StateMemory())
    batch = Batch()
    batch.put(TABLE, b"a", b"1")
    db.write(batch)
    db.close()
    with python(FILLER, tmp_path / "p0") as filler:
        said, _ = filler.communicate(timeout=60)
    assert "p0: the disk is full" in said
    assert "nothing is lost" in said
    db = PartitionDb(tmp_path / "p0", StateMemory())
    assert db.get(TABLE, b"a") == b"1"
    db.close()


async def filled(setup: Setup) -> dict[bytes, int]:
    """A closed state with 2,000 values; returns their failures."""
    state = await setup.ready()
    for number in range(2_000):
        state.table(POLLS_TABLE).put(0, b"%04d" % number, poll("f", number))
    await state.commit()
    state.owned(0).db.flush()
    await state.close()
    return {b"%04d" % number: number for number in range(2_000)}


async def values(setup: Setup) -> dict[bytes, int]:
    state = await setup.ready()
    found = {key: value.failures for key, value in state.table(POLLS_TABLE).items(0)}
    await state.close()
    return found


def asides(folder: Path) -> list[Path]:
    return sorted(folder.glob("p00000.aside-*"))


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*", "*.sst"])
@pytest.mark.parametrize("how", ["garbage", "gone"])
async def test_damaged_files_are_put_aside_and_built_anew(
    tmp_path: Path, name: str, how: str
) -> None:
    setup = Setup(tmp_path)
    expected = await filled(setup)
    hit = list((tmp_path / "p00000").glob(name))
    assert hit
    for path in hit:
        path.unlink() if how == "gone" else path.write_bytes(b"garbage " * 20)
    assert await values(setup) == expected


async def test_damage_found_by_a_read_is_mended_by_the_next_start(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    expected = await filled(setup)
    path = max((tmp_path / "p00000").glob("*.sst"), key=lambda each: each.stat().st_size)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2  # in a block of values: the folder still opens
    data[middle : middle + 50] = b"\xff" * 50
    path.write_bytes(data)
    db = PartitionDb(tmp_path / "p00000", StateMemory())
    with pytest.raises(DamagedStateError, match="p00000: the state files are damaged"):
        list(db.items(POLLS.name))  # rocksdict's own items() would just end early
    db.close()
    assert await values(setup) == expected
    assert len(asides(tmp_path)) == 1


async def test_a_damaged_folder_stays_one_without_a_changelog(tmp_path: Path) -> None:
    """A folder with no changelog behind it (broker made anew) is put aside, not mixed."""
    setup = Setup(tmp_path)
    await filled(setup)
    setup.changelog.logs.clear()
    assert await values(setup) == {}
    (aside,) = asides(tmp_path)
    shutil.move(aside, tmp_path / "p00001")
    db = PartitionDb(tmp_path / "p00001", StateMemory())
    assert db.get(POLLS.name, b"0007") is not None
    db.close()


def test_all_folders_share_their_memory(tmp_path: Path) -> None:
    memory = StateMemory()
    folders = [PartitionDb(tmp_path / f"p{number}", memory) for number in range(12)]
    for number, db in enumerate(folders):
        for start in range(0, 20_000, 2_000):
            batch = Batch()
            for key in range(start, start + 2_000):
                batch.put(TABLE, b"%d-%d" % (number, key), b"v" * 200)
            db.write(batch)
            db.get(TABLE, b"%d-%d" % (number, start))
    # 48 MB were written. The buffers may pass their cap a little until a flush is done.
    assert memory.buffered_bytes < 2 * WRITE_BUFFER_BYTES
    assert memory.cached_bytes < 1.5 * CACHE_BYTES
    for db in folders:
        db.close()
