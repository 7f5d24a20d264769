"""A note → HTML as people read it, from display blocks: an element with the id `L12` for each line.

Raw HTML is shown as it is written, pictures by their alternative texts; links lead to notes, the web and mail only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from assistant.notes.display_blocks import BAR, BREAK, DisplayBlock, DisplaySpan, Spans
from assistant.notes.link_targets import InNotes, LinkTargets, Outside
from assistant.notes.markdown import outline
from assistant.notes.markdown.anchors import Anchors
from assistant.notes.markdown.display import display_blocks, front_matter_block, front_matter_lines, references
from assistant.records import Note
from assistant.server.page.addresses import heading_address, outside_address
from assistant.server.page.html import Child, Html, element, joined

_DEEPEST = 12
"""Steps of indentation that the style sheet knows."""
_TAGS = {"strong": "strong", "emphasis": "em", "strike": "s", "code": "code"}

Link = Callable[[str], str | None]
"""A link's target as the note has it → an address that a browser may be sent to; None for none."""


def link_addresses(targets: LinkTargets, source: str) -> Link:
    """For the links of the note `source`."""

    def address(target: str) -> str | None:
        found = targets.target(target, source)
        if isinstance(found, InNotes):
            return heading_address(found.path, Anchors().add(found.fragment) if found.fragment else "")
        return outside_address(found.address) if isinstance(found, Outside) else None

    return address


def note_html(note: Note, link: Link, cited: range = range(0)) -> Html:
    """The note's text; the lines in `cited` (1-based) have the class `cited`. Never fails, whatever the note holds."""
    front = front_matter_lines(note.lines)
    blocks = [front_matter_block(note.lines[:front])] if front else []
    blocks += display_blocks(note.lines[front:], front + 1, references(note.lines))
    anchors = {int(section.start): section.anchor for section in outline(note).sections if section.level}
    return _NoteHtml(link, cited, anchors).html(blocks, len(note.lines))


class _NoteHtml:
    """The blocks of one note, in the order of their lines."""

    def __init__(self, link: Link, cited: range, anchors: dict[int, str]) -> None:
        self._link = link
        self._cited = cited
        self._anchors = anchors
        self._next = 1
        """The first line whose id no element has yet."""

    def html(self, blocks: Sequence[DisplayBlock], lines: int) -> Html:
        """`lines` is how many the note has."""
        groups = [self._quoted(quotes, list(group)) for quotes, group in groupby(blocks, _quotes)]
        return element("div", groups, self._marks(lines + 1), class_="note-text")

    def _quoted(self, quotes: int, blocks: Sequence[DisplayBlock]) -> Html:
        """Blocks that stand in so many quotations."""
        shown = joined(self._group(kind, list(group)) for kind, group in groupby(blocks, _kind))
        for _ in range(min(quotes, _DEEPEST)):
            shown = element("blockquote", shown)
        return shown

    def _group(self, kind: str, blocks: Sequence[DisplayBlock]) -> Html:
        if kind == "list":
            return element("ul", self._items(blocks))
        return joined(self._tables(blocks) if kind == "table" else map(self._block, blocks))

    def _items(self, blocks: Sequence[DisplayBlock]) -> Iterator[Html]:
        """Those of all depths in one list: what is deeper is only indented."""
        rows = list[Html]()
        for block in blocks:
            marker = block.opening.replace(BAR, "").strip()
            if marker and rows:
                yield element("li", rows)
                rows = []
            outer = block.opening.replace(BAR, "")
            depth = min((len(outer) - len(outer.lstrip(" ")) + 1) // 2, _DEEPEST)
            sign = element("span", marker, class_="marker") if marker else None
            rows.append(element("div", sign, element("div", self._block(block)), class_=f"row in{depth}"))
        if rows:
            yield element("li", rows)

    def _tables(self, blocks: Sequence[DisplayBlock]) -> Iterator[Html]:
        rows = list[Html]()
        for block in blocks:
            if block.header and rows:
                yield _table(rows)
                rows = []
            rows.append(self._row(block))
        yield _table(rows)

    def _row(self, block: DisplayBlock) -> Html:
        before = self._marks(block.first + 1)
        cells = [
            element("th" if block.header else "td", None if at else before, self._inline(cell), scope=_scope(block))
            for at, cell in enumerate(block.cells)
        ]
        return element("tr", cells, class_=self._class(block.first, block.last))

    def _block(self, block: DisplayBlock) -> Html:
        cited = self._class(block.first, block.last)
        if block.kind == "heading":
            before = self._marks(block.first)
            level = min(block.level + 1, 6)
            return element(
                f"h{level}", before, self._lines(block), id=self._anchors.get(block.first) or None, class_=cited
            )
        if block.kind == "code":
            return self._code(block)
        if block.kind == "row":
            return joined(self._tables([block]))
        before = self._marks(block.first)
        if block.kind == "rule":
            return element("div", before, element("hr"))
        if block.kind == "aside":
            return element("p", before, self._lines(block), class_="aside")
        return element("p", before, self._lines(block))

    def _code(self, block: DisplayBlock) -> Html:
        before = self._marks(block.body)
        rows = [self._line(number, [f"{row}\n"]) for number, row in enumerate(block.code, block.body)]
        caption = element(
            "figcaption",
            element("span", block.caption or "code", class_="place"),
            element("button", "Copy code", type="button", class_="copy", data_copy="code", hidden=True),
        )
        label = f"Code, line {block.body}"
        shown = element("pre", element("code", rows), tabindex=0, role="group", aria_label=label)
        return element("figure", before, caption, shown, class_="code")

    def _lines(self, block: DisplayBlock) -> Iterator[Html]:
        for number, spans in groupby(block.spans, lambda span: span.line):
            yield self._line(number, [self._inline(tuple(spans))])

    def _line(self, number: int, shown: Sequence[Child]) -> Html:
        before, own = self._marks(number), None
        if number >= self._next:
            own, self._next = f"L{number}", number + 1
        return joined(before, element("span", shown, id=own, class_=self._class(number, number) or "line"))

    def _marks(self, before: int) -> list[Html]:
        """Elements without text for the lines before that one that have none of their own."""
        marks = [element("span", id=f"L{line}") for line in range(self._next, before)]
        self._next = max(self._next, before)
        return marks

    def _class(self, first: int, last: int) -> str | None:
        return "cited" if first < self._cited.stop and self._cited.start <= last else None

    def _inline(self, spans: Spans) -> Html:
        """A link of several runs is one link."""
        parts = list[Html]()
        for target, runs in groupby(spans, lambda span: span.target):
            shown = joined(map(_run, runs))
            address = self._link(target) if target else None
            parts.append(element("a", shown, href=address, rel="noopener noreferrer") if address else shown)
        return joined(parts)


def _run(span: DisplaySpan) -> Html:
    if span.text == BREAK:
        return element("br")
    shown = joined(span.text)
    for style in reversed(span.style.split()):
        if style in _TAGS:
            shown = element(_TAGS[style], shown)
    return element("span", shown, class_="picture") if "image" in span.style.split() else shown


def _quotes(block: DisplayBlock) -> int:
    return block.prefix.count(BAR)


def _kind(block: DisplayBlock) -> str:
    """Of what a block is a part: `list`, also for a table in a list, `table`, or "" for neither."""
    if len(block.prefix) > _quotes(block) * len(BAR):
        return "list"
    return "table" if block.kind == "row" else ""


def _table(rows: Sequence[Html]) -> Html:
    return element("div", element("table", rows), class_="table", tabindex=0, role="group", aria_label="Table")


def _scope(block: DisplayBlock) -> str | None:
    return "col" if block.header else None
