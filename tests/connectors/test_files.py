from __future__ import annotations

import gzip
import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from connectors.files import (
    PageFile,
    ReadFailure,
    ReadNote,
    find_files,
    page_file,
    read_lines,
    read_whole,
)
from schemas.errors import InputError

CAP = 1_000


def _paths(found: Sequence[object], folder: Path) -> list[str]:
    return [str(Path(one.path).relative_to(folder)) for one in found if isinstance(one, PageFile)]


def test_folders_are_sorted_recursive_and_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.HTML", "sub/c.jsonl.gz", ".hidden.txt", ".git/d.txt", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert _paths(find_files([str(tmp_path)]), tmp_path) == ["a.HTML", "b.txt", "sub/c.jsonl.gz"]


def test_unknown_kinds_in_a_folder_are_counted_in_one_note(tmp_path: Path) -> None:
    for name in ("a.txt", "b.pdf", "c.pdf", "d"):
        (tmp_path / name).write_bytes(b"x")
    notes = [one for one in find_files([str(tmp_path)]) if isinstance(one, ReadNote)]
    assert [note.message for note in notes] == [
        "ignored files of an unknown kind: .pdf (2), no extension (1)"
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.txt", "no such file or folder"), ("a.pdf", "unknown kind of file"), ("", "no page")],
)
def test_a_path_that_gives_nothing_is_a_failure(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    folder = tmp_path / "empty"
    folder.mkdir()
    path = tmp_path / name if name else folder
    (failure,) = find_files([str(path)])
    assert isinstance(failure, ReadFailure)
    assert message in str(failure)
    assert str(path) in str(failure)


def test_names_tell_kind_and_compression() -> None:
    assert page_file("x/a.json.zst") == PageFile("x/a.json.zst", "json", ".zst")
    assert page_file("a.NDJSON") == PageFile("a.NDJSON", "jsonl")
    assert page_file("a.gz") is None
    assert page_file("a.tar.gz") is None
    assert page_file("txt") is None


def _packed(data: bytes, suffix: str) -> bytes:
    return gzip.compress(data) if suffix == ".gz" else zstandard.compress(data)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(_packed(b"text", suffix) + _packed(b" and more", suffix))
    assert read_whole(PageFile(str(path), "text", suffix), CAP) == b"text and more"


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "tail"])
def test_broken_compression_is_no_short_text(tmp_path: Path, suffix: str, damage: str) -> None:
    data = _packed(os.urandom(500), suffix)
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes({"cut": data[:-20], "garbage": b"garbage" * 9, "tail": data + b"xyz"}[damage])
    if (suffix, damage) == (".gz", "tail"):
        expected = "broken gzip data"
    else:
        expected = "broken|ends in the middle"
    with pytest.raises(InputError, match=expected):
        read_whole(PageFile(str(path), "text", suffix), CAP)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_bomb_stops_at_the_cap(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(_packed(b"0" * 50_000_000, suffix))
    with pytest.raises(InputError, match="inflates to more than 1,000 bytes"):
        read_whole(PageFile(str(path), "text", suffix), CAP)
    lines = list(read_lines(PageFile(str(path), "jsonl", suffix), CAP))
    assert lines == [(1, None)]


def test_a_200_mb_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(InputError, match=r"200 MB .* cap is 20 MB \(replay.max_file_bytes\)"):
        read_whole(PageFile(str(path), "text"), 20_000_000)


def test_a_line_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b"{}\n")
        file.truncate(300_000_000)
    lines = read_lines(PageFile(str(path), "jsonl"), CAP)
    assert next(lines) == (1, b"{}")
    with pytest.raises(InputError, match="line 2 has no end"):
        next(lines)


def test_a_long_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"first\n" + b"x" * 300_000 + b"\n\nlast")
    lines = list(read_lines(PageFile(str(path), "jsonl"), CAP))
    assert lines == [(1, b"first"), (2, None), (3, b""), (4, b"last")]


def test_lines_of_standard_input_come_as_they_are_there() -> None:
    stream = io.BytesIO(b"a\nb\n")
    assert list(read_lines(PageFile("-", "jsonl"), CAP, stream)) == [(1, b"a"), (2, b"b")]


def test_a_pipe_named_as_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    os.mkfifo(path)
    with pytest.raises(InputError, match="no regular file"):
        read_whole(PageFile(str(path), "text"), CAP)


def test_a_broken_link_and_a_locked_file_say_why(tmp_path: Path) -> None:
    link = tmp_path / "a.txt"
    link.symlink_to(tmp_path / "gone.txt")
    with pytest.raises(InputError, match="cannot be read: no such file"):
        read_whole(PageFile(str(link), "text"), CAP)
    locked = tmp_path / "b.txt"
    locked.write_bytes(b"x")
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(InputError, match="cannot be read: permission denied"):
        read_whole(PageFile(str(locked), "text"), CAP)
