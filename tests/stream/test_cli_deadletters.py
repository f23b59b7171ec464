"""``nashra deadletters``: what a person sees and what a program reads."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from rich.cells import cell_len
from rich.console import Console

from schemas.codec import encode
from schemas.errors import Reason
from schemas.topics import CLEAN
from stream import letters, letterview
from stream.cli import letterwork
from stream.stage import Dead
from tests.stream.fakes import message
from tests.support.cli_kit import invoke
from tests.support.letter_kit import FAILED_AT, BrokenError, FakeTopic, dead_letters
from tests.support.stream_kit import page

__all__ = ["dead_letters"]  # a fixture

# "The council met on Sunday", of our own.
TEXT = "اجتمع المجلس يوم الأحد"


def run(*args: str) -> Result:
    return invoke("deadletters", *args)


@pytest.fixture
def three(dead_letters: FakeTopic) -> FakeTopic:
    """A page that is no JSON (0:0), a page with words (1:0), a stranger's record (1:1)."""
    dead_letters.put(message(b"\x00\xff", key=b"k1", offset=1, headers={"odd": b"\xfe", "n": None}))
    words = encode(page("words", TEXT))
    dead = Dead(Reason.STEP_FAILED, "ZeroDivisionError: \x1b[31mred", "dates", attempts=4)
    dead_letters.put(message(words, key=b"k2", offset=2), dead, partition=1)
    dead_letters.put_raw(message(b"hello", headers={}, key=b"k3"), partition=1)
    return dead_letters


def test_a_list_has_a_line_a_letter_and_the_counts(three: FakeTopic) -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["1:1", "0:0", "1:0"]
    assert "stage=cleaner reason=step-failed tries=4" in lines[2]
    assert "\x1b" not in result.stdout, "text of strangers must not drive the terminal"
    assert lines[3] == (
        "3 letters; reasons: unreadable 1, undecodable 1, step-failed 1; "
        "stages: cleaner 2, unreadable 1"
    )


def test_a_list_as_json_lines(three: FakeTopic) -> None:
    result = run("list", "--json", "--stage", "cleaner", "--limit", "1")
    (line,) = map(orjson.loads, result.stdout_bytes.splitlines())
    assert (line["letter"], line["reason"], line["size_bytes"]) == ("0:0", "undecodable", 2)
    assert base64.b64decode(line["key"]) == b"k1"
    assert "original" not in line
    assert "1 letter; reasons: undecodable 1" in result.stderr
    foreign = run("list", "--json", "--reason", "unreadable").stdout_bytes
    assert "nashra-error-stage is missing" in orjson.loads(foreign)["error"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--reason", "empty", "--reason", "undecodable"), ["0:0"]),
        (("--id", "k2"), ["1:0"]),
        (("--topic", "pages"), ["0:0", "1:0"]),
        (("--topic", CLEAN.name), []),
        (("--since", (FAILED_AT + timedelta(minutes=1)).isoformat()), ["1:0"]),
        (("--until", (FAILED_AT + timedelta(minutes=1)).isoformat()), ["1:1", "0:0"]),
        (("--until", "1s", "--key", "k1"), ["0:0"]),
    ],
)
def test_filters(three: FakeTopic, options: tuple[str, ...], expected: list[str]) -> None:
    lines = run("list", *options).stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == expected


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("list", "--since", "yesterday"), "'yesterday' is no time"),
        (("list", "--reason", "bad"), "'bad' is not one of"),
        (("list", "--topic", "nothing"), "no topic 'nothing'; there are"),
        (("show", "17"), "'17' is no letter; write PARTITION:OFFSET"),
        (("show", "0:17"), "no letter waits at 0:17"),
        (("requeue", "0:0", "7:7"), "no letter waits at 7:7"),
        (("show", "0:0", "-o", "x"), "-o is for --raw and --json"),
        (("show", "0:0", "--raw", "--json"), "not both"),
        (("requeue",), "say --yes"),
        (("discard",), "say --yes"),
    ],
)
def test_what_is_asked_wrongly_is_told_and_does_nothing(
    three: FakeTopic, args: tuple[str, ...], words: str
) -> None:
    result = run(*args)
    assert (result.exit_code, len(three.records), three.others) == (2, 3, [])
    assert words in result.stderr


def test_show_tells_everything_with_the_original_readable(three: FakeTopic) -> None:
    text = run("show", "1:0").stdout
    for words in ("step dates", "tries      4, requeued 0 times", "https://news.example/words"):
        assert words in text
    assert f"    {TEXT}" in text.splitlines()
    binary = run("show", "0:0").stdout
    assert "00000000  00 ff" in binary
    assert "    odd: �" in binary
    assert "    n: (no value)" in binary
    foreign = run("show", "1:1").stdout
    assert "nashra-error-stage is missing" in foreign
    assert "    hello" in foreign


