"""Step: cut boilerplate by the rule files, whole lines and ends of paragraphs.

What learns per publisher while streaming is a later step of its own; this one knows rules only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from processors.draft import Draft, Line, Role
from processors.edit import cut_inline
from processors.rulefile import Match, RuleSet
from processors.shape import SENTENCE_ENDS, text_rows
from processors.tools import Tools


def remove_boilerplate(draft: Draft, tools: Tools) -> Draft:
    """Mark the lines and paragraph ends that a rule of the page's host or of all hosts takes."""
    rules = tools.rules.for_host(page_host(draft))
    hits = {
        row: match
        for row, line in enumerate(draft.lines)
        if line.role is Role.BODY and (match := rules.match_line(line.folded))
    }
    anywhere = {row: match for row, match in hits.items() if not match.rule.outside_text}
    draft = _cut_lines(draft, anywhere)
    first, last = text_rows(draft)  # only now is it known where the text ends
    outside = {
        row: match
        for row, match in hits.items()
        if match.rule.outside_text and not first < row < last
    }
    return _cut_ends(_cut_lines(draft, outside), rules)


def _cut_lines(draft: Draft, hits: Mapping[int, Match]) -> Draft:
    return draft.with_lines(
        {
            row: draft.lines[row].as_role(Role.BOILERPLATE, match.name, match.rule.why)
            for row, match in hits.items()
        }
    )


def page_host(draft: Draft) -> str | None:
    """Host of the page, lower case, without ``www.``; ``None`` for a page without an address."""
    url = draft.facts.canonical_url or draft.page.final_url or draft.page.url
    host = urlsplit(url).hostname if url else None
    return host.removeprefix("www.") if host else None


def _cut_ends(draft: Draft, rules: RuleSet) -> Draft:
    changed: dict[int, Line] = {}
    for row, line in enumerate(draft.lines):
        match = rules.match_end(line.text) if line.role is Role.BODY else None
        if match is None or match.start is None:
            continue
        kept = line.text[: match.start].rstrip()
        if match.rule.is_stub and not kept.endswith(SENTENCE_ENDS):
            draft = replace(draft, is_truncated=True)
        changed[row] = cut_inline(
            line, draft.raw, len(kept), len(line.text), rule=match.name, reason=match.rule.why
        )
    return draft.with_lines(changed)
