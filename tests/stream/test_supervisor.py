"""Children kept alive, and stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream import supervisor as module
from stream.children import plain_environment
from stream.supervisor import Command, Supervisor, restart_delay_s, worker_commands

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)


def python(name: str, code: str) -> Command:
    return Command(name=name, argv=(sys.executable, "-c", code))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is waited for is another process's doing
            await asyncio.sleep(0.02)


async def test_one_that_is_killed_is_started_again_and_its_output_has_its_name() -> None:
    said: list[tuple[str, str]] = []
    commands = [python("one", SLEEPER), python("two", SLEEPER)]
    async with Supervisor(commands, emit=lambda name, line: said.append((name, line))) as children:
        await until(lambda: len(said) == 2)
        assert {name for name, _ in said} == {"one", "two"}
        first = children.status()[0].pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(said) == 3)
        assert said[2] == ("one", "up")
        one, two = children.status()
        assert (one.restarts, one.exit_code, two.restarts) == (1, -signal.SIGKILL, 0)
        assert one.pid not in (None, first)
    assert [status.state for status in children.status()] == ["stopped", "stopped"]
    assert children.status()[1].exit_code == -signal.SIGTERM


async def test_one_that_will_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_GRACE_S", 0.2)
    said: list[str] = []
    async with Supervisor([python("x", STUBBORN)], emit=lambda _, line: said.append(line)) as one:
        await until(lambda: "up" in said)
    assert one.status()[0].exit_code == -signal.SIGKILL


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN])
async def test_one_that_is_just_being_started_is_stopped_too(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(module, "STOP_GRACE_S", 0.5)
    spawning, spawn = asyncio.Event(), asyncio.create_subprocess_exec

    async def slow_spawn(*args: Any, **named: Any) -> asyncio.subprocess.Process:
        spawning.set()
        await asyncio.sleep(0.2)
        return await spawn(*args, **named)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow_spawn)
    one = Supervisor([python("x", code)], emit=lambda *_: None)
    starting = asyncio.create_task(one.start())
    await spawning.wait()
    await asyncio.wait_for(one.stop(), 10)
    await asyncio.wait_for(starting, 1)
    assert one.status()[0].state == "stopped"


async def test_a_program_that_is_not_there_is_told_and_tried_again() -> None:
    said: list[str] = []
    command = Command(name="x", argv=("/nowhere/program",))
    async with Supervisor([command], emit=lambda _, line: said.append(line)) as one:
        assert one.status()[0].state == "waiting"
    assert said[0].startswith("cannot be started")


async def test_it_ends_when_what_it_serves_is_gone() -> None:
    assert await Supervisor([python("x", SLEEPER)], emit=lambda *_: None).run(lambda: False) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, signal, sys\n"
        "from stream.supervisor import Command, Supervisor\n"
        "async def main():\n"
        "    argv = (sys.executable, '-c', 'import time; time.sleep(60)')\n"
        "    child = Command(name='x', argv=argv)\n"
        "    async with Supervisor([child]) as one:\n"
        "        open(sys.argv[1], 'w').write(str(one.status()[0].pid))\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    note = tmp_path / "pid"
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code, str(note)], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while Path(f"/proc/{note.read_text()}/cmdline").exists():
        if "State:\tZ" in Path(f"/proc/{note.read_text()}/status").read_text():
            break
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.05)


def test_delays_double_to_their_cap() -> None:
    assert [restart_delay_s(number) for number in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_worker_commands_run_this_python() -> None:
    names = [each.name for each in worker_commands({"cleaner": 2, "enricher": 1})]
    assert names == ["cleaner-1", "cleaner-2", "enricher"]
    (command,) = worker_commands({"cleaner": 1}, ["--bootstrap", "x:1"])
    assert command.argv[0] == sys.executable
    assert command.argv[1:] == ("-m", "stream", "worker", "cleaner", "--bootstrap", "x:1")


def test_a_plain_environment_holds_what_we_chose() -> None:
    ours = {"PATH": "/bin", "LISTENER_URL": "tcp://x", "HOME": "/root"}
    assert plain_environment(ours, {"A": "1"}) == {"PATH": "/bin", "HOME": "/root", "A": "1"}
