"""Feeds, their entries and their status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from schemas.types import Count, Score, Seconds, UtcDateTime

FEED_SCHEMA = "feed/1.0"
ENTRY_SCHEMA = "entry/1.0"
FEED_STATUS_SCHEMA = "feed-status/1.0"

FeedKind = Literal["rss", "atom", "rdf", "jsonfeed", "sitemap", "listing", "folder", "websub"]
FeedState = Literal["ok", "slow", "blocked", "broken", "gone", "quiet", "became-html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One configured feed. Topic ``nashra.feeds.v1``, key ``id``; a tombstone removes it."""

    schema: Annotated[str, Meta(description="Record name and version.")] = FEED_SCHEMA
    id: Annotated[str, Meta(min_length=1, description="Stable id, chosen by the operator.")]
    url: Annotated[str, Meta(min_length=1, description="Address of the feed.")]
    kind: Annotated[FeedKind | None, Meta(description="null: told from the bytes.")] = None
    publisher: Annotated[str | None, Meta(description="Publisher's name as shown.")] = None
    language: Annotated[str | None, Meta(description="BCP 47 tag.")] = None
    country: Annotated[str | None, Meta(description="ISO 3166-1 alpha-2.")] = None
    timezone: Annotated[str | None, Meta(description="IANA zone for local times.")] = None
    tags: Annotated[tuple[str, ...], Meta(description="Free words of the operator.")] = ()
    enabled: Annotated[bool, Meta(description="false: kept, but not polled.")] = True
    min_interval_s: Annotated[Seconds, Meta(description="Shortest poll interval.")] = 300.0
    max_interval_s: Annotated[Seconds, Meta(description="Longest poll interval.")] = 86_400.0
    headers: Annotated[
        dict[str, str], Meta(description="Extra request headers; secrets only by reference.")
    ] = field(default_factory=dict)
    max_bytes: Annotated[Count, Meta(description="Cap on one response, inflated.")] = 50_000_000
    identity: Annotated[
        Literal["guid", "url", "content"], Meta(description="What makes an entry the same.")
    ] = "guid"
    updates: Annotated[
        Literal["emit", "ignore"], Meta(description="What to do with an edited entry.")
    ] = "emit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A media file named by a feed entry."""

    url: Annotated[str, Meta(description="Address of the file.")]
    type: Annotated[str | None, Meta(description="MIME type as stated.")] = None
    length_bytes: Annotated[Count | None, Meta(description="Size in bytes as stated.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry of a feed: a page to fetch. Topic ``nashra.entries.v1``, key: page host."""

    schema: Annotated[str, Meta(description="Record name and version.")] = ENTRY_SCHEMA
    feed_id: Annotated[str, Meta(description="Id of the feed.")]
    entry_id: Annotated[str, Meta(description="Identity within the feed (guid, URL or hash).")]
    url: Annotated[str | None, Meta(description="Address of the article page.")] = None
    title: Annotated[str | None, Meta(description="Headline in the feed.")] = None
    summary: Annotated[str | None, Meta(description="Summary in the feed, markup kept.")] = None
    content: Annotated[str | None, Meta(description="Full text if the feed carries it.")] = None
    published_raw: Annotated[str | None, Meta(description="Date as written in the feed.")] = None
    published_at: Annotated[
        UtcDateTime | None, Meta(description="Publication date read; null: none.")
    ] = None
    updated_at: Annotated[
        UtcDateTime | None, Meta(description="Date of change read; null: none.")
    ] = None
    authors: Annotated[tuple[str, ...], Meta(description="Names as the feed states them.")] = ()
    categories: Annotated[
        tuple[str, ...], Meta(description="Categories as the feed states them.")
    ] = ()
    enclosures: Annotated[tuple[Enclosure, ...], Meta(description="Media files of the entry.")] = ()
    discovered_at: Annotated[UtcDateTime, Meta(description="When we first saw the entry.")]
    identity_evidence: Annotated[
        str, Meta(description="Which rung of the identity ladder gave `entry_id`.")
    ] = "guid"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """What one poll taught. Topic ``nashra.feed-status.v1``, key ``feed_id``."""

    schema: Annotated[str, Meta(description="Record name and version.")] = FEED_STATUS_SCHEMA
    feed_id: Annotated[str, Meta(description="Id of the feed.")]
    state: Annotated[FeedState, Meta(description="Health of the feed after this poll.")]
    polled_at: Annotated[UtcDateTime, Meta(description="When the poll ended.")]
    next_poll_at: Annotated[
        UtcDateTime | None, Meta(description="When the next poll is due; null: never.")
    ] = None
    next_poll_why: Annotated[
        str, Meta(description="What set the next poll: max-age, ttl, rhythm...")
    ] = ""
    http_status: Annotated[int | None, Meta(description="HTTP status; null: no answer.")] = None
    response_bytes: Annotated[Count, Meta(description="Size of the answer in bytes, inflated.")] = 0
    entries: Annotated[Count, Meta(description="Entries in the answer.")] = 0
    new_entries: Annotated[Count, Meta(description="Entries not seen before.")] = 0
    duplicate_share: Annotated[
        Score, Meta(description="Entries seen before, as a share from 0 to 1.")
    ] = 0.0
    newest_entry_at: Annotated[
        UtcDateTime | None, Meta(description="Date of the newest entry; null: none dated.")
    ] = None
    consecutive_failures: Annotated[
        Count, Meta(description="Failed polls since the last good one.")
    ] = 0
    message: Annotated[str, Meta(description="One sentence for a person.")] = ""
