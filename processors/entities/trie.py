"""A trie over folded words, and the longest match of one word position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from processors.entities.tokens import WHOLE, Split, Text, splits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A stretch of words that the trie knows.

    Attributes:
        first: Index of its first word.
        last: Index behind its last word.
        split: Proclitics taken off the first word.
        values: What the trie holds for these words.
    """

    first: int
    last: int
    split: Split
    values: tuple[T, ...]


class _Node(Generic[T]):
    __slots__ = ("next", "values")

    def __init__(self) -> None:
        self.next: dict[str, _Node[T]] = {}
        self.values: tuple[T, ...] = ()


class Trie(Generic[T]):
    """Names as sequences of folded words."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        """Start with no names."""
        self._root: _Node[T] = _Node()

    def add(self, words: Sequence[str], value: T) -> None:
        """Add ``value`` under ``words``; several values may stand under the same words."""
        node = self._root
        for word in words:
            node = node.next.setdefault(word, _Node())
        node.values = (*node.values, value)

    def first_words(self) -> tuple[str, ...]:
        """The words that names begin with."""
        return tuple(self._root.next)

    def get(self, words: Sequence[str]) -> tuple[T, ...]:
        """The values under exactly these words."""
        node: _Node[T] | None = self._root
        for word in words:
            if node is None:
                return ()
            node = node.next.get(word)
        return node.values if node is not None else ()

    def longest(self, text: Text, first: int) -> Hit[T] | None:
        """The longest name that starts at word ``first``, or ``None``.

        A word that is itself a known name keeps its first letter; only otherwise are proclitics
        taken off.
        """
        hit = self._walk(text, first, text.words[first].folded, WHOLE)
        if hit is not None:
            return hit
        best: Hit[T] | None = None
        for split in splits(text.words[first].folded):
            hit = self._walk(text, first, split.rest, split)
            if hit is not None and (best is None or hit.last > best.last):
                best = hit
        return best

    def _walk(self, text: Text, first: int, word: str, split: Split) -> Hit[T] | None:
        node = self._root.next.get(word)
        best: Hit[T] | None = None
        index = first
        while node is not None:
            if node.values:
                best = Hit(first, index + 1, split, node.values)
            if not node.next or index + 1 >= len(text.words) or not text.is_joined(index):
                break
            index += 1
            node = node.next.get(text.words[index].folded)
        return best
