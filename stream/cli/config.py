"""``nashra config show``."""

from __future__ import annotations

from typing import Any

import click

from stream.cli.common import Settings, examples, pass_settings


@click.group()
def config() -> None:
    """What nashra is configured to do."""


@config.command(
    epilog=examples(
        "nashra config show",
        "NASHRA_KAFKA__BOOTSTRAP=kafka:9092 nashra config show",
        "nashra --config prod.toml config show --format json",
    )
)
@click.option("--format", "form", type=click.Choice(["toml", "json"]), default="toml")
@pass_settings
def show(settings: Settings, form: str) -> None:
    """Print the effective configuration, secrets masked.

    Each value that is not the default carries where it comes from: the file, or the variable.
    The output with --format toml is a valid nashra.toml; secrets stand there as comments.
    """
    click.echo(_as_toml(settings) if form == "toml" else _as_json(settings))


def _as_json(settings: Settings) -> str:
    import orjson

    from stream.configfile import walk

    loaded = settings.loaded
    rows = {
        key: {"value": _plain(value), "origin": loaded.origins.get(key, "default")}
        for key, value in walk(loaded.config)
    }
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()


def _as_toml(settings: Settings) -> str:
    """Top-level keys first, then one table a section; no value or a secret: a comment."""
    from stream.config import Secret
    from stream.configfile import walk

    loaded = settings.loaded
    rows = sorted(walk(loaded.config), key=lambda row: "." in row[0])
    lines: list[str] = []
    section = ""
    for key, value in rows:
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            lines += ["", f"[{table}]"]
        origin = loaded.origins.get(key)
        note = f"  # {origin}" if origin else ""
        row = f"{name} = " if value is None else f"{name} = {_literal(value)}{note}"
        # A mask read back would be taken for the password.
        lines.append(f"# {row}" if value is None or isinstance(value, Secret) else row)
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    """A value for JSON; a secret shows its mask."""
    return value if isinstance(value, str | int | float | None) else str(value)


def _literal(value: Any) -> str:
    """A value as TOML writes it. JSON strings are TOML basic strings."""
    import orjson

    return orjson.dumps(_plain(value)).decode()
