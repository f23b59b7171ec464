"""Names of places, for datelines: there even an ambiguous name ("Amman", "Oman") is a place."""

from __future__ import annotations

from processors.entities.gazetteer import Entry, package_entries

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
