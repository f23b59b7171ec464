"""Names of places and first names, for datelines: there even an ambiguous name is a place."""

from __future__ import annotations

from processors.entities.gazetteer import Entry, package_entries, package_sources
from processors.entities.lexicon import WORDS_FILE, read_lexicon

_NAME_FIELDS = ("aliases", "cued", "strict", "shared", "aliases_en", "aliases_fr")


def place_names() -> frozenset[str]:
    """All names of all places in the gazetteer files, as written.

    Raises:
        RuleFileError: A file is wrong; the message names file and field.
    """
    return frozenset(
        name for entry in package_entries() if entry.type == "LOC" for name in _names(entry)
    )


def _names(entry: Entry) -> tuple[str, ...]:
    return (entry.name, *(name for field in _NAME_FIELDS for name in getattr(entry, field)))


def given_names() -> frozenset[str]:
    """First names of persons, folded.

    Raises:
        RuleFileError: The file is wrong; the message names the field.
    """
    return frozenset(read_lexicon(package_sources()[WORDS_FILE]).given)
