"""Bytes to text: every rung of the ladder, and what is refused."""

from __future__ import annotations

import codecs
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.charset import decode_bytes, repair_mojibake
from schemas.errors import ProcessingError, Reason

ARABIC = (
    "قال رئيس البلدية إن العمل في الطريق الجديد سينتهي قبل الشتاء، "
    "وإن الحركة على الجسر ستعود إلى طبيعتها في الأسبوع المقبل."
)  # the mayor on a road: ordinary prose, with the Arabic comma
FRENCH = "Le maire a déclaré que la route, fermée depuis l'été, sera achevée à l'automne."
RUSSIAN = "Мэр города сообщил, что ремонт дороги будет закончен до начала зимы."


def decode(data: bytes, declared: str | None = None, *, is_html: bool = False) -> tuple[str, str]:
    decoded = decode_bytes(data, declared=declared, is_html=is_html)
    return decoded.text, decoded.charset


@pytest.mark.parametrize(
    ("bom", "charset"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_byte_order_mark_decides_and_is_dropped(bom: bytes, charset: str) -> None:
    assert decode(bom + ARABIC.encode(charset), "windows-1256") == (ARABIC, charset)


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [ARABIC, f"<html><body>{ARABIC}</body></html>", "plain English"])
def test_utf16_without_mark_is_seen_by_its_nuls(charset: str, text: str) -> None:
    decoded = decode_bytes(text.encode(charset), declared=None, is_html=False)
    assert (decoded.text, decoded.charset) == (text, charset)
    assert decoded.repair == f"{charset} without a byte order mark"


@pytest.mark.parametrize("declared", ["windows-1256", "iso-8859-1", "no-such-charset"])
def test_valid_utf8_beats_a_wrong_declaration(declared: str) -> None:
    decoded = decode_bytes(ARABIC.encode(), declared=declared, is_html=False)
    assert decoded.text == ARABIC
    assert decoded.repair == f"declared {declared}, bytes are utf-8"


@pytest.mark.parametrize("declared", [None, "utf-8", "UTF8", " utf-8; "])
def test_rightly_declared_or_undeclared_utf8_needs_no_repair(declared: str | None) -> None:
    assert decode_bytes(ARABIC.encode(), declared=declared, is_html=False).repair is None


def test_damaged_utf8_stays_utf8_and_says_so() -> None:
    data = ARABIC.encode() * 5 + b" \xff " + ARABIC.encode()[:-2]
    decoded = decode_bytes(data, declared=None, is_html=False)
    assert decoded.charset == "utf-8"
    assert decoded.text.startswith(ARABIC)
    assert "broken byte sequences" in (decoded.repair or "")


@pytest.mark.parametrize(
    ("text", "codec", "charset"),
    [
        (ARABIC, "cp1256", "windows-1256"),
        (ARABIC, "iso8859-6", "iso-8859-6"),
        ("مجلس وزراء", "cp1256", "windows-1256"),  # cabinet: two words, no article
        (FRENCH, "cp1252", "windows-1252"),
        (RUSSIAN, "cp1251", "windows-1251"),
    ],
)
def test_undeclared_legacy_bytes_are_told_apart(text: str, codec: str, charset: str) -> None:
    assert decode(text.encode(codec)) == (text, charset)


@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-6"])
def test_arabic_bytes_beat_a_wrong_declaration(declared: str) -> None:
    decoded = decode_bytes(ARABIC.encode("cp1256"), declared=declared, is_html=False)
    assert (decoded.text, decoded.charset) == (ARABIC, "windows-1256")
    assert decoded.repair == f"declared {declared}, bytes are windows-1256"


@pytest.mark.parametrize("label", ["windows-1256", "CP1256", "win-1256", "x-cp1256", '"cp-1256"'])
def test_labels_seen_in_the_wild_mean_windows_1256(label: str) -> None:
    decoded = decode_bytes(ARABIC.encode("cp1256"), declared=label, is_html=False)
    assert decoded.text == ARABIC
    assert decoded.repair is None


def test_declared_charset_is_taken_where_the_bytes_allow_it() -> None:
    assert decode(RUSSIAN.encode("cp866"), "ibm866") == (RUSSIAN, "cp866")
    assert decode(FRENCH.encode("cp1252"), "ISO-8859-1") == (FRENCH, "windows-1252")


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="windows-1251">',
        '<META content="text/html; charset=windows-1251" http-equiv=Content-Type>',
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
def test_html_declares_its_charset_in_the_first_bytes(head: str) -> None:
    page = f"{head}<p>{RUSSIAN}"
    assert decode(page.encode("cp1251"), is_html=True) == (page, "windows-1251")


def test_codecs_that_are_no_charsets_are_not_obeyed() -> None:
    for label in ("hex", "rot13", "punycode", "unicode_escape", "idna"):
        assert decode(FRENCH.encode("cp1252"), label)[0] == FRENCH


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3 and so on", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"GIF89a\x01\0\x01\0", "GIF"),
        (b"PK\x03\x04\x14\0\x06\0", "ZIP"),
        (gzip.compress(ARABIC.encode()), "gzip"),
        (b"\x7fELF\x02\x01\x01\0", "ELF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", "MP4"),
        (bytes(range(256)) * 8, "binary data"),
        (b"abc\0\0\0def\0ghij" * 20, "NUL"),
        (b"a\x01b\x02c\x03" * 50, "control characters"),
    ],
)
def test_binary_data_is_refused_by_name(data: bytes, said: str) -> None:
    with pytest.raises(ProcessingError, match=said) as caught:
        decode_bytes(data, declared="utf-8", is_html=True)
    assert (caught.value.step, caught.value.reason) == ("extract", Reason.NOT_TEXT)


