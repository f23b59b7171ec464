"""What a connector is, and the visible list of those there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from connectors.readers import ReadResult
from connectors.replay import ReplayConnector


class Connector(Protocol):
    """The outside world as a stream of pages.

    A connector closes cleanly when its iterator is closed, turns foreign errors into failure
    values, never yields a naive time, and survives one bad item.
    """

    @property
    def name(self) -> str:
        """Word for logs and metrics."""
        ...

    def poll(self) -> AsyncGenerator[ReadResult, None]:
        """Pages as they come, and failures as values."""
        ...


CONNECTORS: Mapping[str, type[Connector]] = {
    "replay": ReplayConnector,
}
"""Name -> class. Adding a connector is one file and one line here."""
