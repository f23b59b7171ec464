from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from stream.config import (
    MASK,
    Config,
    Secret,
    check_bootstrap,
    load_config,
    replace,
    with_bootstrap,
)
from stream.configfile import load, to_environ, walk

SASL = {
    "NASHRA_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "NASHRA_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
    "NASHRA_KAFKA__SASL_USERNAME": "reader",
    "NASHRA_KAFKA__SASL_PASSWORD": "very secret",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No nashra.toml of the checkout may be found."""
    monkeypatch.chdir(tmp_path)


def _file(text: str, name: str = "my.toml") -> Path:
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def test_defaults_are_valid_and_need_nothing() -> None:
    assert load_config(None, {}) == Config()


def test_the_environment_beats_the_file_beats_the_defaults() -> None:
    path = _file('data_dir = "/d"\n[kafka]\nbootstrap = "a:1"\nrequest_timeout_s = 7\n')
    loaded = load(path, {"NASHRA_KAFKA__REQUEST_TIMEOUT_S": "5", "NASHRA_LOG__LEVEL": "debug"})
    config = loaded.config
    assert (config.kafka.bootstrap, config.kafka.request_timeout_s) == ("a:1", 5.0)
    assert (config.data_dir, config.log.level) == ("/d", "debug")
    assert config.worker == Config().worker
    assert dict(loaded.origins) == {
        "data_dir": "my.toml",
        "kafka.bootstrap": "my.toml",
        "kafka.request_timeout_s": "NASHRA_KAFKA__REQUEST_TIMEOUT_S",
        "log.level": "NASHRA_LOG__LEVEL",
    }


def test_where_the_file_is_found() -> None:
    _file('data_dir = "found"', "nashra.toml")
    _file('data_dir = "named"', "other.toml")
    assert load_config(None, {}).data_dir == "found"
    assert load_config(None, {"NASHRA_CONFIG": "other.toml"}).data_dir == "named"
    assert load_config(Path("nashra.toml"), {"NASHRA_CONFIG": "other.toml"}).data_dir == "found"
    assert load_config(None, {"NASHRA_CONFIG": ""}) == Config()


def test_other_variables_are_not_ours() -> None:
    environ = {"PATH": "/bin", "NASHRA_FAUST_WEB_PORT": "1", "KAFKA__BOOTSTRAP": "x:1"}
    assert load_config(None, environ) == Config()


BAD_FILES = [
    ("[kafka]\nbootstrp = 'a:1'", "unknown key kafka.bootstrp in my.toml: did you mean kafka.boot"),
    ("[kafak]\nbootstrap = 'a:1'", "unknown key kafak.bootstrap in my.toml: did you mean kafka.b"),
    ("bootstrap = 'a:1'", "unknown key bootstrap in my.toml: did you mean kafka.bootstrap"),
    ("[mood]", "unknown key mood in my.toml: `nashra config show` lists the keys"),
    ("kafka = 5", "my.toml: kafka is a table"),
    ("[kafka]\nbootstrap = 5", "kafka.bootstrap in my.toml: Expected str, got int"),
    ("[kafka]\nbootstrap = 'nohost'", "kafka.bootstrap: 'nohost' is no broker address"),
    ("[kafka]\nsasl_password = 5", "kafka.sasl_password in my.toml: Expected str, got int"),
    ("[kafka]\nrequest_timeout_s = 0", "kafka.request_timeout_s in my.toml"),
    ("[kafka]\nrequest_timeout_s = inf", "kafka.request_timeout_s in my.toml"),
    ("[kafka]\nsecurity_protocol = 'SSH'", "kafka.security_protocol in my.toml: Invalid enum"),
    ("[broker]\nport = 70000", "broker.port in my.toml"),
    ("[worker]\nheartbeat_interval_s = 6", "must last at least three heartbeats"),
    ("[worker", "my.toml: not a TOML file"),
    ("[kafka.more]\nx = 1", "unknown key kafka.more"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_wrong_file_is_told_by_key_and_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(_file(text), {})
    assert message in str(caught.value)


BAD_VARIABLES = [
    ({"NASHRA_KAFKA__REQUEST_TIMEOUT": "5"}, "did you mean NASHRA_KAFKA__REQUEST_TIMEOUT_S?"),
    ({"NASHRA_BOOTSTRAP": "a:1"}, "did you mean NASHRA_KAFKA__BOOTSTRAP?"),
    ({"NASHRA_KAFKA": "a:1"}, "NASHRA_KAFKA names a section; write e.g. NASHRA_KAFKA__BOOTSTRAP"),
    (
        {"NASHRA_WORKER__MAX_IN_FLIGHT": "many"},
        "worker.max_in_flight in NASHRA_WORKER__MAX_IN_FLIGHT",
    ),
    ({"NASHRA_CONFIG": "gone.toml"}, "NASHRA_CONFIG names gone.toml, which is no file"),
]


@pytest.mark.parametrize(("environ", "message"), BAD_VARIABLES)
def test_a_wrong_variable_is_told_by_name(environ: Mapping[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, environ)
    assert message in str(caught.value)


def test_a_named_file_must_be_there() -> None:
    with pytest.raises(ConfigError, match=r"gone.toml: no such configuration file"):
        load_config(Path("gone.toml"), {})


@pytest.mark.parametrize("missing", ["SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD"])
def test_sasl_needs_all_its_fields(missing: str) -> None:
    environ = {name: value for name, value in SASL.items() if not name.endswith(missing)}
    with pytest.raises(ConfigError, match=f"SASL_SSL needs kafka.{missing.lower()}"):
        load_config(None, environ)


def test_credentials_that_would_not_be_used_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"kafka.sasl_username is set, but .* PLAINTEXT"):
        load_config(None, {"NASHRA_KAFKA__SASL_USERNAME": "reader"})
    with pytest.raises(ConfigError, match=r"kafka.ssl_cafile is set, but .* SSL or SASL_SSL"):
        load_config(None, {"NASHRA_KAFKA__SSL_CAFILE": "ca.pem"})


def test_tls_files_must_exist_and_come_in_pairs() -> None:
    base = {"NASHRA_KAFKA__SECURITY_PROTOCOL": "SSL"}
    with pytest.raises(ConfigError, match=r"kafka.ssl_cafile: ca.pem is no file"):
        load_config(None, base | {"NASHRA_KAFKA__SSL_CAFILE": "ca.pem"})
    cert = str(_file("x", "cert.pem"))
    with pytest.raises(ConfigError, match=r"ssl_certfile is set and kafka.ssl_keyfile is not"):
        load_config(None, base | {"NASHRA_KAFKA__SSL_CERTFILE": cert})
    with pytest.raises(ConfigError, match=r"ssl_keyfile is set and kafka.ssl_certfile is not"):
        load_config(None, base | {"NASHRA_KAFKA__SSL_KEYFILE": cert})
    both = {"NASHRA_KAFKA__SSL_CERTFILE": cert, "NASHRA_KAFKA__SSL_KEYFILE": cert}
    assert load_config(None, base | both).kafka.ssl_certfile == cert


def test_passwords_from_files() -> None:
    path = str(_file("from a file\n", "password"))
    environ = {k: v for k, v in SASL.items() if k != "NASHRA_KAFKA__SASL_PASSWORD"}
    config = load_config(None, environ | {"NASHRA_KAFKA__SASL_PASSWORD_FILE": path})
    assert config.kafka.sasl_password == Secret("from a file")
    with pytest.raises(ConfigError, match=r"both set; keep one"):
        load_config(None, SASL | {"NASHRA_KAFKA__SASL_PASSWORD_FILE": path})
    for content in ("", "x" * 100_000):
        _file(content, "password")
        with pytest.raises(ConfigError, match=r"holds no password"):
            load_config(None, environ | {"NASHRA_KAFKA__SASL_PASSWORD_FILE": path})
    with pytest.raises(ConfigError, match=r"kafka.sasl_password_file: gone cannot be read"):
        load_config(None, environ | {"NASHRA_KAFKA__SASL_PASSWORD_FILE": "gone"})


def test_secrets_show_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    config = load_config(None, SASL)
    logging.getLogger(__name__).warning("config %s %r", config, config.kafka)
    shown = f"{config} {config.kafka!r} {config.kafka.sasl_password} {caplog.text}"
    assert "very secret" not in shown
    assert MASK in shown
    assert config.kafka.sasl_password is not None
    assert config.kafka.sasl_password.reveal() == "very secret"


@pytest.mark.parametrize("extra", [{}, SASL, {"NASHRA_WORKER__INSTANCE_ID": "a-1"}])
def test_a_child_gets_exactly_our_configuration(extra: Mapping[str, str]) -> None:
    config = load_config(None, extra)
    _file('data_dir = "another"', "nashra.toml")
    assert load_config(None, to_environ(config)) == config


def test_a_child_gets_the_password_that_came_from_a_file() -> None:
    path = str(_file("from a file\n", "password"))
    environ = {k: v for k, v in SASL.items() if k != "NASHRA_KAFKA__SASL_PASSWORD"}
    config = load_config(None, environ | {"NASHRA_KAFKA__SASL_PASSWORD_FILE": path})
    assert load_config(None, to_environ(config)) == config


def test_every_key_can_be_set_by_a_variable() -> None:
    keys = [key for key, _ in walk(Config())]
    assert len(keys) == len(set(keys)) > 25
    assert all(key.islower() for key in keys)


def test_another_broker() -> None:
    config = Config()
    assert with_bootstrap(config, None) is config
    assert with_bootstrap(config, "a:1,b:2").kafka.bootstrap == "a:1,b:2"
    with pytest.raises(ConfigError, match=r"--bootstrap: 'a:x' is no broker address"):
        with_bootstrap(config, "b:1, a:x")
    check_bootstrap("[::1]:9092", "x")


def test_configurations_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Config().data_dir = "x"  # type: ignore[misc]
    assert replace(Config(), data_dir="x").data_dir == "x"
