"""Source lines, bylines, keyword lines, the publisher a text names as itself."""

import pytest

from processors.fold import fold
from processors.metadata import split_keywords
from tests.support.text import cleaned

HEADLINE = "البلدية تطلق خطة جديدة للحدائق"
LEAD = (
    "أعلنت بلدية المدينة أمس خطة جديدة لزيادة المساحات الخضراء في الأحياء القديمة، وقالت إن "
    "العمل سيبدأ مع مطلع الربيع المقبل ويستمر عامين."
)


@pytest.mark.parametrize(
    ("line", "publisher", "agencies"),
    [
        ("المصدر | الخليج الجديد + الأناضول", "الخليج الجديد", ("الأناضول",)),
        ("المصدر: وكالات", None, ("وكالات",)),
        ("المصدر : رويترز - أ ف ب", None, ("رويترز", "أ ف ب")),
        ("المصدر: الجزيرة + وكالات", "الجزيرة", ("وكالات",)),
        ("Source: The Example Times / Reuters", "The Example Times", ("رويترز",)),
        ("--(بترا)", None, ("بترا",)),
    ],
)
def test_credit_line(line: str, publisher: str | None, agencies: tuple[str, ...]) -> None:
    article = cleaned(f"{HEADLINE}\n\n{LEAD}\n\n{line}")
    assert article.body == LEAD
    assert article.source.publisher == publisher
    assert article.agencies == agencies


def test_a_label_alone_takes_the_next_line() -> None:
    article = cleaned(f"{HEADLINE}\n\n{LEAD}\n\nالمصدر:\nالنهار + رويترز")
    assert article.body == LEAD
    assert (article.source.publisher, article.agencies) == ("النهار", ("رويترز",))


@pytest.mark.parametrize(
    "line",
    [
        # The source, as a subject: the minister refused to sign the paper ...
        "المصدر: الوزير رفض التوقيع على الورقة التي أرسلتها اللجنة إليه قبل أسبوع.",
        # "And the source added that the talks go on."
        "وأضاف المصدر أن المحادثات مستمرة حتى الآن.",
    ],
)
def test_prose_about_a_source_is_no_credit_line(line: str) -> None:
    article = cleaned(f"{HEADLINE}\n\n{LEAD}\n\n{line}")
    assert line in article.body


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("كتب - سامر الحلو", ("سامر الحلو",)),
        ("كتبت: منى عبد الرحمن", ("منى عبد الرحمن",)),
        ("بقلم: سامر الحلو ومنى زيدان", ("سامر الحلو", "منى زيدان")),
        ("By Jane Doe", ("Jane Doe",)),
        ("Par Jean Dupont", ("Jean Dupont",)),
    ],
)
def test_byline(line: str, authors: tuple[str, ...]) -> None:
    article = cleaned(f"{HEADLINE}\n\n{line}\n\n{LEAD}")
    assert article.authors == authors
    assert article.body == LEAD


def test_a_sentence_that_begins_with_wrote_is_no_byline() -> None:
    line = "كتب الوزير على صفحته إن الخطة ستنجح."
    assert line in cleaned(f"{HEADLINE}\n\n{LEAD}\n\n{line}").body


TEXT = fold("شنت روسيا غارات جوية على مواقع جبهة النصرة وتنظيم الدولة الإسلامية في سوريا").split()


@pytest.mark.parametrize(
    ("line", "keywords"),
    [
        (
            "روسيا أمريكا غارات جوية سوريا جبهة النصرة الدولة الإسلامية",
            ["روسيا", "أمريكا", "غارات جوية", "سوريا", "جبهة النصرة", "الدولة الإسلامية"],
        ),
        ("غارات جوية، روسيا، سوريا", ["غارات جوية", "روسيا", "سوريا"]),
        ("#غارات_جوية #روسيا", ["غارات جوية", "روسيا"]),
        ("روسيا | سوريا | روسيا", ["روسيا", "سوريا"]),
        ("روسيا", ["روسيا"]),
    ],
)
def test_keywords_are_split(line: str, keywords: list[str]) -> None:
    assert split_keywords(line, " ".join(TEXT)) == keywords


@pytest.mark.parametrize("gap", ["\n", ": ", "\n\n"])
def test_keyword_line(gap: str) -> None:
    article = cleaned(f"{HEADLINE}\n\n{LEAD}\n\nكلمات مفتاحية{gap}حدائق، بلدية المدينة")
    assert article.keywords == ("حدائق", "بلدية المدينة")
    assert article.body == LEAD


def test_a_paper_that_the_text_speaks_to_twice_is_its_publisher() -> None:
    one = "وقال المسؤول لـ«الشرق الأوسط» إن الخطة جاهزة وإن التنفيذ سيبدأ خلال أسابيع قليلة."
    two = "وأضاف في تصريحات خاصة لـ«الشرق الأوسط» أن التمويل متوفر بالكامل من ميزانية العام."
    source = cleaned(f"{HEADLINE}\n\n{LEAD}\n\n{one}\n\n{two}").source
    assert (source.publisher, source.publisher_evidence) == ("الشرق الأوسط", "self-reference")
    assert cleaned(f"{HEADLINE}\n\n{LEAD}\n\n{one}").source.publisher is None
