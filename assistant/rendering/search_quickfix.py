"""A SearchResult → lines for an editor's quickfix list."""

from __future__ import annotations

from assistant.records import SearchResult
from assistant.rendering.display import file_of, gist
from assistant.text import sanitize


def search_quickfix(result: SearchResult) -> str:
    """One `file:line: text` a passage, best first, each with its line end; "" where nothing was found."""
    places = ((file_of(result.notes, one.path), one.start_line, gist(one.quote)) for one in result.passages)
    return "".join(f"{sanitize.line(file)}:{line}: {sanitize.line(text)}\n" for file, line, text in places)
