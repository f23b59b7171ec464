"""One Apache Kafka node (KRaft, broker and controller in one JVM): settings, storage, process."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import BrokerError
from stream.broker import brokers_seen
from stream.children import dies_with_parent, plain_environment
from stream.kafkajars import KafkaJars
from stream.kafkasettings import ClusterPlan, NodePlan, node_settings, settings_text

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
FORMAT_TIMEOUT_S = 60.0
_POLL_S = 0.1
_LOG_TAIL_LINES = 12

HEAP_MB = {1: 256}
"""Largest heap by number of nodes; a node of a cluster also replicates."""
CLUSTER_HEAP_MB = 320

_JVM = (
    "-Xms128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a broker that lives for minutes never earns the second compiler
    "-XX:-UsePerfData",
    "-Xlog:disable",  # the class archive's warnings; errors of the JVM still come
    "-Xlog:all=error:stderr",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


class KafkaNode:
    """A Kafka process that can be stopped, killed, frozen and started again on the same data.

    It dies with this process, even on ``kill -9``; start it from the main thread (see
    :func:`stream.children.dies_with_parent`).

    Attributes:
        plan: Its id, folder and ports.
        log_file: What Kafka says; each start adds to it.
    """

    def __init__(
        self,
        plan: NodePlan,
        cluster: ClusterPlan,
        jars: KafkaJars,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare; nothing runs before :meth:`start`.

        Args:
            plan: What is special to this node.
            cluster: What all nodes share.
            jars: What to run.
            tls: How to ask it whether it serves; ``None``: in clear.
        """
        self.plan = plan
        self._cluster = cluster
        self._jars = jars
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self._new_archive: Path | None = None

    @property
    def log_file(self) -> Path:
        """File with the node's output."""
        return self.plan.folder / "kafka.log"

    @property
    def bootstrap(self) -> str:
        """``host:port`` of its first listener."""
        return f"{self.plan.host}:{self.plan.port}"

    @property
    def pid(self) -> int | None:
        """Process id; ``None`` while it does not run."""
        return self._process.pid if self.is_running() and self._process is not None else None

    @property
    def writes_archive(self) -> bool:
        """Whether its orderly end will write the class archive, which makes later starts quick."""
        return self._new_archive is not None and self.is_running()

    def is_running(self) -> bool:
        """Whether the process lives (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process; :meth:`wait` says when it serves."""
        self._settings_file.write_text(
            settings_text(node_settings(self.plan, self._cluster)), "utf-8"
        )
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own Java, no shell
                [*self._java(), "kafka.Kafka", str(self._settings_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.plan.folder,
                env=plain_environment(os.environ, {}),
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 - looks up nothing after the fork
                start_new_session=True,  # Ctrl-C reaches us alone: workers drain before it stops
            )

    def wait(self, brokers: int = 1, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until it serves and knows at least so many live brokers, itself included.

        Raises:
            BrokerError: It has ended or did not get there in time; shows the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.is_running():
            if brokers_seen(self.plan.host, self.plan.probe_port, tls=self._tls) >= brokers:
                return
            time.sleep(_POLL_S)
        raise BrokerError(
            f"Kafka node {self.plan.node_id} did not come up on {self.bootstrap} within "
            f"{timeout_s:.0f} s; the end of {self.log_file} says:\n{self._log_tail()}"
        )

    def start(self, brokers: int = 1) -> None:
        """Start it on the data it has and wait until it serves.

        Raises:
            BrokerError: It did not come up.
        """
        self.launch()
        self.wait(brokers)

    def stop(self) -> None:
        """Ask it to end (SIGTERM: it hands its leaderships over) and wait; safe to call twice."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGCONT)  # it may be frozen
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._keep_archive()

    def kill(self) -> None:
        """``kill -9`` it and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Stop its clock (SIGSTOP): connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def restart(self, brokers: int = 1) -> None:
        """Stop it in order and start it on the same data.

        Raises:
            BrokerError: It did not come up again.
        """
        self.stop()
        self.start(brokers)

    @property
    def _settings_file(self) -> Path:
        return self.plan.folder / "server.properties"

    def _java(self) -> list[str]:
        """The command up to the main class."""
        archive = self._jars.archive
        if archive.is_file():
            sharing = f"-XX:SharedArchiveFile={archive}"
        elif self.plan.node_id != 1:
            sharing = "-Xshare:auto"
        else:
            self._new_archive = archive.with_name(f"{archive.name}.{os.getpid()}.part")
            sharing = f"-XX:ArchiveClassesAtExit={self._new_archive}"
        heap_mb = HEAP_MB.get(len(self._cluster.nodes), CLUSTER_HEAP_MB)
        return [*java_command(self._jars, heap_mb), sharing]

    def _keep_archive(self) -> None:
        """A class archive written by the process that just ended serves all later ones."""
        written, self._new_archive = self._new_archive, None
        if written is not None and written.is_file():
            written.replace(self._jars.archive)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _log_tail(self) -> str:
        lines = self.log_file.read_text("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (nothing)"


def java_command(jars: KafkaJars, heap_mb: int) -> list[str]:
    """Java with its options and Kafka's jars; a main class and its arguments follow."""
    return [jars.java, *_JVM, f"-Xmx{heap_mb}m", "-cp", f"{jars.folder}/*"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramUser:
    """A user who logs in by password, under each mechanism of the cluster."""

    name: str
    password: str


def format_storage(cluster: ClusterPlan, jars: KafkaJars, users: Sequence[ScramUser] = ()) -> None:
    """Make empty storage in each node's folder; what was there is gone.

    Kafka's own tool formats the first node. The others get a copy of it with an id of their own:
    one JVM instead of three.

    Raises:
        BrokerError: The tool failed; shows what it said.
    """
    for node in cluster.nodes:
        shutil.rmtree(node.data, ignore_errors=True)
        node.data.mkdir(parents=True)
    first, *others = cluster.nodes
    settings = first.folder / "format.properties"
    settings.write_text(settings_text(node_settings(first, cluster)), "utf-8")
    words = ["kafka.tools.StorageTool", "format", "--config", str(settings)]
    words += ["--cluster-id", cluster.cluster_id, "--initial-controllers", cluster.voters]
    for user in users:
        for mechanism in cluster.mechanisms:
            words += ["--add-scram", f"{mechanism}=[name={user.name},password={user.password}]"]
    _run_tool(first, jars, words)
    for node in others:
        shutil.copytree(first.data, node.data, dirs_exist_ok=True)
        node.meta_file.write_text(node.meta_text(cluster.cluster_id), "ascii")


def _run_tool(node: NodePlan, jars: KafkaJars, words: Sequence[str]) -> None:
    """Run a main class; its arguments go through a file: they hold passwords, and all see `ps`."""
    arguments = node.folder / "format.args"
    arguments.touch(0o600)
    arguments.write_text(" ".join(_quoted(word) for word in words), "utf-8")
    sharing = [f"-XX:SharedArchiveFile={jars.archive}"] if jars.archive.is_file() else []
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Java, no shell
            [*java_command(jars, 128), *sharing, f"@{arguments}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            env=plain_environment(os.environ, {}),
            check=False,
        )
    finally:
        arguments.unlink()
    if answer.returncode != 0:
        lines = answer.stdout.splitlines()[-_LOG_TAIL_LINES:]
        said = "\n".join(f"  {line}" for line in lines)
        raise BrokerError(f"Kafka's storage tool failed in {node.folder}:\n{said}")


def _quoted(word: str) -> str:
    """A word for Java's argument file."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
