from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from click.testing import Result

from tests.support.cli_kit import ROOT, invoke, spawn

ARTICLE: dict[str, Any] = {
    "schema": "article/1.0",
    "id": "a" * 32,
    "revision": 1,
    "headline": "افتتاح حديقة",  # "a garden opens"
    "body": "الفقرة الأولى طويلة\n\nالفقرة الثانية",  # "the first paragraph is long", "the second"
    "agencies": ["أ ف ب"],  # AFP
    "language": "ar",
    "cleaned_at": "2026-01-15T09:30:00Z",
}
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a run; its articles are changes of one article."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, *changes: dict[str, Any]) -> str:
        Path(name).write_bytes(_lines(*changes))
        return name

    return write


def _lines(*changes: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(ARTICLE | change) + b"\n" for change in changes)


def _rows(result: Result) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in result.stdout_bytes.splitlines()]


def test_two_runs_that_say_the_same_in_another_order(write: Write) -> None:
    other = {"id": "b" * 32}
    a = write("a.jsonl", {}, other)
    b = write("b.jsonl", other, {"cleaned_at": "2027-01-01T00:00:00Z", "authors": []}, other)
    result = invoke("diff", a, b)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["A", "a.jsonl", "2", "articles"]
    assert lines[1].split() == ["B", "b.jsonl", "2", "articles,", "1", "repeat"]
    assert lines[2].split() == ["same", "2"]
    assert "●" not in result.stdout
    assert invoke("diff", a, b, "--fields", "cleaned_at").exit_code == 1
    assert invoke("diff", a, b, "--all").exit_code == 1


def test_what_differs_is_shown_article_by_article(write: Write) -> None:
    body = ARTICLE["body"].replace("طويلة", "قصيرة")  # long -> short
    a = write("a.jsonl", {}, {"id": "only-old"})
    changed = {"body": body, "agencies": ["رويترز"], "language": "fa"}  # Reuters
    b = write("b.jsonl", changed, {"id": "only-new", "revision": 2})
    result = invoke("diff", a, b)
    assert result.exit_code == 1
    counts, shown = result.stdout.split("\n\n", 1)
    assert "changed    1" in counts
    assert "fields     body 1, agencies 1, language 1" in counts
    assert shown.splitlines()[:11] == [
        f"● {'a' * 32}  revision 1  changed",
        "    افتتاح حديقة",
        "  body, A, paragraph 1",
        "    الفقرة الأولى طويلة ",
        "  body, B, paragraph 1",
        "    الفقرة الأولى قصيرة ",
        "  agencies: 1 removed",
        "    أ ف ب",
        "  agencies: 1 added",
        "    رويترز",
        "  language  ar -> fa",
    ]
    assert "● only-old  revision 1  only in A" in shown
    assert "● only-new  revision 2  only in B" in shown
    assert "\x1b[" not in result.stdout


def test_json_rows(write: Write) -> None:
    a = write("a.jsonl", {}, {"id": "b"}, {"id": "c"}, {"id": "c", "headline": "x"})
    b = write("b.jsonl", {"headline": None}, {"id": "c", "headline": "x"})
    result = invoke("diff", a, b, "--json")
    assert result.exit_code == 1
    summary, *rows = _rows(result)
    assert summary["a"] == {"name": "a.jsonl", "articles": 3, "repeats": 0}
    counts = {name: summary[name] for name in ("same", "changed", "only_in_a", "conflicts")}
    assert counts == {"same": 1, "changed": 1, "only_in_a": 1, "conflicts": 1}
    headline = {"field": "headline", "old": ARTICLE["headline"], "new": None}
    assert rows == [
        {"id": "c", "revision": 1, "change": "conflict", "in": "a", "lines": [3, 4]},
        {"id": "a" * 32, "revision": 1, "change": "changed", "fields": [headline]},
        {"id": "b", "revision": 1, "change": "only-in-a"},
    ]


def test_a_run_that_contradicts_itself_is_told_even_beside_itself(write: Write) -> None:
    a = write("a.jsonl", {}, {"headline": "x"}, {})
    result = invoke("diff", a, a)
    assert result.exit_code == 1
    assert "different contents in a.jsonl, lines 2, 3" in result.stdout
    assert invoke("diff", a, a, "--fields", "body").exit_code == 0


def test_limit_and_quiet(write: Write) -> None:
    a = write("a.jsonl", *({"id": f"{number}"} for number in range(30)))
    b = write("b.jsonl", *({"id": f"{number}", "headline": "x"} for number in range(30)))
    default, none = invoke("diff", a, b), invoke("diff", a, b, "--limit", "0")
    assert default.stdout.count("●") == 20
    assert default.stdout.endswith("and 10 more articles: --limit N shows N, --json all\n")
    assert none.stdout.count("●") == 0
    assert len(_rows(invoke("diff", a, b, "--json"))) == 31
    assert len(_rows(invoke("diff", a, b, "--json", "--limit", "2"))) == 3
    quiet = invoke("diff", a, b, "-q")
    assert (quiet.exit_code, quiet.output) == (1, "")


