"""The article: cleaned, then enriched. ``Article`` is the public contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from schemas.types import ArticleId, Count, Offset, Score, UtcDateTime

CLEAN_SCHEMA = "clean-article/1.0"
ARTICLE_SCHEMA = "article/1.0"

Direction = Literal["rtl", "ltr"]
Precision = Literal["day", "minute", "second"]
ZoneEvidence = Literal["stated", "publisher", "unknown"]
EntityType = Literal["PER", "ORG", "LOC", "MISC"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who published the article."""

    feed_id: Annotated[
        str | None, Meta(description="Id of the feed; null for a replayed file.")
    ] = None
    publisher: Annotated[
        str | None, Meta(description="Publisher's name as stated; null where nothing states it.")
    ] = None
    publisher_evidence: Annotated[
        str | None,
        Meta(description="What states it: feed, credit-line, site-name, json-ld, self-reference."),
    ] = None
    host: Annotated[str | None, Meta(description="Host of the URL, lower case, no `www.`.")] = None
    country: Annotated[str | None, Meta(description="ISO 3166-1 alpha-2.")] = None
    language: Annotated[str | None, Meta(description="BCP 47 tag that the source claims.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatelinePlace:
    """A place named by a dateline."""

    name: Annotated[str, Meta(description="As written, without the preposition or the dash.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dateline:
    """Where a report was filed and by whom, e.g. "Washington - agencies"."""

    raw: Annotated[str, Meta(description="As written.")]
    places: Annotated[
        tuple[DatelinePlace, ...], Meta(description="Places in the order written.")
    ] = ()
    agencies: Annotated[
        tuple[str, ...], Meta(description="As written; canonical names are in `agencies`.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DateCandidate:
    """One date found for the article, kept whether it won or not."""

    raw: Annotated[str, Meta(description="As written.")]
    source: Annotated[str, Meta(description="Where: json-ld, meta, time-tag, feed, text-line...")]
    at: Annotated[UtcDateTime | None, Meta(description="Reading; null: could not be read.")] = None
    precision: Annotated[
        Precision | None, Meta(description="How fine the reading is; null: could not be read.")
    ] = None
    zone: Annotated[
        ZoneEvidence, Meta(description="Where the zone comes from; words as in `published.zone`.")
    ] = "unknown"
    confidence: Annotated[
        Score, Meta(description="Trust in the reading, 0 (none) to 1 (certain).")
    ] = 0.0
    why: Annotated[str, Meta(description="Why it won or lost.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """How ``published_at`` was found."""

    raw: Annotated[str, Meta(description="The winning date as written.")]
    source: Annotated[str, Meta(description="Where it stood.")]
    precision: Annotated[Precision, Meta(description="How fine the date as written is.")]
    local: Annotated[
        str, Meta(description="Wall time as written, ISO 8601 without a zone; day precision: date.")
    ]
    zone: Annotated[
        ZoneEvidence,
        Meta(
            description="stated: the text gives the zone. publisher: the wall time was taken in "
            "the publisher's zone, named in `timezone`. unknown: no zone is known and the wall "
            "time was taken as UTC."
        ),
    ]
    timezone: Annotated[str | None, Meta(description="IANA name or UTC offset applied.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedLink:
    """A headline of another article that stood on the page."""

    title: Annotated[str, Meta(description="Headline as written.")]
    url: Annotated[
        str | None, Meta(description="Its address; null where the page shows only the headline.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the article."""

    url: Annotated[str, Meta(description="Address of the picture.")]
    caption: Annotated[str | None, Meta(description="Caption as written; null: none.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One edit on the way from the raw text to ``body``.

    Replacing, from the last to the first, nothing but these spans turns the raw text into the
    body; ``processors.draft.rebuild`` goes the other way and needs no raw text.
    """

    start: Annotated[Offset, Meta(description="Start in the raw text, code points.")]
    end: Annotated[Offset, Meta(description="End in the raw text, exclusive.")]
    text: Annotated[str, Meta(description="What stood there.")]
    put: Annotated[str, Meta(description="What the body has in its place; mostly empty.")] = ""
    rule: Annotated[str, Meta(description="Rule or step: `common/share-label`, `layout`...")]
    reason: Annotated[str, Meta(description="Why, for a person.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How the text was had from the page."""

    method: Annotated[str, Meta(description="text, trafilatura, json-ld, baseline.")]
    score: Annotated[
        Score, Meta(description="Trust in the extraction, 0 (none) to 1 (certain).")
    ] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One place in ``body`` that names an entity: ``body[start:end] == text`` always."""

    text: Annotated[
        str, Meta(description="The name as written in the body, without its proclitics.")
    ]
    start: Annotated[Offset, Meta(description="Start in `body`, code points counted from 0.")]
    end: Annotated[Offset, Meta(description="End in `body`, code points, exclusive.")]
    prefix: Annotated[
        str, Meta(description="Arabic proclitics written before it (w-, f-, b-, l-, k-).")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One real thing that the article names."""

    name: Annotated[str, Meta(description="Canonical or longest name in the article.")]
    type: Annotated[EntityType, Meta(description="Person, organisation, place, or another name.")]
    id: Annotated[str, Meta(description="Stable across articles: `q:Q30` or `n:<type>:<key>`.")]
    roles: Annotated[
        tuple[str, ...], Meta(description="What the article calls it, e.g. an office; as written.")
    ] = ()
    mentions: Annotated[
        tuple[Mention, ...], Meta(description="Every place in `body`, in order.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanArticle:
    """An article after cleaning. Topic ``nashra.articles.clean.v1``, key ``id``."""

    schema: Annotated[str, Meta(description="Record name and version.")] = CLEAN_SCHEMA
    id: ArticleId
    revision: Annotated[
        int, Meta(ge=1, description="1 for the first sight, +1 per update; the higher one wins.")
    ] = 1
    content_hash: Annotated[str, Meta(description="SHA-256 of headline and body, 64 hex digits.")]
    url: Annotated[str | None, Meta(description="Address asked for; null for a bare file.")] = None
    canonical_url: Annotated[
        str | None, Meta(description="Address that the page names as its own; null: none.")
    ] = None
    origin: Annotated[str, Meta(description="Feed id, or `file:NAME` of a replayed file.")] = ""
    source: Annotated[Source, Meta(description="Who published it.")] = field(default_factory=Source)
    headline: Annotated[str | None, Meta(description="null where the page states none.")] = None
    subheadline: Annotated[str | None, Meta(description="Line under the headline; null: none.")] = (
        None
    )
    subheads: Annotated[
        tuple[str, ...], Meta(description="Subheads in order; they stand in `body` too.")
    ] = ()
    dateline: Annotated[
        Dateline | None, Meta(description="Place and agency before the text; null: none.")
    ] = None
    authors: Annotated[tuple[str, ...], Meta(description="Names in the byline, as written.")] = ()
    agencies: Annotated[
        tuple[str, ...],
        Meta(description="Agencies credited, canonical; a generic word stays as it is written."),
    ] = ()
    credit_line: Annotated[str | None, Meta(description="Source line as written.")] = None
    keywords: Annotated[tuple[str, ...], Meta(description="Keywords that the page states.")] = ()
    section: Annotated[
        str | None, Meta(description="Section or category that the page states.")
    ] = None
    published_at: Annotated[
        UtcDateTime | None,
        Meta(description="null: unknown. How it was read, and its zone: see `published`."),
    ] = None
    published: Annotated[
        Published | None, Meta(description="How `published_at` was read; null: unknown.")
    ] = None
    modified_at: Annotated[
        UtcDateTime | None, Meta(description="When the page says it was last changed.")
    ] = None
    dates: Annotated[
        tuple[DateCandidate, ...], Meta(description="All dates found for the article.")
    ] = ()
    event_dates: Annotated[
        tuple[date, ...], Meta(description="Full dates named in the running text.")
    ] = ()
    language: Annotated[str, Meta(description="ISO 639 code; `und`: not told.")] = "und"
    direction: Annotated[Direction, Meta(description="Writing direction of the body.")] = "rtl"
    body: Annotated[str, Meta(description="Paragraphs joined by one blank line.")]
    word_count: Annotated[Count, Meta(description="Words in the body, split at white space.")] = 0
    is_truncated: Annotated[
        bool, Meta(description="The source shows only the start of the text.")
    ] = False
    related: Annotated[
        tuple[RelatedLink, ...], Meta(description="Headlines of other articles on the page.")
    ] = ()
    images: Annotated[tuple[Image, ...], Meta(description="Pictures of the article.")] = ()
    removals: Annotated[
        tuple[Removal, ...], Meta(description="Edits from the raw text to `body`, in order.")
    ] = ()
    extraction: Annotated[Extraction, Meta(description="How the text was had from the page.")]
    charset_repair: Annotated[
        str | None, Meta(description="What was done to read the bytes, if anything odd.")
    ] = None
    fetched_at: Annotated[
        UtcDateTime, Meta(description="When we saw the page; the Kafka timestamp.")
    ]
    cleaned_at: Annotated[UtcDateTime, Meta(description="When it was cleaned.")]
    versions: Annotated[
        dict[str, str], Meta(description="nashra, rules, entities: what produced this.")
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(CleanArticle):
    """The enriched article: the public contract.

    Topics ``nashra.articles.enriched.v1`` (every revision) and ``nashra.articles.latest.v1`` (the
    last one), key ``id``. At-least-once: de-duplicate on ``id`` + ``revision``; later wins.
    """

    schema: Annotated[str, Meta(description="Record name and version.")] = ARTICLE_SCHEMA
    entities: Annotated[
        tuple[Entity, ...], Meta(description="What the article names, by first mention.")
    ] = ()
    enriched_at: Annotated[UtcDateTime, Meta(description="When the entities were added.")]
