"""The first step: pages as bytes and text to raw text, facts and evidence."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import htmltext
from processors.draft import Draft
from processors.extract import extract
from processors.language import detect_language
from schemas.errors import ProcessingError, Reason
from schemas.records import Extraction
from tests.support.html_pages import draft, fixture

PARAGRAPHS = (
    "افتتحت بلدية المدينة أمس",  # the city council opened yesterday
    "وقال مدير المكتبة",  # and the library's director said
    "وأوضح أن المجموعات",  # and made clear that the collections
    "ومن المقرر أن تفتح المكتبة",  # and the library is due to open
)


def run(**page: object) -> Draft:
    return extract(draft(**page), None)


def refusal(**page: object) -> Reason:
    with pytest.raises(ProcessingError) as caught:
        run(**page)
    assert caught.value.step == "extract"
    return caught.value.reason


def test_html_gives_its_paragraphs_and_facts() -> None:
    done = run(body=fixture("article_utf8").encode())
    assert done.extraction == Extraction(method="trafilatura", score=done.extraction.score)
    assert 0.5 < done.extraction.score <= 1
    found = done.raw.split("\n\n")
    for paragraph in PARAGRAPHS:
        assert sum(line.startswith(paragraph) for line in found) == 1
    assert "جميع الحقوق محفوظة" not in done.raw  # all rights reserved: the footer
    assert done.facts.headlines[0][0] == "h1"
    assert done.charset_repair is None


def test_the_same_page_in_utf16_gives_the_same_text() -> None:
    markup = fixture("article_utf8")
    plain = run(body=markup.encode())
    wide = run(body=markup.encode("utf-16-le"))
    assert (wide.raw, wide.facts) == (plain.raw, plain.facts)
    assert wide.charset_repair == "utf-16-le without a byte order mark"
    assert run(body=markup.encode("utf-16")).raw == plain.raw


@pytest.mark.parametrize("declared", [None, "windows-1256", "utf-8"])
def test_windows_1256_in_a_layout_table(declared: str | None) -> None:
    markup = fixture("legacy_table")
    done = run(body=markup.encode("cp1256"), charset=declared)
    lines = done.raw.split("\n\n")
    for start in ("بدأ المزارعون", "وقال أحد المزارعين", "وتنتظر المعاصر"):  # the 3 paragraphs
        assert sum(line.startswith(start) for line in lines) == 1
    assert "|" not in done.raw
    assert done.facts.headlines[-1] == ("title", "المزارعون يبدأون موسم قطاف الزيتون")
    assert done.charset_repair is None


def test_windows_1256_declared_utf8_is_repaired_and_said() -> None:
    markup = fixture("legacy_table").replace("windows-1256", "utf-8")
    done = run(body=markup.encode("cp1256"))
    assert "بدأ المزارعون" in done.raw
    assert done.charset_repair == "declared utf-8, bytes are windows-1256"


def test_mojibake_on_the_way_is_repaired() -> None:
    broken = fixture("article_utf8").encode().decode("cp1256")
    done = run(text=broken)
    assert PARAGRAPHS[0] in done.raw
    assert done.charset_repair == "utf-8 read as windows-1256"


def test_a_page_drawn_by_script_gives_its_json_ld_body() -> None:
    done = run(text=fixture("jsonld_body"))
    first, second = done.raw.split("\n\n")
    assert first.startswith("أعادت فرق الصيانة")
    assert second.startswith("ودعت إدارة المرور السائقين إلى القيادة")
    assert done.extraction.method == "json-ld"


def test_a_lead_outside_the_body_block_comes_first_and_once() -> None:
    done = run(text=fixture("lead_apart"))
    assert done.raw.startswith("انطلقت مساء اليوم")
    assert done.raw.count("انطلقت مساء اليوم") == 1
    assert done.raw.split("\n\n")[0].endswith("من مدارس المدينة.")


def test_a_description_that_stands_in_the_footer_is_no_lead() -> None:
    about = "موقع إخباري مستقل ينقل أخبار المدينة وسكانها كل يوم من مكان الحدث وبأقلام أهلها"
    # an independent news site: the site's own description
    markup = fixture("article_utf8").replace(
        "افتتحت بلدية المدينة أمس مكتبة عامة جديدة على ضفة النهر بعد عامين من العمل المتواصل في"
        ' المبنى القديم.">',
        f'{about}">',
    )
    markup = markup.replace("<footer>", f"<footer><div>{about}</div>")
    assert about in markup
    assert about not in run(text=markup).raw


def test_a_table_of_facts_stays_a_table() -> None:
    rows = "".join(f"<tr><td>دائرة {n}</td><td>{n}00 صوت</td></tr>" for n in range(1, 4))
    markup = fixture("article_utf8").replace("</p>\n</div>", f"</p><table>{rows}</table></div>")
    raw = run(text=markup).raw
    assert re.search(r"دائرة 1\W+100 صوت", raw)  # district 1, 100 votes: on one line


@pytest.mark.parametrize("text", ["سطر أول\r\nسطر ثان\r\n", "\n  a \n\n b\tc  ", "\ufeffنص قصير"])
def test_plain_text_passes_untouched(text: str) -> None:
    done = run(text=text, media_type="text")
    assert done.raw == text
    assert done.extraction == Extraction(method="text")


def test_plain_text_bytes_are_decoded() -> None:
    text = "قال الوزير إن العمل سيبدأ في الربيع\r\n"  # the minister said work starts in spring
    done = run(body=text.encode("cp1256"), media_type="text")
    assert done.raw == text
    assert done.charset_repair == "nothing declared, read as windows-1256"


def test_what_a_page_is_beats_what_it_claims_to_be() -> None:
    text = "خبر قصير بلا أي وسوم: 3 < 5"  # a short item without any tags
    assert run(body=text.encode(), media_type="html").raw == text
    as_text = run(body=("\n " + fixture("article_utf8")).encode(), media_type="text")
    assert as_text.extraction.method == "trafilatura"
    legacy = fixture("legacy_table").encode("cp1256")
    assert "المزارعون" in run(body=legacy, media_type="text").raw


def test_feed_headline_and_date_travel_along() -> None:
    done = run(text="x", media_type="text", headline="عنوان", published_raw="2026-03-04")
    assert done.facts.headlines == (("feed", "عنوان"),)
    assert done.facts.dates == (("feed", "2026-03-04"),)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"body": b""}, Reason.EMPTY),
        ({}, Reason.EMPTY),
        ({"text": " \n\u00a0\u200b"}, Reason.EMPTY),
        ({"body": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, Reason.NOT_TEXT),
        ({"body": b"%PDF-1.4\n", "media_type": "text"}, Reason.NOT_TEXT),
        ({"text": "<html><body><script>go()</script></body></html>"}, Reason.NO_MAIN_TEXT),
        ({"text": "<!doctype html><!-- nothing -->"}, Reason.NO_MAIN_TEXT),
    ],
)
def test_what_can_never_be_an_article_is_refused(page: dict[str, object], reason: Reason) -> None:
    assert refusal(**page) is reason


def test_an_error_page_has_no_main_text() -> None:
    assert refusal(text=fixture("hardly_anything")) is Reason.NO_MAIN_TEXT


def test_a_page_over_the_limit_is_refused_before_parsing() -> None:
    body = b"<html>" + b" " * htmltext.MAX_HTML_BYTES
    assert refusal(body=body) is Reason.TOO_LARGE
    assert refusal(text=body.decode() + "x") is Reason.TOO_LARGE


def test_text_deeper_than_the_usual_parser_reads() -> None:
    markup = fixture("article_utf8").replace("<p>", "<div>" * 400 + "<p>", 1)
    assert PARAGRAPHS[0] in run(text=markup).raw


def test_nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("trafilatura").setLevel(logging.NOTSET)
    refusal(text="<html><body></body></html>")
    run(text=fixture("article_utf8"))
    out, err = capfd.readouterr()
    assert (out, err, caplog.records) == ("", "", [])


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=400), st.sampled_from(["text", "html"]))
def test_any_text_gives_a_draft_or_a_typed_refusal(text: str, media_type: str) -> None:
    for markup in (text, f"<html><body><p>{text}<table><td>{text}"):
        try:
            done = run(text=markup, media_type=media_type)
        except ProcessingError:
            continue
        assert done.raw.strip()


def tokens(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.replace("\u0640", "")))


def test_real_pages_lose_no_paragraph(shared: Path) -> None:
    folder = shared / "arabic" / "pages"
    for gold in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        if not gold["is_article"]:
            continue
        done = run(body=(folder / gold["file"]).read_bytes(), url=gold["url"])
        wanted = tokens("\n".join(gold["paragraphs"]))
        share = (wanted & tokens(done.raw)).total() / wanted.total()
        assert share >= 0.9, f"{gold['id']}: {share:.2f} of the gold tokens"
        assert detect_language(done.raw, None) == "ar", gold["id"]


def test_real_titles_come_first(shared: Path) -> None:
    folder = shared / "arabic" / "pages"
    for gold in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        if gold["is_article"]:
            done = run(body=(folder / gold["file"]).read_bytes(), url=gold["url"])
            assert tokens(done.facts.headlines[0][1]) == tokens(gold["title"]), gold["id"]
