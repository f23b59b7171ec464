"""Every example of every rule file, and the strictness of their reader."""

import pytest

from processors.rulefile import Rule, load_rules, parse_rules
from schemas.errors import RuleFileError
from tests.support.text import cleaned

BOOK = load_rules()
EXAMPLES = [
    pytest.param(file.hosts, rule, before, after, id=f"{file.name}/{rule.id}/{number}")
    for file in BOOK.files
    for rule in file.rule
    for number, (before, after) in enumerate(rule.example)
]

# A paragraph long enough that nothing takes the example's own text for a headline.
LEAD = (
    "قال متحدث باسم البلدية اليوم إن أعمال الصيانة في الشارع الرئيسي ستستمر ثلاثة أسابيع، "
    "وإن الحافلات ستسلك طريقا بديلا إلى حين الانتهاء منها."
)


@pytest.mark.parametrize(("hosts", "rule", "before", "after"), EXAMPLES)
def test_example(hosts: tuple[str, ...], rule: Rule, before: str, after: str) -> None:
    url = f"https://{hosts[0]}/a" if hosts else None
    article = cleaned(f"{LEAD}\n{before}", url=url)
    gone = [removal.rule.rpartition("/")[2] for removal in article.removals]
    assert rule.id in gone
    body = article.body.removeprefix(LEAD).strip()
    headline = [article.headline] if article.headline else []
    assert [part for part in (*headline, body) if part][-1] == after


GENUINE = [
    # "The White House urges Moscow to 'constructive participation'"
    'البيت الأبيض يحث موسكو على "مشاركة بناءة" في القتال',
    # "And the source added that ..."
    "وأضاف المصدر أن العمل سيبدأ مطلع الأسبوع المقبل بعد وصول المعدات.",
    # "Graduates took part in the festival"
    "شارك مبتعثون سعوديون في مهرجان الثقافة الذي أقيم في المدينة.",
    # "The minister followed the stages of the work"
    "تابع الوزير مراحل العمل في المشروع ميدانيا أمس.",
    # "Printing of books rose"
    "طباعة الكتب ارتفعت بنسبة عشرة في المئة خلال عام واحد.",
    # "The more you read ..."
    "المزيد من الدول تنضم إلى الاتفاق قبل نهاية العام.",
    # "A comment from the ministry on the report"
    "تعليق الوزارة على التقرير جاء متأخرا بحسب مراقبين.",
    # "Joining the union is a strategic choice"
    "انضم إلى الاتحاد عشرون عضوا جديدا هذا العام.",
    # "An advertisement for the tender"
    "إعلان نتائج الانتخابات تأخر ساعتين عن موعده.",
]


@pytest.mark.parametrize("line", GENUINE)
def test_a_genuine_line_survives(line: str) -> None:
    article = cleaned(f"{LEAD}\n{line}\n{LEAD}")
    assert line in article.body.split("\n\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'name = "x"\nrule = [{id = "a", doo = "cut_line", why = "because so", example = []}]',
            "doo",
        ),
        ('name = "x"\nrule = [{id = "a", do = "cut_lin", why = "because so"}]', "cut_lin"),
        ('name = "x"\nrule = [{id = "a", why = "because so", example = [["a", "b"]]}]', "nothing"),
        (
            'name = "x"\nrule = [{id="a", regex=["("], why="why it is", example=[["a", ""]]}]',
            "unterminated",
        ),
        ("name = ", "x.toml"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(text: str, says: str) -> None:
    with pytest.raises(RuleFileError, match=says) as caught:
        parse_rules(text, "x.toml")
    assert "x.toml" in str(caught.value)


def test_a_publishers_file_adds_and_switches_off() -> None:
    extra = """
name = "paper"
hosts = ["paper.example"]
off = ["share-label"]
[[rule]]
id = "own"
lines = ["خدمة الجريدة"]
why = "the paper's own tail line"
example = [["نص.\\nخدمة الجريدة", "نص."]]
"""
    book = load_rules([("paper.toml", extra)])
    own, common = book.for_host("www2.paper.example"), book.for_host("other.example")
    assert own.match_line("خدمه الجريده") is not None
    assert common.match_line("خدمه الجريده") is None
    assert own.match_line("شارك") is None
    assert common.match_line("شارك") is not None
