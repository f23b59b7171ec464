"""Kafka's jars: what is missing is named with the way out; a download is whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import BrokerError
from stream.kafkajars import cache_dir, find_java, jars_folder, kafka_jars, kafka_version

JAVA_17 = "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2"
BRINGS_A_JAR = """
for word in "$@"; do case $word in -DoutputDirectory=*) out=${word#*=};; esac; done
mkdir -p "$out" && touch "$out/kafka.jar" && echo called >> "$HOME/calls"
"""
FAILS = """
echo '[INFO] hello'
echo '[ERROR] Could not transfer artifact: Unknown host repo.maven.apache.org'
exit 1
"""


def environ(folder: Path, **programs: str) -> dict[str, str]:
    """A PATH with these scripts alone (and a shell's own tools), and a home of its own."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("sh", "mkdir", "touch"):
        (tools / name).symlink_to(f"/bin/{name}")
    for name, script in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    return {"PATH": str(tools), "HOME": str(folder)}


def test_the_jars_are_brought_once_and_told_once(tmp_path: Path) -> None:
    environment = environ(tmp_path, java=JAVA_17, mvn=BRINGS_A_JAR)
    said: list[str] = []
    first = kafka_jars(environment, say=said.append)
    assert [path.name for path in first.folder.iterdir()] == ["kafka.jar"]
    assert first.folder.parent == tmp_path / ".cache" / "nashra"
    assert first.version == kafka_version()
    assert "17.0.15" in first.archive.name
    (line,) = said
    assert f"Kafka {kafka_version()}" in line
    assert "45 MB" in line

    (tmp_path / "tools" / "mvn").unlink()  # the cache is enough
    assert kafka_jars(environment, say=said.append) == first
    assert len(said) == 1
    assert (tmp_path / "calls").read_text() == "called\n"


def test_a_failed_download_says_what_maven_said_and_leaves_nothing(tmp_path: Path) -> None:
    environment = environ(tmp_path, java=JAVA_17, mvn=FAILS)
    with pytest.raises(BrokerError, match=r"within reach\?(?s:.*)Unknown host") as caught:
        kafka_jars(environment)
    assert "hello" not in str(caught.value)
    assert list((tmp_path / ".cache" / "nashra").iterdir()) == []


def test_no_maven_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"no Maven.*apt-get install maven"):
        kafka_jars(environ(tmp_path, java=JAVA_17))


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({}, r"no Java found: .*Java 17 or newer.*apt-get"),
        ({"java": "echo 'java version \"1.8.0_392\"' >&2"}, r"too old.*1\.8\.0_392.*17 or newer"),
        ({"java": "echo 'openjdk version \"11.0.2\"' >&2"}, r"too old.*11\.0\.2"),
        ({"java": "echo no such thing >&2; exit 1"}, r"no Java \(it says no such thing\)"),
    ],
)
def test_a_missing_or_old_java_is_named(
    tmp_path: Path, programs: dict[str, str], said: str
) -> None:
    with pytest.raises(BrokerError, match=said):
        find_java(environ(tmp_path, **programs))


def test_java_home_wins_and_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    environment = environ(tmp_path, java=JAVA_17) | {"JAVA_HOME": "/nowhere"}
    with pytest.raises(BrokerError, match=r"JAVA_HOME=/nowhere"):
        find_java(environment)
    home = tmp_path / "home" / "bin"
    home.mkdir(parents=True)
    (tmp_path / "tools" / "java").rename(home / "java")
    assert find_java(environment | {"JAVA_HOME": str(home.parent)}) == (
        str(home / "java"),
        "17.0.15",
    )


def test_the_cache_is_where_the_user_keeps_caches() -> None:
    assert cache_dir({"HOME": "/home/a"}) == Path("/home/a/.cache/nashra")
    assert cache_dir({"HOME": "/home/a", "XDG_CACHE_HOME": "/c"}) == Path("/c/nashra")
    assert jars_folder({"HOME": "/home/a"}).name.startswith(f"kafka-{kafka_version()}-")
    with pytest.raises(BrokerError, match="HOME or XDG_CACHE_HOME"):
        cache_dir({})
