"""Typed, strict reader of the boilerplate rule files (``processors/rules/*.toml``).

A rule is data: what to match, what to do, *why*, and at least one *example* that becomes a test.
A file with ``hosts`` holds for those hosts only and may switch common rules off by id.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from processors.fold import fold, fold_letters
from schemas.errors import RuleFileError

Verb = Literal["cut_line", "cut_end"]
"""``cut_line``: the whole line. ``cut_end``: the end of a paragraph, from the match on."""

EDGE_SIGNS = " \t:?|.-*•·،,؛;…<>[](){}/\\\"'«»=+#!_"
"""Stripped from both ends of a line before a whole-line comparison."""

DEFAULT_MAX_CHARS = 160
"""Longest line that a ``starts`` or ``regex`` rule may take unless it says otherwise. Measured on
a day of newspaper text: anchored at the start and under 160 characters, 2,676 of 168,121 lines
matched a broad word list, 29 of them wrongly; unanchored it was 23,885."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One boilerplate rule.

    Attributes:
        id: Unique within its file.
        do: What to do with a match.
        lines: Whole lines, compared after folding and stripping of edge signs.
        starts: Line starts, compared after folding; the next character must be no letter.
        regex: Pattern for the folded line (``cut_line``, full match) or, for ``cut_end``, for the
            original text, anchored at the end by the engine.
        max_chars: Longest line, code points, that ``starts`` and ``regex`` may take.
        max_words: Longest line, words, for the same.
        outside_text: Holds above the first and below the last paragraph only.
        is_stub: A match means the publisher shows only the start of the text.
        why: Why this is boilerplate, for a person.
        example: Pairs of (page text, body that must remain).
    """

    id: Annotated[str, Meta(pattern="^[a-z0-9-]+$")]
    do: Verb = "cut_line"
    lines: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    max_chars: Annotated[int, Meta(ge=1)] = DEFAULT_MAX_CHARS
    max_words: Annotated[int, Meta(ge=1)] = 40
    outside_text: bool = False
    is_stub: bool = False
    why: Annotated[str, Meta(min_length=8)]
    example: Annotated[tuple[tuple[str, str], ...], Meta(min_length=1)]


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule file.

    Attributes:
        name: Prefix of its rules in records and logs (``common/share-label``).
        hosts: Hosts it holds for, without ``www.``; empty: all. A subdomain counts.
        off: Ids of common rules that do not hold for these hosts.
        rule: The rules, in order.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9-]+$")]
    version: Annotated[int, Meta(ge=1)] = 1
    hosts: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    rule: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched a line; ``start`` is set for ``cut_end`` (code points in its text)."""

    name: str
    rule: Rule
    start: int | None = None


@dataclass(frozen=True)
class RuleSet:
    """Compiled rules of the files that hold for one host."""

    named: tuple[tuple[str, Rule], ...]

    @cached_property
    def _whole(self) -> dict[str, tuple[str, Rule]]:
        return {bare(fold(text)): (name, rule) for name, rule in self.named for text in rule.lines}

    @cached_property
    def _starts(self) -> re.Pattern[str] | None:
        starts = [fold(text) for _, rule in self.named for text in rule.starts]
        if not starts:
            return None
        longest_first = sorted(starts, key=len, reverse=True)
        return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    @cached_property
    def _start_rules(self) -> dict[str, tuple[str, Rule]]:
        return {fold(text): (name, rule) for name, rule in self.named for text in rule.starts}

    @cached_property
    def _regexes(self) -> tuple[tuple[re.Pattern[str], str, Rule], ...]:
        return tuple(
            (re.compile(fold_letters(pattern)), name, rule)
            for name, rule in self.named
            if rule.do == "cut_line"
            for pattern in rule.regex
        )

    @cached_property
    def _ends(self) -> tuple[tuple[re.Pattern[str], str, Rule], ...]:
        return tuple(
            (re.compile(rf"(?:{pattern})\s*\Z"), name, rule)
            for name, rule in self.named
            if rule.do == "cut_end"
            for pattern in rule.regex
        )

    def match_line(self, folded: str) -> Match | None:
        """The first rule that takes a whole line; ``folded`` is the line through ``fold``."""
        hit = self._whole.get(bare(folded))
        if hit:
            return Match(*hit)
        if len(folded) > 1000:
            return None  # no rule may take so long a line; saves the regexes
        hit = self._match_start(folded)
        if hit:
            return Match(*hit)
        for pattern, name, rule in self._regexes:
            if _fits(folded, rule) and pattern.fullmatch(folded):
                return Match(name, rule)
        return None

    def match_end(self, text: str) -> Match | None:
        """The first ``cut_end`` rule that takes the end of a paragraph (its last 120 signs)."""
        offset = max(0, len(text) - 120)
        tail = text[offset:]
        for pattern, name, rule in self._ends:
            found = pattern.search(tail)
            if found and (offset or found.start()):
                return Match(name, rule, offset + found.start())
        return None

    def _match_start(self, folded: str) -> tuple[str, Rule] | None:
        head = folded.lstrip(EDGE_SIGNS)
        found = self._starts.match(head) if self._starts else None
        if not found:
            return None
        name, rule = self._start_rules[found.group()]
        return (name, rule) if _fits(folded, rule) else None


