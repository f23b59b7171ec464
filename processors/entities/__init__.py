"""Persons, bodies and places of an article: the interface, and the extractor behind it."""

from __future__ import annotations

from typing import Protocol

from processors.entities.extractor import GazetteerExtractor, load_gazetteer
from schemas.records import Entity


class EntityExtractor(Protocol):
    """Finds what an article names. One is built at start and used for every article.

    Attributes:
        name: Which extractor: ``gazetteer``, later ``crf`` ...
        version: Changes whenever its answers may change.
    """

    @property
    def name(self) -> str:
        """Which extractor."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its answers may change."""
        ...

    def extract(self, headline: str | None, body: str) -> tuple[Entity, ...]:
        """Find the entities of one article.

        Args:
            headline: May help to link names; gives no mention. ``None``: not known.
            body: The text that mentions are in.

        Returns:
            One entity per real thing, in order of first mention; its mentions in order. Over all
            entities mentions do not overlap, and ``body[m.start:m.end] == m.text`` holds (code
            points, end exclusive).

        Never raises: an odd text simply names nothing.
        """
        ...


__all__ = ["EntityExtractor", "GazetteerExtractor", "load_gazetteer"]
