"""Answers checked twice: every quote against the indexed lines it cites, and against the note as it is on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from assistant.notes import folder as notes_folder
from assistant.records import Answer, Citation, FoundPassage
from assistant.retrieval.index_reader import IndexReader
from assistant.text.excerpts import plain

Quoted = TypeVar("Quoted", Citation, FoundPassage)


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


def changed_notes(quotes: Iterable[Quoted], folder: Path) -> set[str]:
    """Paths of the notes that no longer say, on the lines given, what is quoted."""
    quotes = list(quotes)
    lines = {path: _lines(folder, path) for path in sorted({quoted.path for quoted in quotes})}
    return {quoted.path for quoted in quotes if not _stands(quoted, lines[quoted.path])}


def mark_stale(quotes: Iterable[Quoted], changed: set[str]) -> tuple[Quoted, ...]:
    """The same quotes, those of changed notes called stale."""
    return tuple(replace(quoted, stale=quoted.stale or quoted.path in changed) for quoted in quotes)


def stale_warnings(changed: set[str]) -> tuple[str, ...]:
    """A sentence for each changed note."""
    return tuple(
        f"{path} has changed since it was indexed; its quotations are as they were then." for path in sorted(changed)
    )


def _lines(folder: Path, path: str) -> tuple[str, ...]:
    try:
        return notes_folder.lines(folder, path)
    except notes_folder.UnreadableNote:
        return ()


def _stands(quoted: Citation | FoundPassage, lines: tuple[str, ...]) -> bool:
    return quoted.end_line <= len(lines) and quoted.quote in "\n".join(lines[quoted.start_line - 1 : quoted.end_line])
