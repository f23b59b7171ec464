"""From a TOML file and ``NASHRA_*`` variables to a checked :class:`~stream.config.Config`."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import ConfigError
from stream.config import SECTIONS, Config, KafkaConfig, Secret, check_bootstrap, replace

PREFIX = "NASHRA_"
FILE_VARIABLE = "NASHRA_CONFIG"
FAUST_PREFIX = "NASHRA_FAUST_"
DEFAULT_FILE = "nashra.toml"
MAX_SECRET_BYTES = 64 * 1024
"""A password file larger than this is some other file."""

_PATH_IN_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.(?P<key>[\w.]+)`)?$", re.DOTALL)
_SASL_FIELDS = ("sasl_mechanism", "sasl_username", "sasl_password")
_SSL_FIELDS = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_key_password")
_PASSWORD_FIELDS = ("sasl_password", "ssl_key_password")
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where each value that somebody set comes from.

    Attributes:
        config: Checked; passwords from files are read in.
        origins: Dotted key to file name or variable; keys that are absent have their default.
        warnings: Sentences for the user about what works and should not stay so.
    """

    config: Config
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Read and check; as :func:`stream.config.load_config`, and keep the origins."""
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    found = _find_file(path, environ)
    if found is not None:
        _merge(tree, origins, _toml_values(found))
    _merge(tree, origins, _variables(environ))
    try:
        config = msgspec.convert(tree, Config, strict=False, dec_hook=_read_secret)
    except msgspec.ValidationError as error:
        raise _explained(error, origins) from error
    config = replace(config, kafka=_read_password_files(config.kafka))
    _check(config)
    return Loaded(config, origins, () if found is None else _exposed(found, origins))


def to_environ(config: Config) -> dict[str, str]:
    """The variables that give a child process exactly this configuration, secrets included.

    A file is switched off (``NASHRA_CONFIG=``), for the child must not read another one.
    """
    environ = {FILE_VARIABLE: ""}
    for key, value in walk(config):
        from_file = f"{key}_file" in dict(walk(config)) and _get(config, f"{key}_file")
        if value is None or from_file:
            continue
        text = value.reveal() if isinstance(value, Secret) else str(value)
        environ[PREFIX + key.upper().replace(".", "__")] = text
    return environ


def walk(config: Config) -> Iterator[tuple[str, Any]]:
    """Every (dotted key, value) in the order of the fields."""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, msgspec.Struct):
            for inner in value.__struct_fields__:
                yield f"{name}.{inner}", getattr(value, inner)
        else:
            yield name, value


def _get(config: Config, key: str) -> Any:
    section, _, name = key.rpartition(".")
    return getattr(getattr(config, section) if section else config, name)


def _keys() -> list[str]:
    return [key for key, _ in walk(Config())]


def _find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read, or ``None``; a file that was named must be there."""
    if path is None and FILE_VARIABLE in environ:
        named = environ[FILE_VARIABLE]
        if not named:
            return None
        path = Path(named)
        if not path.is_file():
            raise ConfigError(f"{FILE_VARIABLE} names {named}, which is no file")
    if path is None:
        default = Path(DEFAULT_FILE)
        return default if default.is_file() else None
    if not path.is_file():
        raise ConfigError(f"{path}: no such configuration file")
    return path


def _toml_values(path: Path) -> Iterator[tuple[str, Any, str]]:
    """(dotted key, value, origin) of a file; unknown keys are refused."""
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file in UTF-8: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    for name, value in tree.items():
        if name in SECTIONS and not isinstance(value, dict):
            raise ConfigError(f"{path}: {name} is a table; write [{name}] and its keys below")
        if isinstance(value, dict):
            for inner, leaf in value.items():
                yield _known(f"{name}.{inner}", f"{name}.{inner}", str(path)), leaf, str(path)
            if not value and name not in SECTIONS:
                _known(name, name, str(path))
        else:
            yield _known(name, name, str(path)), value, str(path)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """(dotted key, text, variable) of the environment; unknown names are refused."""
    for variable in sorted(environ):
        is_ours = variable.startswith(PREFIX) and not variable.startswith(FAUST_PREFIX)
        if not is_ours or variable == FILE_VARIABLE:
            continue
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        if key in SECTIONS:
            raise ConfigError(f"{variable} names a section; write e.g. {_example(key)}")
        yield _known(key, variable, "the environment"), environ[variable], variable


def _example(section: str) -> str:
    field = SECTIONS[section].__struct_fields__[0]
    return f"{PREFIX}{section.upper()}__{field.upper()}=..."


