from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.support.cli_kit import ARTICLE, ROOT, invoke, nashra, spawn


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.txt").write_text(ARTICLE, "utf-8")
    return folder


def test_a_folder_becomes_json_lines(pages: Path, validate_record: Callable[[bytes], None]) -> None:
    (pages / "b.txt").write_bytes(ARTICLE.encode("windows-1256"))
    result = invoke("run", str(pages))
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout_bytes.splitlines()
    validate_record(first)
    article = orjson.loads(first)
    assert article["headline"] == ARTICLE.splitlines()[0]
    assert article["origin"] == "file:a.txt"
    assert article["body"] == orjson.loads(second)["body"]
    assert "2 articles" in result.stderr


def test_failed_files_have_a_line_and_the_rest_is_done(pages: Path) -> None:
    (pages / "b.txt").write_bytes(b"")
    (pages / "c.txt").write_bytes(bytes(range(256)) * 4)
    (pages / "d.jsonl").write_bytes(b'{broken\n{"url": "https://x.example/a"}\n')
    with (pages / "e.txt").open("wb") as file:
        file.truncate(200_000_000)
    (pages / "f.txt").symlink_to(pages / "gone.txt")
    result = invoke("run", str(pages), str(pages / "missing.txt"))
    assert result.exit_code == 1
    assert len(result.stdout_bytes.splitlines()) == 1
    failures = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
    expected = [
        "b.txt: empty file",
        "c.txt: ",
        "d.jsonl:1: not JSON",
        "d.jsonl:2: nothing in html or text",
        "e.txt: 200 MB is more than a page may have: the cap is 20 MB",
        "f.txt: cannot be read: no such file or directory",
        "missing.txt: no such file or folder",
    ]
    assert len(failures) == len(expected)
    for failure, words in zip(failures, expected, strict=True):
        assert words in failure
    assert "(extract: not-text)" in failures[1]
    assert "1 article, 7 failed" in result.stderr


def test_an_output_file_appears_whole(pages: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    result = invoke("run", str(pages), "-o", str(output))
    assert result.exit_code == 0
    assert result.stdout_bytes == b""
    assert orjson.loads(output.read_bytes())["origin"] == "file:a.txt"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "pages"]


def test_an_output_file_that_cannot_be_written(pages: Path, tmp_path: Path) -> None:
    result = invoke("run", str(pages), "-o", str(tmp_path / "no" / "out.jsonl"))
    assert result.exit_code == 2
    assert "out.jsonl: cannot be written: no such file or directory" in result.stderr


def test_a_link_stays_and_its_target_is_replaced(pages: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    target.write_bytes(b"old")
    link.symlink_to(target)
    assert invoke("run", str(pages), "-o", str(link)).exit_code == 0
    assert link.is_symlink()
    assert orjson.loads(target.read_bytes())["origin"] == "file:a.txt"


def test_a_pipe_is_written_to_and_stays(pages: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with spawn(["run", str(pages), "-o", str(fifo)], tmp_path) as process:
        line = fifo.read_bytes()
        assert process.wait(20) == 0
    assert orjson.loads(line)["origin"] == "file:a.txt"
    assert fifo.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_full_standard_output_is_told(pages: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            nashra(command, str(pages / "a.txt")), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 2
    assert b"cannot be written: no space left on device" in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("path", ["a.txt", "-"])
def test_a_closed_standard_input_matters_only_to_who_reads_it(pages: Path, path: str) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    shell = f"exec {shlex.join(nashra('run', path))} <&-"
    ended = subprocess.run(
        shell, shell=True, cwd=pages, env=environ, capture_output=True, check=False
    )
    assert ended.returncode == (0 if path == "a.txt" else 2), ended.stderr
    if path == "-":
        assert ended.stderr == b"error: standard input is closed: `-` has nothing to read\n"


def test_the_address_of_one_page(pages: Path) -> None:
    result = invoke("run", str(pages / "a.txt"), "--url", "https://News.example/a?utm_source=x")
    article = orjson.loads(result.stdout_bytes)
    assert article["source"]["host"] == "news.example"
    assert article["url"] == "https://News.example/a?utm_source=x"


@pytest.mark.parametrize("name", ["", "b.jsonl"])
def test_an_address_for_more_than_one_page_is_refused(pages: Path, name: str) -> None:
    (pages / "b.jsonl").write_bytes(b"{}")
    result = invoke("run", str(pages / name), "--url", "https://news.example/a")
    assert result.exit_code == 2
    assert "--url is the address of a single" in result.stderr


def test_standard_input(pages: Path) -> None:
    line = orjson.dumps({"url": "https://news.example/a", "text": ARTICLE})
    result = invoke("run", "-", stdin=line + b"\n")
    assert result.exit_code == 0
    assert orjson.loads(result.stdout_bytes)["url"] == "https://news.example/a"


def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    line = orjson.dumps({"url": "https://news.example/a", "text": ARTICLE}) + b"\n"
    (tmp_path / "a.jsonl").write_bytes(line * 200)
    with spawn(["run", "a.jsonl"], tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert errors == b""


def test_ctrl_c_leaves_no_output_file(tmp_path: Path) -> None:
    process = spawn(["run", "-", "-o", "out.jsonl"], tmp_path)
    assert process.stdin is not None
    line = orjson.dumps({"url": "https://news.example/a", "text": ARTICLE})
    process.stdin.write(line + b"\n")
    process.stdin.flush()
    for _ in range(200):
        parts = list(tmp_path.glob(".out.jsonl.*.part"))
        if parts and parts[0].stat().st_size:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"stopped by Ctrl-C" in errors
    assert list(tmp_path.iterdir()) == []
