"""A process of the pool: ``python -m stream.poolchild SETUP``; reads requests, writes replies.

It makes its stage once, says hello, and then answers one request after the other. A page may hang
or break it; the parent (``stream/pool.py``) sees that and starts another.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import math
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from stream import logs
from stream.children import follow_parent
from stream.stage import Stage
from stream.wire import answer

HELLO, REPLY, GOODBYE = b"h", b"r", b"g"
"""First byte of each frame to the parent: ready (then versions as JSON), an answer, and: I end
after this, on purpose."""

LENGTH_BYTES = 4

_SPARE_S = 5.0
"""The process ends itself this long after the parent should have ended it."""

_OOM_SCORE = b"500"
"""Where the machine's memory runs out, the kernel takes us before the worker."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told at its start.

    Attributes:
        factory: ``module:function`` that makes the stage.
        arguments: By name, for that function.
        parent: Its process id.
        task_timeout_s: How long one request may take.
        memory_bytes: Most memory (address space) of the process.
        tasks: Requests after which the process ends.
        log_format: For ``stream/logs.py``.
        log_level: For ``stream/logs.py``.
    """

    factory: str
    arguments: Mapping[str, Any] = {}
    parent: int
    task_timeout_s: float
    memory_bytes: int
    tasks: int
    log_format: logs.Format = "auto"
    log_level: str = "info"


def make_stage(factory: str, arguments: Mapping[str, Any]) -> Stage:
    """Call ``module:function``."""
    module, _, name = factory.partition(":")
    stage: Stage = getattr(importlib.import_module(module), name)(**arguments)
    return stage


def main(argv: list[str]) -> int:
    """Serve until the pipe closes, the last task is done, or memory ran out."""
    setup = msgspec.json.decode(argv[1], type=Setup)
    requests, replies = _claim_pipes()
    follow_parent(setup.parent)
    _ignore_signals()
    faulthandler.enable()
    logs.set_up(setup.log_format, setup.log_level, sys.stderr)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(_OOM_SCORE)
    stage = make_stage(setup.factory, setup.arguments)
    _limit_memory(setup.memory_bytes)
    _send(replies, HELLO + msgspec.json.encode(dict(stage.versions)))
    # The parent is gone without a word: nobody wants the answer.
    with contextlib.suppress(BrokenPipeError):
        _serve(stage, setup, requests, replies)
    return 0


def _serve(stage: Stage, setup: Setup, requests: BinaryIO, replies: BinaryIO) -> None:
    alarm_s = math.ceil(setup.task_timeout_s + _SPARE_S)
    for _ in range(setup.tasks):
        request = _read(requests)
        if request is None:
            return
        _set_alarm(alarm_s)
        reply, is_spent = answer(stage, request)
        _set_alarm(0)
        _send(replies, REPLY + reply)
        if is_spent:
            break
    _send(replies, GOODBYE)


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our own handles on the pipes; whatever prints or reads in a stage cannot reach them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, replies


def _ignore_signals() -> None:
    """Ctrl-C and a SIGTERM to the whole group are the parent's business; it closes the pipe."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _set_alarm(seconds: int) -> None:
    """Have the kernel end us: also where a page hangs in C code and the parent was killed."""
    if sys.platform != "win32":
        signal.alarm(seconds)


def _limit_memory(most_bytes: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


def _read(pipe: BinaryIO) -> bytes | None:
    """One frame; ``None``: the pipe was closed."""
    head = pipe.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = pipe.read(length)
    return body if len(body) == length else None


def _send(pipe: BinaryIO, body: bytes) -> None:
    pipe.write(len(body).to_bytes(LENGTH_BYTES, "big"))
    pipe.write(body)
    pipe.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
