"""Articles, dead letters and step traces as lines for people.

Labels stand left and alone, values of any script on their own line below: a line that mixes
left-to-right labels with Arabic is reordered by terminals until nobody can read it.
Rich drops the colours where the output is no terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from schemas.records import Article, CleanArticle, DeadLetter, Entity, Removal

ENTITY_STYLES = {"PER": "green", "ORG": "magenta", "LOC": "cyan", "MISC": "yellow"}
LABEL = "dim"
INDENT = "    "


def article_card(article: Article) -> Iterator[RenderableType]:
    """An article as a card of some ten lines; long ones wrap below their own beginning."""
    yield Text.assemble(("● ", "green"), (article.id, LABEL), f"  {article.language}")
    yield _indented(Text(one_line(article.headline or "(no headline)"), "bold"))
    if article.subheadline:
        yield _value(article.subheadline, "italic")
    if article.dateline is not None:
        yield from labelled("dateline", [article.dateline.raw])
    yield labelled_inline("published", published_words(article))
    for label, values in (
        ("agencies", article.agencies),
        ("authors", article.authors),
        ("keywords", article.keywords),
    ):
        if values:
            yield label_line(label)
            yield _indented(Text(one_line(" · ".join(values))))
    if article.entities:
        yield label_line("entities")
        yield _indented(entity_line(article.entities))
    yield label_line("removed")
    yield _indented(Text(removed_words(article)))
    yield Text()


def article_line(article: Article) -> Text:
    """An article as one plain line: id, time, counts, headline last for it may be Arabic."""
    return Text(
        f"article {article.id} {article.language} published={_stamp(article.published_at)} "
        f"agencies={len(article.agencies)} entities={len(article.entities)} "
        f"removed={len(cuts(article))} | {one_line(article.headline or '(no headline)')}"
    )


def clean_line(article: CleanArticle) -> Text:
    """A clean article as one plain line."""
    return Text(
        f"clean-article {article.id} {article.language} "
        f"published={_stamp(article.published_at)} words={article.word_count} "
        f"removed={len(cuts(article))} | {one_line(article.headline or '(no headline)')}"
    )


def dead_letter_card(letter: DeadLetter) -> Iterator[Text]:
    """A dead letter: who refused it, why, and where the original stands."""
    yield Text.assemble(("✗ ", "red"), ("dead letter", "bold red"), f"  {letter.reason}")
    yield labelled_inline("refused by", f"{letter.stage}, step {letter.step or '-'}")
    yield labelled_inline("because", one_line(letter.message))
    yield labelled_inline("original", _original(letter))
    yield Text()


def dead_letter_line(letter: DeadLetter) -> Text:
    """A dead letter as one plain line."""
    return Text(
        f"dead-letter {_key(letter.key)} reason={letter.reason} stage={letter.stage} "
        f"step={letter.step or '-'} {_original(letter)} | {one_line(letter.message)}"
    )


def published_words(article: Article) -> str:
    """The date, how exact it is and how its zone is known."""
    if article.published_at is None or article.published is None:
        return "unknown"
    how = article.published
    zone = {
        "stated": f"zone stated ({how.timezone})",
        "publisher": f"zone of the publisher ({how.timezone})",
        "unknown": "zone unknown, taken as UTC",
    }[how.zone]
    return f"{_stamp(article.published_at)}  to the {how.precision}, {zone}, from {how.source}"


def removed_words(article: Article) -> str:
    """Rules and how often each cut, e.g. ``5: common/share-label 2, dates 1``."""
    rules = Counter(removal.rule for removal in cuts(article))
    listed = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
    return f"{sum(rules.values())}: {listed}" if rules else "nothing"


def cuts(article: CleanArticle) -> list[Removal]:
    """Removals of text; white space between lines is not worth telling."""
    return [removal for removal in article.removals if removal.text.strip()]


def entity_line(entities: Sequence[Entity]) -> Text:
    """All names on one line, coloured by type, most mentioned first."""
    ordered = sorted(entities, key=lambda entity: -len(entity.mentions))
    names = [Text(entity.name, ENTITY_STYLES.get(entity.type, "")) for entity in ordered]
    return Text(" · ").join(names)


def entity_legend() -> Text:
    """Which colour is which type."""
    parts = [Text(kind, style) for kind, style in ENTITY_STYLES.items()]
    return Text.assemble(("entities: ", LABEL), Text(" ").join(parts))


def marked_body(article: Article) -> Iterator[Text]:
    """The body with its entities in colour, one line a paragraph."""
    text = Text("\n".join(one_line(line) for line in article.body.split("\n")))
    for entity in article.entities:
        for mention in entity.mentions:
            text.stylize(ENTITY_STYLES.get(entity.type, ""), mention.start, mention.end)
    yield from (line for line in text.split("\n") if line.plain)


def labelled(label: str, values: Iterable[str], style: str = "") -> Iterator[Text]:
    """A label, and each value on its own line below."""
    yield label_line(label)
    yield from (_value(value, style) for value in values)


def labelled_inline(label: str, value: str) -> Text:
    """A label and a value of Latin letters on one line."""
    return Text.assemble((f"  {label:<10} ", LABEL), value)


def label_line(label: str) -> Text:
    """A label alone."""
    return Text(f"  {label}", LABEL)


def _value(value: str, style: str = "") -> Text:
    return Text(INDENT + one_line(value), style)


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, len(INDENT)), expand=False)


def _stamp(at: datetime | None) -> str:
    return "unknown" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_line(text: str) -> str:
    """No line feeds or control characters: text of strangers must not drive the terminal."""
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)


_JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: they shape Arabic and Persian words."""


def _key(key: bytes | None) -> str:
    return "-" if key is None else one_line(key.decode("utf-8", "replace"))


def _original(letter: DeadLetter) -> str:
    size = "tombstone" if letter.original is None else f"{len(letter.original):,} bytes"
    return f"{letter.topic} partition {letter.partition} offset {letter.offset}, {size}"
