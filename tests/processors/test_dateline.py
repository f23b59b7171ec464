"""Datelines of every shape, and the sentences that only look like one."""

import time

import pytest

from processors.datelinehead import parse_dateline
from tests.support.text import cleaned, tools

SHAPES = [
    # (line, places, agencies as written, where the story begins)
    ("واشنطن - الوكالات", ["واشنطن"], ["الوكالات"], None),
    ("القاهرة – وكالات", ["القاهرة"], ["وكالات"], None),
    ("بيروت ـ رويترز", ["بيروت"], ["رويترز"], None),
    ("عمان (بترا)", ["عمان"], ["بترا"], None),
    ("القدس ـ أ ف ب، رويترز", ["القدس"], ["أ ف ب", "رويترز"], None),
    ("واشنطن، موسكو - وكالات", ["واشنطن", "موسكو"], ["وكالات"], None),
    ("لندن: «الشرق الأوسط»", ["لندن"], [], None),
    ("الرياض - واس", ["الرياض"], ["واس"], None),
    ("عواصم (وكالات) تكثفت الاتصالات", [], ["وكالات"], "تكثفت الاتصالات"),
    ("دبي (رويترز) - قال مسؤول", ["دبي"], ["رويترز"], "قال مسؤول"),
    ("طوكيو - رويترز - ارتفع المؤشر", ["طوكيو"], ["رويترز"], "ارتفع المؤشر"),
    ("الرباط - أ ف ب: أعلنت الحكومة", ["الرباط"], ["أ ف ب"], "أعلنت الحكومة"),
    ("(رويترز) - قال مسؤول", [], ["رويترز"], "قال مسؤول"),
    ("بيروت - أعلن وزير الصحة اليوم عن خطة", ["بيروت"], [], "أعلن وزير الصحة اليوم عن خطة"),
    ("لندن ـ «القدس العربي»: قال رئيس", ["لندن"], [], "قال رئيس"),
    ("القاهرة - «الشرق الأوسط» - قال مسؤول", ["القاهرة"], [], "قال مسؤول"),
    ("واشنطن، 12 مايو/أيار (رويترز) - أعلن", ["واشنطن"], ["رويترز"], "أعلن"),
    ("الدوحة في 12 مايو /قنا/ أكد", ["الدوحة"], ["قنا"], "أكد"),
    ("الطفيلة 16 كانون الثاني (بترا)- افتتح", ["الطفيلة"], ["بترا"], "افتتح"),
    ("جدة 18 ذو القعدة 1444 هـ الموافق 07 يونيو 2023 م واس", ["جدة"], ["واس"], None),
    ("الكويت (كونا) -- قال", ["الكويت"], ["كونا"], "قال"),
    ("موسكو – سبوتنيك. أعلنت وزارة", ["موسكو"], ["سبوتنيك"], "أعلنت وزارة"),
    ("بغداد/ رويترز", ["بغداد"], ["رويترز"], None),
    ("وكالات - لندن", ["لندن"], ["وكالات"], None),
    ("سبق – وكالات", [], ["وكالات"], None),
    ("واس- جدة: تستعد الوزارة", ["جدة"], ["واس"], "تستعد الوزارة"),
    ("NEW YORK, May 12 (Reuters) - Oil", ["NEW YORK"], ["Reuters"], "Oil"),
    ("WASHINGTON — The president said", ["WASHINGTON"], [], "The president said"),
    ("أ ف ب ورويترز - باريس", ["باريس"], ["أ ف ب", "رويترز"], None),
    ("بغداد – واع ورويترز", ["بغداد"], ["واع", "رويترز"], None),
    ('واشنطن وطهران - "الجزيرة نت":', ["واشنطن", "طهران"], [], None),
    ('الخرطوم ـ وكالات ـ "المدى":', ["الخرطوم"], ["وكالات"], None),
    ("لندن - باريس - رويترز", ["لندن", "باريس"], ["رويترز"], None),
    ("عدن الغد - خاص", [], [], None),
    ("LONDON (Reuters) - Oil rose", ["LONDON"], ["Reuters"], "Oil rose"),
    ("PARIS (AFP) - Le ministre a dit", ["PARIS"], ["AFP"], "Le ministre a dit"),
]


