"""What breaks readers between two versions of a JSON Schema. Additions that are optional do not."""

from __future__ import annotations

from typing import Any

_WORDS = {"title", "description", "$id", "default", "examples"}
"""Keywords that change no validation."""

_PARTS = {"properties", "required", "$defs", "enum"}
"""Keywords compared piece by piece."""


def breaks(old: dict[str, Any], new: dict[str, Any], path: str = "$") -> list[str]:
    """Changes from ``old`` to ``new`` that an existing reader or writer would notice.

    Within a major version a field may be added if it is optional. Removed, retyped (which takes
    in null, bounds, patterns and formats) or newly required fields, and changed enums, are named.
    """
    found = [f"{path}: newly required {name!r}" for name in _added(old, new, "required")]
    found += [f"{path}: no longer promised {name!r}" for name in _added(new, old, "required")]
    found += [f"{path}: enum lost {value!r}" for value in _added(new, old, "enum")]
    found += [f"{path}: enum got {value!r}" for value in _added(old, new, "enum")]
    found += [
        f"{path}: {word} was {old.get(word)!r}, is {new.get(word)!r}"
        for word in sorted((old.keys() | new.keys()) - _WORDS - _PARTS)
        if _bare(old.get(word)) != _bare(new.get(word))
    ]
    for kind in ("properties", "$defs"):
        for name, part in old.get(kind, {}).items():
            if name not in new.get(kind, {}):
                found.append(f"{path}.{name}: removed")
            else:
                found += breaks(part, new[kind][name], f"{path}.{name}")
    return found


def _added(old: dict[str, Any], new: dict[str, Any], word: str) -> list[str]:
    return sorted(set(new.get(word, [])) - set(old.get(word, [])))


def _bare(value: Any) -> Any:
    """A schema part without the words that are only for people."""
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items() if key not in _WORDS}
    if isinstance(value, list):
        return [_bare(part) for part in value]
    return value
