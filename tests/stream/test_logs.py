"""Log lines: JSON for machines, short for people."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import orjson
import pytest

from stream import logs


@pytest.fixture(autouse=True)
def keep_logging() -> Iterator[None]:
    """Give the process its logging back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    names = (*logs._QUIET, *logs._REPEATING)
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)


def test_json_lines_carry_event_and_fields() -> None:
    stream = io.StringIO()
    logs.set_up("auto", "info", stream)
    logging.getLogger("x").info("batch.done", extra={"stage": "cleaner", "word": "خبر"})
    line = stream.getvalue()
    assert "خبر" in line
    read = orjson.loads(line)
    assert (read["event"], read["level"], read["stage"]) == ("batch.done", "info", "cleaner")
    assert read["at"].endswith("Z")


def test_a_traceback_stays_on_its_line_and_odd_fields_are_written() -> None:
    stream = io.StringIO()
    logs.set_up("json", "info", stream)
    try:
        int("no")
    except ValueError:
        logging.getLogger("x").exception("stage.failed", extra={"thing": object()})
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: invalid literal" in orjson.loads(line)["traceback"]


def test_console_lines_are_short_and_plain_without_a_terminal() -> None:
    stream = io.StringIO()
    logs.set_up("console", "info", stream)
    logging.getLogger("x").warning("child.ended", extra={"child": "cleaner 1", "code": -9})
    line = stream.getvalue()
    assert line.endswith('WARNING child.ended  child="cleaner 1" code=-9\n')
    assert "\x1b" not in line


def test_libraries_are_quiet_unless_debugging() -> None:
    stream = io.StringIO()
    logs.set_up("json", "info", stream)
    logging.getLogger("faust.worker").info("Starting...")
    logging.getLogger("aiokafka.conn").error("Unable connect")
    assert not stream.getvalue()
    logs.set_up("json", "debug", stream)
    logging.getLogger("faust.worker").info("Starting...")
    assert stream.getvalue()


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json", "info", sys.stdout)
    logging.getLogger("x").info("here")
    assert '"event":"here"' in capsys.readouterr().out


@pytest.mark.parametrize("value", ["\ud800", 2**70, {"\ud800": 1}])
def test_a_field_that_is_no_json_still_makes_a_line(value: object) -> None:
    stream = io.StringIO()
    logs.set_up("json", "info", stream)
    logging.getLogger("x").info("here", extra={"thing": value})
    assert json.loads(stream.getvalue())["thing"] == value