@pytest.mark.parametrize(("line", "places", "agencies", "story"), SHAPES)
def test_shape(line: str, places: list[str], agencies: list[str], story: str | None) -> None:
    head = parse_dateline(line, tools().names)
    assert head is not None
    assert [place.name for place in head.dateline.places] == places
    assert list(head.dateline.agencies) == agencies
    assert line[head.end :] == (story or "")


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("سامر الحلو - بيروت", ("سامر الحلو",)),
        ("بيروت - سامر الحلو", ("سامر الحلو",)),
        ("سامر الحلو – الشرق الأوسط", ("سامر الحلو",)),
        ("منى زيدان وسامر الحلو - القاهرة", ("منى زيدان", "سامر الحلو")),
        ("بيروت - سامر وليد", ("سامر وليد",)),
        ("الرياض: فهد الدوسري", ("فهد الدوسري",)),
        ("«الأنباء» - القاهرة - خديجة حمودة", ("خديجة حمودة",)),
        # A channel's name is none of a person
        ("سكاي نيوز عربية - أبوظبي", ()),
        # Words that open a story are no names
        ("عمان - قال وزير", ()),
        ("WASHINGTON — The president said", ()),
    ],
)
def test_writers_in_datelines(line: str, authors: tuple[str, ...]) -> None:
    head = parse_dateline(line, tools().names)
    assert head is not None
    assert head.authors == authors


@pytest.mark.parametrize(
    ("line", "publisher"),
    [
        ("طرابلس (الوسط)", "الوسط"),
        ("لندن ـ «القدس العربي»: قال رئيس", "القدس العربي"),
        ("سكاي نيوز عربية - أبوظبي", "سكاي نيوز عربية"),
        ("الرياض - فهد الدوسري", None),
        ("القاهرة - وكالات", None),
    ],
)
def test_the_paper_in_a_dateline_is_the_publisher(line: str, publisher: str | None) -> None:
    head = parse_dateline(line, tools().names)
    assert head is not None
    assert head.publisher == publisher


DECOYS = [
    # "Washington announced today ..."
    "واشنطن أعلنت اليوم أنها لن تشارك في المؤتمر.",
    # "Beirut - capital of Lebanon - woke to ..."
    "بيروت - عاصمة لبنان - استيقظت على أصوات الألعاب النارية.",
    # The British capital, London, ...
    "لندن (العاصمة البريطانية) تستضيف المؤتمر المقبل.",
    # "Agencies of the UN said"
    "وكالات الأمم المتحدة قالت إن الوضع يتحسن.",
    # "Reuters reported that"
    "رويترز نقلت عن مسؤول قوله إن المحادثات انتهت.",
    # A headline: sources say that the government ...
    "مصدر: الحكومة تستقيل غدا",
    # Follow-ups and specials name no place
    "متابعات - رصد",
    # August in parentheses, a list of dates
    "* 2 أغسطس (آب) 1990: عقد القمة العربية",
    # He said that the work goes on
    "قال: العمل مستمر ولن يتوقف.",
    "",
    " - ",
    "(((",
]


@pytest.mark.parametrize("line", DECOYS)
def test_no_dateline(line: str) -> None:
    assert parse_dateline(line, tools().names) is None


def test_a_headline_that_begins_with_a_city_stays_whole() -> None:
    headline = "موسكو: لن ننسحب من الاتفاق"
    lead = (
        "قالت وزارة الخارجية الروسية أمس إنها ملتزمة بالاتفاق الموقع مع بقية الأطراف وإنها "
        "تنتظر ردا رسميا خلال الأيام المقبلة قبل أي خطوة جديدة."
    )
    article = cleaned(f"{headline}\n\n{lead}")
    assert article.headline == headline
    assert article.body == lead
    assert article.dateline is None


def test_agencies_are_canonical_in_the_article_and_as_written_in_the_dateline() -> None:
    lead = (
        "قال متحدث باسم الوزارة إن المفاوضات التي بدأت أمس ستستمر حتى نهاية الأسبوع في العاصمة "
        "وإن الوفود ستجتمع مرة أخرى غدا لمناقشة المسودة."
    )
    article = cleaned(f"بدء المفاوضات في فيينا\n\nفيينا - فرانس برس\n\n{lead}")
    assert article.dateline is not None
    assert article.dateline.agencies == ("فرانس برس",)
    assert article.agencies == ("أ ف ب",)


HOSTILE = [
    "ا" + "\x1f" * 180,
    "ا" + " " * 180 + "(",
    "ا" + " -" * 90,
    "1 " * 90,
    "و" * 180,
    "(" * 180,
]


@pytest.mark.parametrize("line", HOSTILE)
def test_no_line_takes_long(line: str) -> None:
    # Linear patterns: a thousand times what a line costs, so that no busy machine fails it.
    started_s = time.process_time()
    parse_dateline(line, tools().names)
    assert time.process_time() - started_s < 1.0
