"""Runs as files: JSON lines of articles, indexed by id and revision, read back one at a time.

Only an index is kept in memory (about 0.4 kB an article); a body is read when it is compared.
"""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, cast

import orjson

from connectors.files import COMPRESSIONS, STDIN, ByteStream, PageFile, read_lines
from connectors.readers import BOM
from schemas.errors import InputError
from stream.diff import Change, Scope, compare

MAX_FAILURES = 20
"""Bad lines named of one file; the rest are counted."""

Key = tuple[str, int]
"""Article id and revision."""

RunArticle = dict[str, Any]


class Spot(NamedTuple):
    """Where one content of an article stands."""

    offset: int
    line: int
    digest: bytes


@dataclass(slots=True)
class RunFile:
    """An indexed run.

    Attributes:
        name: As the user wrote it.
        spots: For each article its different contents, the last one last.
        repeats: Lines that say once more what was said.
        failures: Sentences about bad lines, each with its place.
        bad: How many lines are bad.
    """

    name: str
    _lines: BinaryIO
    spots: dict[Key, list[Spot]] = field(default_factory=dict)
    repeats: int = 0
    failures: list[str] = field(default_factory=list)
    bad: int = 0

    def read(self, spot: Spot) -> RunArticle:
        """The article that stands there."""
        self._lines.seek(spot.offset)
        return _article(self._lines.readline())

    def last(self, key: Key) -> RunArticle:
        """What the run says of an article in the end: the later one wins."""
        return self.read(self.spots[key][-1])

    def add(self, number: int, offset: int, line: bytes | None, scope: Scope) -> None:
        """Index one line; ``None``: it was too long."""
        if line is not None and not line.removeprefix(BOM).strip():
            return
        try:
            article = _article(line)
            key, digest = _key(article), _digest(article, scope)
        except InputError as error:
            self.bad += 1
            if self.bad <= MAX_FAILURES:
                self.failures.append(f"{self.name}:{number}: {error}")
            return
        spot = Spot(offset, number, digest)
        spots = self.spots.setdefault(key, [])
        same = next((one for one in spots if one.digest == spot.digest), None)
        if same is not None:
            self.repeats += 1
            spots.remove(same)
        spots.append(spot)

    def conflicts(self, scope: Scope) -> list[Key]:
        """Articles of which the run says different things under one revision."""
        many = [key for key, spots in self.spots.items() if len(spots) > 1]
        return [key for key in many if self._differ(self.spots[key], scope)]

    def _differ(self, spots: list[Spot], scope: Scope) -> bool:
        last = self.read(spots[-1])
        return any(compare(self.read(spot), last, scope) for spot in spots[:-1])


def open_run(
    path: str,
    scope: Scope,
    max_line_bytes: int,
    stack: ExitStack,
    *,
    stdin: ByteStream | None = None,
    advance: Callable[[], None] = lambda: None,
) -> RunFile:
    """Index a file of articles; it may be ``.gz`` or ``.zst``, a pipe, or ``-``.

    What cannot be read twice (a pipe, a compressed file) is kept in a temporary file, inflated.

    Args:
        path: JSON lines, as ``nashra run -o`` and ``nashra tail --json`` write them.
        scope: Which fields make a content different.
        max_line_bytes: Longest line that is taken.
        stack: Closes the file.
        stdin: What ``-`` reads.
        advance: Called once a line.

    Raises:
        InputError: There is no such file, or it is broken; bad lines are ``failures``.
    """
    name = "standard input" if path == STDIN else path
    try:
        source = _source(path, stdin, stack)
        is_kept = source.file.path == STDIN or bool(source.file.compression)
        lines = stack.enter_context(_seekable(path, is_kept=is_kept))
        run = RunFile(name, lines)
        for number, offset, line in _placed(source, max_line_bytes):
            if is_kept:
                lines.write((line or b"") + b"\n")
            run.add(number, offset, line, scope)
            advance()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InputError(f"{name}: cannot be read: {why}") from error
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return run


def _seekable(path: str, *, is_kept: bool) -> BinaryIO:
    """Where articles are read back: the file itself, or a new one that goes when it is closed."""
    return cast("BinaryIO", TemporaryFile()) if is_kept else Path(path).open("rb")


