"""The page as it was fetched or read: what connectors publish and the cleaner takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from schemas.feeds import FeedEntry
from schemas.types import ArticleId, Count, UtcDateTime

PAGE_SCHEMA = "page/1.0"

MediaType = Literal["text", "html"]
"""``text``: scraped text, one line or paragraph a line. ``html``: a page as served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSource:
    """Where a page comes from, as far as the connector knows."""

    feed_id: Annotated[str | None, Meta(description="Id of the feed; null for a file.")] = None
    publisher: Annotated[str | None, Meta(description="Name of the publisher, as configured.")] = (
        None
    )
    country: Annotated[str | None, Meta(description="ISO 3166-1 alpha-2 code.")] = None
    language: Annotated[str | None, Meta(description="BCP 47 tag that the source claims.")] = None
    timezone: Annotated[
        str | None,
        Meta(description="IANA zone of the publisher, used for local times without a zone."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPage:
    """One page, bytes or text untouched. Topic ``nashra.pages.v1``, key ``article_id``.

    Exactly one of ``body`` and ``text`` is set: ``body`` holds bytes as served (their charset is
    decided by the cleaner), ``text`` holds text that came decoded.
    """

    schema: Annotated[str, Meta(description="Record name and version.")] = PAGE_SCHEMA
    article_id: ArticleId
    revision: Annotated[int, Meta(ge=1, description="1 for the first sight, +1 per update.")] = 1
    url: Annotated[str | None, Meta(description="Address asked for; null for a bare file.")] = None
    final_url: Annotated[str | None, Meta(description="Address after redirects.")] = None
    origin: Annotated[
        str, Meta(description="For people: feed id, or `file:NAME` of a replayed file.")
    ] = ""
    media_type: Annotated[MediaType, Meta(description="How to read body or text.")] = "html"
    status: Annotated[int | None, Meta(description="HTTP status; null for a file.")] = None
    headers: Annotated[
        dict[str, str], Meta(description="Response headers kept (names in lower case).")
    ] = field(default_factory=dict)
    body: Annotated[
        bytes | None, Meta(description="Bytes as served, base64 in JSON; null if `text` is set.")
    ] = None
    text: Annotated[str | None, Meta(description="Decoded text; null if `body` is set.")] = None
    charset: Annotated[
        str | None, Meta(description="Charset that the transport declared, if any.")
    ] = None
    headline: Annotated[
        str | None, Meta(description="Headline that the source states beside the page, if any.")
    ] = None
    published_raw: Annotated[
        str | None, Meta(description="Publication date that the source states, as written.")
    ] = None
    source: Annotated[PageSource, Meta(description="Where the page comes from.")] = field(
        default_factory=PageSource
    )
    entry: Annotated[FeedEntry | None, Meta(description="Feed entry that led here.")] = None
    fetched_at: Annotated[
        UtcDateTime, Meta(description="When we saw the page; becomes the Kafka timestamp.")
    ]

    def size_bytes(self) -> Count:
        """Size of the payload in bytes (UTF-8 where it is text)."""
        if self.body is not None:
            return len(self.body)
        return len((self.text or "").encode("utf-8", "surrogatepass"))
