"""Read the gazetteer files strictly and build the look-up structures; nothing at import."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from processors.entities.lexicon import WORDS_FILE, Lexicon, read_lexicon
from processors.entities.things import Alias, Condition, Thing, name_key
from processors.entities.tokens import fold_name, fold_word, written_forms
from processors.entities.trie import Trie
from schemas.articles import EntityType
from schemas.errors import RuleFileError

_PACKAGE: Final = "processors.entities"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing as written in a gazetteer file.

    Attributes:
        name: Canonical name. It is also an alias, unless a conditional list below has it.
        type: PER, ORG, LOC or MISC.
        qid: Wikidata id, where certain.
        iso: ISO 3166-1 alpha-2 of the country it is or lies in.
        aliases: Other names that always mean it.
        linked: Short names that count once the article has the full name (last names).
        cued: Names that are also ordinary words: a cue word must stand before one of them.
        strict: The same, but a cue word must stand before each.
        quoted: Names that count in quotation marks or after "newspaper", "agency" ...
        shared: Names that other entries list as shared too; the article decides.
        not_after: A one-word name after one of these words is an ordinary word.
        not_before: The same, for the word that follows.
        adjectives: Nationality adjectives, masculine, without article; first one canonical.
        aliases_en: English names, case-sensitive.
        aliases_fr: French names, case-sensitive.
    """

    name: Annotated[str, msgspec.Meta(min_length=2)]
    type: EntityType
    qid: Annotated[str, msgspec.Meta(pattern=r"^Q[1-9][0-9]*$")] | None = None
    iso: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")] | None = None
    aliases: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    cued: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    aliases_en: tuple[str, ...] = ()
    aliases_fr: tuple[str, ...] = ()


class GazetteerFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gazetteer file."""

    entry: tuple[Entry, ...]


_CONDITIONS: Final[Mapping[str, Condition]] = {
    "aliases": Condition.ALWAYS,
    "aliases_en": Condition.ALWAYS,
    "aliases_fr": Condition.ALWAYS,
    "linked": Condition.LINKED,
    "cued": Condition.CUED,
    "strict": Condition.STRICT,
    "quoted": Condition.QUOTED,
    "shared": Condition.SHARED,
}
# Different things may go by the same name under these; under the others it is a mistake.
_MANY: Final = frozenset({Condition.LINKED, Condition.SHARED})


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Look-up structures, built once at start.

    Attributes:
        names: All names of all things.
        starts: Every written form, proclitics and all, of a word that a name can begin with.
        adjectives: Folded forms of nationality adjectives -> canonical definite feminine form.
        adjective_isos: The same forms -> country.
        lexicon: Cues, ministries, roles, given names.
        version: Changes with the data.
    """

    names: Trie[Alias]
    starts: frozenset[str]
    adjectives: Mapping[str, str]
    adjective_isos: Mapping[str, str]
    lexicon: Lexicon
    version: str


Key = str | tuple[tuple[str, ...], Condition]
"""What only one entry may have: an id, or a name under a condition."""


@dataclass(slots=True)
class _Builder:
    names: Trie[Alias] = field(default_factory=Trie)
    owners: dict[Key, str] = field(default_factory=dict)
    adjectives: dict[str, str] = field(default_factory=dict)
    adjective_isos: dict[str, str] = field(default_factory=dict)


def read_gazetteer(sources: Mapping[str, bytes]) -> Gazetteer:
    """Build a gazetteer from its files.

    Args:
        sources: File name -> content; ``words.toml`` is the lexicon, all others hold entries.

    Raises:
        RuleFileError: A file is no TOML, a field is unknown or wrong, or a name is claimed
            twice. The message names file, entry and field.
    """
    builder = _Builder()
    digest = hashlib.sha256()
    for file_name in sorted(sources):
        digest.update(sources[file_name])
        if file_name != WORDS_FILE:
            for entry in _read_entries(file_name, sources[file_name]):
                _add_entry(builder, file_name, entry)
    lexicon = read_lexicon(sources.get(WORDS_FILE, b""))
    return Gazetteer(
        names=builder.names,
        starts=frozenset(written_forms(builder.names.first_words()))
        | lexicon.ministry_heads.keys()
        | lexicon.bare_portfolios.keys(),
        adjectives=builder.adjectives,
        adjective_isos=builder.adjective_isos,
        lexicon=lexicon,
        version=f"1.0+{digest.hexdigest()[:8]}",
    )


