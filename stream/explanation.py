"""What each step did to one page, as lines for people (``nashra explain``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime

from rich.text import Text

from processors.draft import Cut, Draft, Line
from processors.pipeline import StepTrace
from schemas.records import Article, DateCandidate, Dateline, Entity, RawPage, RelatedLink
from stream.view import (
    ENTITY_STYLES,
    INDENT,
    LABEL,
    entity_legend,
    labelled,
    labelled_inline,
    marked_body,
    one_line,
    published_words,
)

_SHOWN_ELSEWHERE = (
    "page",
    "now",
    "raw",
    "lines",
    "cuts",
    "facts",
    "extraction",
    "dates",
    "published",
)


def explain_page(page: RawPage, traces: Sequence[StepTrace], article: Article) -> Iterator[Text]:
    """Everything: steps, dates, entities, and the body that is left."""
    yield title(f"{page.origin}  {page.media_type}, {page.size_bytes():,} bytes")
    yield labelled_inline("id", page.article_id)
    yield labelled_inline("url", one_line(page.url or "unknown"))
    before: Draft | None = None
    for number, traced in enumerate(traces, 1):
        yield from _step(number, traced, before)
        before = traced.draft
    yield from explain_dates(article)
    yield from explain_entities(article.entities)
    yield title(f"body: {article.word_count:,} words, {article.language}, {article.direction}")
    yield from marked_body(article)


def title(text: str) -> Text:
    """A heading."""
    return Text(text, "bold underline")


def explain_dates(article: Article) -> Iterator[Text]:
    """Every candidate, the winner first, and why it won or lost."""
    yield title(f"dates: published {published_words(article)}")
    if not article.dates:
        yield Text("  no date was found", LABEL)
    winner = article.published
    ordered = sorted(article.dates, key=lambda date: not _is_winner(date, article))
    for date in ordered:
        is_winner = winner is not None and _is_winner(date, article)
        yield from _date(date, is_winner=is_winner)


def explain_entities(entities: Sequence[Entity]) -> Iterator[Text]:
    """Every entity with its mentions: span in code points of the body, text, prefix."""
    yield title(f"entities: {len(entities)}")
    if entities:
        yield entity_legend()
    for entity in entities:
        yield Text.assemble(
            (f"  {entity.type:<4} ", ENTITY_STYLES.get(entity.type, "")), (entity.id, LABEL)
        )
        yield Text(INDENT + one_line(entity.name), ENTITY_STYLES.get(entity.type, ""))
        yield from _mentions(entity)


def _mentions(entity: Entity) -> Iterator[Text]:
    """Spans first, then what stands there: spelling by spelling."""
    spans: dict[tuple[str, str], list[str]] = {}
    for mention in entity.mentions:
        spelling = (mention.prefix, mention.text)
        spans.setdefault(spelling, []).append(f"[{mention.start}:{mention.end}]")
    for (prefix, text), places in spans.items():
        note = "  prefix, then text" if prefix else ""
        yield Text(f"      body{' '.join(places)}{note}", LABEL)
        yield Text("      " + "  ".join(one_line(part) for part in (prefix, text) if part))


def _is_winner(date: DateCandidate, article: Article) -> bool:
    won = article.published
    return won is not None and (date.raw, date.source) == (won.raw, won.source)


def _date(date: DateCandidate, *, is_winner: bool) -> Iterator[Text]:
    mark = ("  won   ", "bold green") if is_winner else ("  lost  ", LABEL)
    at = "not readable" if date.at is None else date.at.isoformat()
    yield Text.assemble(mark, f"{at}  from {date.source}, confidence {date.confidence:.2f}")
    yield Text(INDENT + one_line(date.raw))
    if date.why:
        yield Text(f"{INDENT}{date.why}", LABEL)


def _step(number: int, traced: StepTrace, before: Draft | None) -> Iterator[Text]:
    yield Text.assemble((f"{number:>2} ", LABEL), (traced.step, "bold"))
    found = list(_changes(before, traced.draft))
    yield from found
    if not found:
        yield Text("  nothing to do", LABEL)


def _changes(before: Draft | None, after: Draft) -> Iterator[Text]:
    if before is None or before.raw != after.raw:
        extraction = after.extraction
        yield Text(
            f"  text by {extraction.method}, {len(after.raw):,} code points, "
            f"confidence {extraction.score:.2f}"
        )
    if before is None or len(before.lines) != len(after.lines):
        yield Text(f"  {len(after.lines)} lines")
    yield from _line_changes(before, after)
    known = set(before.cuts) if before is not None else set()
    for cut in after.cuts:
        if cut not in known:
            yield from _cut(cut, after)
    yield from _field_changes(before, after)


def _line_changes(before: Draft | None, after: Draft) -> Iterator[Text]:
    known = {(line.start, line.end): line for line in before.lines} if before is not None else {}
    for number, line in enumerate(after.lines, 1):
        old = known.get((line.start, line.end))
        has_changed = old.role != line.role if old is not None else not line.role.is_kept
        if has_changed:
            yield from _line(number, line)


def _line(number: int, line: Line) -> Iterator[Text]:
    style = "green" if line.role.is_kept else "red"
    yield Text.assemble(
        (f"  line {number} is {line.role}", style), f"  {line.rule}", (f"  {line.reason}", LABEL)
    )
    style = "" if line.role.is_kept else "strike"
    yield Text.assemble(INDENT, (one_line(line.text), style))


def _cut(cut: Cut, draft: Draft) -> Iterator[Text]:
    word = "replaced" if cut.put else "cut"
    yield Text.assemble((f"  {word} ", "red"), cut.rule, (f"  {cut.reason}", LABEL))
    yield Text.assemble(INDENT, (one_line(draft.raw[cut.start : cut.end]), "strike"))
    if cut.put:
        yield Text(INDENT + one_line(cut.put))


def _field_changes(before: Draft | None, after: Draft) -> Iterator[Text]:
    """Fields of the record that this step filled."""
    for field in fields(Draft):
        if field.name in _SHOWN_ELSEWHERE:
            continue
        value = getattr(after, field.name)
        old = getattr(before, field.name) if before is not None else None
        if value != old and value not in (None, (), False, "und"):
            yield from labelled(field.name, _words(value))
    facts = after.facts
    if before is None or facts != before.facts:
        for field in fields(facts):
            if value := getattr(facts, field.name):
                yield from labelled(f"the markup states {field.name}", _words(value))


def _words(value: object) -> list[str]:
    """A field's value, one line each."""
    match value:
        case Dateline():
            places = " · ".join(place.name for place in value.places)
            return [part for part in (value.raw, places, " · ".join(value.agencies)) if part]
        case RelatedLink():
            return [value.title] + ([value.url] if value.url else [])
        case datetime():
            return [value.isoformat()]
        case tuple():
            return [line for item in value for line in _words(item)]
        case _:
            return [str(value)]
