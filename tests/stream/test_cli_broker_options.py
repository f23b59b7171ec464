"""``nashra broker``: what it refuses before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli_kit import invoke


@pytest.mark.parametrize("option", [("--nodes", "3"), ("--secure",)])
def test_what_only_kafka_can_do_is_refused_for_the_embedded_one(option: tuple[str, ...]) -> None:
    result = invoke("broker", *option)
    assert result.exit_code == 2
    assert "add --engine kafka" in result.stderr


def test_kafka_without_java_says_what_to_install(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "JAVA_HOME": "", "NASHRA_BROKER__ENGINE": "kafka"}
    result = invoke("broker", environ=environ)
    assert result.exit_code == 3
    assert "Apache Kafka needs Java 17 or newer" in result.stderr
