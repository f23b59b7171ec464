"""Bytes to text: which charset, on which evidence, and what had to be repaired.

Trusts the bytes before any declaration: Arabic sites declare ``utf-8`` over windows-1256 and the
other way round. Refuses what is no text.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from charset_normalizer import from_bytes

from processors.binary import refuse_binary
from processors.mojibake import ArabicReading, read_as_arabic, repair_mojibake
from schemas.errors import ProcessingError, Reason

__all__ = ["Decoded", "decode_bytes", "refuse_blank", "repair_mojibake"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text read from bytes.

    Attributes:
        text: The text, without a byte order mark, line endings untouched.
        charset: Name of the charset used, lower case, e.g. ``windows-1256``.
        repair: What was odd, for a person; ``None`` if declaration and bytes agree.
    """

    text: str
    charset: str
    repair: str | None


_BOMS: tuple[tuple[bytes, str], ...] = (
    # UTF-32 first: its little-endian mark begins with the one of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED_IN_BYTES = (
    re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE),
    re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})["']""", re.IGNORECASE),
)
_INVISIBLE = re.compile("[\\s\ufeff\u200b-\u200f\u2060]+")
_BLANK_WINDOW_CHARS = 1_000
_META_WINDOW_BYTES = 4096
"""HTML asks for the declaration in the first 1024 bytes; pages with long heads put it later."""

_LABELS = {
    # As browsers read them (WHATWG): the Windows table is a superset of the ISO one.
    "iso8859-1": "cp1252",
    "latin-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_LABEL_SPELLINGS = {
    "windows1256": "cp1256",
    "win-1256": "cp1256",
    "x-cp1256": "cp1256",
    "cp-1256": "cp1256",
    "iso-8859-6-e": "iso8859-6",
    "iso-8859-6-i": "iso8859-6",
    "x-mac-arabic": "mac-arabic",
    "utf8mb4": "utf-8",
}
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
"""Python codecs that turn bytes into text but are no charsets of documents."""

_GUESSABLE = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp874", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
"""What a guess may answer; without the list charset-normalizer tries (and picks) rarities."""

_GUESSED_LATIN = frozenset({"cp1250", "cp1252", "cp1254"})
"""What charset-normalizer confuses with windows-1252 on Western text (seen: French as cp1250)."""

_SHORT_WORDS = 8
"""Longer Arabic text is never without the article: it is another language (seen: KOI8-R)."""

_GUESS_WINDOW_BYTES = 65_536
_MAX_BROKEN_SHARE = 0.02
"""Broken sequences for each good one up to which bytes are still damaged UTF-8."""


def decode_bytes(data: bytes, *, declared: str | None, is_html: bool) -> Decoded:
    """Decode a page or text file of unknown or untrusted charset.

    The order: byte order mark, UTF-16 by its NULs, valid UTF-8, UTF-8 with a few broken bytes,
    then the declarations against what reads as Arabic, last a guess.

    Args:
        data: The bytes as served.
        declared: Charset that the transport declared, if any.
        is_html: Whether a ``meta`` or XML declaration in the bytes counts.

    Raises:
        ProcessingError: ``EMPTY`` for nothing but white space, ``NOT_TEXT`` for binary data.
    """
    if not data.strip():
        refuse_blank("")
    decoded = _decode_unicode(data, declared)
    if decoded is None:
        labels = [declared, *(_declared_in(data) if is_html else ())]
        decoded = _decode_ascii_family(data, [label for label in labels if label])
    refuse_blank(decoded.text)
    return decoded


def refuse_blank(text: str) -> None:
    """Raise ``EMPTY`` for a text of nothing but white space, marks of byte order among it."""
    if not _INVISIBLE.sub("", text[:_BLANK_WINDOW_CHARS]) and not _INVISIBLE.sub("", text):
        raise ProcessingError("empty: nothing but white space", step="extract", reason=Reason.EMPTY)