def package_sources() -> dict[str, bytes]:
    """The gazetteer files of this package: file name -> content."""
    folder = files(_PACKAGE) / "data"
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".toml")
    }


def package_entries() -> Iterator[Entry]:
    """All entries of the gazetteer files of this package.

    Raises:
        RuleFileError: A file is wrong; the message names file and field.
    """
    for file_name, content in sorted(package_sources().items()):
        if file_name != WORDS_FILE:
            yield from _read_entries(file_name, content)


def _read_entries(file_name: str, content: bytes) -> tuple[Entry, ...]:
    try:
        return msgspec.toml.decode(content, type=GazetteerFile).entry
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{file_name}: {error}") from error


def _add_entry(builder: _Builder, file_name: str, entry: Entry) -> None:
    where = f"{file_name}: entry {entry.name}"
    thing = Thing(
        id=f"q:{entry.qid}" if entry.qid else name_key(entry.type, entry.name),
        type=entry.type,
        name=entry.name,
        iso=entry.iso,
        not_after=frozenset(map(fold_word, entry.not_after)),
        not_before=frozenset(map(fold_word, entry.not_before)),
    )
    _claim(builder.owners, thing.id, where, field_name="qid or name")
    for field_name, name, condition in _names_of(entry):
        words = fold_name(name)
        if not words:
            raise RuleFileError(f"{where}, field {field_name}: {name!r} has no letters")
        if condition not in _MANY:
            _claim(builder.owners, (words, condition), where, field_name=field_name)
        builder.names.add(words, Alias(thing, condition))
    _add_adjectives(builder, where, entry)


def _claim(owners: dict[Key, str], key: Key, where: str, *, field_name: str) -> None:
    if key in owners:
        name = key if isinstance(key, str) else " ".join(key[0])
        raise RuleFileError(f"{where}, field {field_name}: {name} is already at {owners[key]}")
    owners[key] = where


def _names_of(entry: Entry) -> Iterator[tuple[str, str, Condition]]:
    """Field, name and condition of all names; the canonical name first."""
    conditional = {
        fold_name(name)
        for field_name, condition in _CONDITIONS.items()
        if condition is not Condition.ALWAYS
        for name in getattr(entry, field_name)
    }
    if fold_name(entry.name) not in conditional:
        yield "name", entry.name, Condition.ALWAYS
    for field_name, condition in _CONDITIONS.items():
        for name in getattr(entry, field_name):
            yield field_name, name, condition


def _add_adjectives(builder: _Builder, where: str, entry: Entry) -> None:
    if entry.adjectives and entry.iso is None:
        raise RuleFileError(f"{where}, field adjectives: the entry has no iso")
    for adjective in entry.adjectives:
        canonical = _definite(_feminine(entry.adjectives[0].split()))
        for form in _adjective_forms(adjective.split()):
            builder.adjectives.setdefault(fold_form(form), canonical)
            builder.adjective_isos.setdefault(fold_form(form), entry.iso or "")


def fold_form(form: str) -> str:
    """The key of an adjective form: its folded words, one space between."""
    return " ".join(fold_name(form))


def _adjective_forms(words: list[str]) -> Iterable[str]:
    feminine = _feminine(words)
    return (" ".join(words), _definite(words), " ".join(feminine), _definite(feminine))


def _feminine(words: list[str]) -> list[str]:
    return [word + "ة" for word in words]


def _definite(words: list[str]) -> str:
    return " ".join("ال" + word for word in words)
