"""Which language a text is in, without a model: script, distinctive letters, function words."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from processors.fold import BIDI, MARKS, TATWEEL, ZERO_WIDTH

_WINDOW_CHARS = 3_000
_SHORT_WORDS = 12
"""Below this a text proves little, and a hint may decide."""

_MIN_ARABIC_SHARE = 0.4
"""Share of Arabic letters among all from which a text is in Arabic script: news quotes names and
brands in Latin letters, the other way round is rare."""

_MARKS = re.compile(f"[{TATWEEL}{MARKS}{BIDI}{ZERO_WIDTH}\u200c\u200d]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SCRIPTS = {
    "arabic": re.compile(
        "[\u0620-\u063f\u0641-\u064a\u066e-\u06d3\u06d5\u06ee\u06ef\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+"
    ),
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+"),
    "other": re.compile("[\u0370-\u05ff\u0700-\u074f\u0780-\u1dff\u2c00-\u2dff\u3040-\ud7ff]+"),
}


def _arabic_spelling(text: str) -> str:
    """Persian ya and kaf as Arabic ones. Not ``translate``: that is ten times slower here."""
    return text.replace("ی", "ي").replace("ک", "ك")


_ARABIC_SCRIPT_WORDS = {
    "ar": """
        في من على إلى الى عن أن ان إن مع هذا هذه ذلك التي الذي الذين بعد قبل بين خلال حتى كان كانت
        لم لا ما أو كما وقال قال وفي ومن عام يوم أي كل غير عند منذ وكان لن قد
        """,  # in from on to about that with this which after before between ... he said
    "fa": """
        در به از که این است را با های می برای شد آن یک خود بود تا هم نیز شده کرد ها اما بر وی
        """,  # in to from that this is (object) with (plural) ... for became
    "ur": """
        کے میں کی ہے سے کا نے کو اور پر ہیں یہ کہ اس بھی نہیں تھا ایک کر گیا لیے وہ ہو
        """,  # of in of is from of (agent) to and on are this that
    "ckb": """
        لە بە بۆ کە و ئەو ئەم لەسەر دەکات نییە کرد هەر بوو لەگەڵ ئێمە ھەیە یەکێک دا
        """,  # from with for that and he this on does is-not
    "ps": """
        په چې او کې ته له دي دی هم یې سره کړي نه شوي وي دا خو پر لپاره
        """,  # on that and in to from; not the genitive: "Dr." in Arabic
    "ug": """
        بۇ ۋە بىلەن بىر ئۇ ئۈچۈن قىلىش بولغان دەپ كېيىن ھەم ئۇنىڭ بولۇپ قىلغان يىلى
        """,  # this and with one he for doing being
}
_LATIN_SCRIPT_WORDS = {
    "en": "the of and to in a is that for was on with as by at from it said has he be are this",
    "fr": "le la les de des du et en un une que qui dans pour sur par au aux est plus avec pas été",
    "de": "der die das und in den von zu mit ist im für auf des dem nicht ein eine sich auch als",
    "es": "el la los las de del que y en un una por con para se su al es lo como más fue ha",
    "tr": "ve bir bu için ile da de olarak daha çok olan gibi sonra kadar ama en ise dedi oldu ne",
    "it": "il la di che e in un una per con del della dei le gli non sono è si da al nel come",
}
_DISTINCTIVE_LETTERS = {
    "fa": "پچژگکی",  # shared by Persian's neighbours: counts against Arabic only
    "ur": "ٹڈڑےںہھ",
    "ckb": "ڕڵۆێەڤ",
    "ps": "ټډړښږځڅېۍګڼ",
    "ug": "ۈۇۆېەڭۋ",
}
_LETTER_WEIGHT = {"fa": 0.8, "ur": 4.0, "ckb": 4.0, "ps": 6.0, "ug": 4.0}
"""How much a share of distinctive letters counts beside a share of function words (about 0.2 in
running text): letters of Pashto are rarer than those of Urdu."""

_ARABIC_ARTICLE = re.compile("(?:[وفبك]?ال|لل)[\u0620-\u064a]{2,}")
_MIN_SCORE = 0.04
_NEAR = 0.9
_NEAR_IF_SHORT = 0.5
"""Share of the best score from which the hinted language wins."""

Direction = Literal["rtl", "ltr"]
_RTL = frozenset({"ar", "fa", "ur", "ckb", "ps", "ug", "he", "yi", "sd", "dv", "syr", "arc", "ku"})
_NOT_LATIN = _RTL | {
    "ru",
    "uk",
    "bg",
    "sr",
    "el",
    "zh",
    "ja",
    "ko",
    "hi",
    "bn",
    "th",
    "hy",
    "ka",
    "am",
}


def _table(words: dict[str, str]) -> dict[str, frozenset[str]]:
    return {tag: frozenset(_arabic_spelling(text).split()) for tag, text in words.items()}


_ARABIC_TABLE = _table(_ARABIC_SCRIPT_WORDS)
_LATIN_TABLE = _table(_LATIN_SCRIPT_WORDS)


def detect_language(text: str, hint: str | None) -> str:
    """Tell the language of a text.

    Args:
        text: The text; its first 3,000 characters count.
        hint: Language tag that page or feed states (``ar-EG``). Breaks ties and decides for short
            texts in a script that fits it; never beats the letters.

    Returns:
        ``ar``, ``fa``, ``ur``, ``ckb``, ``ps``, ``ug``, ``en``, ``fr``, ``de``, ``es``, ``tr``,
        ``it``, the hint's language where only that is known, or ``und``.
    """
    text = _MARKS.sub("", text[:_WINDOW_CHARS])
    hint = _primary(hint)
    script = _script(text)
    if script == "arabic":
        return _best(_arabic_scores(text), hint, len(text.split()), fallback="ar")
    if script == "latin":
        words = _words(text)
        hint = None if hint in _NOT_LATIN else hint
        return _best(_word_shares(words, _LATIN_TABLE), hint, len(words), fallback="und")
    return hint if script == "other" and hint in _NOT_LATIN and hint not in _ARABIC_TABLE else "und"


def direction(language: str) -> Direction:
    """Writing direction of a language tag; ``ltr`` for ``und``."""
    return "rtl" if _primary(language) in _RTL else "ltr"


def _primary(tag: str | None) -> str | None:
    """The language of a tag: ``ar`` of ``ar-EG``."""
    return re.split("[-_]", tag.strip().lower(), maxsplit=1)[0] or None if tag else None


def _script(text: str) -> str | None:
    counts = {script: _letters(text, script) for script in _SCRIPTS}
    total = sum(counts.values())
    if not total:
        return None
    if counts["arabic"] >= _MIN_ARABIC_SHARE * total:
        return "arabic"
    return max(counts, key=lambda script: counts[script])


def _letters(text: str, script: str) -> int:
    return sum(map(len, _SCRIPTS[script].findall(text)))


def _words(text: str) -> list[str]:
    return _WORD.findall(_arabic_spelling(text.lower()))


def _word_shares(words: list[str], table: dict[str, frozenset[str]]) -> dict[str, float]:
    """For each language the share of the words that are function words of it."""
    total = len(words) or 1
    counts = Counter(words)
    return {
        tag: sum(counts[word] for word in counts.keys() & known) / total
        for tag, known in table.items()
    }


def _arabic_scores(text: str) -> dict[str, float]:
    words = _words(text)
    scores = _word_shares(words, _ARABIC_TABLE)
    scores["ar"] += 0.7 * sum(map(bool, map(_ARABIC_ARTICLE.match, words))) / (len(words) or 1)
    total = _letters(text, "arabic") or 1
    for tag, distinctive in _DISTINCTIVE_LETTERS.items():
        scores[tag] += _LETTER_WEIGHT[tag] * sum(map(text.count, distinctive)) / total
    return scores


def _best(scores: dict[str, float], hint: str | None, words: int, fallback: str) -> str:
    """The best score; the hint where a short text proves nothing, or where it is nearly as good."""
    tag = max(scores, key=lambda key: scores[key])
    is_short = words < _SHORT_WORDS
    if scores[tag] < _MIN_SCORE:
        hint_fits = hint is not None and (hint in scores or fallback == "und")
        return hint if hint and hint_fits and is_short else fallback
    near = (_NEAR_IF_SHORT if is_short else _NEAR) * scores[tag]
    return hint if hint and scores.get(hint, 0.0) > near else tag
