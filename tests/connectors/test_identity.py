from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.identity import article_id, canonical_url

SAME = [
    ("HTTPS://News.Example/a", "https://news.example/a"),
    ("https://news.example:443/a", "https://news.example/a"),
    ("http://news.example:80/a/", "http://news.example/a"),
    ("https://news.example/a#comments", "https://news.example/a"),
    ("https://news.example/a?utm_source=x&id=7&fbclid=1", "https://news.example/a?id=7"),
    ("https://news.example/a?UTM_Campaign=x", "https://news.example/a"),
    ("https://news.example", "https://news.example/"),
    ("https://user:secret@news.example/a", "https://news.example/a"),
    ("https://news.example./a", "https://news.example/a"),
    ("https://news.example/%7euser/%d8%a7", "https://news.example/~user/%D8%A7"),
    ("https://news.example/a b", "https://news.example/a%20b"),
    (" https://news.example/a\n", "https://news.example/a"),
    ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
    ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    ("https://news.example/#!/story/7", "https://news.example/#!/story/7"),
]
"""Address, and the one way to write it."""


@pytest.mark.parametrize(("url", "canonical"), SAME)
def test_canonical_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


def test_arabic_path_written_out_and_escaped_is_one_address() -> None:
    # "news"
    word = "أخبار"
    escaped = "%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1"
    assert canonical_url(f"https://news.example/{word}") == f"https://news.example/{escaped}"
    assert canonical_url(f"https://news.example/{escaped.lower()}") == canonical_url(
        f"https://news.example/{word}"
    )


DIFFERENT = [
    ("http://news.example/a", "https://news.example/a"),
    ("https://www.news.example/a", "https://news.example/a"),
    ("https://m.news.example/a", "https://news.example/a"),
    ("https://news.example/a?id=1", "https://news.example/a?id=2"),
    ("https://news.example/a?x=1&y=2", "https://news.example/a?y=2&x=1"),
    ("https://news.example/A", "https://news.example/a"),
    ("https://news.example/a%2Fb", "https://news.example/a/b"),
    ("https://news.example:8080/a", "https://news.example/a"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_addresses_that_may_be_two_pages_stay_two(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    "text", ["", "no address", "http://[broken", "https://a:port/", "mailto:x"]
)
def test_what_is_no_address_comes_back(text: str) -> None:
    assert canonical_url(text) == text


@given(st.text())
def test_canonical_url_never_raises_and_settles(text: str) -> None:
    for url in (text, f"https://{text}", f"https://news.example/{text}"):
        once = canonical_url(url)
        assert canonical_url(once) == once


def test_ids_are_stable_across_releases() -> None:
    assert article_id("https://news.example/a", b"") == "84458d0a4a5a0625c707b977a31fa2a1"
    assert article_id(None, b"text") == article_id("  ", b"text")
    assert article_id(None, b"text") != article_id(None, b"other")


def test_an_address_alone_makes_the_id() -> None:
    assert article_id("https://news.example/a?utm_source=x", b"1") == article_id(
        "https://news.example/a/", b"2"
    )
