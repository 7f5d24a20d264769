"""markdown-it's tokens → the blocks of a note, in line order, none overlapping another."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markdown_it.token import Token

from assistant.notes.markdown import inline, inline_rules, markers
from assistant.notes.markdown.anchors import Anchors
from assistant.notes.markdown.contents import Contents
from assistant.notes.markdown.grammar import Parsed
from assistant.notes.markdown.html_text import html_pieces, only_ends
from assistant.notes.markdown.inline import Inline
from assistant.notes.markdown.loose_fences import LooseFence, pieces
from assistant.notes.markdown.missing import complete
from assistant.notes.markdown.nesting import Item, Nesting
from assistant.records import Block, BlockKind, LineNumber

_QUOTE = re.compile(r"\s*(?:>\s?)+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that opens a section."""

    line: int
    level: int
    plain: str
    anchor: str


class BlockReader:
    """Reads a note's tokens once. `parent` of a block is a position among all blocks of the note."""

    def __init__(self, lines: Sequence[str], parsed: Parsed) -> None:
        self.blocks: list[Block] = []
        self.headings: list[Heading] = []
        self._lines, self._parsed, self._tokens = lines, parsed, parsed.tokens
        self._anchors = Anchors()
        self._nesting = Nesting()
        self._contents = Contents()
        self._loose = list(reversed(parsed.loose))
        self._header: tuple[str, ...] | None = None
        # By the type of the token that opens a block.
        self._readers: dict[str, Callable[[int, Token], None]] = {
            "heading_open": self._heading,
            "paragraph_open": self._paragraph,
            "list_item_open": self._item,
            "fence": self._fence,
            "code_block": self._code,
            "html_block": self._html,
            "hr": self._rule,
            "tr_open": self._row,
            "marker": self._marker,
            "marker_open": self._marker,
        }

    def read(self) -> None:
        """Fill `blocks` and `headings`."""
        for number, token in enumerate(self._tokens):
            if token.type in self._readers:
                self._readers[token.type](number, token)
            elif token.type == "list_item_close":
                self._end_item()
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._interrupt(token)
                self._contents.begin()
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self._contents.end()
            elif token.type == "blockquote_open":
                self._nesting.begin()
            elif token.type in ("blockquote_close", "marker_close"):
                self._nesting.end()
            elif token.type == "table_open":
                self._header = None
        for position in self._contents.positions(self._anchors):
            self.blocks[position] = replace(self.blocks[position], contents=True)
        self.blocks = complete(self.blocks, self._lines, self._parsed)

    def _heading(self, number: int, token: Token) -> None:
        start, end = _span(token)
        content, given = inline_rules.without_list(self._tokens[number + 1].content)
        text = self._inline(content)
        anchor = self._anchors.add(given or text.written)
        if token.level:  # in a quote or an item it is text that stands out
            self._text(start, end, replace(text, lead=text.plain))
            return
        self._nesting.clear()
        self.headings.append(Heading(start, int(token.tag[1]), text.plain, anchor))
        self.blocks.append(_block("heading", start, end, text.plain))

    def _paragraph(self, number: int, token: Token) -> None:
        start, end = _span(token)
        content = self._tokens[number + 1].content
        if self._tokens[number - 1].type == "blockquote_open":
            content = markers.without_alert(content)
        loose = self._within(end)
        if not loose:
            self._text(start, end, self._inline(content))
            return
        texts = content.split("\n")
        if len(texts) != end - start + 1:  # lines of blanks that Unicode knows and CommonMark does not
            texts = [_QUOTE.sub("", line).strip() for line in self._lines[start - 1 : end]]
        for first, last, fence in pieces(start, end, loose):
            if fence:
                self._loose_fence(token, fence)
            else:
                self._text(first, last, self._inline("\n".join(texts[first - start : last - start + 1])))

    def _item(self, number: int, token: Token) -> None:
        start, _ = _span(token)
        self._nesting.begin_item(start)

    def _fence(self, number: int, token: Token) -> None:
        start, end = _span(token)
        count = token.content.count("\n")
        body = (LineNumber(start + 1), LineNumber(start + count)) if count else None
        fence = _block("fence", start, end, _dedent(token.content.split("\n")[:-1]))
        self._add_nested(token, replace(fence, info=token.info.strip(), body=body))

    def _code(self, number: int, token: Token) -> None:
        start, end = _span(token)
        texts = token.content.split("\n")
        for first, last, fence in pieces(start, end, self._within(end)):
            if fence:
                self._loose_fence(token, fence)
                continue
            while first <= last and not self._lines[first - 1].strip():
                first += 1
            while first <= last and not self._lines[last - 1].strip():
                last -= 1
            if first <= last:
                text = _dedent(texts[first - start : last - start + 1])
                indented = _block("html", first, last) if only_ends(text) else _block("code", first, last, text)
                self._add_nested(token, indented)

    def _html(self, number: int, token: Token) -> None:
        start, end = _span(token)
        while end > start and not self._lines[end - 1].strip():
            end -= 1
        for first, last, text in html_pieces(self._lines[start - 1 : end], token.content):
            self._add_nested(token, _block("html", start + first, start + last, text))

    def _marker(self, number: int, token: Token) -> None:
        self._add_nested(token, _block("marker", *_span(token), self._inline(token.info).plain))
        if token.nesting:
            self._nesting.begin()
        if token.nesting or token.meta["opens"]:
            self._nesting.open(token.meta["opens"], len(self.blocks) - 1)
        elif token.meta["closes"]:
            self._nesting.close(token.meta["closes"])

    def _rule(self, number: int, token: Token) -> None:
        self._add_nested(token, _block("rule", *_span(token)))

    def _row(self, number: int, token: Token) -> None:
        start, end = _span(token)
        cells = list[str]()
        while (cell := self._tokens[number]).type != "tr_close":
            if cell.type == "inline":
                cells.append(self._inline(cell.content).plain)
            number += 1
        header = self._header = tuple(cells) if self._header is None else self._header
        row = _block("row", start, end, " | ".join(cells))
        self._add_nested(token, replace(row, header=header, cells=tuple(cells)))

    def _text(self, start: int, end: int, text: Inline) -> None:
        """A paragraph: part of the item whose own lines are not over, else a block."""
        item = self._nesting.item
        if item and not item.over:
            item.texts.append(text)
            item.end = end
            return
        self.blocks.append(self._placed(Block("paragraph", LineNumber(start), LineNumber(end), text.plain, text.lead)))
        self._contents.spoil()

    def _interrupt(self, token: Token) -> None:
        """Something that is not text begins: the own lines of the item around it are over."""
        if self._nesting.item:
            self._end_item_text(self._nesting.item, _span(token)[0] - 1)

    def _end_item(self) -> None:
        if self._nesting.item:
            self._end_item_text(self._nesting.item, self._nesting.item.start)
            self._nesting.end_item()

    def _end_item_text(self, item: Item, before: int) -> None:
        """Add the item's block unless it is there or would be empty, as where a list begins on its first line."""
        if item.over:
            return
        item.over = True
        end = item.end or before
        while end > item.start and not self._lines[end - 1].strip():
            end -= 1
        if end < item.start or not (item.texts or self._parsed.complete):
            return
        item.position = len(self.blocks)
        plain = inline.item_text(" ".join(text.plain for text in item.texts if text.plain))
        lead = item.texts[0].lead if item.texts else ""
        self.blocks.append(
            Block("item", LineNumber(item.start), LineNumber(end), plain, lead, depth=item.depth, parent=item.parent)
        )
        self._contents.item(item.position, item.texts)

    def _placed(self, block: Block) -> Block:
        return replace(block, depth=self._nesting.depth, parent=self._nesting.parent())

    def _add_nested(self, token: Token, block: Block) -> None:
        """A block that is no text: it ends the own lines of the item around it, and no table of contents has it."""
        self._interrupt(token)
        self.blocks.append(self._placed(block))
        self._contents.spoil()

    def _within(self, end: int) -> list[LooseFence]:
        """The loose fences up to line `end`, taken from those still to come."""
        fences = list[LooseFence]()
        while self._loose and self._loose[-1].last < end:
            fences.append(self._loose.pop())
        return fences

    def _loose_fence(self, token: Token, fence: LooseFence) -> None:
        body = self._lines[fence.first + 1 : fence.last]
        if ">" in fence.prefix:
            body = [_QUOTE.sub("", line, count=1) for line in body]
        lines = (LineNumber(fence.first + 2), LineNumber(fence.last)) if body else None
        block = _block("fence", fence.first + 1, fence.last + 1, _dedent(body))
        self._add_nested(token, replace(block, info=fence.info, body=lines))

    def _inline(self, content: str) -> Inline:
        return inline.read(content, self._parsed.environment)


def _block(kind: BlockKind, start: int, end: int, plain: str = "") -> Block:
    return Block(kind, LineNumber(start), LineNumber(end), plain)


def _span(token: Token) -> tuple[int, int]:
    """A token's first and last line, 1-based."""
    first, end = token.map or (0, 1)
    return first + 1, end


def _dedent(lines: Sequence[str]) -> str:
    return textwrap.dedent("\n".join(lines))
