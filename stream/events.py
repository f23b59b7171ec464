"""CloudEvents 1.0 attributes as Kafka headers (binary mode): plain JSON readers need no envelope.

The AsyncAPI document states the same names; a reader may ignore all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from schemas.articles import CleanArticle
from schemas.export import schema_id
from stream.stage import Headers

TRACEPARENT = "traceparent"


def article_event(
    article: CleanArticle,
    incoming: Mapping[str, bytes | None],
    *,
    stage: str,
    kind: Literal["clean", "enriched"],
) -> Headers:
    """Headers of an article; a trace that came in goes on, once."""
    headers = cloud_event(
        type(article),
        event_id=f"{article.id}:{article.revision}",
        source=stage,
        kind=f"article.{kind}",
        subject=article.id,
        at=article.fetched_at,
    )
    trace = incoming.get(TRACEPARENT)
    return headers if trace is None else (*headers, (TRACEPARENT, trace))


def cloud_event(
    record: type, *, event_id: str, source: str, kind: str, subject: str, at: datetime
) -> Headers:
    """The attributes of one event.

    Args:
        record: Record type of the value.
        event_id: The same for a repeat of the same event.
        source: What of nashra made it, e.g. ``cleaner``.
        kind: Kind of event, e.g. ``article.clean``.
        subject: Key of the record.
        at: When it happened, aware.
    """
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": f"nashra/{source}",
        "ce_type": f"org.nashra.{kind}.v1",
        "ce_time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ce_subject": subject,
        "ce_dataschema": schema_id(record),
        "content-type": "application/json",
    }
    return tuple((name, value.encode()) for name, value in attributes.items())
