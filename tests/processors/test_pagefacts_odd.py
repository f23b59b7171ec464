"""Odd markup and odd JSON-LD: page facts never raise, and stay within type and size."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from processors import pagedates, pagefacts, pagehead, pagelinks, pagenames, pagetitles
from processors.draft import PageFacts
from tests.support.html_pages import URL, facts_of

MAX_HEADLINES = len(pagefacts._TITLE_KEYS) + 4
"""One a meta key, and one each from JSON-LD, the feed, a heading and ``<title>``."""

LONG = "خبر طويل جدا "  # very long news item


def json_ld(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f'<html><head><script type="application/ld+json">{text}</script></head></html>'


def assert_texts(texts: Iterable[str | None], most_chars: int) -> None:
    """Strings with something in them, or None, none of them too long."""
    for text in texts:
        assert text is None or (isinstance(text, str) and 0 < len(text) <= most_chars), text


def assert_addresses(urls: Iterable[str | None]) -> None:
    """Absolute web addresses, or None; resolving may put the page's own before them."""
    for url in urls:
        if url is None:
            continue
        assert urlsplit(url).scheme in {"http", "https"}, url
        assert urlsplit(url).hostname, url
        assert len(url) <= pagelinks.MAX_URL_CHARS + len(URL)


def assert_bounded(facts: PageFacts) -> None:
    """Every field has its type and keeps to the caps of the module that reads it."""
    assert len(facts.headlines) <= MAX_HEADLINES
    assert_texts((text for _, text in facts.headlines), pagetitles.MAX_TITLE_CHARS)
    for dates in (facts.dates, facts.modified):
        assert len(dates) <= pagedates._MAX_DATES
        assert_texts((raw for _, raw in dates), pagedates.MAX_DATE_CHARS)
    assert len(facts.authors) <= pagenames._MAX_AUTHORS
    assert len(facts.keywords) <= pagefacts._MAX_KEYWORDS
    names = (*facts.authors, *facts.keywords, facts.publisher, facts.section)
    assert_texts(names, pagenames.MAX_NAME_CHARS)
    assert (facts.publisher is None) is (facts.publisher_evidence is None)
    assert facts.publisher_evidence in {None, "json-ld", "site-name", "itemprop"}
    assert facts.language is None or pagefacts._LANGUAGE.fullmatch(facts.language)
    assert_texts([facts.description], pagefacts._MAX_DESCRIPTION_CHARS)
    assert len(facts.head_lines) <= pagehead.MAX_HEAD_LINES
    assert_texts((*facts.head_lines, facts.subheadline), pagehead.MAX_LINE_CHARS)
    assert len(facts.images) <= pagefacts._MAX_IMAGES
    assert all(image.url for image in facts.images)
    assert len(facts.related) <= pagelinks.MAX_RELATED
    assert_texts((link.title for link in facts.related), pagelinks._MAX_TITLE_CHARS)
    addresses = (image.url for image in facts.images)
    assert_addresses([facts.canonical_url, *addresses, *(link.url for link in facts.related)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "@id", "@graph", "author", "name", "keywords", "image", "url", "headline"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_odd_json_ld_gives_bounded_facts(value: object) -> None:
    fields = (
        "headline",
        "author",
        "publisher",
        "image",
        "keywords",
        "datePublished",
        "articleBody",
    )
    block = {"@type": "Article"} | dict.fromkeys(fields, value)
    assert_bounded(facts_of(json_ld([block, value])))


TEXT = st.builds(str.__mul__, st.text(max_size=100), st.integers(1, 40))
"""Also long ones: the caps must be met."""


@given(TEXT)
def test_odd_markup_gives_bounded_facts(text: str) -> None:
    head = f"<title>{text}</title><meta name='date' content='{text}'><h1>{text}</h1>{text}"
    assert_bounded(facts_of(f"<html lang='{text}'>{head}"))


META = ("author", "date", "description", "news_keywords", "og:image", "og:site_name", "og:url")


@given(st.dictionaries(st.sampled_from([*META, "og:title", "section", "lastmod"]), TEXT))
def test_odd_meta_gives_bounded_facts(values: dict[str, str]) -> None:
    meta = "".join(f'<meta name="{key}" content="{escape(v)}">' for key, v in values.items())
    link = f'<link rel="canonical" href="{escape(values.get("og:url", ""))}">'
    facts = facts_of(f"<html><head>{meta}{link}</head><body><h1>{LONG}</h1></body></html>")
    assert_bounded(facts)
    assert facts.headlines  # the heading is there whatever the rest says


def test_much_of_everything_is_cut_to_the_caps() -> None:
    block = {
        "@type": "NewsArticle",
        "headline": LONG * 100,
        "author": [{"@type": "Person", "name": f"Writer Number {n} Abc"} for n in range(50)],
        "keywords": [f"word {n}" for n in range(90)],
        "image": [f"/picture/{n}.jpg" for n in range(40)],
        "articleSection": LONG * 100,
        "description": LONG * 1000,
        "datePublished": "2026-03-05," * 50,
    }
    links = "".join(f"<li><a href='/n/{n}'>{n} {LONG * 40}</a></li>" for n in range(40))
    body = f"<body><h3>Related</h3><ul>{links}</ul></body></html>"
    facts = facts_of(json_ld(block).replace("</html>", body))
    assert_bounded(facts)
    assert len(facts.authors) == pagenames._MAX_AUTHORS
    assert len(facts.keywords) == pagefacts._MAX_KEYWORDS
    assert len(facts.images) == pagefacts._MAX_IMAGES
    assert len(facts.headlines[0][1]) == pagetitles.MAX_TITLE_CHARS
    assert len(facts.dates[0][1]) == pagedates.MAX_DATE_CHARS
    assert len(facts.description or "") >= pagefacts._MAX_DESCRIPTION_CHARS - 1
    assert len(facts.related) == pagelinks.MAX_RELATED
    assert {len(link.title) for link in facts.related} == {pagelinks._MAX_TITLE_CHARS}
