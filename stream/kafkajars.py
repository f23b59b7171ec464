"""Apache Kafka's jars: brought once by Maven into a cache folder, then found there offline.

Which jars is said by ``stream/data/kafka-pom.xml``. Needs Java 17 or newer to run them, Maven and
the network only while the cache is empty.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from schemas.errors import BrokerError
from stream.children import plain_environment

MIN_JAVA = 17
DOWNLOAD_TIMEOUT_S = 600.0
DOWNLOAD_MB = 45
"""About what Maven Central has to send (Maven's own plugins come on top); for the progress line."""

_JAVA_TIMEOUT_S = 30.0
_COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_VERSION = re.compile(r"<kafka\.version>(?P<version>[^<]+)<")
_JAVA_VERSION = re.compile(r'version "(?P<full>(?P<major>\d+)[^"]*)"')
_ERROR_LINES = 4

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaJars:
    """What it takes to run Kafka's main classes.

    Attributes:
        folder: Holds the jars and nothing else.
        java: Path of the Java program.
        version: Kafka's version.
        archive: Class archive of this Java for these jars (class data sharing): a broker starts
            in half the time with it. The first broker that is stopped in order writes it.
    """

    folder: Path
    java: str
    version: str
    archive: Path


def kafka_jars(environ: Mapping[str, str], *, say: Say = lambda _: None) -> KafkaJars:
    """The jars; downloads them if they are not in the cache (``nashra`` in the user's caches).

    Args:
        environ: Where ``JAVA_HOME``, ``PATH``, ``XDG_CACHE_HOME`` and ``HOME`` stand.
        say: Gets one line before a download, which takes about half a minute.

    Raises:
        BrokerError: No Java, an old one, no Maven, or no network; says what to do.
    """
    java, java_version = find_java(environ)
    folder = jars_folder(environ)
    if not folder.is_dir():
        say(
            f"downloading Apache Kafka {kafka_version()} with Maven, {DOWNLOAD_MB} MB, "
            f"into {folder} (once)"
        )
        _download(pom_text(), folder, environ)
    return KafkaJars(
        folder=folder,
        java=java,
        version=kafka_version(),
        archive=folder.with_name(f"{folder.name}-java-{java_version}.jsa"),
    )


def jars_folder(environ: Mapping[str, str]) -> Path:
    """Where the jars are, or will be; another pom means another folder.

    Raises:
        BrokerError: There is no home to hold a cache.
    """
    digest = hashlib.sha256(pom_text().encode()).hexdigest()[:8]
    return cache_dir(environ) / f"kafka-{kafka_version()}-{digest}"


def pom_text() -> str:
    """The pom that names the jars."""
    return (files("stream") / "data" / "kafka-pom.xml").read_text("utf-8")


def kafka_version() -> str:
    """Kafka's version, as the pom says."""
    found = _VERSION.search(pom_text())
    assert found is not None, "the pom is ours and has it"
    return found["version"]


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Folder for what can be brought again: ``$XDG_CACHE_HOME/nashra`` or ``~/.cache/nashra``.

    Raises:
        BrokerError: Neither variable is set.
    """
    base = environ.get("XDG_CACHE_HOME") or (
        f"{environ['HOME']}/.cache" if environ.get("HOME") else None
    )
    if base is None:
        raise BrokerError("no place for Kafka's jars: set HOME or XDG_CACHE_HOME")
    return Path(base).absolute() / "nashra"


def find_java(environ: Mapping[str, str]) -> tuple[str, str]:
    """The Java to use (``JAVA_HOME``, else the ``PATH``) and its full version.

    Raises:
        BrokerError: There is none, it does not run, or it is older than 17.
    """
    home = environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java", path=environ.get("PATH"))
    way_out = (
        f"Apache Kafka needs Java {MIN_JAVA} or newer (Debian and Ubuntu: apt-get install "
        "openjdk-17-jre-headless; or set JAVA_HOME)"
    )
    if java is None or not os.access(java, os.X_OK):
        raise BrokerError(f"no Java found{f' in JAVA_HOME={home}' if home else ''}: {way_out}")
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Java, no shell
            [java, "-version"], capture_output=True, text=True, timeout=_JAVA_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrokerError(f"{java} does not run ({error}): {way_out}") from error
    found = _JAVA_VERSION.search(answer.stderr)
    if found is None or int(found["major"]) < MIN_JAVA:
        said = found["full"] if found else (answer.stderr.strip() or "nothing")
        raise BrokerError(f"{java} is too old or no Java (it says {said}): {way_out}")
    return java, found["full"]


def _download(pom: str, folder: Path, environ: Mapping[str, str]) -> None:
    """Fill ``folder``, whole or not at all; two at once do no harm."""
    maven = shutil.which("mvn", path=environ.get("PATH"))
    if maven is None:
        raise BrokerError(
            "no Maven (mvn) found: it brings Apache Kafka's jars the first time "
            "(Debian and Ubuntu: apt-get install maven)"
        )
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        (partial / "pom.xml").write_text(pom, "utf-8")
        _run_maven(maven, partial, environ)
        if not folder.is_dir():
            (partial / "jars").rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run_maven(maven: str, place: Path, environ: Mapping[str, str]) -> None:
    options = ("-B", "-ntp", "-q", "-f", str(place / "pom.xml"), "-DincludeScope=runtime")
    kept = {name: value for name, value in environ.items() if name.startswith(("MAVEN_", "JAVA_"))}
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Maven, no shell
            [maven, *options, _COPY_GOAL, f"-DoutputDirectory={place / 'jars'}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DOWNLOAD_TIMEOUT_S,
            env=plain_environment(environ, kept),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BrokerError(
            f"Maven did not bring Kafka's jars within {DOWNLOAD_TIMEOUT_S:.0f} s; "
            "is Maven Central within reach?"
        ) from error
    if answer.returncode != 0:
        raise BrokerError(maven_trouble(answer.stdout))


def maven_trouble(output: str) -> str:
    """One sentence and the first errors of Maven's output."""
    lines = [line.removeprefix("[ERROR] ") for line in output.splitlines() if "[ERROR]" in line]
    said = "\n".join(f"  {line}" for line in lines[:_ERROR_LINES]) or "  (nothing)"
    return (
        "Maven could not bring Apache Kafka's jars. Is Maven Central within reach? "
        f"A mirror or a proxy goes into ~/.m2/settings.xml. It says:\n{said}"
    )
