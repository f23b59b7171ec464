"""Passwords come by file or variable, and stand in no log line, message or listing."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from aiokafka.protocol.admin import SaslAuthenticateRequest_v1, SaslAuthenticateResponse_v1

from schemas.errors import ConfigError
from stream import logs
from stream.apps import app_settings
from stream.cli import main
from stream.config import Config, KafkaConfig, Secret, load_config
from stream.configfile import load
from tests.support.cli_kit import invoke

PLANTED = "planted-secret-5b1c"
LOGIN = f"\0cleaner\0{PLANTED}".encode()

SASL = {
    "NASHRA_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "NASHRA_KAFKA__SASL_MECHANISM": "PLAIN",
    "NASHRA_KAFKA__SASL_USERNAME": "cleaner",
    "NASHRA_KAFKA__SASL_PASSWORD": PLANTED,
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where all logging goes, at debug level; afterwards all is as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("faust", "mode", "aiokafka", "kafka", "asyncio", "aiokafka.conn", "aiokafka.client")
    levels = {name: logging.getLogger(name).level for name in names}
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_login_is_hidden_in_the_client_librarys_debug_lines(
    stream: io.StringIO, form: logs.Format
) -> None:
    logs.set_up(form, "debug", stream)
    log = logging.getLogger("aiokafka.conn")
    # As aiokafka/conn.py writes every request and response.
    log.debug("Request to %s:%d %d: %s", "kafka", 9093, 3, SaslAuthenticateRequest_v1(LOGIN))
    log.debug("Response from %s: %s", "kafka", SaslAuthenticateResponse_v1(0, "", LOGIN, 0))
    said = stream.getvalue()
    assert PLANTED not in said
    assert "Request to kafka:9093 3: SaslAuthenticateRequest_v1(hidden)" in said
    assert "SaslAuthenticateResponse_v1(hidden)" in said


def test_a_line_without_a_login_stays_as_it_is(stream: io.StringIO) -> None:
    logs.set_up("console", "debug", stream)
    logging.getLogger("x").warning("%s of %d", "one", 2)
    logging.getLogger("x").warning("%(name)s", {"name": "by name"})
    assert "one of 2" in stream.getvalue()
    assert "by name" in stream.getvalue()


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
    for inner in getattr(command, "commands", {}).values():
        yield from _options(inner)


def test_no_command_takes_a_password_as_an_argument() -> None:
    named = [option for option in _options(main) if "password" in option or "secret" in option]
    assert named == []


def test_no_form_of_the_configuration_shows_a_secret(tmp_path: Path) -> None:
    kafka = KafkaConfig(
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="cleaner",
        sasl_password=Secret(PLANTED),
        ssl_key_password=Secret(PLANTED),
    )
    config = Config(kafka=kafka, data_dir=str(tmp_path))
    settings = app_settings("cleaner", config, {})
    for shown in (repr(config), str(config), f"{kafka.sasl_password}", repr(settings)):
        assert PLANTED not in shown


@pytest.mark.parametrize(
    "environ",
    [
        {"NASHRA_KAFKA__SASL_PASSWROD": PLANTED},
        {"NASHRA_KAFKA__SASL_PASSWORD": PLANTED},
        {**SASL, "NASHRA_KAFKA__SASL_PASSWORD_FILE": "/nowhere"},
        {**SASL, "NASHRA_KAFKA__SASL_MECHANISM": "GSSAPI"},
        {**SASL, "NASHRA_KAFKA__SSL_KEY_PASSWORD": PLANTED, "NASHRA_KAFKA__SSL_KEYFILE": "/no"},
        {"NASHRA_KAFKA__BOOTSTRAP": f"cleaner:{PLANTED}@kafka:9092"},
    ],
)
def test_a_wrong_configuration_does_not_repeat_it(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, environ)
    assert PLANTED not in str(caught.value)


def _file(folder: Path, text: str, mode: int) -> Path:
    path = folder / "nashra.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


HELD = f"""
[kafka]
security_protocol = "SASL_SSL"
sasl_mechanism = "PLAIN"
sasl_username = "cleaner"
sasl_password = "{PLANTED}"
"""


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_a_file_with_a_password_that_others_can_read_is_told(
    tmp_path: Path, mode: int, count: int
) -> None:
    warnings = load(_file(tmp_path, HELD, mode), {}).warnings
    assert len(warnings) == count
    for warning in warnings:
        assert "kafka.sasl_password" in warning
        assert "chmod 600" in warning
        assert PLANTED not in warning


def test_a_file_without_a_password_may_be_read_by_all(tmp_path: Path) -> None:
    path = _file(tmp_path, HELD.replace("sasl_password", "# sasl_password"), 0o644)
    assert load(path, SASL).warnings == ()


def test_the_warning_stands_on_standard_error_once(tmp_path: Path) -> None:
    _file(tmp_path, HELD, 0o644)
    result = invoke("config", "show")
    assert result.exit_code == 0
    assert result.stderr.count("warning: nashra.toml holds kafka.sasl_password") == 1
    assert PLANTED not in result.output
