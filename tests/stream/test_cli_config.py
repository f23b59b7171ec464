from __future__ import annotations

import tomllib
from pathlib import Path

import orjson
import pytest

from stream.cli import main
from stream.cli.common import EXIT_CODES
from stream.config import MASK
from tests.support.cli_kit import invoke

SASL = {
    "NASHRA_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "NASHRA_KAFKA__SASL_MECHANISM": "PLAIN",
    "NASHRA_KAFKA__SASL_USERNAME": "reader",
    "NASHRA_KAFKA__SASL_PASSWORD": "very secret",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_show_is_the_effective_configuration_as_toml(tmp_path: Path) -> None:
    (tmp_path / "nashra.toml").write_text("[broker]\nport = 9\n")
    result = invoke("config", "show", environ={"NASHRA_LOG__LEVEL": "debug"})
    assert result.exit_code == 0
    tree = tomllib.loads(result.stdout)
    assert (tree["broker"]["port"], tree["log"]["level"]) == (9, "debug")
    assert "port = 9  # nashra.toml" in result.stdout
    assert 'level = "debug"  # NASHRA_LOG__LEVEL' in result.stdout
    assert 'host = "127.0.0.1"\n' in result.stdout
    (tmp_path / "nashra.toml").write_text(result.stdout)
    assert invoke("config", "show").exit_code == 0


@pytest.mark.parametrize("form", ["toml", "json"])
def test_secrets_are_masked(form: str) -> None:
    result = invoke("config", "show", "--format", form, environ=SASL)
    assert result.exit_code == 0
    assert "very secret" not in result.output
    assert MASK in result.stdout


def test_json_names_the_origin_of_each_value() -> None:
    result = invoke("config", "show", "--format", "json", environ=SASL)
    rows = orjson.loads(result.stdout)
    assert rows["kafka.sasl_username"] == {
        "value": "reader",
        "origin": "NASHRA_KAFKA__SASL_USERNAME",
    }
    assert rows["kafka.bootstrap"]["origin"] == "default"
    assert rows["kafka.ssl_cafile"] == {"value": None, "origin": "default"}


def test_a_wrong_configuration_is_exit_code_2() -> None:
    result = invoke("config", "show", environ={"NASHRA_BROKER__PROT": "1"})
    assert result.exit_code == 2
    assert result.stderr == (
        "error: unknown key NASHRA_BROKER__PROT in the environment: "
        "did you mean NASHRA_BROKER__PORT?\n"
    )
    assert result.stdout == ""


def _commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in main.commands.items():
        inner = getattr(command, "commands", None)
        found += [(name, each) for each in inner] if inner else [(name,)]
    return found


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_has_help_with_examples(command: tuple[str, ...]) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert f"nashra {' '.join(command)}" in result.stdout


def test_the_top_help_lists_commands_and_exit_codes() -> None:
    result = invoke("--help")
    assert all(meaning in result.stdout for meaning in EXIT_CODES.values())
    assert invoke("--version").stdout.startswith("nashra, version ")


def test_an_unknown_command_or_option_is_exit_code_2() -> None:
    assert invoke("rnu").exit_code == 2
    assert invoke("run", "--outptu", "x").exit_code == 2


def test_what_is_shown_can_be_loaded_with_the_secret_from_elsewhere(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("very secret\n")
    environ = {name: value for name, value in SASL.items() if "PASSWORD" not in name}
    environ["NASHRA_KAFKA__SASL_PASSWORD_FILE"] = str(password)
    shown = invoke("config", "show", environ=environ).stdout
    assert f'# sasl_password = "{MASK}"' in shown
    (tmp_path / "nashra.toml").write_text(shown)
    again = invoke("config", "show")
    assert again.exit_code == 0, again.stderr
