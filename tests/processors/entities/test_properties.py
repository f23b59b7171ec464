"""What holds for every text, however odd."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.entities import GazetteerExtractor, load_gazetteer
from processors.entities.tokens import Text, cut_after, fold_word, splits

EXTRACTOR = load_gazetteer()

# Names, titles, proclitics and marks, to be glued together at random.
PIECES = (
    "سوريا", "روسيا", "الولايات", "المتحدة", "للولايات", "بشار", "الأسد", "للأسد", "داعش", "تنظيم",
    "الدولة", "الإسلامية", "وزارة", "الخارجية", "الأميركية", "بالخارجية", "وزير", "الرئيس", "جون",
    "كيري", "جيف", "ديفيس", "النقيب", "محمد", "بن", "سلمان", "في", "مالي", "قطر", "عمان", "أردني",
    "المتحدث", "باسم", "البيت", "الأبيض", "طلباً", "لـ", "و", "ب", "ل", "«", "»", '"', "،", "(", ")",
    " ", " ", " ", "\n\n", "\u00a0", "ـ", "\u064b", "\u200f", "\u200d", "-", ".", "Syria", "United",
    "States", "l'", "9", "٣", "_", "🙂",
)  # fmt: skip
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


def assert_sound(extractor: GazetteerExtractor, headline: str | None, body: str) -> None:
    entities = extractor.extract(headline, body)
    spans = []
    for entity in entities:
        assert entity.mentions
        assert entity.name
        assert list(entity.mentions) == sorted(entity.mentions, key=lambda m: m.start)
        for mention in entity.mentions:
            assert body[mention.start : mention.end] == mention.text != ""
            assert body[mention.start - len(mention.prefix) : mention.start] == mention.prefix
            assert set(fold_word(mention.prefix)) <= set("وفبلك")
            spans.append((mention.start, mention.end))
    spans.sort()
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    firsts = [entity.mentions[0].start for entity in entities]
    assert firsts == sorted(firsts)
    assert len({entity.id for entity in entities}) == len(entities)


@settings(max_examples=300, deadline=None)
@given(headline=st.none() | texts, body=texts)
def test_any_text(headline: str | None, body: str) -> None:
    assert_sound(EXTRACTOR, headline, body)


@settings(max_examples=300, deadline=None)
@given(body=st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_words_in_any_order(body: str) -> None:
    assert_sound(EXTRACTOR, None, body)


@settings(deadline=None)
@given(body=texts)
def test_same_text_same_answer(body: str) -> None:
    assert EXTRACTOR.extract(None, body) == EXTRACTOR.extract(None, body)


@given(text=st.text(alphabet=st.sampled_from("اأإلبوفكةىـ\u064b\u200dxé9 .«")))
def test_words_are_exact(text: str) -> None:
    for word in Text(text).words:
        raw = text[word.start : word.end]
        assert fold_word(raw) == word.folded
        for letters in range(len(word.folded) + 1):
            at = cut_after(raw, letters)
            assert len(fold_word(raw[:at])) == letters or letters == 0
            assert fold_word(raw[:at]) + fold_word(raw[at:]) == word.folded


@pytest.mark.parametrize(
    ("folded", "rests"),
    [
        ("للاسد", {"لاسد", "الاسد", "اللاسد"}),
        ("ولروسيا", {"لروسيا", "روسيا"}),
        ("وا", set()),
        ("لبنان", {"بنان"}),
        ("بBBC", set()),
    ],
)
def test_splits(folded: str, rests: set[str]) -> None:
    assert {split.rest for split in splits(folded)} == rests
