"""Step: cut boilerplate by the rule files, whole lines and ends of paragraphs.

What learns per publisher while streaming is a later step of its own; this one knows rules only.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from processors.draft import Draft, Line, Role
from processors.edit import cut_inline
from processors.rulefile import Match, RuleSet
from processors.tools import Tools

SENTENCE_ENDS = (".", "!", "؟", "?", "»", '"', "”", ")", "…")
"""How a finished paragraph may end; a stub link after anything else means a truncated text."""


def remove_boilerplate(draft: Draft, tools: Tools) -> Draft:
    """Mark the lines and paragraph ends that a rule of the page's host or of all hosts takes."""
    rules = tools.rules.for_host(page_host(draft))
    lines: list[Line] = []
    for line in draft.lines:
        match = rules.match_line(line.folded) if line.role is Role.BODY else None
        lines.append(_cut_line(line, match) if match else line)
    return _cut_ends(replace(draft, lines=tuple(lines)), rules)


def page_host(draft: Draft) -> str | None:
    """Host of the page, lower case, without ``www.``; ``None`` for a page without an address."""
    url = draft.facts.canonical_url or draft.page.final_url or draft.page.url
    host = urlsplit(url).hostname if url else None
    return host.removeprefix("www.") if host else None


def _cut_line(line: Line, match: Match) -> Line:
    return line.as_role(Role.BOILERPLATE, match.name, match.rule.why)


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
