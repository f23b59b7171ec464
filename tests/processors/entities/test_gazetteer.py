"""The data files: sound as shipped, and read strictly."""

from __future__ import annotations

import pytest

from processors.entities.gazetteer import package_sources, read_gazetteer
from processors.entities.lexicon import WORDS_FILE, read_lexicon
from schemas.errors import RuleFileError

WORDS = package_sources()[WORDS_FILE]
ENTRY = """
[[entry]]
name = "أتلانتس"
type = "LOC"
"""


def read(**files: str) -> None:
    sources = {f"{name}.toml": content.encode() for name, content in files.items()}
    read_gazetteer(sources | {WORDS_FILE: WORDS})


def test_package_files_are_sound_and_versioned() -> None:
    sources = package_sources()
    gazetteer = read_gazetteer(sources)
    assert gazetteer.version == read_gazetteer(sources).version
    changed = sources | {"zz.toml": ENTRY.encode()}
    assert read_gazetteer(changed).version != gazetteer.version


def test_all_countries_are_there() -> None:
    sources = package_sources()
    isos = {
        line.split('"')[1]
        for name, content in sources.items()
        if name.startswith("countries_")
        for line in content.decode().splitlines()
        if line.startswith("iso = ")
    }
    assert len(isos) == 197  # UN members, both observers, Kosovo, Taiwan


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "[[entry]]\nname = 'x'"}, r"a\.toml: .*name"),
        ({"a": "entry = ["}, r"a\.toml: "),
        ({"a": ENTRY + "alias = ['أطلس']"}, r"a\.toml: .*alias.*entry"),
        ({"a": ENTRY + "qid = 'Q01'"}, r"a\.toml: .*qid"),
        ({"a": ENTRY + "iso = 'ATL'"}, r"a\.toml: .*iso"),
        ({"a": ENTRY.replace("LOC", "GEO")}, r"a\.toml: .*type"),
        ({"a": ENTRY + "aliases = ['!']"}, r"a\.toml: entry أتلانتس, field aliases: '!'"),
        ({"a": ENTRY + "adjectives = ['أتلانتي']"}, r"entry أتلانتس, field adjectives: .*iso"),
        # the same name twice: in one entry (folded alike), in two files
        ({"a": ENTRY + "aliases = ['اتلانتس']"}, r"entry أتلانتس, field aliases: .*a\.toml"),
        (
            {"a": ENTRY, "b": ENTRY.replace("أتلانتس", "أطلس") + "aliases = ['أتلانتس']"},
            r"b\.toml: entry أطلس, field aliases: .*already at a\.toml: entry أتلانتس",
        ),
        ({"a": ENTRY, "b": ENTRY}, r"b\.toml: entry أتلانتس, field qid or name"),
    ],
)
def test_mistakes_are_named(files: dict[str, str], message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        read(**files)


def test_shared_and_linked_names_may_be_claimed_twice() -> None:
    other = ENTRY.replace("أتلانتس", "أطلس")
    read(a=ENTRY + "shared = ['القارة']\nlinked = ['أتلا']", b=other + "shared = ['القارة']")


def test_words_file_is_read_strictly() -> None:
    with pytest.raises(RuleFileError, match=r"words\.toml: .*unknown field `extra`"):
        read_lexicon(WORDS + b"\n[extra]\n")
    with pytest.raises(RuleFileError, match=r"words\.toml: .*cues"):
        read_lexicon(b"")
