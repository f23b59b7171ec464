"""The topic table. Creation, ACLs, docs, tests and AsyncAPI all read it; nothing repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.records import (
    Article,
    CleanArticle,
    DeadLetter,
    Feed,
    FeedEntry,
    FeedStatus,
    Heartbeat,
    RawPage,
)

DAY_S = 86_400
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""Cap on one record on the wire, stated to subscribers. Change it in the topics, the producers'
``max_request_size`` and the consumers' ``max_partition_fetch_bytes`` together (all read this)."""

PARTITIONS = 12
"""Divisible by 1, 2, 3, 4, 6: workers share evenly. Never grow a live topic: keys would move."""

Cleanup = Literal["delete", "compact", "compact,delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One Kafka topic.

    Attributes:
        name: Full name with its major version.
        record: Record type of the value (for dead letters: the decoded view).
        key: What the key is, for people.
        cleanup: Kafka ``cleanup.policy``.
        retention_s: How long records are kept, seconds; ``None`` = for ever (compacted).
        partitions: Partition count; all topics of one app are co-partitioned.
        is_public: Subscribers may rely on it.
        about: One sentence for the docs.
    """

    name: str
    record: type
    key: str
    cleanup: Cleanup
    retention_s: int | None
    partitions: int = PARTITIONS
    is_public: bool = True
    about: str

    def config(self) -> dict[str, str]:
        """Kafka topic configuration, as creation wants it."""
        config = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
        }
        if self.retention_s is not None:
            config["retention.ms"] = str(self.retention_s * 1000)
        return config


FEEDS = Topic(
    name="nashra.feeds.v1",
    record=Feed,
    key="feed id",
    cleanup="compact",
    retention_s=None,
    about="The feed list; a tombstone removes a feed.",
)
FEED_STATUS = Topic(
    name="nashra.feed-status.v1",
    record=FeedStatus,
    key="feed id",
    cleanup="compact",
    retention_s=None,
    about="What the last poll of each feed taught.",
)
ENTRIES = Topic(
    name="nashra.entries.v1",
    record=FeedEntry,
    key="page host",
    cleanup="delete",
    retention_s=3 * DAY_S,
    is_public=False,
    about="Pages to fetch, keyed by host so that one worker keeps a host's budget.",
)
PAGES = Topic(
    name="nashra.pages.v1",
    record=RawPage,
    key="article id",
    cleanup="delete",
    retention_s=3 * DAY_S,
    is_public=False,
    about="Pages as fetched, zstd-compressed.",
)
CLEAN = Topic(
    name="nashra.articles.clean.v1",
    record=CleanArticle,
    key="article id",
    cleanup="delete",
    retention_s=3 * DAY_S,
    about="Articles after cleaning and metadata.",
)
ENRICHED = Topic(
    name="nashra.articles.enriched.v1",
    record=Article,
    key="article id",
    cleanup="delete",
    retention_s=7 * DAY_S,
    about="The contract: every revision of every enriched article.",
)
LATEST = Topic(
    name="nashra.articles.latest.v1",
    record=Article,
    key="article id",
    cleanup="compact",
    retention_s=None,
    about="The last revision of each article; a tombstone means withdrawn.",
)
DEAD_LETTERS = Topic(
    name="nashra.dead-letters.v1",
    record=DeadLetter,
    key="original key",
    cleanup="delete",
    retention_s=30 * DAY_S,
    is_public=False,
    about="Messages that no retry can help: original bytes, the why in headers.",
)
HEARTBEAT = Topic(
    name="nashra.heartbeat.v1",
    record=Heartbeat,
    key="worker id",
    cleanup="compact,delete",
    retention_s=DAY_S,
    partitions=1,
    about="A sign of life of each worker every 10 s: is my client working?",
)

ALL: tuple[Topic, ...] = (
    FEEDS,
    FEED_STATUS,
    ENTRIES,
    PAGES,
    CLEAN,
    ENRICHED,
    LATEST,
    DEAD_LETTERS,
    HEARTBEAT,
)
