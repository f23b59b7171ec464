"""What the steps need beside the page: rules, gazetteers, the entity extractor.

Loaded once at worker start by :func:`load_tools`, never at import; immutable afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version

from processors.entities import EntityExtractor
from processors.entities.extractor import load_gazetteer
from processors.entities.places import given_names, place_names
from processors.names import Names, load_names
from processors.rulefile import RuleBook, load_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything loaded at start.

    Attributes:
        rules: Boilerplate rules.
        names: Agencies, publishers, places and labels, for datelines and credit lines.
        entities: The entity extractor.
        versions: What produced a record: ``nashra``, ``rules``, ``entities``.
    """

    rules: RuleBook
    names: Names
    entities: EntityExtractor
    versions: dict[str, str] = field(default_factory=dict)


def load_tools(extra_rules: Iterable[tuple[str, str]] = ()) -> Tools:
    """Load what ships with nashra.

    Args:
        extra_rules: More rule files as (file name, TOML text).

    Raises:
        RuleFileError: A file is wrong; the message names file and field.
    """
    rules = load_rules(extra_rules)
    entities = load_gazetteer()
    return Tools(
        rules=rules,
        names=load_names(place_names(), given_names()),
        entities=entities,
        versions={
            "nashra": version("nashra"),
            "rules": "+".join(f"{file.name}-{file.version}" for file in rules.files),
            "entities": f"{entities.name}-{entities.version}",
        },
    )
