"""First pass: where the text has a name that the gazetteer knows, or the name of a ministry.

Goes over the words once, takes the longest name at each place and jumps behind it. Which thing a
name means is not settled here (``resolve.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

from processors.entities.gazetteer import Gazetteer
from processors.entities.things import Alias, Condition, Thing, name_key
from processors.entities.tokens import Text, fold_name
from processors.entities.trie import Hit


def scan(text: Text, gazetteer: Gazetteer) -> Iterator[Hit[Alias]]:
    """Names in ``text``, in order, not overlapping."""
    index = 0
    while index < len(text.words):
        if text.words[index].folded not in gazetteer.starts:
            index += 1
            continue
        hit = gazetteer.names.longest(text, index)
        ministry = _ministry(text, index, gazetteer)
        if ministry is not None and (hit is None or ministry.last > hit.last):
            hit = ministry
        if hit is None or _is_in_a_name(text, hit, gazetteer):
            index += 1
            continue
        yield hit
        index = hit.last


def _is_in_a_name(text: Text, hit: Hit[Alias], gazetteer: Gazetteer) -> bool:
    """Whether the hit is a part of a person's name that no list has.

    "Klaus" is not k- and Laos, "Abu Gaza" is not Gaza, and "Ahmad Ali Abdullah Saleh" is the son.
    """
    lexicon = gazetteer.lexicon
    if hit.split.taken:
        return text.words[hit.first].folded in lexicon.given
    if not text.is_joined_to(hit.first):
        return False
    before = text.words[hit.first - 1].folded
    is_person = all(alias.thing.type == "PER" for alias in hit.values)
    return before in lexicon.name_joiners or (is_person and before in lexicon.given)


def adjective_at(text: Text, index: int, gazetteer: Gazetteer) -> tuple[int, str] | None:
    """The nationality adjective at word ``index``: its length in words, its folded form."""
    words = text.words
    if index >= len(words):
        return None
    if index + 1 < len(words) and text.is_joined(index):
        pair = f"{words[index].folded} {words[index + 1].folded}"
        if pair in gazetteer.adjectives:
            return 2, pair
    return (1, words[index].folded) if words[index].folded in gazetteer.adjectives else None


def _ministry(text: Text, index: int, gazetteer: Gazetteer) -> Hit[Alias] | None:
    """A ministry by its pattern: head word, portfolio, nationality or none."""
    split = gazetteer.lexicon.ministry_heads.get(text.words[index].folded)
    if split is None:
        return _bare_ministry(text, index, gazetteer)
    if index + 1 >= len(text.words) or not text.is_joined(index):
        return None
    portfolio = gazetteer.lexicon.portfolios.longest(text, index + 1)
    if portfolio is None or portfolio.split.taken:
        return None
    return _ministry_hit(text, Hit(index, portfolio.last, split, portfolio.values), gazetteer)


def _bare_ministry(text: Text, index: int, gazetteer: Gazetteer) -> Hit[Alias] | None:
    """A portfolio and a nationality without the head word: "in the American Foreign ..."."""
    lexicon = gazetteer.lexicon
    split = lexicon.bare_portfolios.get(text.words[index].folded)
    if split is None or (not split.taken and text.before(index) not in lexicon.bare_after):
        return None
    portfolio = lexicon.portfolios.get((split.rest or text.words[index].folded,))
    if not portfolio or not text.after(index) or adjective_at(text, index + 1, gazetteer) is None:
        return None
    hit = _ministry_hit(text, Hit(index, index + 1, split, portfolio), gazetteer)
    return hit if hit.last > index + 1 else None


def _ministry_hit(text: Text, hit: Hit[str], gazetteer: Gazetteer) -> Hit[Alias]:
    """Take the nationality along and name the ministry by its canonical name."""
    name = f"وزارة {hit.values[0]}"
    last = hit.last
    adjective = adjective_at(text, last, gazetteer) if text.is_joined_to(last) else None
    if adjective is not None and adjective[1].endswith("ه"):  # feminine, as "ministry" is
        last += adjective[0]
        name = f"{name} {gazetteer.adjectives[adjective[1]]}"
    for alias in gazetteer.names.get(fold_name(name)):
        if alias.condition is Condition.ALWAYS:
            return Hit(hit.first, last, hit.split, (alias,))
    thing = Thing(id=name_key("ORG", name), type="ORG", name=name)
    return Hit(hit.first, last, hit.split, (Alias(thing, Condition.ALWAYS),))
