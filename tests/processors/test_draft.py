"""The edit list: whatever is cut, the raw text can be rebuilt."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from processors.draft import Draft, Role, assemble, rebuild
from processors.edit import cut_inline
from processors.normalize import normalise
from schemas.records import RawPage
from tests.support.text import tools

NOW = datetime(2020, 1, 1, tzinfo=UTC)
PAGE = RawPage(article_id="0" * 32, text="x", media_type="text", fetched_at=NOW)

ARABIC = st.text(
    alphabet=st.sampled_from(
        "ابتثجكلمن هيو أإىة،.«»\u0640\u064b\u200f\u200c\u00a0\ufefc\t\n\r0٣xE\u0301\u0654"
    ),
    max_size=120,
)


def draft_of(raw: str) -> Draft:
    return normalise(Draft(page=PAGE, now=NOW, raw=raw), tools())


def test_body_is_paragraphs_joined_by_one_blank_line() -> None:
    body, removals = assemble(draft_of("one\n two \n\n\n\u00a0\nthree"))
    assert body == "one\n\ntwo\n\nthree"
    assert rebuild(body, removals) == "one\n two \n\n\n\u00a0\nthree"


def test_a_cut_line_leaves_no_gap() -> None:
    draft = draft_of("one\nSHARE\ntwo\nEND")
    draft = draft.with_line(1, draft.lines[1].as_role(Role.BOILERPLATE, "r/x", "why"))
    draft = draft.with_line(3, draft.lines[3].as_role(Role.BOILERPLATE, "r/y", "why"))
    body, removals = assemble(draft)
    assert body == "one\n\ntwo"
    assert [r.text for r in removals if r.rule.startswith("r/")] == ["SHARE", "END"]
    assert rebuild(body, removals) == draft.raw


def test_removal_offsets_are_code_points_into_the_raw_text() -> None:
    draft = draft_of("الأولى\nمشاركة :\nالثانية")
    draft = draft.with_line(1, draft.lines[1].as_role(Role.BOILERPLATE, "r/x", "why"))
    _, removals = assemble(draft)
    cut = next(r for r in removals if r.rule == "r/x")
    assert draft.raw[cut.start : cut.end] == cut.text == "مشاركة :"


@given(raw=ARABIC, data=st.data())
def test_any_set_of_cuts_can_be_undone(raw: str, data: st.DataObject) -> None:
    draft = draft_of(raw)
    for index in range(len(draft.lines)):
        role = data.draw(st.sampled_from([Role.BODY, Role.BODY, Role.SUBHEAD, Role.BOILERPLATE]))
        draft = draft.with_line(index, replace(draft.lines[index], role=role))
        length = len(draft.lines[index].text)
        if data.draw(st.booleans()):
            start = data.draw(st.integers(0, length))
            end = data.draw(st.integers(start, length))
            line = cut_inline(
                draft.lines[index], draft.raw, start, end, rule="t/cut", reason="test"
            )
            draft = draft.with_line(index, line)
    body, removals = assemble(draft)
    assert rebuild(body, removals) == raw
    for removal in removals:
        assert raw[removal.start : removal.end] == removal.text


@given(raw=ARABIC)
def test_hygiene_is_idempotent(raw: str) -> None:
    body, _ = assemble(draft_of(raw))
    again, removals = assemble(draft_of(body))
    assert again == body
    assert removals == ()


def test_cutting_the_head_of_a_line_with_earlier_edits_cuts_the_right_letters() -> None:
    # bidi mark and NBSP stand inside the part that goes
    draft = draft_of("\u200fعواصم\u00a0(وكالات) بدأ اليوم")
    assert draft.lines[0].text == "عواصم (وكالات) بدأ اليوم"
    line = cut_inline(
        draft.lines[0], draft.raw, 0, len("عواصم (وكالات) "), rule="t/head", reason="test"
    )
    body, removals = assemble(draft.with_line(0, line))
    assert body == line.text == "بدأ اليوم"
    assert rebuild(body, removals) == draft.raw
