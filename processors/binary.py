"""What bytes look like when they are no text: magic numbers, NULs, control characters."""

from __future__ import annotations

from schemas.errors import ProcessingError, Reason

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstandard data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "an ELF program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"OggS", "Ogg media"),
    (b"ID3\x03", "MP3 audio"),
    (b"ID3\x04", "MP3 audio"),
    (b"wOFF", "a web font"),
    (b"wOF2", "a web font"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_RIFF_KINDS = {b"WEBP": "a WebP image", b"WAVE": "WAVE audio", b"AVI ": "AVI video"}

_CONTROLS = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n\r\f\x1b")
_MAX_CONTROL_SHARE = 0.05
_MAX_NUL_SHARE = 0.001
"""A stray NUL in a page is a template's bug, and HTML tells readers to ignore it."""


def refuse_binary(data: bytes) -> None:
    """Raise if the bytes are known not to be text in an ASCII-compatible charset.

    UTF-16 and UTF-32 must have been told apart before: their NULs would count as binary.

    Raises:
        ProcessingError: ``Reason.NOT_TEXT``; the message names what the bytes look like.
    """
    kind = _magic_kind(data)
    if kind is None and data.count(0) > _MAX_NUL_SHARE * len(data):
        kind = "binary data (NUL bytes that are no UTF-16)"
    if kind is None:
        controls = len(data) - len(data.translate(None, _CONTROLS))
        if controls > _MAX_CONTROL_SHARE * len(data):
            kind = f"binary data ({controls / len(data):.0%} control characters)"
    if kind is not None:
        raise ProcessingError(f"no text: looks like {kind}", step="extract", reason=Reason.NOT_TEXT)


def _magic_kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF":
        return _RIFF_KINDS.get(data[8:12])
    if data[4:8] == b"ftyp":
        return "MP4 media"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
