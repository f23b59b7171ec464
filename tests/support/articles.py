"""Articles of files, as ``nashra run`` would make them at a fixed moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from connectors.files import find_files
from connectors.readers import PageRead, Reader
from processors.pipeline import clean, enrich
from schemas import codec
from schemas.records import Article, RawPage
from tests.support.text import NOW, tools


def read_pages(*paths: Path) -> Iterator[RawPage]:
    """Pages of files and folders; files that cannot be read are left out."""
    reader = Reader(max_file_bytes=20_000_000, clock=lambda: NOW)
    for result in reader.read(find_files([str(path) for path in paths])):
        if isinstance(result, PageRead):
            yield result.page


def article_of(path: Path) -> Article:
    """The article of one file.

    Raises:
        ProcessingError: The page was refused.
        StopIteration: The file gave no page.
    """
    page = next(read_pages(path))
    return enrich(clean(page, tools(), now=NOW), tools(), now=NOW)


def golden_form(article: Article) -> dict[str, Any]:
    """An article as golden files keep it: as on the wire, less what changes with a release."""
    record: dict[str, Any] = orjson.loads(codec.encode(article))
    del record["versions"]
    return record
