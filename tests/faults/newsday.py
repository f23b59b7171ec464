"""A day of made-up news: pages with ids, revisions and a few that nobody can read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.codec import encode
from schemas.records import RawPage
from tests.support.stream_kit import page

FIRST_AT = datetime(2026, 1, 15, 6, 0, tzinfo=UTC)

REVISED_SHARE = 0.05
"""Pages that come a second time with another text."""

POISON_SHARE = 0.005
"""Pages without any text: dead letters."""

# The council opens a library / the minister visits the port / prices rise / the match ends.
HEADLINES = (
    "البلدية تفتتح المكتبة رقم {number}",
    "الوزير يزور الميناء للمرة {number}",
    "أسعار القمح ترتفع إلى {number} جنيها",
    "المباراة رقم {number} تنتهي بالتعادل",
)

# Cairo / Amman / Beirut / Rabat, each with an agency.
DATELINES = (
    "القاهرة - رويترز",
    "عمان - بترا",
    "بيروت - وكالات",
    "الرباط - أ ف ب",
)

# Sentences about nothing in particular: the director said, readers may borrow, work goes on.
SENTENCES = (
    "وقال المدير إن القاعة ستبقى مفتوحة حتى المساء في جميع أيام الأسبوع خلال الشهر المقبل.",
    "وأضاف أن القراء يستطيعون استعارة خمسة كتب في الشهر من غير رسوم ولا اشتراك سنوي.",
    "وأشار البيان إلى أن العمل في المشروع بدأ قبل عامين وأن تكلفته بلغت سبعة ملايين.",
    "وأوضحت اللجنة أن النتائج النهائية ستعلن بعد مراجعة جميع الأوراق في مقرها الرئيس.",
    "ومن المقرر أن يجتمع المجلس مرة ثانية الأسبوع المقبل لبحث ما بقي من جدول الأعمال.",
)

# Share: / Comment by Facebook
LEFTOVERS = (
    "مشاركة :",
    "تعليق عبر الفيس بوك",
)


@dataclass(frozen=True, slots=True)
class Newsday:
    """What is replayed.

    Attributes:
        pages: In the order of their publication.
        poison: Ids of the pages that nobody can read.
    """

    pages: tuple[RawPage, ...]
    poison: frozenset[str]

    def write(self, file: Path) -> Path:
        """As JSON lines for ``nashra replay``."""
        file.write_bytes(b"\n".join(encode(each) for each in self.pages))
        return file


def newsday(articles: int, *, seed: int) -> Newsday:
    """Make ``articles`` pages, revisions and unreadable ones among them.

    Args:
        articles: Number of records to replay.
        seed: Another seed makes other ids and texts.
    """
    chance = random.Random(seed)
    pages = [each for _, each in zip(range(articles), _pages(chance, seed), strict=False)]
    return Newsday(tuple(pages), frozenset(each.article_id for each in pages if not each.text))


def _pages(chance: random.Random, seed: int) -> Iterator[RawPage]:
    """Without end; a revision comes at once or some pages after the first of its article."""
    waiting: list[RawPage] = []
    number = 0
    while True:
        fetched_at = FIRST_AT + timedelta(seconds=number)
        if waiting and chance.random() < 0.1:
            yield replace(waiting.pop(0), fetched_at=fetched_at)
        number += 1
        is_poison = chance.random() < POISON_SHARE
        text = "" if is_poison else _text(chance, number)
        first = replace(page(f"faults/{seed}/{number}", text), fetched_at=fetched_at)
        yield first
        if text and chance.random() < REVISED_SHARE:
            waiting.append(replace(first, revision=2, text=_text(chance, number)))


def _text(chance: random.Random, number: int) -> str:
    """Headline, dateline, a few paragraphs, a left-over."""
    paragraphs = (" ".join(chance.sample(SENTENCES, 2)) for _ in range(chance.randint(2, 6)))
    parts = (
        chance.choice(HEADLINES).format(number=number),
        chance.choice(DATELINES),
        *paragraphs,
        chance.choice(LEFTOVERS),
    )
    return "\n\n".join(parts)