def _known(key: str, written: str, place: str) -> str:
    """``key`` if the configuration has it.

    Raises:
        ConfigError: Names what was written, where, and the nearest key there is.
    """
    keys = _keys()
    if key in keys:
        return key
    if written.startswith(PREFIX):
        near = difflib.get_close_matches(written, [_variable(one) for one in keys], 1, 0.6)
    else:
        near = difflib.get_close_matches(key, keys, 1, 0.6)
    last = [one for one in keys if one.rpartition(".")[2] == key.rpartition(".")[2]]
    hint = (near or [_variable(one) if written.startswith(PREFIX) else one for one in last])[:1]
    advice = f"did you mean {hint[0]}?" if hint else "`nashra config show` lists the keys"
    raise ConfigError(f"unknown key {written} in {place}: {advice}")


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


def _merge(
    tree: dict[str, Any], origins: dict[str, str], values: Iterator[tuple[str, Any, str]]
) -> None:
    """Lay values over the tree; the later one wins."""
    for key, value, origin in values:
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = value
        origins[key] = origin


def _read_secret(kind: type, value: Any) -> Any:
    """Hook of msgspec: how a :class:`Secret` is read."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected str, got {type(value).__name__}")


def _explained(error: msgspec.ValidationError, origins: Mapping[str, str]) -> ConfigError:
    """The message of msgspec with the key and its place instead of ``$.path``."""
    match = _PATH_IN_MESSAGE.match(str(error))
    key = match["key"] if match else None
    if match is None or key is None:
        return ConfigError(f"the configuration cannot be used: {error}")
    what = match["what"].replace("`", "")
    return ConfigError(f"{key} in {origins.get(key, 'the defaults')}: {what}")


def _read_password_files(kafka: KafkaConfig) -> KafkaConfig:
    """Passwords that a file holds, read in; password and file together are refused."""
    changes: dict[str, Secret] = {}
    for field in _PASSWORD_FIELDS:
        name = getattr(kafka, f"{field}_file")
        if name is None:
            continue
        if getattr(kafka, field) is not None:
            raise ConfigError(f"kafka.{field} and kafka.{field}_file are both set; keep one")
        changes[field] = _secret_of(Path(name), f"kafka.{field}_file")
    return replace(kafka, **changes) if changes else kafka


def _secret_of(path: Path, field: str) -> Secret:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigError(f"{field}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{field}: {path} is not UTF-8 text") from error
    if not text or len(data) > MAX_SECRET_BYTES:
        raise ConfigError(f"{field}: {path} holds no password")
    return Secret(text)


def _exposed(path: Path, origins: Mapping[str, str]) -> tuple[str, ...]:
    """A warning where the configuration file holds a password and others can read it."""
    fields = [f"kafka.{field}" for field in _PASSWORD_FIELDS]
    held = [field for field in fields if origins.get(field) == str(path)]
    if not held or os.name == "nt" or not path.stat().st_mode & _READABLE_BY_OTHERS:
        return ()
    what = f"{path} holds {' and '.join(held)} and others can read it"
    return (f"{what}: `chmod 600 {path}`, or rather set {held[0]}_file",)


def _check(config: Config) -> None:
    """What concerns more than one field, or the disk."""
    kafka, worker = config.kafka, config.worker
    check_bootstrap(kafka.bootstrap, "kafka.bootstrap")
    _check_sasl(kafka)
    _check_tls(kafka)
    if worker.heartbeat_interval_s * 3 > worker.session_timeout_s:
        raise ConfigError(
            f"worker.heartbeat_interval_s is {worker.heartbeat_interval_s:g} and "
            f"worker.session_timeout_s is {worker.session_timeout_s:g}: "
            "the session must last at least three heartbeats"
        )


def _check_sasl(kafka: KafkaConfig) -> None:
    if kafka.security_protocol.startswith("SASL_"):
        for field in _SASL_FIELDS:
            if not getattr(kafka, field):
                also = " or kafka.sasl_password_file" if field == "sasl_password" else ""
                raise ConfigError(
                    f"kafka.security_protocol {kafka.security_protocol} needs kafka.{field}{also}"
                )
        return
    _refuse_unused(kafka, _SASL_FIELDS, "SASL_PLAINTEXT or SASL_SSL")


def _check_tls(kafka: KafkaConfig) -> None:
    if not kafka.security_protocol.endswith("SSL"):
        _refuse_unused(kafka, _SSL_FIELDS, "SSL or SASL_SSL")
        return
    for field in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        name = getattr(kafka, field)
        if name is not None and not Path(name).is_file():
            raise ConfigError(f"kafka.{field}: {name} is no file")
    for field, other in (("ssl_certfile", "ssl_keyfile"), ("ssl_keyfile", "ssl_certfile")):
        if getattr(kafka, field) is not None and getattr(kafka, other) is None:
            raise ConfigError(f"kafka.{field} is set and kafka.{other} is not; mTLS needs both")


def _refuse_unused(kafka: KafkaConfig, fields: tuple[str, ...], needed: str) -> None:
    """A login or certificate that would silently not be used is refused."""
    for field in fields:
        if getattr(kafka, field) is not None:
            raise ConfigError(
                f"kafka.{field} is set, but kafka.security_protocol is "
                f"{kafka.security_protocol}, which does not use it; set {needed}"
            )