def _decode_unicode(data: bytes, declared: str | None) -> Decoded | None:
    """By byte order mark or by the NULs of UTF-16; ``None`` if there is neither."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            text = data[len(bom) :].decode(name, errors="replace")
            _refuse_unreadable(text, name)
            return Decoded(text, name, _disagreement([declared] if declared else [], name))
    guessed = _utf16_by_nuls(data)
    if guessed is None:
        return None
    text = data[: len(data) // 2 * 2].decode(guessed)
    return Decoded(text, guessed, f"{guessed} without a byte order mark")


def _refuse_unreadable(text: str, name: str) -> None:
    """A byte order mark alone proves nothing: JPEG and MP3 frames may begin with FF FE."""
    if text.count("\ufffd") + text.count("\0") > 0.05 * len(text):
        raise ProcessingError(
            f"no text: begins like {name} but is binary data",
            step="extract",
            reason=Reason.NOT_TEXT,
        )


def _utf16_by_nuls(data: bytes) -> str | None:
    """UTF-16 has its NULs (the high byte of ASCII) in one half, and few kinds of high bytes."""
    data = data[: len(data) // 2 * 2]
    even, odd = data[::2].count(0), data[1::2].count(0)
    if even + odd < max(2, 0.02 * len(data)) or min(even, odd) > 0.05 * max(even, odd):
        return None
    highs = Counter(data[1::2] if odd > even else data[::2])
    if sum(count for _, count in highs.most_common(3)) < 0.6 * len(data) / 2:
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return None
    head = text[:10_000]
    odd_signs = sum(not (sign.isprintable() or sign.isspace()) for sign in head)
    return name if odd_signs <= 0.02 * len(head) else None


def _decode_ascii_family(data: bytes, labels: list[str]) -> Decoded:
    refuse_binary(data)
    note = None
    if b"\0" in data:
        note = f"{data.count(0)} NUL bytes dropped"
        data = data.replace(b"\0", b"")
    decoded = _decode_utf8(data, labels) or _decode_legacy(data, labels)
    if note is None:
        return decoded
    repair = f"{note}; {decoded.repair}" if decoded.repair else note
    return Decoded(decoded.text, decoded.charset, repair)


def _decode_utf8(data: bytes, labels: list[str]) -> Decoded | None:
    """Valid UTF-8 is no accident; with a few broken bytes it is still UTF-8."""
    if data.isascii():
        return Decoded(data.decode("ascii"), "utf-8", None)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", _disagreement(labels, "utf-8"))
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
    kept = data.decode("utf-8", errors="ignore")
    broken = text.count("\ufffd") - kept.count("\ufffd")
    if broken > max(1, _MAX_BROKEN_SHARE * sum(not sign.isascii() for sign in kept)):
        return None
    if len(kept) == len(kept.encode("utf-8")):
        return None  # one odd byte in ASCII: a legacy charset is likelier
    return Decoded(text, "utf-8", f"broken byte sequences in utf-8 replaced: {broken}")


def _decode_legacy(data: bytes, labels: list[str]) -> Decoded:
    """Not UTF-8: what reads as Arabic, else what is declared and fits, else a guess."""
    known = [name for label in labels if (name := _codec(label)) and not name.startswith("utf")]
    name = _arabic_codec(data, known) or _fitting(data, known) or _guess(data)
    text = data.decode(name, errors="replace")
    repair = _disagreement(labels, name)
    if repair is None and not labels:
        repair = f"nothing declared, read as {_public_name(name)}"
    if broken := text.count("\ufffd"):
        repair = f"{repair or 'read as ' + _public_name(name)}, broken bytes replaced: {broken}"
    return Decoded(text, _public_name(name), repair)


def _arabic_codec(data: bytes, declared: list[str]) -> str | None:
    """The Arabic charset under which the bytes read as Arabic; a declared one wins a near tie."""
    readings = {
        name: read_as_arabic(data.decode(name, errors="replace"))
        for name in dict.fromkeys([*declared, "cp1256", "iso8859-6"])
    }
    best = max(readings, key=lambda name: readings[name].plausible)
    if readings[best].is_arabic:
        top = readings[best].plausible
        return next((name for name in declared if readings[name].plausible > 0.9 * top), best)
    if not declared and _is_short_arabic(readings["cp1256"]):
        return "cp1256"
    return None


def _is_short_arabic(reading: ArabicReading) -> bool:
    """A few words without the article: all of them of Arabic letters, which Latin text never is."""
    return 0 < reading.words < _SHORT_WORDS and reading.pure > 0.9


def _fitting(data: bytes, names: list[str]) -> str | None:
    for name in names:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return None


def _guess(data: bytes) -> str:
    """By charset-normalizer, which is good at Cyrillic and East Asian text; else windows-1252."""
    best = from_bytes(data[:_GUESS_WINDOW_BYTES], cp_isolation=_GUESSABLE).best()
    name = _codec(best.encoding) if best is not None else None
    return "cp1252" if name is None or name in _GUESSED_LATIN else name


def _declared_in(data: bytes) -> list[str]:
    head = data[:_META_WINDOW_BYTES]
    found = (pattern.search(head) for pattern in _DECLARED_IN_BYTES)
    return [match.group(1).decode("ascii", errors="replace") for match in found if match]


def _codec(label: str) -> str | None:
    """Python's name of the codec that a label means; ``None`` for no charset."""
    label = label.strip(" \t\r\n\"';").lower()
    try:
        name = codecs.lookup(_LABEL_SPELLINGS.get(label, label)).name
        name = _LABELS.get(name, name)
        b"a".decode(name, errors="replace")  # refuses what is no text encoding, such as hex
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def _public_name(codec: str) -> str:
    """The name that people know: ``windows-1256``, ``iso-8859-6``."""
    if re.fullmatch(r"cp125\d", codec):
        return f"windows-{codec[2:]}"
    return codec.replace("iso8859-", "iso-8859-")


def _disagreement(labels: list[str], codec: str) -> str | None:
    """The note for a declaration that the bytes prove wrong; ``None`` if all agree."""
    for label in labels:
        said = _codec(label)
        if said == codec or (said and said.startswith("utf-16") and codec.startswith("utf-16")):
            return None
    if not labels:
        return None
    return f"declared {labels[0][:40].lower()}, bytes are {_public_name(codec)}"
