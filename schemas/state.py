"""What the connector remembers between polls, and the changelog topics that keep it.

Internal: no subscriber may rely on these records or topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from schemas.topics import DAY_S, Topic
from schemas.types import ArticleId, Count, Score, Seconds, UtcDateTime

FEED_POLL_SCHEMA = "feed-poll/1.0"
HOST_BUDGET_SCHEMA = "host-budget/1.0"
SEEN_ENTRY_SCHEMA = "seen-entry/1.0"

TOMBSTONES_KEPT_S = DAY_S
"""How long Kafka shows a deletion to readers (``delete.retention.ms``). Local state that is older
may have missed one and is built anew."""

_SEGMENT_BYTES = 16 * 1024 * 1024
"""Kafka never compacts the segment it writes to: small ones keep the read back short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPollState:
    """When to poll a feed next and with which validators. Key: feed id."""

    schema: Annotated[str, Meta(description="Record name and version.")] = FEED_POLL_SCHEMA
    feed_id: Annotated[str, Meta(description="Id of the feed.")]
    next_poll_at: Annotated[UtcDateTime, Meta(description="Not to be polled before.")]
    polled_at: Annotated[UtcDateTime | None, Meta(description="Last poll; null: none yet.")] = None
    etag: Annotated[
        str | None, Meta(description="ETag byte for byte (bytes as Latin-1); null: none sent.")
    ] = None
    last_modified: Annotated[
        str | None, Meta(description="Last-Modified byte for byte (bytes as Latin-1).")
    ] = None
    body_hash: Annotated[str | None, Meta(description="Hash of the last body.")] = None
    interval_s: Annotated[Seconds | None, Meta(description="Current poll interval.")] = None
    duplicate_share: Annotated[
        Score, Meta(description="Entries seen before in the last poll, 0 to 1.")
    ] = 0.0
    failures: Annotated[Count, Meta(description="Failed polls since the last good one.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBudget:
    """When a host may be asked again. Key: host name."""

    schema: Annotated[str, Meta(description="Record name and version.")] = HOST_BUDGET_SCHEMA
    host: Annotated[str, Meta(description="Host name as in the URL, lower case.")]
    last_request_at: Annotated[
        UtcDateTime | None, Meta(description="Last request; null: none yet.")
    ] = None
    retry_after_at: Annotated[
        UtcDateTime | None, Meta(description="Not to be asked before (429, 503); null: free.")
    ] = None
    crawl_delay_s: Annotated[
        Seconds | None, Meta(description="Gap that robots.txt asks for; null: none.")
    ] = None
    robots_expires_at: Annotated[
        UtcDateTime | None, Meta(description="When robots.txt is asked for anew; null: now.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEntry:
    """A feed entry that was published already. Key: feed id, a line feed, entry id."""

    schema: Annotated[str, Meta(description="Record name and version.")] = SEEN_ENTRY_SCHEMA
    digest: Annotated[str, Meta(description="Hash of the entry: another one is an update.")]
    seen_at: Annotated[UtcDateTime, Meta(description="Last time it stood in its feed (about).")]
    article_id: Annotated[ArticleId | None, Meta(description="Its article; null: none.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogTopic(Topic):
    """A compacted topic that local state is rebuilt from."""

    def config(self) -> dict[str, str]:
        """Kafka topic configuration, as creation wants it."""
        return {
            **Topic.config(self),
            "segment.bytes": str(_SEGMENT_BYTES),
            "min.cleanable.dirty.ratio": "0.3",
            "max.compaction.lag.ms": str(DAY_S * 1000),
            "delete.retention.ms": str(TOMBSTONES_KEPT_S * 1000),
        }


POLLS = ChangelogTopic(
    name="nashra.state.polls.v1",
    record=FeedPollState,
    key="feed id",
    cleanup="compact",
    retention_s=None,
    is_public=False,
    about="Connector: when each feed is polled next, and its validators.",
)
HOSTS = ChangelogTopic(
    name="nashra.state.hosts.v1",
    record=HostBudget,
    key="host",
    cleanup="compact",
    retention_s=None,
    is_public=False,
    about="Connector: when each host may be asked again.",
)
SEEN = ChangelogTopic(
    name="nashra.state.seen.v1",
    record=SeenEntry,
    key="feed id, line feed, entry id",
    cleanup="compact",
    retention_s=None,
    is_public=False,
    about="Connector: entries published already, within a window of time and size.",
)

CHANGELOGS: tuple[ChangelogTopic, ...] = (POLLS, HOSTS, SEEN)
"""Only the connector reads and writes these."""