def test_compressed_files_and_standard_input(write: Write) -> None:
    a, b = write("a.jsonl", {}), write("b.jsonl", {"headline": "x"})
    Path("a.jsonl.gz").write_bytes(gzip.compress(Path(a).read_bytes()))
    Path("b.zst").write_bytes(zstandard.compress(Path(b).read_bytes()))
    plain = _rows(invoke("diff", a, b, "--json"))[1:]
    assert _rows(invoke("diff", "a.jsonl.gz", "b.zst", "--json"))[1:] == plain
    result = invoke("diff", "-", b, "--json", stdin=b"\xef\xbb\xbf" + _lines({}))
    assert _rows(result)[0]["a"]["name"] == "standard input"
    assert _rows(result)[1:] == plain
    both = invoke("diff", "-", "-")
    assert both.exit_code == 2
    assert "only one of A and B can be standard input" in both.stderr


def test_a_pipe_is_read_once_and_compared(write: Write, tmp_path: Path) -> None:
    write("b.jsonl", {"headline": "x"})
    os.mkfifo("pipe")
    feeder = threading.Thread(target=Path("pipe").write_bytes, args=[_lines({})])
    feeder.start()
    with spawn(["diff", "pipe", "b.jsonl", "--json"], tmp_path) as process:
        out, errors = process.communicate(timeout=60)
    feeder.join()
    assert process.returncode == 1, errors
    assert orjson.loads(out.splitlines()[1])["fields"][0]["new"] == "x"


def test_every_bad_line_is_named_and_nothing_is_compared(write: Write) -> None:
    good = write("good.jsonl", {})
    rows = [b"{broken", b"[1]", b'{"url": "u"}', b'{"id": "a", "revision": 0}', b"", b"{" * 2000]
    rows += [b'{"id": "a", "x": ' + b"[" * 300 + b"]" * 300 + b"}"] + [b"no"] * 30
    Path("bad.jsonl").write_bytes(b"\n".join(rows))
    result = invoke("diff", good, "bad.jsonl")
    assert result.exit_code == 2
    assert result.stdout == ""
    said = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
    assert said[0].startswith("failed: bad.jsonl:1: not JSON: ")
    assert said[1:4] == [
        "failed: bad.jsonl:2: no article: an article is an object",
        "failed: bad.jsonl:3: no article: it has no id",
        "failed: bad.jsonl:4: no article: revision is 0, not a number from 1",
    ]
    assert said[4].startswith("failed: bad.jsonl:6: not JSON")
    assert said[5] == "failed: bad.jsonl:7: no article: nested too deeply"
    assert said[-1] == "failed: bad.jsonl: 16 more bad lines"
    assert "36 lines are no article: nothing was compared" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["gone.jsonl"], "gone.jsonl: cannot be read: no such file or directory"),
        (["."], ".: cannot be read: is a directory"),
        (["broken.gz"], "broken.gz: broken gzip data"),
        (["good.jsonl", "--fields", "bdy"], "no field 'bdy': did you mean body?"),
        (["good.jsonl", "--limit", "-1"], "Invalid value for '--limit'"),
    ],
)
def test_what_cannot_be_used_is_told(write: Write, args: list[str], message: str) -> None:
    write("good.jsonl", {})
    Path("broken.gz").write_bytes(b"no gzip")
    result = invoke("diff", "good.jsonl", *args)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_line_longer_than_the_cap_is_named(write: Write) -> None:
    a = write("a.jsonl", {}, {"id": "b", "body": "x" * 5_000})
    result = invoke("diff", a, a, environ={"NASHRA_REPLAY__MAX_FILE_BYTES": "1000"})
    assert result.exit_code == 2
    assert "a.jsonl:2: the line is too long (replay.max_file_bytes)" in result.stderr


def test_runs_without_an_article_in_common_get_a_note(write: Write) -> None:
    a, b, none = write("a.jsonl", {}), write("b.jsonl", {"id": "b"}), write("none.jsonl")
    assert "are these runs of the same pages?" in invoke("diff", a, b).stdout
    assert "note: a run without an article" in invoke("diff", a, none).stdout
    assert invoke("diff", none, none).exit_code == 0


def test_an_article_that_was_withdrawn_is_compared_too(write: Write) -> None:
    a, b = write("a.jsonl", {}), write("b.jsonl")
    for name in (a, b):
        with Path(name).open("ab") as file:
            file.write(b'{"key": "gone", "tombstone": true}\n')
    rows = _rows(invoke("diff", a, b, "--json"))
    assert (rows[0]["same"], rows[0]["only_in_a"]) == (1, 1)


def test_control_characters_of_strangers_do_not_reach_the_terminal(write: Write) -> None:
    a = write("a\x1b.jsonl", {"id": "\x1b[2J", "headline": "\x1b[31m", "language": "\x07"})
    b = write("b.jsonl", {"id": "\x1b[2J", "entities": [{"id": "\x1b]0;"}], "keywords": ["\x1b"]})
    result = invoke("diff", a, b)
    assert result.exit_code == 1
    assert not any(character in result.stdout for character in "\x1b\x07")


def test_runs_of_the_samples_are_the_same(tmp_path: Path) -> None:
    runs = [str(tmp_path / name) for name in ("a.jsonl", "b.jsonl")]
    for run in runs:
        invoke("run", str(ROOT / "samples"), "-o", run)
    assert invoke("diff", *runs).exit_code == 0
    assert invoke("diff", *runs, "--all", "-q").exit_code == 1  # the live clock went on
