"""The embedded broker: starts, answers, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas.errors import BrokerError
from schemas.topics import ALL, CLEAN, PAGES
from stream.admin import apply_topics, list_topics, missing_topics
from stream.broker import EmbeddedBroker, find_binary
from stream.config import Config, replace
from stream.kafka import check_broker
from stream.worker import wait_for_broker
from tests.support.stream_kit import REPOSITORY, config_for

pytestmark = pytest.mark.broker


def test_topics_are_as_the_table_says_and_a_second_apply_changes_nothing(config: Config) -> None:
    states = asyncio.run(apply_topics(config))
    assert [state.topic for state in states] == list(ALL)
    assert {state.state for state in states} == {"exists"}
    assert asyncio.run(missing_topics(config.kafka)) == []
    assert asyncio.run(list_topics(config.kafka)) == states


def test_a_missing_topic_is_named_with_the_command_that_creates_it(tmp_path: Path) -> None:
    with EmbeddedBroker(port=0, data_dir=str(tmp_path)) as bare:
        config = config_for(bare.bootstrap, tmp_path)
        config = replace(config, worker=replace(config.worker, wait_s=0.0))
        with pytest.raises(BrokerError, match=r"nashra\.pages\.v1.*`nashra topics apply`"):
            asyncio.run(wait_for_broker(config, [PAGES, CLEAN]))
        states = asyncio.run(list_topics(config.kafka, [PAGES]))
        assert [(state.state, state.partitions) for state in states] == [("missing", None)]


def test_a_port_in_use_is_named_with_the_way_out(broker: EmbeddedBroker, tmp_path: Path) -> None:
    second = EmbeddedBroker(port=broker.port, data_dir=str(tmp_path))
    with pytest.raises(BrokerError, match=rf"port {broker.port} .*--port"):
        second.start()
    assert not list(tmp_path.iterdir()), "nothing may be half done"


def test_a_broker_that_is_not_there_is_an_answer_within_the_wait(tmp_path: Path) -> None:
    with EmbeddedBroker(port=0, data_dir=str(tmp_path)) as gone:
        config = config_for(gone.bootstrap, tmp_path)
        asyncio.run(check_broker(config.kafka))
    with pytest.raises(BrokerError, match="no answer from the broker"):
        asyncio.run(check_broker(config.kafka, wait_s=0.6))


def test_the_binary_runs_where_it_is_installed(tmp_path: Path) -> None:
    assert "site-packages" in find_binary(tmp_path)
    assert not list(tmp_path.iterdir())


def test_tansu_sees_none_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTENER_URL", "tcp://127.0.0.1:1")
    monkeypatch.setenv("STORAGE_ENGINE", "s3://nowhere")
    with EmbeddedBroker(port=0, data_dir=str(tmp_path)) as started:
        environ = Path(f"/proc/{started.pid}/environ").read_bytes()
    assert b"LISTENER_URL" not in environ
    assert b"STORAGE_ENGINE" not in environ


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_the_broker_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from stream.broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(port=0, data_dir=sys.argv[1]); broker.start()\n"
        "sys.stdout.write(f'{broker.pid}\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=REPOSITORY) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _lives(child):
        assert time.monotonic() < deadline, "the broker outlived its parent"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
