"""What MCP tools return → texts, safe for a terminal, for models and people to read."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import AssistantError
from assistant.records import Answer, SearchResult
from assistant.rendering import terminal
from assistant.server.mcp_schemas import ChangeReport, Lines
from assistant.text import sanitize

WIDTH = 100
"""Columns of an answer."""


def error_text(error: AssistantError) -> str:
    """What went wrong and the next step."""
    return sanitize.block(str(error).strip())


def answer_text(answer: Answer) -> str:
    """As the terminal shows it without colours, with the warnings below it."""
    return terminal.text(answer, WIDTH) + _warnings(answer.warnings)


def search_text(found: SearchResult) -> str:
    """The passages with their places, best first."""
    rows: list[str] = []
    for number, one in enumerate(found.passages, 1):
        place = f"{one.path}:{one.start_line}" + (f"-{one.end_line}" if one.end_line > one.start_line else "")
        rows += [f"[{number}] {place}  {headings(one.heading_path)}  ({one.score:.2f})"]
        rows += [f"    {row}" for row in one.quote.split("\n")]
    return joined(rows or ["Nothing was found."]) + _warnings(found.warnings)


def lines_text(read: Lines) -> str:
    """The lines with their numbers, and where to read on."""
    if not read.total:
        return joined([f"{read.path} is empty."])
    digits = len(str(read.end))
    which = f"lines {read.start}-{read.end}" if read.end > read.start else f"line {read.start}"
    rows = [f"{read.path}, {which} of {read.total:,}", ""]
    rows += [f"{number:>{digits}}  {line}" for number, line in enumerate(read.lines, read.start)]
    if read.next_start is not None:
        rows += ["", f"Read on with start {read.next_start}."]
    return joined(rows)


def changes_text(report: ChangeReport) -> str:
    """A sentence for each thing there is to say."""
    rows = [f"{report.notes:,} notes and {report.passages:,} passages are indexed."]
    if report.at is None:
        rows.append("Nothing has changed since this server started.")
    else:
        rows.append(f"Last change at {report.at}, generation {report.generation}:")
        for word in ("added", "changed", "removed"):
            rows += [f"  {word} {path}" for path in getattr(report, word)]
    if report.pending:
        rows.append(f"{report.pending:,} passages are found by words only so far.")
    if report.indexing is not None:
        step = report.indexing
        rows.append(f"{step.action}: {step.done:,} of {step.total:,}" if step.total else f"{step.action}.")
    rows += report.unreadable
    if report.trouble:
        rows.append(f"The last update failed: {report.trouble}")
    return joined(rows)


def headings(path: Sequence[str]) -> str:
    """Below the title of the note, if there is any."""
    return " › ".join(path[1:] or path)


def _warnings(warnings: tuple[str, ...]) -> str:
    return "\n" + joined([f"Warning: {one}" for one in warnings]) if warnings else ""


def joined(rows: Sequence[str]) -> str:
    """One text, safe for a terminal."""
    return "".join(sanitize.block(row) + "\n" for row in rows)
