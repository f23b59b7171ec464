"""What a page's markup states, and what is refused as no statement at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from processors.pagefacts import feed_facts
from schemas.records import FeedEntry, PageSource
from tests.support.html_pages import NOW, draft, facts_of, fixture

TITLE = "افتتاح مكتبة عامة على ضفة النهر"  # a public library opens on the river bank
SITE = "جريدة المرفأ"  # newspaper "the harbour"
AUTHOR = "سلمى الحداد"  # a person


def page(head: str = "", body: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def json_ld(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return page(f'<script type="application/ld+json">{text}</script>')


def test_a_complete_page() -> None:
    facts = facts_of(fixture("article_utf8"))
    assert facts.headlines == (
        ("h1", TITLE),
        ("json-ld", f"{TITLE} & حديقة"),  # ... and a garden: entity decoded twice
        ("og", TITLE),
        ("title", TITLE),
    )
    assert facts.dates == (
        ("json-ld", "2026-03-04T09:30:00+02:00"),
        ("meta", "2026-03-04T09:30:00+02:00"),
        ("time-tag", "2026-03-04T09:30:00+02:00"),
        ("visible", "4 مارس 2026"),
    )
    assert facts.modified == (
        ("json-ld", "2026-03-04T11:05:00+02:00"),
        ("meta", "2026-03-04T11:05:00+02:00"),
    )
    assert facts.authors == (AUTHOR,)
    assert facts.keywords == ("مكتبات", "قراءة", "البلدية")
    assert (facts.publisher, facts.publisher_evidence) == (SITE, "json-ld")
    assert facts.canonical_url == "https://marfa.example.org/news/1204/riverside-library"
    assert facts.language == "ar-EG"
    assert facts.section == "محليات"
    assert [image.url for image in facts.images] == [
        "https://marfa.example.org/p/1204-wide.jpg",
        "https://cdn.example.org/p/1204.jpg",
    ]
    assert [(link.title, link.url) for link in facts.related] == [
        (
            "ترميم الجسر القديم يدخل مرحلته الأخيرة هذا الأسبوع",
            "https://marfa.example.org/news/1190/bridge",
        ),
        ("معرض للخط العربي في بيت الثقافة بالمدينة", "https://other.example/a"),
    ]


def test_a_page_that_states_nothing() -> None:
    facts = facts_of("<p>x")
    assert facts == type(facts)()


@pytest.mark.parametrize(
    "block",
    [
        {"@type": "NewsArticle", "headline": TITLE},
        [{"@type": "WebSite"}, {"@type": "BlogPosting", "headline": TITLE}],
        {"@graph": [{"@type": "Organization"}, {"@type": "ReportageNewsArticle", "name": TITLE}]},
        {"@type": "WebPage", "mainEntity": {"@type": ["Thing", "Article"], "headline": [TITLE]}},
        f'<![CDATA[{{"@type": "Article", "headline": "{TITLE}"}}]]>',
        f'{{"@type": "https://schema.org/Article", "headline": "{TITLE}",}};',
        '{"@type": "Article", "headline": "افتتاح مكتبة عامة\n\tعلى ضفة النهر"}',
        f"{{&quot;@type&quot;: &quot;Article&quot;, &quot;headline&quot;: &quot;{TITLE}&quot;}}",
    ],
)
def test_json_ld_in_every_shape(block: object) -> None:
    assert facts_of(json_ld(block)).headlines == (("json-ld", TITLE),)


def test_a_broken_block_does_not_hide_the_next() -> None:
    facts = facts_of(fixture("jsonld_body"))
    assert ("json-ld", "إعادة فتح الطريق الساحلي") in facts.headlines


def test_articles_in_lists_are_not_the_article() -> None:
    block = {"@type": "ItemList", "itemListElement": [{"@type": "NewsArticle", "headline": TITLE}]}
    assert facts_of(json_ld(block)).headlines == ()


@pytest.mark.parametrize(
    "author",
    [
        AUTHOR,
        [AUTHOR],
        {"@type": "Person", "name": AUTHOR},
        {"name": [AUTHOR]},
        ["admin", {"@type": "Person", "name": AUTHOR}, "https://example.org/w/7"],
        [AUTHOR, f"  {AUTHOR} "],
        f"بقلم: {AUTHOR}",  # "from the pen of"
    ],
)
def test_json_ld_authors(author: object) -> None:
    block = {"@type": "Article", "author": author}
    assert facts_of(json_ld(block)).authors == (AUTHOR,)


@pytest.mark.parametrize(
    "name",
    ["admin", "Editor", SITE, "المحرر", "desk@example.org", "www.example.org", "marfa", "-", "77"],
)
def test_what_is_no_author(name: str) -> None:
    head = f'<meta property="og:site_name" content="{SITE}"><meta name="author" content="{name}">'
    assert facts_of(page(head)).authors == ()


def test_a_site_that_names_itself_as_author_is_known_by_its_title() -> None:
    head = f"<title>{TITLE} - {SITE}</title><meta name='author' content='{SITE}'>"
    assert facts_of(page(head)).authors == ()


@pytest.mark.parametrize(
    "byline",
    [
        f"<a rel='author' href='/w/7'>{AUTHOR}</a>",
        f"<span class='post-author-name'>كتبت: {AUTHOR}</span>",  # she wrote
        f"<div class='byline'><b>By {AUTHOR}</b></div>",
        f"<span itemprop='author'>{AUTHOR}</span>",
    ],
)
def test_visible_bylines(byline: str) -> None:
    assert facts_of(page(body=f"<h1>{TITLE}</h1>{byline}")).authors == (AUTHOR,)


def test_one_word_under_an_author_class_is_no_byline() -> None:
    assert facts_of(page(body="<span class='author'>رياضة</span>")).authors == ()  # sports


@pytest.mark.parametrize(
    "title",
    [
        f"{TITLE} - {SITE}",
        f"{TITLE} | {SITE}",
        f"{SITE} :: {TITLE}",
        f"{SITE}: أخبار | {TITLE}",  # "news" between
        f"{TITLE} - محليات - {SITE}",  # "local" between
        f"{TITLE} « {SITE}",
    ],
)
def test_the_site_name_is_cut_off_the_title(title: str) -> None:
    facts = facts_of(page(f"<title>{title}</title>", f"<h3>{TITLE}</h3>"))
    assert facts.headlines[-1] == ("title", TITLE)


def test_a_dash_inside_a_headline_is_kept() -> None:
    title = "مصر - السودان: مباراة ودية في القاهرة"  # Egypt - Sudan: a friendly in Cairo
    assert facts_of(page(f"<title>{title}</title>")).headlines == (("title", title),)
    head = f"<meta property='og:site_name' content='{SITE}'><title>{title} - {SITE}</title>"
    assert facts_of(page(head)).headlines == (("title", title),)


def test_the_configured_publisher_is_cut_off_too() -> None:
    facts = facts_of(
        page(f"<title>{TITLE} - {SITE}</title>"), source=PageSource(publisher="جريده المرفا")
    )  # spelt without hamza and with ha
    assert facts.headlines == (("title", TITLE),)


def test_the_h1_that_another_title_bears_out_wins() -> None:
    body = f"<h1>{SITE}</h1><h1>{TITLE}</h1><h1>شارك برأيك في استطلاعنا</h1>"  # take our poll
    facts = facts_of(page(f"<title>{TITLE} | موقع</title>", body))
    assert facts.headlines[0] == ("h1", TITLE)


def test_an_h1_that_nothing_bears_out_stands_behind() -> None:
    head = f"<meta property='og:title' content='{TITLE}'>"
    facts = facts_of(page(head, "<h1>بوابة الخدمات الإلكترونية</h1>"))  # e-services portal
    assert [source for source, _ in facts.headlines] == ["og", "h1"]


def test_without_h1_a_lesser_heading_serves() -> None:
    body = f"<h2>أخبار</h2><h3>{TITLE}</h3>"  # "news"
    facts = facts_of(page("<title>وكالة المرفأ</title>", body))
    assert facts.headlines[0] == ("heading", TITLE)


def test_dates_keep_their_source_and_order() -> None:
    head = """
        <meta name="DC.date.issued" content="2026-03-02">
        <meta itemprop="datePublished" content="2026-03-03">
        <meta property="article:published_time" content="الأربعاء 4 مارس 2026">
    """
    facts = facts_of(page(head), published_raw="Wed, 04 Mar 2026 07:30:00 GMT")
    assert facts.dates == (
        ("meta", "الأربعاء 4 مارس 2026"),
        ("meta", "2026-03-02"),
        ("itemprop", "2026-03-03"),
        ("feed", "Wed, 04 Mar 2026 07:30:00 GMT"),
    )


def test_time_tags_of_other_articles_and_bare_clock_times_are_left_alone() -> None:
    body = f"""<main><div><h1>{TITLE}</h1><time>21:29</time><time>٤ مارس ٢٠٢٦</time></div>
        <aside><time datetime="2020-01-01">x</time></aside></main>
        <div><time datetime="2019-01-01">y</time></div>"""
    assert facts_of(page(body=body)).dates[0] == ("time-tag", "٤ مارس ٢٠٢٦")
    assert len({raw for _, raw in facts_of(page(body=body)).dates}) == 1


@pytest.mark.parametrize(
    ("shown", "dates"),
    [
        ("8/6/2026 • 00:00 • 12", ()),  # 8 June or 6 August
        ("١ / ١٢ / ٢٠٢٠", ()),  # 1 December or 12 January
        ("19/6/2026", (("visible", "19/6/2026"),)),
        ("6/6/2026", (("visible", "6/6/2026"),)),
        (
            "08/10/1447 هـ 27 مارس 2026",
            (("visible", "08/10/1447 هـ 27 مارس 2026"),),
        ),  # Hijri beside
        ("نشر في 8 يونيو 2026", (("visible", "نشر في 8 يونيو 2026"),)),  # published 8 June
    ],
)
def test_a_shown_date_of_unknown_order_is_no_evidence(
    shown: str, dates: tuple[tuple[str, str], ...]
) -> None:
    body = f"<main><h1>{TITLE}</h1><div><span>{shown}</span></div></main>"
    assert facts_of(page(body=body)).dates == dates


def test_a_headline_cut_into_words_is_no_keyword_list() -> None:
    words = ",".join(TITLE.split())
    facts = facts_of(page(f"<title>{TITLE}</title><meta name='keywords' content='{words}'>"))
    assert facts.keywords == ()


def test_only_absolute_web_addresses_are_canonical() -> None:
    assert facts_of(page("<link rel=canonical href='javascript:x'>")).canonical_url is None
    assert facts_of(page("<meta property=og:url content='/a'>")).canonical_url is None
    assert facts_of(page("<link rel=canonical href='http://[bad'>")).canonical_url is None
    address = "https://marfa.example.org/خبر/7"  # "news" in the path
    assert facts_of(page(f"<link rel=canonical href='{address}'>")).canonical_url == address


@pytest.mark.parametrize(
    ("root", "language"),
    [("lang='AR-SA'", "ar-SA"), ("lang='ar_eg'", "ar-EG"), ("lang='fa'", "fa"), ("lang='?'", None)],
)
def test_language_tags(root: str, language: str | None) -> None:
    assert facts_of(f"<html {root}><body><p>x").language == language


def test_related_headlines_stop_at_twenty() -> None:
    links = "".join(f"<li><a href='/n/{n}'>خبر من المدينة رقم {n}</a></li>" for n in range(40))
    facts = facts_of(page(body=f"<div><b>مواضيع ذات صلة</b></div><ul>{links}</ul>"))
    assert len(facts.related) == 20
    assert facts.related[0].url == "https://marfa.example.org/n/0"


def test_everything_is_capped() -> None:
    long = "كلمة " * 500  # "word", many times
    head = f"<title>{long}</title><meta name=author content='{long}'>" + "".join(
        f"<meta property='article:tag' content='وسم {n}'>" for n in range(60)
    )
    facts = facts_of(page(head, f"<h1>{long}</h1>"))
    assert all(len(text) <= 300 for _, text in facts.headlines)
    assert facts.authors == ()
    assert len(facts.keywords) == 30


def test_the_feed_speaks_between_markup_and_title() -> None:
    feed_title = "مكتبة جديدة على النهر"  # a new library on the river
    head = f"<meta property='og:title' content='{TITLE}'><title>{TITLE}</title>"
    facts = facts_of(page(head), headline=feed_title)
    assert [source for source, _ in facts.headlines] == ["og", "feed", "title"]


def test_plain_text_has_only_what_the_feed_states() -> None:
    entry = FeedEntry(
        feed_id="f",
        entry_id="1",
        title=TITLE,
        published_raw="2026-03-04",
        authors=(AUTHOR, "admin"),
        categories=("محليات",),  # local news
        discovered_at=NOW,
    )
    facts = feed_facts(replace(draft().page, entry=entry))
    assert facts.headlines == (("feed", TITLE),)
    assert facts.dates == (("feed", "2026-03-04"),)
    assert facts.authors == (AUTHOR,)
    assert facts.keywords == ("محليات",)