def bare(folded: str) -> str:
    """A folded line without the signs around it: what ``lines`` rules compare."""
    return folded.strip(EDGE_SIGNS)


def _fits(folded: str, rule: Rule) -> bool:
    return len(folded) <= rule.max_chars and folded.count(" ") < rule.max_words


@dataclass(frozen=True)
class RuleBook:
    """All rule files; hands out the compiled set for a host."""

    files: tuple[RuleFile, ...]

    @cached_property
    def _sets(self) -> dict[tuple[str, ...], RuleSet]:
        return {}

    def for_host(self, host: str | None) -> RuleSet:
        """Rules for a page of ``host`` (lower case); ``None``: the common rules alone."""
        chosen = tuple(file for file in self.files if _holds_for(file, host))
        key = tuple(file.name for file in chosen)
        if key not in self._sets:
            off = {rule_id for file in chosen for rule_id in file.off}
            self._sets[key] = RuleSet(
                tuple(
                    (f"{file.name}/{rule.id}", rule)
                    for file in sorted(chosen, key=lambda file: not file.hosts)
                    for rule in file.rule
                    if file.hosts or rule.id not in off
                )
            )
        return self._sets[key]


def _holds_for(file: RuleFile, host: str | None) -> bool:
    if not file.hosts:
        return True
    return host is not None and any(host == h or host.endswith("." + h) for h in file.hosts)


def parse_rules(text: str, where: str) -> RuleFile:
    """Read one rule file.

    Args:
        text: TOML.
        where: File name for error messages.

    Raises:
        RuleFileError: Names the file and the field or pattern at fault.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), RuleFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleFileError(f"{where}: {error}") from error
    ids = [rule.id for rule in file.rule]
    for rule in file.rule:
        if ids.count(rule.id) > 1:
            raise RuleFileError(f"{where}: rule id {rule.id!r} stands twice")
        _check_rule(rule, where)
    return file


def _check_rule(rule: Rule, where: str) -> None:
    if not (rule.lines or rule.starts or rule.regex):
        raise RuleFileError(f"{where}: rule {rule.id!r} matches nothing: no lines, starts, regex")
    if rule.do == "cut_end" and not rule.regex:
        raise RuleFileError(f"{where}: rule {rule.id!r}: cut_end needs a regex")
    for pattern in rule.regex:
        try:
            re.compile(pattern)
        except re.error as error:
            raise RuleFileError(f"{where}: rule {rule.id!r}: {pattern!r}: {error}") from error


def load_rules(extra: Iterable[tuple[str, str]] = ()) -> RuleBook:
    """Load the rule files that ship with nashra, and more given as (file name, text) pairs."""
    folder = resources.files("processors") / "rules"
    shipped = sorted(
        (item.name, item.read_text("utf-8"))
        for item in folder.iterdir()
        if item.name.endswith(".toml") and not item.name.startswith("_")
    )
    return RuleBook(tuple(parse_rules(text, name) for name, text in (*shipped, *extra)))