class _Source(NamedTuple):
    """What ``connectors.files`` reads: a file, or a stream under the name ``-``."""

    file: PageFile
    stream: ByteStream | None


def _source(path: str, stdin: ByteStream | None, stack: ExitStack) -> _Source:
    if path == STDIN:
        return _Source(PageFile(STDIN, "jsonl"), stdin)
    if stat.S_ISFIFO(Path(path).stat().st_mode):
        return _Source(PageFile(STDIN, "jsonl"), stack.enter_context(Path(path).open("rb")))
    suffix = Path(path).suffix.lower()
    return _Source(PageFile(path, "jsonl", suffix if suffix in COMPRESSIONS else ""), None)


def _placed(source: _Source, max_bytes: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Number, offset and bytes of each line; offsets after a line that is too long are void."""
    offset = 0
    for number, line in read_lines(source.file, max_bytes, source.stream):
        yield number, offset, line
        offset += len(line or b"") + 1


def _article(line: bytes | None) -> RunArticle:
    """The object on a line; ``None``: the line was too long.

    Raises:
        InputError: There is none.
    """
    if line is None:
        raise InputError("the line is too long (replay.max_file_bytes)")
    try:
        tree = orjson.loads(line.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise InputError("no article: an article is an object")
    return tree


def _key(article: RunArticle) -> Key:
    """Id and revision.

    Raises:
        InputError: This is no article.
    """
    if article.get("tombstone") is True and isinstance(article.get("key"), str):
        return article["key"], 0  # `nashra tail latest --json` of one that was withdrawn
    name, revision = article.get("id"), article.get("revision", 1)
    if not isinstance(name, str) or not name:
        raise InputError("no article: it has no id")
    if not isinstance(revision, int) or isinstance(revision, bool) or revision < 1:
        raise InputError(f"no article: revision is {revision!r}, not a number from 1")
    return name, revision


def _digest(article: RunArticle, scope: Scope) -> bytes:
    try:
        data = orjson.dumps(scope.digest_view(article), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise InputError("no article: nested too deeply") from error
    return hashlib.blake2b(data, digest_size=16).digest()


@dataclass(slots=True)
class Comparison:
    """Two runs, compared.

    Attributes:
        a: The older run.
        b: The newer one.
        scope: What was compared.
        same: Articles that are the same in both.
        changed: Articles in both that differ, in the order of A.
        only_a: Articles that B has not.
        only_b: Articles that A has not.
        conflicts: Run and article: different contents under one id and revision.
        fields: How many articles differ in each field.
    """

    a: RunFile
    b: RunFile
    scope: Scope
    same: int = 0
    changed: list[Key] = field(default_factory=list)
    only_a: list[Key] = field(default_factory=list)
    only_b: list[Key] = field(default_factory=list)
    conflicts: list[tuple[RunFile, Key]] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)

    @property
    def is_same(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.total

    @property
    def total(self) -> int:
        """How many articles there are to tell of."""
        return sum(map(len, (self.changed, self.only_a, self.only_b))) + len(self.conflicts)

    def changes(self, key: Key) -> list[Change]:
        """What differs in an article that both have."""
        return compare(self.a.last(key), self.b.last(key), self.scope)


def compare_runs(
    a: RunFile, b: RunFile, scope: Scope, advance: Callable[[], None] = lambda: None
) -> Comparison:
    """Compare by id, revision and field; the order of the lines does not matter.

    Calls ``advance`` once an article of ``a``.
    """
    found = Comparison(a, b, scope)
    for key, spots in a.spots.items():
        advance()
        if key not in b.spots:
            found.only_a.append(key)
        elif spots[-1].digest == b.spots[key][-1].digest:
            found.same += 1
        elif changes := found.changes(key):
            found.changed.append(key)
            found.fields.update(list(dict.fromkeys(change.field for change in changes)))
        else:
            found.same += 1
    found.only_b = [key for key in b.spots if key not in a.spots]
    found.conflicts = [(run, key) for run in (a, b) for key in run.conflicts(scope)]
    return found
