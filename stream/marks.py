"""Marks: how the cleaner tells that it has published a page before, from headers alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from schemas.codec import decode, encode
from schemas.errors import DecodeError
from schemas.records import RawPage
from stream.stage import Mark, Message

PAGE_DIGEST = "nashra-page-digest"
"""Header on clean articles: :func:`page_digest` of the page they were made from."""

_MAX_DIGITS = 18
"""Longer ones are no revision of ours: anybody may write headers."""


def page_digest(page: RawPage) -> str:
    """SHA-256 of all that an article is made from, 64 hex digits.

    That is the payload (bytes as served, or the text as UTF-8) and what the source states beside
    it: a corrected date or headline makes another article of the same payload.

    Raises:
        DecodeError: A string holds a lone surrogate and thus is no Unicode text.
    """
    payload = page.body if page.body is not None else (page.text or "").encode("utf-8", "replace")
    entry = page.entry
    beside = (
        page.headline or (entry.title if entry else None),
        page.published_raw or (entry.published_raw if entry else None),
        page.source,
        page.media_type,
        page.charset,
        page.url,
    )
    return hashlib.sha256(hashlib.sha256(payload).digest() + encode(beside)).hexdigest()


def page_mark(message: Message) -> Mark | None:
    """Mark of the page in a message: same id, revision and digest, same mark."""
    if message.value is None:
        return None
    try:
        page = decode(RawPage, message.value)
        digest = page_digest(page).encode()
    except DecodeError:
        return None  # the stage itself makes a dead letter of it
    return _mark(page.article_id.encode(), str(page.revision).encode(), digest)


def published_mark(headers: Mapping[str, bytes | None]) -> Mark | None:
    """Mark of the page that a clean article was made from, out of the article's headers."""
    event_id, digest = headers.get("ce_id"), headers.get(PAGE_DIGEST)
    if event_id is None or digest is None:
        return None
    article, _, revision = event_id.rpartition(b":")
    return _mark(article, revision, digest)


def _mark(article: bytes, revision: bytes, digest: bytes) -> Mark:
    """The digest has 16 bytes, for worker memory holds many."""
    short = hashlib.blake2b(revision + b"\n" + digest, digest_size=16).digest()
    is_number = revision.isdigit() and len(revision) <= _MAX_DIGITS
    return Mark(article, short, int(revision) if is_number else 0)
