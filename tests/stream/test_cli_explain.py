from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.cli_kit import ARTICLE, ROOT, invoke, nashra, spawn


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text("9/19/2015\n\n" + ARTICLE, "utf-8")
    return path


def test_each_step_date_and_entity_is_told(page: Path) -> None:
    result = invoke("explain", str(page), "--url", "https://news.example/a")
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    lines = text.splitlines()
    assert re.search(r"line \d+ is boilerplate  common/share-label", text)
    assert any(line.lstrip().startswith("won   2015-09-19") for line in lines)
    assert "from text-line, confidence" in text
    assert "url        https://news.example/a" in text
    assert re.search(r"^  LOC  ", text, re.MULTILINE)
    assert re.search(r"body\[\d+:\d+\]", text)
    assert "\x1b" not in text
    # The Arabic headline stands alone on its line.
    assert "    " + ARTICLE.splitlines()[0] in lines


def test_spans_are_those_of_the_body(page: Path) -> None:
    text = invoke("explain", str(page)).stdout
    marks = re.findall(r"body(\[\d+:\d+\])", text)
    assert marks
    assert "entities: PER ORG LOC MISC" in text


def test_a_page_that_a_step_refuses(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(range(256)) * 4)
    result = invoke("explain", str(path))
    assert result.exit_code == 1
    assert "not-text" in result.stderr


@pytest.mark.parametrize("name", [".", "gone.txt", "a.pdf"])
def test_one_page_file_is_wanted(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    (tmp_path / "b.txt").write_bytes(b"x")
    (tmp_path / "c.txt").write_bytes(b"x")
    result = invoke("explain", str(tmp_path / name))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def _on_a_terminal(args: list[str], cwd: Path, **extra: str) -> bytes:
    """Output of a command whose streams are a terminal."""
    ours, theirs = pty.openpty()
    environ = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | extra
    process = subprocess.Popen(args, stdout=theirs, stderr=theirs, cwd=cwd, env=environ)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65_536):
            seen += chunk
    except OSError:  # Linux: the other end is closed
        pass
    os.close(ours)
    assert process.wait(30) == 0
    return seen


def test_colour_only_on_a_terminal_that_wants_it(page: Path) -> None:
    command = nashra("explain", str(page))
    assert b"\x1b[3" in _on_a_terminal(command, page.parent)
    plain = _on_a_terminal(command, page.parent, NO_COLOR="1")
    assert b"\x1b[3" not in plain
    assert "مشاركة" in plain.decode()


def test_a_reader_who_leaves_is_no_error(page: Path) -> None:
    with spawn(["explain", str(page)], page.parent) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")
