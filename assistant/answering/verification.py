"""Answers checked twice: every quote against the indexed lines it cites, and against the note as it is on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assistant.notes import folder as notes_folder
from assistant.records import Answer, Citation
from assistant.retrieval.index_reader import IndexReader
from assistant.text.excerpts import plain


def check_quotes(answer: Answer, reader: IndexReader) -> None:
    """AssertionError, an internal error, where a quote is not in the indexed lines it cites, or a statement not in a
    quote it cites.
    """
    by_number = {cited.number: cited for cited in answer.citations}
    for cited in answer.citations:
        lines = "\n".join(reader.lines(cited.path, cited.start_line, cited.end_line))
        if cited.quote not in lines:
            raise AssertionError(f"quote not in {cited.path}:{cited.start_line}-{cited.end_line}")
    for statement in answer.statements:
        quotes = " ".join(plain(by_number[n].quote) for n in statement.citations)
        if plain(statement.text) not in quotes:
            raise AssertionError(f"statement not in its quotes: {statement.text[:60]!r}")


def changed_notes(answer: Answer, folder: Path) -> set[str]:
    """Paths of the cited notes that no longer say, on the cited lines, what is quoted."""
    paths = sorted({cited.path for cited in answer.citations})
    lines = {path: _lines(folder, path) for path in paths}
    return {cited.path for cited in answer.citations if not _stands(cited, lines[cited.path])}


def mark_stale(answer: Answer, changed: set[str]) -> Answer:
    """The same answer with the citations of changed notes called stale, and a warning for each note."""
    warnings = (
        f"{path} has changed since it was indexed; its quotations are as they were then." for path in sorted(changed)
    )
    citations = (replace(cited, stale=cited.stale or cited.path in changed) for cited in answer.citations)
    return replace(answer, citations=tuple(citations), warnings=(*answer.warnings, *warnings))


def _lines(folder: Path, path: str) -> tuple[str, ...]:
    try:
        return notes_folder.lines(folder, path)
    except notes_folder.UnreadableNote:
        return ()


def _stands(cited: Citation, lines: tuple[str, ...]) -> bool:
    return cited.end_line <= len(lines) and cited.quote in "\n".join(lines[cited.start_line - 1 : cited.end_line])
