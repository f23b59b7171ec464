"""Every record, in one place: re-exports, and the list that export and tests walk."""

from __future__ import annotations

from schemas.articles import (
    Article,
    CleanArticle,
    DateCandidate,
    Dateline,
    DatelinePlace,
    Entity,
    Extraction,
    Image,
    Mention,
    Published,
    RelatedLink,
    Removal,
    Source,
)
from schemas.feeds import Enclosure, Feed, FeedEntry, FeedStatus
from schemas.ops import DeadLetter, Heartbeat
from schemas.pages import PageSource, RawPage

PUBLIC_RECORDS: tuple[type, ...] = (
    Article,
    CleanArticle,
    DeadLetter,
    Feed,
    FeedEntry,
    FeedStatus,
    Heartbeat,
    RawPage,
)
"""The records that stand on a topic, each with a generated JSON Schema."""

__all__ = [
    "PUBLIC_RECORDS",
    "Article",
    "CleanArticle",
    "DateCandidate",
    "Dateline",
    "DatelinePlace",
    "DeadLetter",
    "Enclosure",
    "Entity",
    "Extraction",
    "Feed",
    "FeedEntry",
    "FeedStatus",
    "Heartbeat",
    "Image",
    "Mention",
    "PageSource",
    "Published",
    "RawPage",
    "RelatedLink",
    "Removal",
    "Source",
]
