"""The working copy that travels through the pipeline, and the reversible edit list.

A draft keeps the raw text untouched. Steps only *mark*: a line gets a role, an inline span gets a
cut. At the end :func:`assemble` builds the body from the kept lines and states every difference
from the raw text as a :class:`~schemas.records.Removal`, so that :func:`rebuild` can go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from schemas.records import (
    DateCandidate,
    Dateline,
    Extraction,
    Image,
    Published,
    RawPage,
    RelatedLink,
    Removal,
)

PARAGRAPH_BREAK = "\n\n"


class Role(StrEnum):
    """What a line of the page is. ``BODY`` and ``SUBHEAD`` make the body; the rest is cut."""

    BODY = "body"
    SUBHEAD = "subhead"
    HEADLINE = "headline"
    SUBHEADLINE = "subheadline"
    DATELINE = "dateline"
    DATE = "date"
    BYLINE = "byline"
    CREDIT = "credit"
    KEYWORDS = "keywords"
    RELATED = "related"
    BOILERPLATE = "boilerplate"

    @property
    def is_kept(self) -> bool:
        """Whether lines of this role stand in the body."""
        return self in (Role.BODY, Role.SUBHEAD)


@dataclass(frozen=True, slots=True)
class Cut:
    """An inline edit: ``raw[start:end]`` becomes ``put``."""

    start: int
    end: int
    rule: str
    reason: str
    put: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One non-blank line of the raw text.

    Attributes:
        start: Start in the raw text, code points, after leading white space.
        end: End, exclusive, before trailing white space.
        text: ``raw[start:end]`` with script hygiene applied (no bidi marks, NFC ...).
        folded: ``fold.fold(text)``: for matching only.
        role: What the line is.
        rule: Rule or step that gave the role, e.g. ``common/share-label``.
        reason: Why, for a person.
        cuts: Inline edits within the line, in order, not overlapping; ``text`` is their result.
    """

    start: int
    end: int
    text: str
    folded: str
    role: Role = Role.BODY
    rule: str = ""
    reason: str = ""
    cuts: tuple[Cut, ...] = ()

    def as_role(self, role: Role, rule: str, reason: str) -> Line:
        """This line with another role."""
        return replace(self, role=role, rule=rule, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What the page's own markup states, before any judgement. All empty for plain text.

    Attributes:
        headlines: (source, text) in order of trust, e.g. ``("json-ld", "...")``.
        dates: (source, raw) of publication dates, in order of trust.
        modified: (source, raw) of modification dates.
        authors: Names as stated.
        keywords: As stated, one per item.
        publisher: Name of the publisher or site, and what states it.
        canonical_url: From ``link rel=canonical`` or ``og:url``, absolute.
        language: BCP 47 tag of ``<html lang>`` or ``og:locale``.
        section: Section or category.
        description: Meta description (a candidate for the subheadline).
        images: Lead images.
        related: Links to other articles that stood around the text.
        subheadline: A deck under the headline that the markup calls so.
        head_lines: Short lines shown between headline and text, which extraction drops.
    """

    headlines: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    modified: tuple[tuple[str, str], ...] = ()
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    publisher: str | None = None
    publisher_evidence: str | None = None
    canonical_url: str | None = None
    language: str | None = None
    section: str | None = None
    description: str | None = None
    images: tuple[Image, ...] = ()
    related: tuple[RelatedLink, ...] = ()
    subheadline: str | None = None
    head_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One article in the making; every step returns a changed copy.

    Attributes:
        page: The page as it came.
        now: The moment of cleaning, aware UTC (processors read no clock).
        raw: The text that all offsets count in; for HTML what extraction gave.
        lines: Non-blank lines of ``raw`` in order.
    """

    page: RawPage
    now: datetime
    raw: str = ""
    lines: tuple[Line, ...] = ()
    facts: PageFacts = field(default_factory=PageFacts)
    extraction: Extraction = field(default_factory=lambda: Extraction(method="text"))
    charset_repair: str | None = None
    headline: str | None = None
    subheadline: str | None = None
    subheads: tuple[str, ...] = ()
    dateline: Dateline | None = None
    authors: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    credit_line: str | None = None
    publisher: str | None = None
    publisher_evidence: str | None = None
    keywords: tuple[str, ...] = ()
    published_at: datetime | None = None
    published: Published | None = None
    modified_at: datetime | None = None
    dates: tuple[DateCandidate, ...] = ()
    event_dates: tuple[date, ...] = ()
    related: tuple[RelatedLink, ...] = ()
    language: str = "und"
    is_truncated: bool = False

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The inline edits of all lines, in order."""
        return tuple(cut for line in self.lines for cut in line.cuts)

    def body_lines(self) -> list[Line]:
        """Lines that are still in the body, in order."""
        return [line for line in self.lines if line.role.is_kept]

    def with_line(self, row: int, line: Line) -> Draft:
        """A copy with one line replaced. For many lines use :meth:`with_lines`: it copies once."""
        return self.with_lines({row: line})

    def with_lines(self, changed: Mapping[int, Line]) -> Draft:
        """A copy with some lines replaced, by row (index in ``lines``, from 0)."""
        lines = list(self.lines)
        for row, line in changed.items():
            lines[row] = line
        return replace(self, lines=tuple(lines))

    def with_role(self, rows: Iterable[int], role: Role, rule: str, reason: str) -> Draft:
        """A copy in which the lines of these rows have another role."""
        return self.with_lines({row: self.lines[row].as_role(role, rule, reason) for row in rows})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of raw text on its way to the body: kept (``rule`` None) or edited."""

    start: int
    end: int
    put: str | None = None
    rule: str = ""
    reason: str = ""


def assemble(draft: Draft) -> tuple[str, tuple[Removal, ...]]:
    """Build the body and the edits that lead to it.

    Returns:
        The body (kept lines joined by one blank line, inline cuts applied) and the removals in
        raw order; ``rebuild(body, removals) == draft.raw``.
    """
    body: list[str] = []
    removals: list[Removal] = []
    for piece in _pieces(draft):
        text = draft.raw[piece.start : piece.end]
        if piece.put is None or piece.put == text:
            body.append(text)
            continue
        body.append(piece.put)
        removals.append(
            Removal(
                start=piece.start,
                end=piece.end,
                text=text,
                put=piece.put,
                rule=piece.rule,
                reason=piece.reason,
            )
        )
    return "".join(body), tuple(removals)


def rebuild(body: str, removals: Sequence[Removal]) -> str:
    """Undo :func:`assemble`: the raw text from the body and its removals.

    Args:
        body: The body of an article.
        removals: Its removals, ordered by ``start``, not overlapping.
    """
    raw: list[str] = []
    raw_at = body_at = 0
    for removal in removals:
        kept = removal.start - raw_at
        raw.append(body[body_at : body_at + kept])
        raw.append(removal.text)
        raw_at = removal.end
        body_at += kept + len(removal.put)
    raw.append(body[body_at:])
    return "".join(raw)


def _pieces(draft: Draft) -> Iterator[_Piece]:
    """Cover the whole raw text, in order: kept lines, cut lines, and the layout between them."""
    at = 0
    pending_break = False
    kept_left = sum(line.role.is_kept for line in draft.lines)
    for line in draft.lines:
        if at < line.start:
            put = PARAGRAPH_BREAK if pending_break and kept_left else ""
            yield _Piece(at, line.start, put, "layout", "white space between lines")
            pending_break = pending_break and not put
        if line.role.is_kept:
            yield from _kept_line(line)
            kept_left -= 1
            pending_break = True
        else:
            yield _Piece(line.start, line.end, "", line.rule, line.reason)
        at = line.end
    if at < len(draft.raw):
        yield _Piece(at, len(draft.raw), "", "layout", "white space at the end")


def _kept_line(line: Line) -> Iterator[_Piece]:
    """The stretches of one kept line, split at its inline cuts."""
    at = line.start
    for cut in line.cuts:
        if at < cut.start:
            yield _Piece(at, cut.start)
        yield _Piece(cut.start, cut.end, cut.put, cut.rule, cut.reason)
        at = cut.end
    if at < line.end:
        yield _Piece(at, line.end)
