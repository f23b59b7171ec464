"""Source lines behind dates, signatures at the end, hashtags: the lines around the text."""

from __future__ import annotations

import pytest

from tests.support.text import cleaned

HEADLINE = "القاهرة تستضيف قمة طارئة"
ONE = (
    "أعلنت وزارة الخارجية المصرية أن القاهرة ستستضيف قمة عربية طارئة لبحث تطورات الأوضاع في "
    "المنطقة وسبل وقف التصعيد."
)
TWO = "وقال المتحدث باسم الوزارة إن الدعوات وجهت إلى جميع القادة العرب."


def test_a_source_behind_a_date() -> None:
    line = "الأحد 2 يونيو 2024 - 11:30 | المصدر: العربي الجديد"
    article = cleaned(f"{HEADLINE}\n\n{line}\n\n{ONE}\n\n{TWO}")
    assert article.published is not None
    assert article.published.local == "2024-06-02T11:30:00"
    assert article.source.publisher == "العربي الجديد"
    assert article.body == f"{ONE}\n\n{TWO}"


@pytest.mark.parametrize("line", ["المصدر : وكالات", "المصدر - وكالات"])
def test_a_source_line_is_no_dateline(line: str) -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{line}")
    assert article.dateline is None
    assert article.credit_line == line
    assert article.agencies == ("وكالات",)


@pytest.mark.parametrize(
    ("line", "agencies"),
    [("أ.ف.ب", ("أ ف ب",)), ("وكالات", ("وكالات",)), ("أ ف ب/ م.س", ("أ ف ب",))],
)
def test_an_agency_signs_at_the_end(line: str, agencies: tuple[str, ...]) -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{line}")
    assert article.agencies == agencies
    assert article.body == f"{ONE}\n\n{TWO}"


def test_social_media_is_no_publisher() -> None:
    line = "المصدر: الأناضول + رويترز + مواقع التواصل الاجتماعي"
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{line}")
    assert article.source.publisher is None
    assert article.agencies == ("الأناضول", "رويترز")


@pytest.mark.parametrize("gap", [" ", "\n"])
def test_hashtags_at_the_end_are_keywords(gap: str) -> None:
    tags = gap.join(["#مصر", "#غزة", "#القمة_العربية"])
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{tags}")
    assert article.keywords == ("مصر", "غزة", "القمة العربية")
    assert article.body == f"{ONE}\n\n{TWO}"


def test_one_keyword_a_line() -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\nالوسوم\nمصر\nغزة\nالقمة العربية")
    assert article.keywords == ("مصر", "غزة", "القمة العربية")


CHRONICLE = """7 أكتوبر 2023

بدأت الأحداث في صباح ذلك اليوم.

24 نوفمبر 2023

بدأت الهدنة الأولى بعد أسابيع طويلة."""


def test_dates_inside_the_text_stay_and_are_events() -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\nأبرز المحطات:\n\n{CHRONICLE}")
    assert article.published_at is None
    assert "24 نوفمبر 2023" in article.body.split("\n\n")
    assert [day.isoformat() for day in article.event_dates] == ["2023-10-07", "2023-11-24"]


@pytest.mark.parametrize("line", ["18:00", "25"])
def test_times_and_numbers_inside_the_text_stay(line: str) -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\nالنتائج كالتالي:\n\n{line}\n\n{TWO}")
    assert line in article.body.split("\n\n")
