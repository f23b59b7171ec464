"""What folding throws together, and what it must keep apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.fold import fold

SAME = [
    # hamza on alef
    ("أخبار", "اخبار"),
    ("إقرأ أيضاً", "اقرا ايضا"),
    # ta marbuta and ha
    ("مشاركة", "مشاركه"),
    # alef maqsura and ya
    ("على", "علي"),
    # tatweel
    ("المـــزيد", "المزيد"),
    # presentation form of lam-alef
    ("اﻷخبار", "الاخبار"),
    # bidi marks around
    ("\u200fشارك\u200e", "شارك"),
    # quotation marks of either kind
    ("«داعش»", '"داعش"'),
    # Arabic-Indic and Persian digits
    ("٢٠١٥", "2015"),
    ("۲۰۱۵", "2015"),
    # NBSP and runs of spaces
    ("تعليق\u00a0  عبر", "تعليق عبر"),
    ("Share THIS", "share this"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_fall_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    # "share" and "company"; "more" and "increase": letters still decide
    [("شارك", "شركة"), ("المزيد", "مزيد"), ("كتب", "كتاب")],
)
def test_words_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
