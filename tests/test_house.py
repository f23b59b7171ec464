"""The rules of the house: layout, layers, sizes, and that the docs know every command and key."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from processors.pipeline import CLEAN_STEPS
from stream.cli import main
from stream.config import Config
from stream.configfile import walk

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "connectors", "processors", "stream")
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

CATCH_ALL = {"stream/stage.py", "stream/deadletter.py", "stream/statedb.py"}
"""Where any exception may be caught: one stage, so that a bad page never stops a worker; and the
writing of its dead letter, so that headers nobody foresaw do not stop it there; and where RocksDB's
errors become ours: rocksdict raises plain ``Exception`` for all of them."""

PRINTING = {"stream/cli"}
"""Folders whose modules write to the terminal; all else logs or returns."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name."""
    for node in _nodes(path):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_the_one_of_this_checkout(package: str) -> None:
    # The names are common; another distribution must not stand before ours on the path.
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == (ROOT / package / "__init__.py").resolve()
    assert (ROOT / package / "py.typed").exists()


def test_import_contracts_hold() -> None:
    # In a process of its own: import-linter switches off the loggers of the one it runs in.
    code = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=_name)
def test_file_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES, f"{_name(path)} has {lines} lines: split it"


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}: {_code_lines(node)} lines"
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _code_lines(node) > MAX_FUNCTION_LINES
    ]
    assert long == []


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def test_only_named_places_catch_everything() -> None:
    broad = {
        _name(path)
        for path in CODE
        for node in _nodes(path)
        if isinstance(node, ast.ExceptHandler) and _is_catch_all(node)
    }
    assert broad <= CATCH_ALL


def _is_catch_all(handler: ast.ExceptHandler) -> bool:
    caught = "" if handler.type is None else ast.unparse(handler.type)
    return handler.type is None or "Exception" in caught.replace(",", " ").strip("()").split()


def test_library_code_does_not_print() -> None:
    printing = [
        f"{_name(path)}:{call.lineno}"
        for path in CODE
        if not _name(path).startswith(tuple(PRINTING))
        for name, call in _calls(path)
        if name in {"print", "click.echo"}
    ]
    assert printing == []


def test_every_moment_has_a_zone() -> None:
    naive = [
        f"{_name(path)}:{call.lineno} {name}"
        for path in CODE
        for name, call in _calls(path)
        if name.endswith(("datetime.utcnow", "datetime.today", "date.today"))
        or (name.endswith("datetime.now") and not call.args and not call.keywords)
    ]
    assert naive == []


def test_processing_reads_no_clock() -> None:
    reading = [
        f"{_name(path)}:{call.lineno} {name}"
        for path in CODE
        if _name(path).startswith(("processors/", "schemas/"))
        for name, call in _calls(path)
        if name.endswith(("datetime.now", "time.time", "monotonic", "perf_counter"))
    ]
    assert reading == []


def test_data_files_travel_in_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    wheel = build["build"]["targets"]["wheel"]
    # Hatchling takes all files of a listed package that git does not ignore.
    assert tuple(wheel["packages"]) == PACKAGES
    assert {"exclude", "include", "only-include"}.isdisjoint(wheel)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    data = [path for package in PACKAGES for path in (ROOT / package).rglob("*.toml")]
    assert data
    for path in [*data, *(ROOT / "schemas" / "generated").rglob("*.json")]:
        assert not any(path.match(pattern.rstrip("/")) for pattern in ignored), path


def _commands(command: click.Command, path: str) -> Iterator[str]:
    """``nashra run``, ``nashra topics apply``...: every command, hidden ones left out."""
    if command.hidden:
        return
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _commands(inner, f"{path} {name}")
    else:
        yield path


@pytest.mark.parametrize("command", list(_commands(main, "nashra")))
def test_command_is_in_the_readme(command: str) -> None:
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def _leaves(command: click.Command) -> Iterator[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    for each in inner:
        yield from _leaves(each)
    if not inner and not command.hidden:
        yield command


@pytest.mark.parametrize("command", list(_leaves(main)), ids=lambda command: str(command.name))
def test_help_ends_with_examples(command: click.Command) -> None:
    assert "nashra " in (command.epilog or "")


@pytest.mark.parametrize("key", [key for key, _ in walk(Config())])
def test_config_key_is_documented(key: str) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert f"`{key}`" in text


def test_config_docs_know_no_key_that_is_gone() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = {key.partition(".")[0] for key, _ in walk(Config())}
    named = {
        word
        for word in text.split("`")[1::2]
        if word.partition(".")[0] in sections and word.count(".") == 1 and word.islower()
    }
    assert named - {key for key, _ in walk(Config())} == set()


def _shown(value: object) -> str:
    """A default as the tables show it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f"`{value}`" if isinstance(value, str) else str(value)


def test_config_docs_show_the_defaults_of_the_code() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    documented = {row[0].strip("| `"): row[1] for row in rows}
    assert len(documented) == len(rows), "a key stands in two rows"
    assert documented == {key: _shown(value) for key, value in walk(Config())}


def test_architecture_names_the_steps_in_their_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (hop,) = (line for line in text.splitlines() if "`processors/pipeline.py: clean`" in line)
    named = hop.split(" | ")[1].split("`")[1::2]
    assert named == [name for name, _ in CLEAN_STEPS], "docs/architecture.md: correct the hop"


@pytest.mark.parametrize("target", ["install", "demo", "test", "check", "schemas", "bench"])
def test_make_lists_the_target(target: str) -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"{target}:") and " ## " in line for line in lines)


def test_ci_runs_the_readmes_test_command_last() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make test"]
    assert [line for line in lines if "make " in line][-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