def test_show_of_a_page_in_an_old_charset_and_of_other_values(dead_letters: FakeTopic) -> None:
    body = TEXT.encode("cp1256") * 20
    old = replace(page("old", ""), text=None, body=body, charset="windows-1256")
    values = (encode(old), b'{"a":1}', b"", None, b"x" * 2_100_000)
    for number, value in enumerate(values):
        dead_letters.put(message(value, offset=number))
    shown = [run("show", f"0:{number}").stdout for number in range(len(values))]
    for words, text in zip((TEXT, '{"a":1}', "(empty)", "(tombstone"), shown, strict=False):
        assert words in text
    assert "(the first 1,966,080 of 2,100,000 bytes)" in shown[4]
    assert len(shown[4]) < 150_000


def test_the_bytes_come_out_as_they_went_in(three: FakeTopic, tmp_path: Path) -> None:
    assert run("show", "0:0", "--raw").stdout_bytes == b"\x00\xff"
    file = tmp_path / "page.json"
    assert run("show", "1:0", "--raw", "-o", str(file)).exit_code == 0
    assert file.read_bytes() == three.records[1].value


def test_an_export_is_whole_records(
    three: FakeTopic, tmp_path: Path, validate_record: Callable[[bytes], None]
) -> None:
    file = tmp_path / "letters.jsonl"
    result = run("export", str(file))
    assert result.exit_code == 1, "a stranger's record is no dead-letter/1.0"
    assert "2 letters exported" in result.stderr
    assert "left: letter 1:1: no dead letter" in result.stderr
    records = file.read_bytes().splitlines()
    for line in records:
        validate_record(line)
    originals = [base64.b64decode(orjson.loads(line)["original"]) for line in records]
    assert originals == [record.value for record in three.records[:2]]
    assert run("export", "-", "--id", "k1").stdout_bytes.splitlines() == records[:1]
    assert run("show", "0:0", "--json").stdout_bytes.splitlines() == records[:1]


def test_an_export_that_breaks_leaves_no_file(
    three: FakeTopic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_: object) -> object:
        raise BrokenError

    file = tmp_path / "letters.jsonl"
    file.write_bytes(b"of yesterday\n")
    monkeypatch.setattr("stream.deadletter.from_message", break_off)
    with pytest.raises(BrokenError):
        raise run("export", str(file)).exception or AssertionError
    assert file.read_bytes() == b"of yesterday\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_dry_run_says_what_and_does_nothing(three: FakeTopic) -> None:
    result = run("requeue", "--dry-run")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["0:0 -> nashra.pages.v1", "1:0 -> nashra.pages.v1"]
    assert "2 letters would be requeued" in result.stderr
    assert "left: letter 1:1: cannot be requeued, no dead letter" in result.stderr
    assert (len(three.records), three.others) == (3, [])


def test_requeue_and_discard_empty_the_list(three: FakeTopic) -> None:
    result = run("requeue", "0:0")
    assert (result.exit_code, len(three.others)) == (0, 1)
    assert "1 letter requeued" in result.stderr
    rest = run("requeue", "--yes")
    assert (rest.exit_code, len(three.others)) == (1, 2), "the stranger's record stays"
    assert "settled    requeued at 20" in run("show", "0:0").stdout
    assert "1 letter discarded" in run("discard", "--reason", "unreadable").stderr
    assert run("list").stdout == "0 letters\n"
    assert run("requeue").stderr.startswith("0 letters requeued")


def test_everything_is_asked_for_on_a_terminal(
    three: FakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letterwork, "_is_asked_on_terminal", lambda: True)
    no = invoke("deadletters", "requeue", stdin=b"n\n")
    assert "requeue all 3 letters?" in no.stderr
    assert (no.exit_code, three.others) == (1, [])
    yes = invoke("deadletters", "requeue", stdin=b"y\n")
    assert "2 letters requeued" in yes.stderr


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_table_fits_its_terminal(three: FakeTopic, width: int) -> None:
    pile = letters.Pile()
    for record in three.records:
        pile.add(record)
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(letterview.table(pile.letters(), width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    assert len(lines) == 4
    assert all(cell_len(line) <= width for line in lines)
    assert [line.split()[0] for line in lines[1:]] == ["1:1", "0:0", "1:0"]
    assert ("key" in lines[0]) == (width == 140)
