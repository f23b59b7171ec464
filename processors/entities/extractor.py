"""The gazetteer extractor: names from lists, settled by the words around them.

Four passes: find names (``scan``), settle what they mean (``resolve``), add persons named beside
a role (``roles``, ``names``), make entities (``link``). It knows what its lists know; a statistical
extractor can take its place behind :class:`processors.entities.EntityExtractor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from processors.entities.gazetteer import Gazetteer, package_sources, read_gazetteer
from processors.entities.link import best_names, link
from processors.entities.names import find_names, look_up
from processors.entities.resolve import Found, judge, settle
from processors.entities.roles import find_roles, roles_of
from processors.entities.scan import scan
from processors.entities.things import Condition, Thing
from processors.entities.tokens import Text
from schemas.records import Entity


class GazetteerExtractor:
    """Finds listed persons, bodies and places, ministries, and persons beside their role.

    Attributes:
        name: ``gazetteer``.
        version: Changes with the data files.
    """

    name: Final = "gazetteer"

    def __init__(self, gazetteer: Gazetteer) -> None:
        """Use ``gazetteer``; building it is the dear part, this is cheap."""
        self._gazetteer = gazetteer
        self.version = gazetteer.version

    def extract(self, headline: str | None, body: str) -> tuple[Entity, ...]:
        """Find the entities of one article.

        Args:
            headline: Helps to settle names of the body; holds no mentions.
            body: The text that mentions are in.

        Returns:
            Entities in order of first mention, each with all its mentions in order; mentions do
            not overlap. Offsets are code points in ``body``, from 0, end exclusive. ``prefix``
            is what is written joined in front of the mention: ``body[start - len(prefix):start]``.

        Never raises, whatever the text.
        """
        head_text, text = Text(headline or ""), Text(body)
        head = judge(head_text, scan(head_text, self._gazetteer), self._gazetteer)
        found = judge(text, scan(text, self._gazetteer), self._gazetteer)
        known = _known((*head, *found))
        isos = self._isos((*head, *found), known, (head_text, text))
        settle(head, known, isos)
        settle(found, known, isos)
        found = [one for one in found if one.thing is not None]
        roles = find_roles(text, found, self._gazetteer)
        names = find_names(text, roles, found, self._gazetteer)
        if names is not None:
            extra = look_up(text, names, found)
            found = sorted((*found, *extra), key=lambda one: one.first)
            head.extend(look_up(head_text, names, head))
        best = best_names(((head_text, head), (text, found)))
        return link(text, found, best, roles_of(text, roles, found))

    def _isos(
        self, found: Iterable[Found], known: Iterable[Thing], texts: Iterable[Text]
    ) -> frozenset[str]:
        """Countries that the article speaks of; looked for only where a shared name needs it."""
        is_needed = any(
            alias.condition is Condition.SHARED for one in found for alias in one.options
        )
        if not is_needed:
            return frozenset()
        by_adjective = self._gazetteer.adjective_isos
        adjectives = {
            by_adjective[word.folded]
            for text in texts
            for word in text.words
            if word.folded in by_adjective
        }
        return frozenset(adjectives | {thing.iso for thing in known if thing.iso})


def load_gazetteer() -> GazetteerExtractor:
    """Read the package's gazetteer files and build the extractor: once, at start.

    Raises:
        RuleFileError: A data file is wrong; the message names file, entry and field.
    """
    return GazetteerExtractor(read_gazetteer(package_sources()))


def _known(found: Sequence[Found]) -> list[Thing]:
    """Things named in full, each once, in order."""
    things = {one.thing.id: one.thing for one in found if one.thing is not None and one.is_full}
    return list(things.values())