@pytest.mark.parametrize(
    "data", [b"", b" \r\n\t ", codecs.BOM_UTF8, "\ufeff \u00a0\u200b".encode()]
)
def test_nothing_but_white_space_is_empty(data: bytes) -> None:
    with pytest.raises(ProcessingError) as caught:
        decode_bytes(data, declared=None, is_html=False)
    assert caught.value.reason is Reason.EMPTY


def test_a_stray_nul_is_dropped_not_refused() -> None:
    data = (ARABIC * 20).encode() + b"\0"
    decoded = decode_bytes(data, declared=None, is_html=True)
    assert decoded.text == ARABIC * 20
    assert decoded.repair == "1 NUL bytes dropped"


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "windows-1256", "utf-16", "x"]))
def test_any_bytes_give_text_or_a_typed_refusal(data: bytes, declared: str | None) -> None:
    reason: Reason | None = None
    text = ""
    try:
        text = decode_bytes(data, declared=declared, is_html=True).text
    except ProcessingError as error:
        reason = error.reason
    assert reason in {None, Reason.EMPTY, Reason.NOT_TEXT}
    assert (reason is None) == bool(text.strip())


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "Zs", "P"]), min_size=1))
def test_valid_utf8_is_never_read_as_anything_else(text: str) -> None:
    text = f"{ARABIC} {text}"
    assert decode(text.encode()) == (text, "utf-8")


def sloppy_1252(data: bytes) -> str:
    """As browsers read windows-1252: undefined bytes become C1 controls."""
    return "".join(
        chr(byte) if byte in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else bytes([byte]).decode("cp1252")
        for byte in data
    )


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("misread", ["latin-1", "cp1256", "sloppy"])
def test_utf8_read_with_the_wrong_charset_is_repaired(misread: str, rounds: int) -> None:
    broken = ARABIC
    for _ in range(rounds):
        data = broken.encode()
        broken = sloppy_1252(data) if misread == "sloppy" else data.decode(misread)
    repaired, note = repair_mojibake(broken)
    assert repaired == ARABIC
    assert note is not None
    assert note.count("utf-8 read as") == rounds


def test_windows_1256_read_as_1252_is_repaired() -> None:
    repaired, note = repair_mojibake(ARABIC.encode("cp1256").decode("cp1252"))
    assert (repaired, note) == (ARABIC, "windows-1256 read as windows-1252")


def test_only_the_broken_line_of_a_mixed_text_is_repaired() -> None:
    broken = ARABIC.encode().decode("latin-1")
    text = f"{ARABIC} ✓\r\n{broken}\n{FRENCH}"
    repaired, note = repair_mojibake(text)
    assert repaired == f"{ARABIC} ✓\r\n{ARABIC}\n{FRENCH}"
    assert note is not None
    assert note.startswith("in some lines")


@pytest.mark.parametrize(
    "text",
    [
        ARABIC,
        FRENCH,
        RUSSIAN,
        "",
        "ASCII only",
        "Übergröße für Ärzte",
        "خط، وشرط؛ «وسط»",  # line, and condition; "middle": genuine letters before punctuation
        "قال: ط… ظ…",  # he said: two letters trailing off
        "Ø and Ù are letters",
    ],
)
def test_text_that_is_right_stays_as_it_is(text: str) -> None:
    assert repair_mojibake(text) == (text, None)


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x6FF), max_size=200))
def test_mojibake_repair_never_raises_nor_invents_replacement_characters(text: str) -> None:
    repaired, note = repair_mojibake(text)
    assert "\ufffd" not in repaired
    assert (note is None) == (repaired == text)
