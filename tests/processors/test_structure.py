"""Headline, subheadline, subheads and the tail of other articles' headlines."""

from tests.support.text import cleaned

HEADLINE = "المتحف الوطني يفتح أبوابه مجانا"
SUBHEADLINE = "الإدارة: نتوقع عشرات الآلاف من الزوار"
ONE = (
    "أعلنت إدارة المتحف الوطني أن أبوابه ستفتح مجانا أمام الزوار طوال الأسبوع المقبل احتفالا "
    "بمرور خمسين عاما على تأسيسه."
)
TWO = (
    "وقال مدير المتحف إن القاعات الجديدة تضم نحو ألفي قطعة لم تعرض من قبل، بينها مخطوطات نادرة "
    "ونقوش من حفريات العام الماضي."
)
THREE = "وتستمر الفعاليات حتى مساء السبت، وتتضمن ورشا للأطفال ومحاضرات عن ترميم الآثار وحفظها."


def test_first_line_is_the_headline() -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}")
    assert article.headline == HEADLINE
    assert article.body == f"{ONE}\n\n{TWO}"


def test_a_lead_paragraph_is_no_headline() -> None:
    article = cleaned(f"{ONE}\n{TWO}\n{THREE}")
    assert article.headline is None
    assert article.body.startswith(ONE)


def test_headline_after_the_text_twice_with_the_subheadline_between() -> None:
    article = cleaned(f"{ONE}\n{TWO}\n{HEADLINE}\n{SUBHEADLINE}\n{HEADLINE}\nلم تشترك بعد")
    assert article.headline == HEADLINE
    assert article.subheadline == SUBHEADLINE
    assert article.body == f"{ONE}\n\n{TWO}"


def test_subheadline_under_the_headline() -> None:
    article = cleaned(f"{HEADLINE}\n{SUBHEADLINE}\n\n{ONE}\n\n{TWO}")
    assert (article.headline, article.subheadline) == (HEADLINE, SUBHEADLINE)
    assert article.body == f"{ONE}\n\n{TWO}"


def test_subheads_are_listed_and_stay_in_the_body() -> None:
    article = cleaned(f"{ONE}\nقاعات جديدة للزوار\n{TWO}\nفعاليات للصغار والكبار\n{THREE}")
    assert article.subheads == ("قاعات جديدة للزوار", "فعاليات للصغار والكبار")
    assert article.body.split("\n\n") == [
        ONE, "قاعات جديدة للزوار", TWO, "فعاليات للصغار والكبار", THREE,
    ]  # fmt: skip


SHORT = "وقال إن القاعات الجديدة جاهزة للزوار."

RELATED = [
    "افتتاح معرض الكتاب في العاصمة بحضور مئات الناشرين",
    "لماذا تغيب الآثار عن مناهج المدارس الثانوية؟",
    "«الثقافة»: خطة لترميم القلعة القديمة خلال عامين",
    "مهرجان المسرح يعلن جوائزه في حفل ختامي كبير",
]


def test_tail_of_related_headlines_after_the_keyword_line() -> None:
    tail = "\n\n".join(RELATED)
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\nكلمات مفتاحية\n\nمتاحف، آثار\n\n{tail}")
    assert [link.title for link in article.related] == RELATED
    assert article.body == f"{ONE}\n\n{TWO}"


def test_short_lines_at_the_end_that_nothing_announces_are_text() -> None:
    # News of agencies often goes without full stops: better a headline too many than a loss.
    tail = "\n\n".join(RELATED)
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{tail}")
    assert article.related == ()
    assert article.body.endswith(RELATED[-1])


def test_tail_below_a_share_label() -> None:
    tail = "\n\n".join(RELATED)
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\nمشاركة :\n\n{tail}")
    assert [link.title for link in article.related] == RELATED
    assert article.body == f"{ONE}\n\n{TWO}"


def test_a_related_box_in_the_middle() -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\nأخبار متعلقة\n\n{RELATED[0]}\n\n{TWO}\n\n{THREE}")
    assert [link.title for link in article.related] == RELATED[:1]
    assert article.body == f"{ONE}\n\n{TWO}\n\n{THREE}"


def test_sentences_behind_a_related_label_are_text() -> None:
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\nاقرأ أيضا\n\n{RELATED[0]}\n\n{SHORT}\n\n{SHORT}")
    assert [link.title for link in article.related] == RELATED[:1]
    assert article.body == f"{ONE}\n\n{SHORT}\n\n{SHORT}"


def test_verses_at_the_end_are_text() -> None:
    verses = "يا طائر الصبح\nغن لي لحنا\nواحمل سلامي\nإلى الأحباب"
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{verses}")
    assert article.related == ()
    assert article.body.endswith("إلى الأحباب")


def test_a_refrain_that_is_the_title_too_is_text() -> None:
    verse = "غن لي لحن الصباح\n" + ONE + "\n"
    article = cleaned("غن لي لحن الصباح\n\n" + verse * 5)
    assert article.body.split("\n\n").count("غن لي لحن الصباح") == 5


def test_rows_of_a_table_at_the_end_are_text() -> None:
    rows = "\n".join(
        f"القاعة {number} تعرض قطع العصر {number} من المجموعة" for number in range(1, 6)
    )
    assert cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{rows}").related == ()


def test_a_list_at_the_end_is_text() -> None:
    items = "- الدخول مجاني\n- الحجز عبر الموقع\n- التصوير مسموح\n- الحقائب ممنوعة"
    article = cleaned(f"{HEADLINE}\n\n{ONE}\n\n{TWO}\n\n{items}")
    assert article.related == ()
    assert "- الحقائب ممنوعة" in article.body
