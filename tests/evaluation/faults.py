"""What an answer claims that the notes do not hold: each fault makes it wrong, whatever else it says.

Compared with the files on disk. Markdown marks are taken off by a function of its own, not by the one that composes
answers, which it judges.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.notes import folder, markdown
from assistant.records import Answer, Block, Citation, Section, Snippet

MAX_QUOTE, MAX_QUOTE_LINES = 1_200, 20
"""Characters and lines; only a snippet's citation may be longer."""
MAX_STATEMENTS = 1_500
"""Characters of all statements together."""
MAX_VERDICT_WORDS = 6
MAX_CITATIONS, MAX_STATEMENT_COUNT, MAX_SNIPPETS = 8, 8, 3


def faults(answer: Answer, notes: Path) -> list[str]:
    """One sentence a fault; none for an answer that can be trusted."""
    texts = {path: _read(notes, path) for path in {citation.path for citation in answer.citations}}
    return [
        *_of_citations(answer, texts),
        *_of_statements(answer),
        *_of_snippets(answer, texts),
        *_of_verdict(answer, texts),
        *_of_outcome(answer),
    ]


def plain(text: str) -> str:
    """Lower case, single spaces, without emphasis, code marks, escapes, tags and the targets of links."""
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text))
    return " ".join(re.sub(r"[*_`\\]", "", text).split()).lower()


@dataclass(frozen=True, slots=True)
class _Text:
    """A note as it is on disk."""

    lines: tuple[str, ...]
    sections: tuple[Section, ...]

    def cited(self, citation: Citation) -> str | None:
        r"""The lines joined with `\n`; None where the note has no such lines."""
        if not 1 <= citation.start_line <= citation.end_line <= len(self.lines):
            return None
        return "\n".join(self.lines[citation.start_line - 1 : citation.end_line])

    def heading_path(self, line: int) -> tuple[str, ...]:
        return next(s.heading_path for s in self.sections if s.start <= line <= s.end)

    def fence(self, citation: Citation) -> Block | None:
        """The fence that all cited lines stand in, its marks included."""
        fences = (block for section in self.sections for block in section.blocks if block.kind == "fence")
        return next((b for b in fences if b.start <= citation.start_line and citation.end_line <= b.end), None)


@lru_cache(maxsize=4096)
def _read(notes: Path, path: str) -> _Text | None:
    """The note, or None where it cannot be read."""
    try:
        note = folder.read(notes, path)
    except folder.UnreadableNote:
        return None
    return _Text(note.lines, markdown.outline(note).sections)


def _of_citations(answer: Answer, texts: dict[str, _Text | None]) -> Iterator[str]:
    if [citation.number for citation in answer.citations] != list(range(1, len(answer.citations) + 1)):
        yield "citations are not numbered 1, 2, 3 …"
    if len(answer.citations) > MAX_CITATIONS:
        yield f"more than {MAX_CITATIONS} citations"
    code = {snippet.citation for snippet in answer.snippets}
    for citation in answer.citations:
        where = f"[{citation.number}] {citation.path}:{citation.start_line}-{citation.end_line}"
        text = texts[citation.path]
        lines = text.cited(citation) if text else None
        if text is None or lines is None:
            yield f"{where} does not exist"
            continue
        if len(citation.quote.strip()) < 2 or citation.quote.strip("\n") not in lines:
            yield f"{where} does not hold its quote"
        too_long = len(citation.quote) > MAX_QUOTE or citation.end_line - citation.start_line >= MAX_QUOTE_LINES
        if too_long and citation.number not in code:
            yield f"{where} quotes too much: {len(citation.quote)} characters"
        if citation.heading_path != text.heading_path(citation.start_line):
            yield f"{where} does not stand under {' > '.join(citation.heading_path)}"


def _of_statements(answer: Answer) -> Iterator[str]:
    if len(answer.statements) > MAX_STATEMENT_COUNT:
        yield f"more than {MAX_STATEMENT_COUNT} statements"
    if sum(len(statement.text) for statement in answer.statements) > MAX_STATEMENTS:
        yield f"statements of more than {MAX_STATEMENTS:,} characters"
    quotes = {citation.number: plain(citation.quote) for citation in answer.citations}
    for statement in answer.statements:
        cited = " ".join(quotes.get(number, "") for number in statement.citations)
        if not plain(statement.text) or plain(statement.text) not in cited:
            yield f"not in the lines it cites: {statement.text[:60]!r}"


def _of_snippets(answer: Answer, texts: dict[str, _Text | None]) -> Iterator[str]:
    if len(answer.snippets) > MAX_SNIPPETS:
        yield f"more than {MAX_SNIPPETS} snippets"
    by_number = {citation.number: citation for citation in answer.citations}
    for snippet in answer.snippets:
        citation = by_number.get(snippet.citation)
        text = texts[citation.path] if citation else None
        if citation is None or text is None or not _from_one_fence(snippet, citation, text):
            yield f"not a run of lines of one cited fence: {snippet.code[:60]!r}"


def _from_one_fence(snippet: Snippet, citation: Citation, text: _Text) -> bool:
    """Whether the code stands in the cited part of one fence of its language, with or without common indentation."""
    fence = text.fence(citation)
    if fence is None or fence.body is None or snippet.language != (fence.info.split() or [""])[0]:
        return False
    first, last = fence.body
    whole = "\n".join(text.lines[first - 1 : last])
    cited = "\n".join(text.lines[max(first, citation.start_line) - 1 : min(last, citation.end_line)])
    return _holds(whole, snippet.code.strip("\n")) and _holds(cited, snippet.code.strip("\n"))


def _holds(text: str, code: str) -> bool:
    """Whether the code stands in the text, either of them with or without its common indentation."""
    pairs = ((part, form) for part in (text, textwrap.dedent(text)) for form in (code, textwrap.dedent(code)))
    return bool(code.strip()) and any(form in part for part, form in pairs)


def _of_verdict(answer: Answer, texts: dict[str, _Text | None]) -> Iterator[str]:
    if answer.verdict is None:
        return
    name = answer.verdict.name
    if len(name.split()) > MAX_VERDICT_WORDS or re.search(r"\bor\b", name):
        yield f"the verdict is not one name: {name!r}"
    if not any(text and plain(name) in plain("\n".join(text.lines)) for text in texts.values()):
        yield f"the cited notes do not use the verdict's name: {name!r}"


def _of_outcome(answer: Answer) -> Iterator[str]:
    if answer.outcome == "partial" and not answer.missing:
        yield "partial, and nothing is said to be missing"
    if answer.outcome == "not_in_notes" and (answer.statements or answer.snippets or answer.verdict):
        yield "not in the notes, and answered all the same"
    if answer.outcome == "answered" and not answer.citations:
        yield "answered without a citation"
