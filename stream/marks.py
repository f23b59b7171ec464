"""Marks: how the cleaner tells that it has published a page before, from headers alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from schemas.codec import decode
from schemas.errors import DecodeError
from schemas.records import RawPage
from stream.stage import Message

PAGE_DIGEST = "nashra-page-digest"
"""Header on clean articles: SHA-256 (hex) of the payload of the page they were made from."""


def page_digest(page: RawPage) -> str:
    """SHA-256 of the page's payload (bytes as served, or the text as UTF-8), 64 hex digits."""
    payload = page.body if page.body is not None else (page.text or "").encode("utf-8", "replace")
    return hashlib.sha256(payload).hexdigest()


def page_mark(message: Message) -> bytes | None:
    """Mark of the page in a message: same id, revision and payload, same mark."""
    if message.value is None:
        return None
    try:
        page = decode(RawPage, message.value)
    except DecodeError:
        return None  # the stage itself makes a dead letter of it
    return _mark(f"{page.article_id}:{page.revision}".encode(), page_digest(page).encode())


def published_mark(headers: Mapping[str, bytes]) -> bytes | None:
    """Mark of the page that a clean article was made from, out of the article's headers."""
    event_id, digest = headers.get("ce_id"), headers.get(PAGE_DIGEST)
    return None if event_id is None or digest is None else _mark(event_id, digest)


def _mark(event_id: bytes, digest: bytes) -> bytes:
    """16 bytes, for worker memory holds many."""
    return hashlib.blake2b(event_id + b"\n" + digest, digest_size=16).digest()
