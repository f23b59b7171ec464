"""Languages told apart by script, letters and function words; directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.language import detect_language, direction

# One sentence of news about a minister and a plan in each language.
SENTENCES = {
    "ar": ("أعلنت الوزارة اليوم خطة جديدة للمياه، وقال الوزير إن العمل سيبدأ في الشهر المقبل"),
    "fa": ("وزیر گفت که دولت برای حل مشکل آب برنامه تازه‌ای دارد و این کار از ماه آینده آغاز می‌شود"),
    "ur": (
        "وزیر نے کہا کہ حکومت پانی کے مسئلے کے لیے نئے "
        "منصوبے پر کام کر رہی ہے اور کام جلد شروع ہو گا"
    ),
    "ckb": (
        "وەزیر ڕایگەیاند کە حکوومەت بۆ چارەسەرکردنی کێشەی ئاو پلانێکی نوێی هەیە لەگەڵ پارێزگاکان"
    ),
    "ps": (
        "وزیر وویل چې حکومت د اوبو د ستونزې د حل لپاره "
        "نوی پلان لري او کار به په راتلونکې میاشت کې پیل شي"
    ),
    "ug": (
        "مىنىستىر ھۆكۈمەتنىڭ سۇ مەسىلىسىنى ھەل قىلىش ئۈچۈن "
        "يېڭى پىلانى بارلىقىنى ۋە بۇ يىلى باشلىنىدىغانلىقىنى ئېيتتى"
    ),
    "en": (
        "The minister said that the government has a new "
        "plan for water and that work is to begin soon"
    ),
    "fr": (
        "Le ministre a déclaré que le gouvernement a un "
        "nouveau plan pour l'eau et que les travaux vont commencer"
    ),
    "de": (
        "Der Minister sagte, die Regierung habe einen neuen Plan "
        "für das Wasser und die Arbeit beginne im Mai"
    ),
    "es": (
        "El ministro dijo que el gobierno tiene un nuevo plan "
        "para el agua y que las obras van a empezar"
    ),
    "tr": (
        "Bakan, hükümetin su için yeni bir planı "
        "olduğunu ve çalışmaların daha sonra başlayacağını söyledi"
    ),
    "it": (
        "Il ministro ha detto che il governo ha un nuovo "
        "piano per l'acqua e che i lavori non sono lontani"
    ),
}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("hint", [None, "ar", "en", "fa-IR"])
def test_a_sentence_is_enough_and_a_wrong_hint_changes_nothing(
    language: str, hint: str | None
) -> None:
    assert detect_language(SENTENCES[language], hint) == language


def test_persian_typed_on_an_arabic_keyboard_is_still_persian() -> None:
    text = SENTENCES["fa"].replace("ی", "ي").replace("ک", "ك")
    assert detect_language(text, "ar") == "fa"


def test_arabic_with_persian_ya_or_latin_names_is_still_arabic() -> None:
    assert detect_language(SENTENCES["ar"].replace("ي", "ی"), None) == "ar"
    assert detect_language(f"{SENTENCES['ar']} (Reuters, AFP, Bloomberg)", "en") == "ar"


def test_diacritics_and_tatweel_do_not_hide_words() -> None:
    assert detect_language("قَـــالَ الوَزِيـرُ إنَّ العَمَـلَ في المَشـروعِ بَدَأ", None) == "ar"


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("رويترز", None, "ar"),  # Reuters: Arabic script, nothing else known
        ("رويترز", "fa", "fa"),
        ("Reuters", "fr-FR", "fr"),
        ("Reuters", "ar", "und"),  # the script contradicts the hint
        ("Reuters", None, "und"),
        ("Мэр города", "ru", "ru"),
        ("Мэр города", "ar", "und"),
        ("2026 - 12:30", "ar", "und"),
        ("", "ar", "und"),
    ],
)
def test_a_hint_decides_only_what_is_too_short_to_tell(
    text: str, hint: str | None, expected: str
) -> None:
    assert detect_language(text, hint) == expected


@pytest.mark.parametrize("language", ["ar", "fa", "ur", "ckb", "ps", "ug", "he", "ar-EG"])
def test_right_to_left(language: str) -> None:
    assert direction(language) == "rtl"


@pytest.mark.parametrize("language", ["en", "fr", "tr", "und", "", "ru"])
def test_left_to_right(language: str) -> None:
    assert direction(language) == "ltr"


@given(st.text(max_size=200), st.one_of(st.none(), st.text(max_size=8)))
def test_never_raises(text: str, hint: str | None) -> None:
    assert detect_language(text, hint)
