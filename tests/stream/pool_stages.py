"""Stages that behave badly on demand, made in the processes of a pool; the value says how."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from schemas.errors import TransientError
from stream.stage import Message, Result, Stage
from tests.stream.fakes import echo, stage

FACTORY = "tests.stream.pool_stages:naughty"


def naughty(marker: str = "") -> Stage:
    """Echoes, but for the values named in ``DEEDS``; ``marker``: a file for :func:`once`."""

    def fn(message: Message) -> Result:
        word = (message.value or b"").split(b":")[0].decode()
        if word in DEEDS:
            DEEDS[word](message, marker)
        return echo(message)

    return stage(fn)


def unusable() -> Stage:
    raise RuntimeError("no stage today")


def not_a_result() -> Stage:
    return stage(lambda _: object())  # type: ignore[arg-type,return-value]


def hang(message: Message, marker: str) -> None:
    while True:
        pass


def hang_in_c(message: Message, marker: str) -> None:
    re.fullmatch(r"(a|a)+b", "a" * 40)


def eat(message: Message, marker: str) -> None:
    eaten = [bytearray(32 << 20)]
    while len(eaten) < 1_000:
        eaten.append(bytearray(32 << 20))


def leave(message: Message, marker: str) -> None:
    os._exit(0)


def leave_once(message: Message, marker: str) -> None:
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(7)


def crash(message: Message, marker: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def boom(message: Message, marker: str) -> None:
    raise RuntimeError("boom")


def later(message: Message, marker: str) -> None:
    raise TransientError("not now")


def later_once(message: Message, marker: str) -> None:
    if not Path(marker).exists():
        Path(marker).touch()
        raise TransientError("not now")


def talk(message: Message, marker: str) -> None:
    sys.stdout.write("a stage that prints\n")
    os.write(1, b"straight to the pipe\n")


def doze(message: Message, marker: str) -> None:
    time.sleep(float((message.value or b":0.01").split(b":")[1]))


DEEDS: dict[str, Callable[[Message, str], None]] = {
    deed.__name__: deed
    for deed in (
        hang,
        hang_in_c,
        eat,
        leave,
        leave_once,
        crash,
        boom,
        later,
        later_once,
        talk,
        doze,
    )
}
