"""Second pass: which thing each name means, from the words around it and from the article.

Deliberately cautious: a name that is also an ordinary word counts only with evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from processors.entities.gazetteer import Gazetteer
from processors.entities.lexicon import Lexicon
from processors.entities.things import Alias, Condition, Thing
from processors.entities.tokens import (
    CLOSING_QUOTES,
    Split,
    Text,
    cut_after,
    tidy,
)
from processors.entities.trie import Hit


@dataclass(slots=True)
class Found:
    """A name at its place, on the way to a mention.

    Attributes:
        first: Index of its first word.
        last: Index behind its last word.
        start: Start in the text, behind proclitics.
        end: End in the text, exclusive.
        split: Proclitics taken off.
        thing: What it means; ``None``: not settled, or nothing.
        is_full: Whether the name speaks for itself (so that short names may link to it).
        options: What it may mean, if the rest of the article speaks for it.
    """

    first: int
    last: int
    start: int
    end: int
    split: Split
    thing: Thing | None = None
    is_full: bool = False
    options: tuple[Alias, ...] = ()


def place(text: Text, hit: Hit[Alias]) -> Found:
    """The exact span of a hit; a quotation mark that opens inside takes its partner along."""
    first = text.words[hit.first]
    start = first.start + cut_after(text.text[first.start : first.end], hit.split.taken)
    if not hit.split.taken:
        start = first.start
    end = text.words[hit.last - 1].end
    is_open = text.opens_quote(hit.first, hit.last)
    if is_open and end < len(text.text) and text.text[end] in CLOSING_QUOTES:
        end += 1
    return Found(hit.first, hit.last, start, end, hit.split)


def judge(text: Text, hits: Iterable[Hit[Alias]], gazetteer: Gazetteer) -> list[Found]:
    """Settle what the words next to each name settle; keep the rest as options."""
    found: list[Found] = []
    for hit in hits:
        one = place(text, hit)
        aliases = [alias for alias in hit.values if not _is_blocked(text, hit, alias)]
        accepted = _accepted(text, one, found[-1] if found else None, gazetteer.lexicon)
        one.thing = _sure(aliases, accepted)
        one.is_full = one.thing is not None
        if one.thing is None:
            one.options = tuple(alias for alias in aliases if alias.condition in _WAITING)
        if one.thing is not None or one.options:
            found.append(one)
    return found


def settle(found: Sequence[Found], known: Sequence[Thing], isos: frozenset[str]) -> None:
    """Settle the options with the knowledge of the whole article.

    Args:
        found: Names of the body, in order; changed in place.
        known: Things that headline or body name in full, in order.
        isos: Countries that the article speaks of.
    """
    ids = {thing.id for thing in known}
    latest: dict[str, int] = {thing.id: -1 - at for at, thing in enumerate(known)}
    for at, one in enumerate(found):
        if one.thing is None and one.options:
            one.thing = _choose(one.options, ids, isos, latest)
        elif one.thing is not None:
            latest[one.thing.id] = at


def surface(text: Text, one: Found) -> str:
    """The name as a reader would write it alone: article restored, no tashkil, no quotes."""
    return one.split.restored + tidy(text.text[one.start : one.end])


_WAITING = frozenset({Condition.LINKED, Condition.CUED, Condition.SHARED})


def _is_blocked(text: Text, hit: Hit[Alias], alias: Alias) -> bool:
    """Whether a one-word name is an ordinary word or an adjective here."""
    thing = alias.thing
    if hit.last - hit.first > 1:
        return False
    if text.before(hit.first) in thing.not_after or text.after(hit.first) in thing.not_before:
        return True
    if thing.type == "PER":
        return False
    # "a request (tanwin) Russian": the adjective without its own tanwin reads like the country.
    follows_tanwin = (
        thing.type == "LOC"
        and hit.first > 0
        and text.words[hit.first].folded.endswith("يا")
        and text.is_joined(hit.first - 1)
        and text.has_tanwin(hit.first - 1)
    )
    return follows_tanwin or text.has_tanwin(hit.first)


def _accepted(
    text: Text, one: Found, previous: Found | None, lexicon: Lexicon
) -> dict[Condition, bool]:
    """Which conditions hold here; the most particular reading first."""
    before = text.before(one.first)
    is_quoted = text.is_quoted(one.start, one.end)
    is_next_place = (  # "Saudi Arabia and Qatar"
        previous is not None
        and previous.last == one.first
        and previous.thing is not None
        and previous.thing.type == "LOC"
        and text.text[text.words[one.first].start : one.start].startswith("و")
    )
    is_strict = is_quoted or is_next_place or before in lexicon.strict_cues
    return {
        Condition.QUOTED: is_quoted or before in lexicon.media_cues,
        Condition.STRICT: is_strict,
        Condition.CUED: is_strict or before in lexicon.place_cues,
        Condition.ALWAYS: True,
    }


def _sure(aliases: Sequence[Alias], accepted: Mapping[Condition, bool]) -> Thing | None:
    """The thing that the name and its neighbours mean without doubt."""
    for condition, is_accepted in accepted.items():
        for alias in aliases:
            if is_accepted and alias.condition is condition:
                return alias.thing
    return None


def _choose(
    options: Sequence[Alias], ids: set[str], isos: frozenset[str], latest: dict[str, int]
) -> Thing | None:
    """The option that the article speaks for; ``None`` if none or two do so alike."""
    scores = {
        alias.thing: 2 * (alias.thing.id in ids)
        + (alias.condition is Condition.SHARED and alias.thing.iso in isos)
        for alias in options
    }
    best = max(scores.values())
    winners = [thing for thing, score in scores.items() if score == best and score > 0]
    if len(winners) > 1 and all(alias.condition is Condition.LINKED for alias in options):
        return max(winners, key=lambda thing: latest[thing.id])
    return winners[0] if len(winners) == 1 else None
