"""An Answer → terminal text, the contract's JSON, or lines for an editor's quickfix list."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from urllib.parse import quote

from assistant.errors import AssistantError
from assistant.records import Answer, Candidate, Citation, Requirement, Snippet
from assistant.text import sanitize

SCHEMA = 1
"""Version of the JSON contract."""

WIDTHS = (24, 100)
"""Columns that text is laid out in at the least and at the most, however wide the terminal."""

_ORDER = (
    *("id", "question", "standalone_question", "outcome", "verdict", "alternatives", "requirements", "statements"),
    *("snippets", "options", "choice", "missing", "hint", "citations", "warnings", "notes", "index", "elapsed_ms"),
)
_LATER_SNIPPET = 12  # rows of the second and third snippet: they illustrate, the first is there to be copied
_BOLD = re.compile(r"\*\*(\S.*?)\*\*")
_LIST_MARK = re.compile(r"^\s*(?:(?:[-*+>]|#{1,6}|\d{1,9}[.)])\s+)+")


def answer_json(answer: Answer) -> str:
    """The contract's object on one line, all of it ASCII, so that no terminal sees a note's characters raw."""
    record: dict[str, object] = {"schema": SCHEMA}
    record |= {name: _plain(getattr(answer, name)) for name in _ORDER}
    if answer.explain is not None:
        record["explain"] = _plain(answer.explain)
    return json.dumps(record)


def error_json(error: AssistantError, id: str | None = None) -> str:
    """The contract's error object on one line."""
    said = {"code": error.code, "message": error.message, "hint": error.hint or None}
    return json.dumps({"schema": SCHEMA, "id": id, "error": said})


def quickfix(answer: Answer) -> str:
    """One `file:line: text` a citation, best first, each with its line end; "" where the notes do not answer."""
    if answer.outcome == "not_in_notes":
        return ""
    return "".join(
        f"{sanitize.line(_file(answer, cited))}:{cited.start_line}: {_gist(cited)}\n" for cited in answer.citations
    )


def text(answer: Answer, width: int = 80, colour: bool = False) -> str:
    """What a person reads, with a final line end; `colour` adds ANSI styles and OSC 8 links (and imports rich)."""
    rows = _Page(answer, min(max(width, WIDTHS[0]), WIDTHS[1])).rows()
    if colour:
        return _coloured(rows)
    return "".join("".join(span.text for span in row).rstrip() + "\n" for row in rows)


@dataclass(frozen=True, slots=True)
class _Span:
    text: str
    """Safe for a terminal, without line ends."""
    style: str = ""
    link: str = ""


_Row = list[_Span]


