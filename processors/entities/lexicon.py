"""The words around names (``data/words.toml``): cues, ministries, roles, given names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from processors.entities.tokens import Split, fold_name, fold_word, written_forms
from processors.entities.trie import Trie
from schemas.errors import RuleFileError

WORDS_FILE: Final = "words.toml"
Words = tuple[str, ...]
Forms = Mapping[str, Split]
"""Folded words as written, with proclitics or without -> how they read."""


class Cues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words before a name that settle what it is."""

    place: Words
    place_noun: Words
    verb: Words
    media: Words
    latin: Words


class Ministry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of the names of ministries."""

    heads: Words
    portfolios: Words
    bare: Words
    bare_after: Words


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of role phrases."""

    heads: Words
    inside: Words
    joiners: Words
    groups: Words
    eponyms: Words
    after_name: Words


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of the names of persons."""

    arab: Words
    foreign: Words
    joiners: Words
    never: Words


class WordsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``words.toml`` as written."""

    cues: Cues
    ministry: Ministry
    roles: Roles
    names: Names


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words file, folded for look-up."""

    strict_cues: Forms
    place_cues: Forms
    media_cues: Forms
    ministry_heads: Forms
    portfolios: Trie[str]
    bare_portfolios: Forms
    bare_after: frozenset[str]
    role_heads: Forms
    role_inside: Forms
    role_joiners: frozenset[str]
    role_groups: Forms
    eponyms: Forms
    roles_after_name: frozenset[str]
    given_arab: frozenset[str]
    given_foreign: frozenset[str]
    given: frozenset[str]
    name_joiners: frozenset[str]
    never_names: frozenset[str]


def read_lexicon(content: bytes) -> Lexicon:
    """Read ``words.toml``.

    Raises:
        RuleFileError: No TOML, or a field is missing, unknown or wrong; the message names it.
    """
    try:
        words = msgspec.toml.decode(content, type=WordsFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{WORDS_FILE}: {error}") from error
    portfolios: Trie[str] = Trie()
    for portfolio in words.ministry.portfolios:
        portfolios.add(fold_name(portfolio), portfolio)
    portfolio_words = {word for name in words.ministry.portfolios for word in fold_name(name)}
    strict_cues = (*words.cues.place, *words.cues.verb, *words.cues.latin)
    return Lexicon(
        strict_cues=_forms(strict_cues),
        place_cues=_forms((*strict_cues, *words.cues.place_noun)),
        media_cues=_forms(words.cues.media),
        ministry_heads=_forms(words.ministry.heads),
        portfolios=portfolios,
        bare_portfolios=_forms(words.ministry.bare),
        bare_after=_folded(words.ministry.bare_after),
        role_heads=_forms(words.roles.heads),
        role_inside=_forms((*words.roles.inside, *portfolio_words)),
        role_joiners=_folded(words.roles.joiners),
        role_groups=_forms(words.roles.groups),
        eponyms=_forms(words.roles.eponyms),
        roles_after_name=_folded(words.roles.after_name),
        given_arab=_folded(words.names.arab),
        given_foreign=_folded(words.names.foreign),
        given=_folded((*words.names.arab, *words.names.foreign)),
        name_joiners=_folded(words.names.joiners),
        never_names=_folded(words.names.never),
    )


def _forms(words: Iterable[str]) -> Forms:
    return written_forms([fold_word(word) for word in words])


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(fold_word, words))
