"""What is marked in the text of a row: where a search finds it, and what does not parse."""

from __future__ import annotations

from textual.content import Content

from assistant.records import Problem
from assistant.text import sanitize
from assistant.tui.source.note_row import NoteRow


def shows(row: NoteRow, text: str) -> bool:
    """Whether the row has the text, case aside; a row of an empty text has none."""
    return bool(text) and text.casefold() in row.text.plain.casefold()


def marked(content: Content, text: str, style: str) -> Content:
    """With a style where the text stands, case aside."""
    wanted, plain = text.casefold(), content.plain.casefold()
    at = plain.find(wanted) if wanted else -1
    while at >= 0:
        content = content.stylize(style, at, at + len(text))
        at = plain.find(wanted, at + len(wanted))
    return content


def emboldened(row: NoteRow, content: Content, first: int, last: int) -> Content:
    """With the text of the lines `first` to `last` bold; `content` is the row's text."""
    if not row.parts:
        return content.stylize("bold")
    ends = [start for start, _ in row.parts[1:]] + [len(content)]
    for (start, line), end in zip(row.parts, ends, strict=True):
        if first <= line <= last:
            content = content.stylize("bold", max(start, 0), end)
    return content


def syntax(problem: Problem) -> str:
    """What stands behind a line that does not parse."""
    return f"  ◀ does not parse: {sanitize.line(problem.message)}"