class _Page:
    """The rows of one answer; every text of a note or a question goes through `visible` here."""

    def __init__(self, answer: Answer, width: int) -> None:
        self.answer = answer
        self.width = width
        self.cited = {citation.number: citation for citation in answer.citations}

    def rows(self) -> list[_Row]:
        """Paragraphs with a blank row between them."""
        answer = self.answer
        paragraphs = [
            [*self._understood(), *self._head(), *self._options(), *self._statements(), *self._also()],
            list(self._requirements()),
            *(list(self._snippet(snippet, first=not at)) for at, snippet in enumerate(answer.snippets)),
            list(self._sources()),
            list(self._explained()),
        ]
        rows: list[_Row] = []
        for paragraph in filter(None, paragraphs):
            rows += [[], *paragraph] if rows else paragraph
        return rows

    def _understood(self) -> Iterator[_Row]:
        if self.answer.standalone_question is not None:
            yield from self._hanging("Understood as: ", self.answer.standalone_question, "dim")

    def _head(self) -> Iterator[_Row]:
        answer = self.answer
        if answer.outcome == "partial":
            yield from self._hanging("PARTIAL: ", f"your notes say nothing about {_listed(answer.missing)}", "yellow")
        if answer.outcome == "not_in_notes":
            about = f": nothing about {_listed(answer.missing)}" if answer.missing else ""
            yield from self._hanging("", f"NOT IN YOUR NOTES{about}", "bold yellow")
        if answer.outcome != "answered" and answer.hint:
            yield from self._hanging("  ", answer.hint)
        if answer.verdict:
            yield from self._verdict(answer.verdict)

    def _verdict(self, verdict: Candidate) -> Iterator[_Row]:
        name, where = sanitize.line(verdict.name), _path(verdict.heading_path)
        blank = self.width - sanitize.width(name) - sanitize.width(where)
        if blank >= 2:
            yield [_Span(name, "bold green"), _Span(" " * blank), _Span(where, "dim")]
        else:
            yield from self._hanging("", verdict.name, "bold green")
            yield from self._hanging("  ", where, "dim")

    def _options(self) -> Iterator[_Row]:
        answer = self.answer
        for option in answer.options:
            chosen = option.label == answer.choice
            mark = f"{option.support:.2f} {_numbers(option.citations)}".rstrip()
            lead = f"{'→' if chosen else ' '} {sanitize.clip(sanitize.line(option.label), 12)}) "
            yield from self._marked(lead, option.text, mark, "bold" if chosen else "")
        if answer.options and answer.choice is None:
            yield from self._hanging("  ", "Your notes support none of the options.", "yellow")

    def _statements(self) -> Iterator[_Row]:
        for statement in self.answer.statements:
            yield from self._marked("  │ ", statement.text, _numbers(statement.citations))

    def _also(self) -> Iterator[_Row]:
        lead = "Also: "
        for candidate in self.answer.alternatives:
            cited = self.cited.get(candidate.citations[0]) if candidate.citations else None
            reason = _without_name(_gist(cited), candidate.name) if cited else _path(candidate.heading_path)
            line = sanitize.clip(f"{sanitize.line(candidate.name)} — {reason}", 2 * self.width - 20)
            yield from self._hanging(lead, f"{line} {_numbers(candidate.citations)}".rstrip())
            lead = " " * len(lead)

    def _requirements(self) -> Iterator[_Row]:
        if self.answer.requirements:
            yield [_Span("Requirements", "bold")]
        for requirement in self.answer.requirements:
            yield from self._marked(f"  {'✓' if requirement.supported else '✗'} ", requirement.text, "")
            met = "" if requirement.supported else "yellow"
            yield from self._hanging("      ", _met(requirement), met or "dim")

    def _snippet(self, snippet: Snippet, *, first: bool) -> Iterator[_Row]:
        cited = self.cited.get(snippet.citation)
        caption = snippet.caption or (cited.heading_path[-1] if cited and cited.heading_path else "Snippet")
        kind = f" ({snippet.language})" if snippet.language else ""
        yield from self._marked("", caption + kind, _numbers([snippet.citation]), "bold")
        code = sanitize.block(snippet.code).rstrip("\n").split("\n")
        shown = code
        if not first and len(code) > _LATER_SNIPPET + 2:
            shown = "\n".join(code[:_LATER_SNIPPET]).rstrip().split("\n")
        yield from ([_Span(f"  {row}", "cyan")] for row in shown)
        if len(shown) < len(code):
            yield [_Span(f"  … {len(code) - len(shown)} more lines", "dim")]
        for problem in snippet.problems or ():
            yield from self._hanging("  ! ", f"line {problem.line} does not parse: {problem.message}", "yellow")

    def _sources(self) -> Iterator[_Row]:
        answer = self.answer
        if answer.citations:
            yield [_Span("Nearest headings" if answer.outcome == "not_in_notes" else "Sources", "bold")]
        for cited in answer.citations:
            yield from self._source(cited)

    def _source(self, cited: Citation) -> Iterator[_Row]:
        number, place = f"  [{cited.number}] ", sanitize.line(f"{cited.path}:{cited.start_line}")
        where = _path(cited.heading_path) + (" (changed since it was indexed)" if cited.stale else "")
        link = _link(_file(self.answer, cited), cited.start_line)
        row = [_Span(number), _Span(place, "blue", link)]
        if sanitize.width(number + place + where) + 2 <= self.width:
            yield [*row, _Span("  "), _Span(where, "dim")]
        else:
            yield row
            yield from self._hanging(" " * len(number), where, "dim")

    def _explained(self) -> Iterator[_Row]:
        if self.answer.explain:
            yield [_Span("Why", "bold")]
            for depth, said in _outlined(_plain(self.answer.explain)):
                yield from self._hanging("  " * (depth + 1), said)

    def _hanging(self, lead: str, said: str, style: str = "") -> Iterator[_Row]:
        """Text wrapped under itself behind its lead."""
        yield from self._marked(lead, said, "", style)

    def _marked(self, lead: str, said: str, mark: str, style: str = "") -> Iterator[_Row]:
        """Text wrapped under itself, with a mark at the right edge of its first row."""
        side = sanitize.width(lead)
        room = max(self.width - side - (sanitize.width(mark) + 1 if mark else 0), 8)
        bar = lead if "│" in lead else " " * side
        for at, row in enumerate(sanitize.wrap(sanitize.block(said), room)):
            spans = [_Span(bar if at else lead, "dim" if "│" in lead else style), _Span(row, style)]
            if mark and not at:
                spans += [_Span(" " * (room - sanitize.width(row) + 1)), _Span(mark, "dim")]
            yield spans


