"""Fixtures for the whole suite."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from stream.logs import _QUIET, _REPEATING
from tests.support.contract import contract_errors
from tests.support.kafka_kit import (  # noqa: F401 - fixtures for all
    cluster,
    cluster_of_session,
    kafka,
    kafka_of_session,
    secure_kafka,
    secure_kafka_of_session,
)

# A busy machine is no defect; what must be quick has a test of its own.
settings.register_profile("nashra", deadline=None)
settings.load_profile("nashra")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Take back the levels that a test's ``logs.set_up`` set: the next may count log lines."""
    loggers = [logging.getLogger(name) for name in (None, *_QUIET, *_REPEATING)]
    levels = [each.level for each in loggers]
    yield
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of this checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's reference material beside the checkout; skips where it is absent."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "samples").is_dir():
        pytest.skip(f"needs the reference material in {folder}, which is not here")
    return folder


@pytest.fixture(scope="session")
def validate_record() -> Callable[[bytes], None]:
    """Fail if a produced record (JSON bytes) is not what its generated schema promises.

    Every test that makes a record passes its bytes through this.
    """

    def validate(data: bytes) -> None:
        errors = contract_errors(data)
        assert not errors, "\n".join(errors)

    return validate
