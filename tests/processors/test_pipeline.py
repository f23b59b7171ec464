"""The whole pipeline on anything: an article or a named refusal, never another exception."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.draft import Draft, rebuild
from processors.pipeline import CLEAN_STEPS, clean, enrich, trace
from schemas import codec
from schemas.errors import ProcessingError
from schemas.records import RawPage
from tests.support.text import NOW, text_page, tools

# Words and signs that the steps look for, thrown together without sense.
FRAGMENTS = st.sampled_from(
    [
        "القاهرة - وكالات", "عواصم (وكالات) ", "المصدر | ", "المصدر:", "كلمات مفتاحية", "كتب - ",
        "• 9/19/2015", "• 00:00", "... المزيد", "مشاركة :", "تعليق عبر الفيس بوك", "«", "»", "(",
        "الجمعة 20 مايو 2016 09:05 ص", "قال الوزير إن العمل مستمر.", "لـ«الشرق الأوسط»", "رويترز",
        "\n", "\n\n", "\u00a0", "\u200f", "\u0640", "ﻻ", " - ", ":", "|", ".", ")",
        "وزير الخارجية الأميركي", "جون كيري", "داعش", "طلباً روسيا",
        "للأسد", "منذ 3 ساعات", "اقرأ أيضا", "// انتهى //", "https://",
        "\x00", "\ud7ff", "𝒜", "😀", "ا\u0654", "\r\n", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(FRAGMENTS, max_size=40).map("".join),
    st.lists(FRAGMENTS, max_size=40).map("\n".join),
    st.text(max_size=300),
)


def outcome(page: RawPage) -> Draft | ProcessingError:
    """The last draft, or the refusal, which must name a step."""
    try:
        return trace(page, tools(), now=NOW)[-1].draft
    except ProcessingError as refusal:
        if refusal.step not in dict(CLEAN_STEPS):
            raise
        return refusal


@settings(deadline=None)
@given(TEXTS)
@example("\n".join(["سطر قصير"] * 400))
@example("كلمة " * 5_000)
def test_any_text_gives_a_reversible_article_or_a_named_refusal(text: str) -> None:
    page = text_page(text)
    draft = outcome(page)
    if isinstance(draft, ProcessingError):
        return
    article = clean(page, tools(), now=NOW)
    assert rebuild(article.body, article.removals) == draft.raw
    for before, after in zip(article.removals, article.removals[1:], strict=False):
        assert before.end <= after.start
    assert article.body == article.body.strip()
    assert "\n\n\n" not in article.body
    enriched = enrich(article, tools(), now=NOW)
    for entity in enriched.entities:
        for mention in entity.mentions:
            assert enriched.body[mention.start : mention.end] == mention.text


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=400), TEXTS.map(lambda text: text.encode("utf-8"))))
def test_any_bytes_give_an_article_or_a_named_refusal(data: bytes) -> None:
    for media_type in ("html", "text"):
        outcome(replace(text_page("x"), text=None, body=data, media_type=media_type))


def test_a_second_cleaning_of_the_body_cuts_nothing() -> None:
    lead = (
        "أعلنت البلدية أمس خطة جديدة لزيادة المساحات الخضراء في الأحياء القديمة، "
        "وقالت إن العمل قريب."
    )
    page = text_page(f"عنوان الخبر هنا\n\n{lead}\n\n{lead}\n\nمشاركة :")
    body = clean(page, tools(), now=NOW).body
    again = clean(text_page(body), tools(), now=NOW)
    assert (again.body, again.removals) == (body, ())


@pytest.mark.parametrize("text", ["", " \n\u00a0\n", "مشاركة :\n\nتعليق عبر الفيس بوك"])
def test_a_page_of_nothing_but_boilerplate_is_refused(text: str) -> None:
    with pytest.raises(ProcessingError) as caught:
        clean(text_page(text), tools(), now=NOW)
    assert caught.value.reason in ("empty", "no-main-text")


def test_the_record_is_as_the_contract_promises(validate_record: Callable[[bytes], None]) -> None:
    page: RawPage = text_page(
        "عنوان\n\n" + "كلمة " * 30 + ".", url="https://www.News.example/a?b=1"
    )
    article = clean(page, tools(), now=NOW)
    validate_record(codec.encode(article))
    assert article.source.host == "news.example"
    assert (article.cleaned_at, article.fetched_at) == (NOW, page.fetched_at)
    assert set(article.versions) == {"nashra", "rules", "entities"}