def _numbers(citations: Iterable[int]) -> str:
    numbers = ", ".join(map(str, citations))
    return f"[{numbers}]" if numbers else ""


def _listed(terms: Sequence[str]) -> str:
    return ", ".join(f"“{term}”" for term in terms)


def _met(requirement: Requirement) -> str:
    if not requirement.supported:
        return "nothing in your notes"
    support = [f"{one.name} {_numbers(one.citations)}".rstrip() for one in requirement.support]
    return ", ".join(support) or "in your notes, not cited here"


def _path(headings: Sequence[str]) -> str:
    """The headings below the note's title, or the title where it is alone; safe to show."""
    return sanitize.line(" › ".join(headings[1:] or headings))


def _gist(cited: Citation) -> str:
    """First line of a quote that is not blank, without its list mark and bold; safe to show."""
    said = next((row for row in cited.quote.split("\n") if row.strip()), "")
    return sanitize.line(" ".join(_BOLD.sub(r"\1", _LIST_MARK.sub("", said)).split()))


def _without_name(gist: str, name: str) -> str:
    """A definition without the name it defines, which stands beside it."""
    defined, colon, said = gist.partition(": ")
    words = set(name.casefold().split())
    return said if colon and said and words.issuperset(defined.casefold().split()) else gist


def _file(answer: Answer, cited: Citation) -> str:
    return f"{answer.notes.rstrip('/')}/{cited.path}" if answer.notes else cited.path


def _link(path: str, line: int) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "replace")
    return f"file://{quote(raw)}#{line}" if path.startswith("/") else ""


def _outlined(value: object, depth: int = 0, name: str = "") -> Iterator[tuple[int, str]]:
    """Nested lists and objects as rows with their depth; an object of plain values is one row."""
    parts = (
        value.items() if isinstance(value, dict) else [("", one) for one in value] if isinstance(value, list) else ()
    )
    if all(_flat(one) for _, one in parts):
        yield depth, (f"{name}: " if name else "") + _value(value)
        return
    if name:
        yield depth, f"{name}:"
    for key, one in parts:
        yield from _outlined(one, depth + bool(name), str(key))


def _flat(value: object) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and not all(map(_flat, value)))


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:.3f}" if isinstance(value, float) else "none" if value is None else str(value)


def _plain(value: object) -> object:
    """Records as objects in field order, numbers that JSON has no word for as null."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _coloured(rows: list[_Row]) -> str:
    """The same rows with the terminal's styles; never wrapped, parsed as markup or highlighted."""
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    console = Console(force_terminal=True, markup=False, emoji=False, highlight=False, legacy_windows=False)
    with console.capture() as captured:
        for row in rows:
            shown = Text(end="\n")
            for span in row:
                shown.append(span.text, Style.parse(span.style) + Style(link=span.link or None))
            console.print(shown, soft_wrap=True)
    return captured.get()
