"""Script hygiene: what is mended, what is left alone."""

import pytest

from processors.hygiene import apply_cuts, hygiene_cuts
from tests.support.text import cleaned

CASES = [
    # (as scraped, as published, gloss)
    ("\u200fقال\u200e الوزير", "قال الوزير", "bidi marks go"),
    ("العـــربية", "العربية", "decorative tatweel goes"),
    ("لـ«الشرق»", "لـ«الشرق»", "tatweel between a clitic and a quotation mark is spelling"),
    ("الـ60 عضوا", "الـ60 عضوا", "and before a number"),
    ("بـ 3 ملايين", "بـ 3 ملايين", "a clitic and a number, with a space"),
    ("عام 1436 هـ.", "عام 1436 هـ.", "the sign of Hijri years"),
    ("خبـــر عاجـل", "خبر عاجل", "decoration inside words"),
    ("عاجلـــ الآن", "عاجل الآن", "decoration at the end of a word"),
    ("اﻷخبار", "الأخبار", "presentation form of lam-alef"),
    ("النبي ﷺ", "النبي ﷺ", "the blessing ligature stays"),
    ("می\u200cخواهم", "می\u200cخواهم", "ZWNJ inside a Persian word stays"),
    ("قال \u200cهو", "قال هو", "ZWNJ beside a space goes"),
    ("ا\u0654خبار", "أخبار", "decomposed hamza is composed"),
    ("رقم\u00a0واحد", "رقم واحد", "NBSP becomes a space"),
    ("رقم   واحد", "رقم واحد", "repeated spaces"),
    ("٢٠١٥ و 2015", "٢٠١٥ و 2015", "digits are left as they are"),
    ("إنّ مساعٍ", "إنّ مساعٍ", "diacritics stay"),
    ("a\x00b\x1bc", "abc", "control characters go"),
]


@pytest.mark.parametrize(("raw", "clean"), [(raw, clean) for raw, clean, _ in CASES])
def test_hygiene(raw: str, clean: str) -> None:
    assert apply_cuts(raw, hygiene_cuts(raw)) == clean


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x85, 0xA0, 0x200B, 0x2028, 0x3000])
def test_no_control_or_odd_space_survives_in_a_body(code: int) -> None:
    sentence = "قال متحدث باسم البلدية إن أعمال الصيانة في الشارع الرئيسي ستستمر ثلاثة أسابيع."
    body = cleaned(f"{sentence}\n{sentence[:20]}{chr(code) * 60}{sentence[20:]}").body
    assert all(sign in " \n" or not sign.isspace() for sign in body)
    assert chr(code) in " \n" or chr(code) not in body
