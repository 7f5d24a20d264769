"""Lines of a note → the blocks that people read, in line order; every line with text is in one, marks aside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from assistant.notes import languages
from assistant.notes.display_blocks import BAR, BREAK, DisplayBlock, DisplaySpan, Spans
from assistant.notes.markdown import inline_rules, markers
from assistant.notes.markdown.display_frames import Frame, Frames
from assistant.notes.markdown.display_inline import plain, spans
from assistant.notes.markdown.display_titles import title
from assistant.notes.markdown.front_matter import front_matter
from assistant.notes.markdown.grammar import Environment, parse
from assistant.notes.markdown.loose_fences import LooseFence, pieces
from assistant.text import sanitize

_REFERENCE = re.compile(
    r" {0,3}\[(?P<label>(?:[^\[\]\\]|\\.){1,999})\]:[ \t]*(?:<(?P<pointed>[^<>]*)>|(?P<bare>[^\s<]\S*))?"
)
_TASK = re.compile(r"\[(?P<done>[ xX])\]\s+")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_MARKS = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:`{3,}|~{3,}|=+\s*$|-+\s*$|\|?[ \t]*:?-+:?[ \t]*\|)")
"""Lines that say nothing: of a fence, under a heading, under the header of a table."""

References = Mapping[str, Mapping[str, str]]


def references(lines: Sequence[str]) -> References:
    """The labels that links of a note may name, wherever in the note they are defined; a footnote leads nowhere."""
    named = dict[str, Mapping[str, str]]()
    for match in (_REFERENCE.match(line) for line in lines if "]:" in line):
        if match:
            href = "" if match["label"].startswith("^") else match["pointed"] or match["bare"] or ""
            named.setdefault(normalizeReference(match["label"]), {"href": href, "title": ""})
    return named


def front_matter_lines(lines: Sequence[str]) -> int:
    """How many lines at the top are front matter; 0 for none."""
    return front_matter(lines).lines


def front_matter_block(lines: Sequence[str]) -> DisplayBlock:
    """All lines of front matter as one block."""
    code = tuple(map(sanitize.block, lines))
    return DisplayBlock("code", 1, len(lines), code=code, body=1)


def display_blocks(lines: Sequence[str], first: int, named: References) -> tuple[DisplayBlock, ...]:
    """Of lines that no block crosses the ends of; `first` is the note's line (1-based) of the first of them.

    Never fails, whatever the lines hold.
    """
    return tuple(_Reader(lines, first, named).read())


@dataclass(slots=True)
class _Table:
    """The rows of the table that is being read."""

    rows: list[tuple[int, int, tuple[Spans, ...]]] = field(default_factory=list)
    cells: list[Spans] = field(default_factory=list)


class _Reader:
    """Reads the tokens once."""

    def __init__(self, lines: Sequence[str], first: int, named: References) -> None:
        self._lines = lines
        self._first = first
        self._parsed = parse(lines)
        own = self._parsed.environment.get("references", {})
        notes = {label: entry for label, entry in named.items() if label.startswith("^")}
        self._environment: Environment = {"references": {**named, **(own if isinstance(own, dict) else {}), **notes}}
        self._loose = list(reversed(self._parsed.loose))
        self._frames = Frames()
        self._blocks: list[tuple[DisplayBlock, tuple[Frame, ...]]] = []
        self._table = _Table()

    def read(self) -> Iterator[DisplayBlock]:
        """The blocks with the blank rows between them."""
        tokens = self._parsed.tokens
        for at, token in enumerate(tokens):
            self._token(at, token, tokens)
        self._blocks += [(block, ()) for block in self._missing()]
        self._blocks.sort(key=lambda entry: entry[0].first)
        return self._spaced()

    def _token(self, at: int, token: Token, tokens: Sequence[Token]) -> None:
        kind = token.type
        if kind in ("paragraph_open", "heading_open"):
            self._text(token, tokens[at + 1].content, begins_quote=tokens[at - 1].type == "blockquote_open")
        elif kind in ("fence", "code_block"):
            self._code(token)
        elif kind in ("marker", "marker_open"):
            self._marker(token)
        elif kind == "html_block":
            self._aside(*self._span(token))
        elif kind == "hr":
            self._add(DisplayBlock("rule", *self._span(token)))
        elif kind in ("th_open", "td_open"):
            first, _ = self._span(token) if token.map else self._row
            self._table.cells.append(spans(tokens[at + 1].content, self._environment, first))
        elif kind.startswith(("table", "tr")):
            self._table_part(token)
        else:
            self._frame(at, token, tokens)

    def _frame(self, at: int, token: Token, tokens: Sequence[Token]) -> None:
        """What other blocks stand in begins or ends."""
        if token.type == "list_item_open":
            marker = f"{token.info}{token.markup} " if token.info else "• "
            task = _TASK.match(tokens[at + 2].content) if tokens[at + 1].type == "paragraph_open" else None
            if task is not None:
                marker += "☐ " if task["done"] == " " else "☑ "
            self._frames.open(marker, " " * len(marker), self._span(token)[0])
        elif token.type == "blockquote_open":
            self._frames.open(BAR, BAR)
        elif token.type == "list_item_close":
            if self._frames.unused:  # an item without text
                self._add(DisplayBlock("text", self._frames.line, self._frames.line))
            self._frames.close()
        elif token.type in ("blockquote_close", "marker_close"):
            self._frames.close()

    def _text(self, token: Token, content: str, *, begins_quote: bool) -> None:
        first, last = self._span(token)
        if token.type == "heading_open":
            shown, _ = inline_rules.without_list(content)
            self._add(DisplayBlock("heading", first, last, spans=self._spans(shown, first), level=int(token.tag[1])))
            return
        if begins_quote:
            content = markers.without_alert(content)
        task = _TASK.match(content) if self._frames.unused else None
        loose = self._within(last - self._first + 1)
        if not loose:
            self._add(DisplayBlock("text", first, last, spans=self._spans(content[task.end() if task else 0 :], first)))
            return
        begin = first - self._first
        for start, end, fence in pieces(begin + 1, last - self._first + 1, loose):
            if fence:
                self._loose_fence(fence)
            else:
                rows = [_QUOTE.sub("", line).strip() for line in self._lines[start - 1 : end]]
                line = start + self._first - 1
                self._add(DisplayBlock("text", line, end + self._first - 1, spans=self._spans("\n".join(rows), line)))

    def _code(self, token: Token) -> None:
        first, last = self._span(token)
        rows = token.content.split("\n")
        if token.type == "fence":
            caption = languages.language(token.info)
            code = tuple(map(sanitize.block, rows[:-1]))
            self._add(DisplayBlock("code", first, last, caption=sanitize.line(caption), code=code, body=first + 1))
            return
        begin = first - self._first
        for start, end, fence in pieces(begin + 1, last - self._first + 1, self._within(last - self._first + 1)):
            if fence:
                self._loose_fence(fence)
                continue
            code = tuple(map(sanitize.block, rows[start - begin - 1 : end - begin]))
            skipped = next((at for at, row in enumerate(code) if row.strip()), len(code))
            while code and not code[-1].strip():
                code = code[:-1]
            if code:
                line = start + self._first - 1 + skipped
                self._add(DisplayBlock("code", line, line + len(code) - skipped - 1, code=code[skipped:], body=line))

    def _loose_fence(self, fence: LooseFence) -> None:
        rows = self._lines[fence.first + 1 : fence.last]
        if ">" in fence.prefix:
            rows = [_QUOTE.sub("", row, count=1) for row in rows]
        code = [sanitize.block(row) for row in rows]
        indent = min((len(row) - len(row.lstrip(" ")) for row in code if row.strip()), default=0)
        first, last = fence.first + self._first, fence.last + self._first
        caption = sanitize.line(languages.language(fence.info))
        shown = tuple(row[indent:] for row in code)
        self._add(DisplayBlock("code", first, last, caption=caption, code=shown, body=first + 1))

    def _marker(self, token: Token) -> None:
        first, last = self._span(token)
        named = title(self._lines[first - self._first]) if first == last else None
        if token.meta["closes"] == ":::":
            self._frames.close_directive()
            return
        if named is None:
            self._aside(first, last)
            opening = ""
        else:
            opening = BAR
        if token.meta["opens"] == ":::":
            self._frames.open_directive(opening)
        elif token.nesting:
            self._frames.open(opening, opening)
        if named is not None:
            self._add(DisplayBlock("text", first, last, spans=self._spans(named, first, "strong")))

    def _table_part(self, token: Token) -> None:
        table = self._table
        if token.type == "table_open":
            self._table = _Table()
        elif token.type == "tr_open":
            self._row = self._span(token)
            table.cells = []
        elif token.type == "tr_close":
            table.rows.append((*self._row, tuple(table.cells)))
        elif token.type == "table_close":
            columns = zip(*(cells for _, _, cells in table.rows), strict=False)
            widths = tuple(max(sanitize.width(plain(cell)) for cell in column) for column in columns)
            for number, (first, last, cells) in enumerate(table.rows):
                self._add(DisplayBlock("row", first, last, cells=cells, widths=widths, header=number == 0))

    _row = (1, 1)
    """First and last line of the row of a table that is being read."""

    def _aside(self, first: int, last: int) -> None:
        """Shown as it is written."""
        while last > first and not self._lines[last - self._first].strip():
            last -= 1
        rows = self._lines[first - self._first : last - self._first + 1]
        if self._frames.quoted:
            rows = [_QUOTE.sub("", row, count=1) for row in rows]
        self._add(DisplayBlock("aside", first, last, spans=_written(rows, first)))

    def _missing(self) -> Iterator[DisplayBlock]:
        """Lines that no token has: definitions of links, and text that is nested too deep."""
        taken = bytearray(len(self._lines) + 1)
        for block, _ in self._blocks:
            taken[block.first - self._first : block.last - self._first + 1] = b"x" * (block.last - block.first + 1)
        for line, row in enumerate(self._lines, self._first):
            silent = not row.strip(" \t>") or _MARKS.match(row) or row.strip().startswith(":::")
            if not taken[line - self._first] and not silent:
                yield DisplayBlock("aside", line, line, spans=_written([row], line))

    def _spaced(self) -> Iterator[DisplayBlock]:
        """A blank row stands where blank lines do, with the bars of what both neighbours stand in."""
        before: tuple[int, tuple[Frame, ...]] | None = None
        for block, frames in self._blocks:
            blank = block.first > self._first and not self._lines[block.first - self._first - 1].strip(" \t>")
            if before is not None and blank and before[0] < block.first:
                shared = (one.rest for one, other in zip(before[1], frames, strict=False) if one is other)
                yield replace(block, gap="".join(shared).rstrip())
            else:
                yield block
            before = block.last, frames

    def _add(self, block: DisplayBlock) -> None:
        opening, prefix = self._frames.take()
        placed = replace(block, opening=opening, prefix=prefix) if prefix else block
        self._blocks.append((placed, self._frames.now))

    def _spans(self, content: str, first: int, style: str = "") -> Spans:
        return spans(content, self._environment, first, style)

    def _span(self, token: Token) -> tuple[int, int]:
        """First and last line in the note."""
        begin, end = token.map or (0, 1)
        return begin + self._first, max(end - 1, begin) + self._first

    def _within(self, end: int) -> list[LooseFence]:
        """The loose fences up to the line `end` of these lines, taken from those still to come."""
        fences = list[LooseFence]()
        while self._loose and self._loose[-1].last < end:
            fences.append(self._loose.pop())
        return fences


def _written(rows: Sequence[str], first: int) -> Spans:
    """Lines as they are, each in a row of its own."""
    shown = [DisplaySpan(sanitize.block(row), "", line) for line, row in enumerate(rows, first)]
    return tuple(part for span in shown for part in (DisplaySpan(BREAK, "", span.line - 1), span))[1:]
