"""``nashra schemas export``."""

from __future__ import annotations

from pathlib import Path

import click

from stream.cli.common import EXIT_SOME_FAILED, examples, stderr, stdout


@click.group()
def schemas() -> None:
    """The contract for subscribers: JSON Schema and AsyncAPI."""


@schemas.command(
    epilog=examples(
        "nashra schemas export",
        "nashra schemas export --check               in CI: are the files current?",
        "nashra schemas export --to contract",
    )
)
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 if they differ.")
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write instead of schemas/generated.",
)
@click.option(
    "--samples",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="What the examples are made from instead of samples.",
)
def export(directory: Path | None, samples: Path | None, *, is_check: bool) -> None:
    """Write JSON Schemas, the AsyncAPI document and examples; all of it or none."""
    from stream.contract import GENERATED, SAMPLES, check_contract, export_contract

    directory, samples = directory or GENERATED, samples or SAMPLES
    if not is_check:
        files = export_contract(directory, samples)
        stdout().print(f"{len(files)} files written to {directory}", soft_wrap=True)
        return
    differences = check_contract(directory, samples)
    for difference in differences:
        stderr().print(difference, soft_wrap=True)
    if differences:
        stderr().print("run `nashra schemas export` and commit what changed")
        click.get_current_context().exit(EXIT_SOME_FAILED)
    stdout().print(f"{directory} is current", soft_wrap=True)
