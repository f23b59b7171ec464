"""Odd markup and odd JSON-LD: page facts never raise."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.support.html_pages import facts_of


def json_ld(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f'<html><head><script type="application/ld+json">{text}</script></head></html>'


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
def test_odd_json_ld_never_raises(value: object) -> None:
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
    facts_of(json_ld([block, value]))


@given(st.text(max_size=300))
def test_odd_markup_never_raises(text: str) -> None:
    facts_of(f"<html lang='{text}'><title>{text}</title><meta name='date' content='{text}'>{text}")
