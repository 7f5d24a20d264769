"""An Answer → text for a terminal, plain or with rich's styles and links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assistant.records import Answer
from assistant.rendering.blocks import (
    Alternatives,
    AsOf,
    CodeBlock,
    DisplayBlock,
    Explanation,
    Hint,
    Name,
    Nearest,
    OptionItem,
    Options,
    RequirementItem,
    Requirements,
    Shortfall,
    Source,
    Sources,
    Statements,
    Understood,
    Verdict,
    arrange,
    below_title,
)
from assistant.rendering.display import display_blocks
from assistant.rendering.terminal_rows import Row, Span, columns, link, printed
from assistant.text import sanitize

_FIRST: tuple[type[DisplayBlock], ...] = (Understood, Shortfall, Hint, Verdict, Options, Statements, Alternatives)
"""The blocks of the first paragraph, in their order."""
_REST: tuple[type[DisplayBlock], ...] = (Requirements, CodeBlock, Nearest, Sources, AsOf, Explanation)
"""The blocks after it, each a paragraph."""
_LATER_SNIPPET = 12  # rows of the second and third snippet: they illustrate, the first is there to be copied


def text(answer: Answer, width: int = 80, colour: bool = False) -> str:
    """What a person reads, with a final line end; `colour` adds ANSI styles and OSC 8 links (and imports rich)."""
    return printed(_Page(columns(width)).rows(display_blocks(answer)), colour)


class _Page:
    """Rows of at most `width` columns, but for code and places, which stay whole to be copied."""

    def __init__(self, width: int) -> None:
        self.width = width

    def rows(self, blocks: Iterable[DisplayBlock]) -> list[Row]:
        """Paragraphs with a blank row between them."""
        blocks = tuple(blocks)
        paragraphs = [[row for block in arrange(blocks, _FIRST) for row in self._block(block)]]
        paragraphs += [list(self._block(block)) for block in arrange(blocks, _REST)]
        rows: list[Row] = []
        for paragraph in filter(None, paragraphs):
            rows += [[], *paragraph] if rows else paragraph
        return rows

    def _block(self, block: DisplayBlock) -> Iterator[Row]:
        match block:
            case Understood():
                yield from self._hanging("Understood as: ", block.text, "dim")
            case Shortfall():
                yield from self._shortfall(block)
            case Hint() if not block.answered:
                yield from self._hanging("  ", block.text)
            case Verdict():
                yield from self._verdict(block.name)
            case Options():
                yield from self._options(block)
            case Statements():
                yield from self._statements(block)
            case Alternatives():
                yield from self._alternatives(block.names)
            case Requirements():
                yield [Span("Requirements", "bold")]
                for requirement in block.items:
                    yield from self._requirement(requirement)
            case CodeBlock():
                yield from self._code(block)
            case Nearest() | Sources():
                yield [Span("Nearest headings" if isinstance(block, Nearest) else "Sources", "bold")]
                for source in block.items:
                    yield from self._source(source)
            case AsOf():
                yield from self._hanging("", block.text, "dim")
            case Explanation():
                yield [Span("Why", "bold")]
                for depth, row in block.rows:
                    yield from self._hanging("  " * (depth + 1), row)

    def _shortfall(self, block: Shortfall) -> Iterator[Row]:
        missing = ", ".join(f"“{term}”" for term in block.missing)
        if block.outcome == "partial":
            yield from self._hanging("PARTIAL: ", f"your notes say nothing about {missing}", "yellow")
        if block.outcome == "not_in_notes":
            nothing = f": nothing about {missing}" if missing else ""
            yield from self._hanging("", f"NOT IN YOUR NOTES{nothing}", "bold yellow")

    def _verdict(self, name: Name) -> Iterator[Row]:
        path = below_title(name.heading_path)
        blank = self.width - sanitize.width(name.name) - sanitize.width(path)
        if blank >= 2:
            yield [Span(name.name, "bold green"), Span(" " * blank), Span(path, "dim")]
        else:
            yield from self._hanging("", name.name, "bold green")
            yield from self._hanging("  ", path, "dim")

    def _statements(self, block: Statements) -> Iterator[Row]:
        for side in (None, 0, 1) if block.sides else (None,):
            if block.sides and side is not None:
                yield from self._hanging("", block.sides[side], "bold")
            for statement in block.of(side) if block.sides else block.items:
                yield from self._hanging("  │ ", statement.text, mark=_numbers(statement.citations))

    def _options(self, block: Options) -> Iterator[Row]:
        for option in block.items:
            yield from self._option(option)
        if block.undecided:
            yield from self._hanging("  ", "Your notes support none of the options.", "yellow")

    def _option(self, option: OptionItem) -> Iterator[Row]:
        lead = f"{'→' if option.best else ' '} {sanitize.clip(option.label, 12)}) "
        mark = f"{option.support} {_numbers(option.citations)}".rstrip()
        yield from self._hanging(lead, option.text, "bold" if option.best else "", mark)

    def _alternatives(self, names: Iterable[Name]) -> Iterator[Row]:
        lead = "Also: "
        for name in names:
            row = sanitize.clip(f"{name.name} — {name.reason}", 2 * self.width - 20)
            yield from self._hanging(lead, f"{row} {_numbers(name.citations)}".rstrip())
            lead = " " * len(lead)

    def _requirement(self, requirement: RequirementItem) -> Iterator[Row]:
        yield from self._hanging(f"  {'✓' if requirement.supported else '✗'} ", requirement.text)
        if not requirement.supported:
            yield from self._hanging("      ", "nothing in your notes", "yellow")
            return
        supporters = (f"{one.name} {_numbers(one.citations)}".rstrip() for one in requirement.supporters)
        yield from self._hanging("      ", ", ".join(supporters) or "in your notes, not cited here", "dim")

    def _code(self, block: CodeBlock) -> Iterator[Row]:
        language = f" ({block.language})" if block.language else ""
        yield from self._hanging("", block.title + language, "bold", _numbers([block.citation]))
        shown = block.rows
        if block.position > 0 and len(block.rows) > _LATER_SNIPPET + 2:
            shown = "\n".join(block.rows[:_LATER_SNIPPET]).rstrip().split("\n")
        yield from ([Span(f"  {row}", "cyan")] for row in shown)
        if len(shown) < len(block.rows):
            yield [Span(f"  … {len(block.rows) - len(shown)} more lines", "dim")]
        for problem in block.problems or ():
            yield from self._hanging("  ! ", f"line {problem.line} does not parse: {problem.message}", "yellow")

    def _source(self, source: Source) -> Iterator[Row]:
        number, place = f"  [{source.number}] ", f"{source.path}:{source.line}"
        path = below_title(source.heading_path) + (" (changed since it was indexed)" if source.stale else "")
        row = [Span(number), Span(place, "blue", source.url or link(source.file, source.line))]
        if sanitize.width(number + place + path) + 2 <= self.width:
            yield [*row, Span("  "), Span(path, "dim")]
        else:
            yield row
            yield from self._hanging(" " * len(number), path, "dim")

    def _hanging(self, lead: str, body: str, style: str = "", mark: str = "") -> Iterator[Row]:
        """Text wrapped under itself behind its lead, with a mark at the right edge of its first row."""
        side = sanitize.width(lead)
        room = max(self.width - side - (sanitize.width(mark) + 1 if mark else 0), 8)
        bar = lead if "│" in lead else " " * side
        for at, row in enumerate(sanitize.wrap(body, room)):
            spans = [Span(bar if at else lead, "dim" if "│" in lead else style), Span(row, style)]
            if mark and not at:
                spans += [Span(" " * (room - sanitize.width(row) + 1)), Span(mark, "dim")]
            yield spans


def _numbers(citations: Iterable[int]) -> str:
    numbers = ", ".join(map(str, citations))
    return f"[{numbers}]" if numbers else ""
