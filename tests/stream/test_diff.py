"""Articles compared field by field, without files."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import InputError
from stream.diff import ALWAYS_NEW, Change, ListChange, Scope, ValueChange, compare, scope_of

ALL = Scope(ignored=())


def _differences(old: dict[str, Any], new: dict[str, Any], scope: Scope = ALL) -> list[Change]:
    return compare(old, new, scope)


def test_equal_articles_do_not_differ() -> None:
    article = {"id": "a", "body": "x", "source": {"host": "h"}, "agencies": ["r"]}
    assert _differences(article, dict(reversed(article.items()))) == []


def test_each_field_that_differs_is_told_by_its_dotted_name() -> None:
    old = {"headline": "one", "published": {"raw": "1", "zone": "stated"}, "word_count": 3}
    new = {"headline": "two", "published": {"raw": "2", "zone": "stated"}, "word_count": 3}
    assert _differences(old, new) == [
        ValueChange("headline", "one", "two"),
        ValueChange("published.raw", "1", "2"),
    ]


@pytest.mark.parametrize("empty", [None, [], {}])
def test_absent_null_and_empty_are_the_same(empty: object) -> None:
    assert _differences({"x": empty}, {}) == []
    assert _differences({}, {"x": empty}) == []
    item = {"raw": "1", "at": None}
    assert _differences({"dates": [item]}, {"dates": [{"raw": "1"}]}) == []


def test_a_record_that_appears_is_told_field_by_field() -> None:
    new = {"dateline": {"raw": "Tunis", "places": [{"name": "Tunis"}]}}
    assert _differences({"dateline": None}, new) == [
        ValueChange("dateline.raw", None, "Tunis"),
        ListChange("dateline.places", (), ({"name": "Tunis"},)),
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("", None), (0, None), (False, 0), (1, "1"), ("a", ["a"]), ({"a": 1}, [1])]
)
def test_values_of_another_kind_differ(old: object, new: object) -> None:
    assert _differences({"x": old}, {"x": new}) == [ValueChange("x", old, new)]


def test_lists_tell_what_went_and_what_came_and_how_often() -> None:
    old, new = {"keywords": ["a", "b", "b"]}, {"keywords": ["b", "c"]}
    assert _differences(old, new) == [ListChange("keywords", ("a", "b"), ("c",))]
    assert _differences({"x": [1, 2]}, {"x": [2, 1]}) == [ListChange("x", (), ())]


def test_entities_are_told_apart_by_their_id() -> None:
    tunis = {"id": "q:1", "name": "Tunis", "mentions": [{"start": 0}]}
    sfax = {"id": "n:loc:sfax", "name": "Sfax", "mentions": [{"start": 9}]}
    moved = tunis | {"mentions": [{"start": 4}]}
    assert _differences({"entities": [tunis, sfax]}, {"entities": [moved]}) == [
        ListChange("entities", (sfax,), ()),
        ListChange("entities.mentions", ({"start": 0},), ({"start": 4},), item="q:1"),
    ]
    assert _differences({"entities": [tunis, sfax]}, {"entities": [sfax, tunis]}) == [
        ListChange("entities", (), ())
    ]


def test_entities_with_one_id_twice_are_a_plain_list() -> None:
    one, other = {"id": "q:1", "name": "a"}, {"id": "q:1", "name": "b"}
    assert _differences({"entities": [one, other]}, {"entities": [one]}) == [
        ListChange("entities", (other,), ())
    ]


def test_the_times_and_versions_of_a_run_are_left_out_unless_asked_for() -> None:
    old = {"cleaned_at": "1", "enriched_at": "1", "fetched_at": "1", "versions": {"nashra": "1"}}
    new = {"cleaned_at": "2", "enriched_at": "2", "fetched_at": "2", "versions": {"nashra": "2"}}
    assert _differences(old, new, scope_of([], [])) == []
    assert len(_differences(old, new, scope_of([], [], is_all=True))) == len(ALWAYS_NEW)
    assert _differences(old, new, scope_of(["versions"], [])) == [
        ValueChange("versions.nashra", "1", "2")
    ]


def test_a_name_stands_for_all_below_it() -> None:
    old = {"published": {"raw": "1", "zone": "a"}, "published_at": "1"}
    new = {"published": {"raw": "2", "zone": "b"}, "published_at": "2"}
    assert [each.field for each in _differences(old, new, scope_of(["published"], []))] == [
        "published.raw",
        "published.zone",
    ]
    narrow = scope_of(["published", "published_at"], ["published.zone"])
    assert [each.field for each in _differences(old, new, narrow)] == [
        "published.raw",
        "published_at",
    ]


def test_a_field_that_no_article_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no field 'headlin': did you mean headline\?"):
        scope_of(["headlin"], [])
    with pytest.raises(InputError, match="no field 'bodi'"):
        scope_of([], ["bodi.x"])


def test_what_is_left_out_may_hold_anything() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"x": deep}
    assert _differences({"versions": deep, "body": "a"}, {}, scope_of(["language"], [])) == []
    assert _differences({"versions": deep}, {"versions": [1]}, scope_of([], [])) == []


def test_what_the_digest_sees_decides_all_that_the_comparison_could_find() -> None:
    article = {"body": "x", "versions": {"a": "1"}, "published": {"raw": "1"}, "language": "ar"}
    assert scope_of([], []).digest_view(article).keys() == {"body", "published", "language"}
    assert scope_of(["published.raw"], []).digest_view(article).keys() == {"published"}
    assert scope_of([], ["published.raw"]).digest_view(article).keys() >= {"published"}
