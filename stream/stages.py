"""The two stages of the main path: pages -> clean articles -> enriched articles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from processors import pipeline
from processors.tools import Tools, load_tools
from schemas.codec import decode, encode
from schemas.errors import DecodeError, Outcome, ProcessingError, Reason
from schemas.records import CleanArticle, RawPage
from schemas.topics import CLEAN, ENRICHED, LATEST, Topic
from stream.clock import Clock, ClockMode, clock_of, moment
from stream.events import article_event
from stream.marks import PAGE_DIGEST, page_digest
from stream.roles import CLEANER, ENRICHER
from stream.stage import (
    AGAIN,
    Dead,
    Drop,
    Headers,
    Message,
    Out,
    Publish,
    Result,
    Stage,
    timestamp_ms,
    utc_now,
)


def cleaner_stage(tools: Tools, clock: Clock | None = utc_now) -> Stage:
    """Pages to clean articles.

    Args:
        tools: Rules, gazetteers, extractor.
        clock: Gives ``now``, aware UTC; ``None``: the page's own ``fetched_at``.
    """

    def fn(message: Message) -> Result:
        def clean(value: bytes) -> Publish:
            page = decode(RawPage, value)
            article = pipeline.clean(page, tools, now=moment(clock, page.fetched_at))
            headers = article_event(article, message.headers, stage="cleaner", kind="clean")
            headers += ((PAGE_DIGEST, page_digest(page).encode()),)
            if AGAIN in message.headers:  # the enricher has seen this article too
                headers += ((AGAIN, message.headers[AGAIN]),)
            return _publish((CLEAN,), message, article, headers)

        return _processed(message, clean)

    return replace(CLEANER, fn=fn, versions=dict(tools.versions))


def enricher_stage(tools: Tools, clock: Clock | None = utc_now) -> Stage:
    """Clean articles to enriched ones, on the event topic and on the compacted one.

    Args:
        tools: Rules, gazetteers, extractor.
        clock: Gives ``now``, aware UTC; ``None``: the page's own ``fetched_at``.
    """

    def fn(message: Message) -> Result:
        def enrich(value: bytes) -> Publish:
            cleaned = decode(CleanArticle, value)
            article = pipeline.enrich(cleaned, tools, now=moment(clock, cleaned.fetched_at))
            headers = article_event(article, message.headers, stage="enricher", kind="enriched")
            if PAGE_DIGEST in message.headers:  # how the next enricher knows what was published
                headers += ((PAGE_DIGEST, message.headers[PAGE_DIGEST]),)
            return _publish((ENRICHED, LATEST), message, article, headers)

        return _processed(message, enrich)

    return replace(ENRICHER, fn=fn, versions=dict(tools.versions))


def make_stage(role: str, clock: ClockMode) -> Stage:
    """The stage of a role with all that it needs: for a process of the pool.

    Args:
        role: ``cleaner`` or ``enricher``.
        clock: Which clock it goes by.
    """
    make = {CLEANER.name: cleaner_stage, ENRICHER.name: enricher_stage}[role]
    return make(load_tools(), clock_of(clock))


def _processed(message: Message, process: Callable[[bytes], Publish]) -> Result:
    """What becomes of a message: a tombstone is skipped, a refusal is a dead letter."""
    if message.value is None:
        return Drop(Outcome.SKIPPED, Reason.TOMBSTONE)
    try:
        return process(message.value)
    except (DecodeError, ProcessingError) as error:
        step = error.step if isinstance(error, ProcessingError) else "decode"
        return Dead(Reason(error.reason), str(error), step)


def _publish(
    topics: tuple[Topic, ...], message: Message, article: CleanArticle, headers: Headers
) -> Publish:
    """The article, written once, for each topic."""
    key, value = article.id.encode(), encode(article)
    # The page's own timestamp goes on: fetched_at, or the moment of replay for an old archive,
    # which Kafka would else delete by its age before anyone has read it.
    has_time = message.timestamp_ms >= 0
    at_ms = message.timestamp_ms if has_time else timestamp_ms(article.fetched_at)
    return Publish(
        tuple(
            Out(topic=topic, key=key, value=value, headers=headers, timestamp_ms=at_ms)
            for topic in topics
        )
    )
