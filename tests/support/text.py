"""Pages, tools and drafts for the text tests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from connectors.identity import article_id
from processors.draft import Draft
from processors.pipeline import clean, trace
from processors.tools import Tools, load_tools
from schemas.records import CleanArticle, PageSource, RawPage

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@lru_cache(maxsize=1)
def tools() -> Tools:
    """The tools as shipped, loaded once for the whole run."""
    return load_tools()


def text_page(text: str, *, url: str | None = None, timezone: str | None = None) -> RawPage:
    """A page of scraped text."""
    return RawPage(
        article_id=article_id(url, text.encode("utf-8", "replace")),
        url=url,
        text=text,
        media_type="text",
        source=PageSource(timezone=timezone),
        fetched_at=NOW,
    )


def cleaned(text: str, *, url: str | None = None, timezone: str | None = None) -> CleanArticle:
    """The article that a scraped text gives."""
    return clean(text_page(text, url=url, timezone=timezone), tools(), now=NOW)


def final_draft(text: str, *, url: str | None = None) -> Draft:
    """The draft after the last step."""
    return trace(text_page(text, url=url), tools(), now=NOW)[-1].draft
