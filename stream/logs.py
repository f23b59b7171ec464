"""Logging: one JSON object a line for machines, a short coloured line for people.

Our own lines are fixed event names (``batch.done``) with fields given by ``extra``; article text
never goes into a log. Faust and aiokafka log through the same handler.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson

from stream.logquiet import Bounded

Format = Literal["auto", "json", "console"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest came by ``extra``."""

_COLOURS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
"""ANSI colour codes by level."""

_QUIET = ("faust", "mode", "aiokafka", "kafka", "asyncio")
"""Libraries whose INFO lines are for their authors: they speak from WARNING up."""

_REPEATING = ("aiokafka.conn", "aiokafka.client")
"""They say "Unable connect" ten times a second while a broker is away; our callers say it once."""


_LOGIN = "SaslAuthenticate"
"""How aiokafka's types begin that carry a login; with PLAIN the request is the password itself."""


class WithoutLogins(logging.Filter):
    """Keeps logins out of the log: aiokafka writes each request into its debug lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the name of the type in place of its content; every record is kept."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                f"{name}(hidden)" if (name := type(each).__name__).startswith(_LOGIN) else each
                for each in record.args
            )
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line, UTF-8 unescaped, UTC times."""

    def format(self, record: logging.LogRecord) -> str:
        """Render ``at``, ``level``, ``event``, ``logger``, the fields, and a traceback."""
        line: dict[str, Any] = {
            "at": _at(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line.update(_fields(record))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
        try:
            return orjson.dumps(line, default=str, option=options).decode("utf-8", "replace")
        except TypeError:  # a lone surrogate, a number past 64 bits: a log line never fails
            return json.dumps(line, default=str, ensure_ascii=True, skipkeys=True)


class ConsoleFormatter(logging.Formatter):
    """``12:00:01 INFO    batch.done  stage=cleaner published=12``."""

    def __init__(self, *, colour: bool) -> None:
        """Render with ANSI colours or without."""
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Render time (UTC), level, event, the fields, and a traceback below."""
        level = f"{record.levelname:<7}"
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelname, '0')}m{level}\x1b[0m"
        fields = " ".join(f"{name}={_shown(value)}" for name, value in _fields(record).items())
        line = f"{_at(record):%H:%M:%S} {level} {record.getMessage()}"
        line += f"  {fields}" if fields else ""
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_up(form: Format = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logging of this process to one stream.

    Args:
        form: ``auto``: console on a terminal, JSON elsewhere.
        level: Lowest level shown, e.g. ``info``; libraries stay at ``warning`` unless ``debug``.
        stream: Where to; ``None``: standard output.
    """
    stream = sys.stdout if stream is None else stream
    on_terminal = stream.isatty()
    as_json = form == "json" or (form == "auto" and not on_terminal)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else ConsoleFormatter(colour=on_terminal))
    handler.addFilter(WithoutLogins())
    if level != "debug":
        handler.addFilter(Bounded(_QUIET))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    quiet = logging.DEBUG if level == "debug" else logging.WARNING
    for name in _QUIET:
        logging.getLogger(name).setLevel(quiet)
    for name in _REPEATING:
        logging.getLogger(name).setLevel(logging.CRITICAL if quiet > logging.DEBUG else quiet)
    logging.captureWarnings(capture=True)


def _at(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
