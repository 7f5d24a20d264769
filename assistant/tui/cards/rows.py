"""Rows of styled, clickable text, and how text and pieces are laid out in a width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from textual.content import Content
from textual.style import Style

from assistant.text import sanitize

NARROWEST, WIDEST = 16, 100
"""Columns that text is laid out in at the least and at the most."""


class Piece(NamedTuple):
    """A run of safe text of one row."""

    text: str | Content
    style: str = ""
    action: str = ""
    """What a click does: an action of the app, with its arguments."""
    copied: str | None = None
    """What a selection that touches it copies in its place; None for the selected part of its text."""
    joins: bool = False
    """Whether the text of the row above goes on here."""
    column: int = 0
    """1 or 2 in a row that two columns share."""

    def content(self) -> Content:
        """Styled, and clickable where the piece has an action."""
        content = Content(self.text) if isinstance(self.text, str) else self.text
        if self.style:
            content = content.stylize(self.style)
        return content.stylize(Style.from_meta({"@click": self.action})) if self.action else content

    @property
    def width(self) -> int:
        """In cells of the terminal."""
        return sanitize.width(self.text) if isinstance(self.text, str) else self.text.cell_length


Row = list[Piece]
_NO_WORD = re.compile(r"^\W+")
"""Blanks and marks that a lead begins with."""


def mark(text: str, style: str = "", action: str = "") -> Piece:
    """A piece that is shown and never copied: a bar, a number, padding."""
    return Piece(text, style, action, copied="")


def gap(columns: int) -> Piece:
    """Padding between two texts, of which a copy keeps two blanks."""
    return Piece(" " * columns, copied="  ")


def plain(row: Row) -> str:
    """The texts of its pieces, without style."""
    return "".join(str(piece.text) for piece in row)


def content(row: Row) -> Content:
    """What is drawn."""
    return Content("").join(piece.content() for piece in row)


def width(row: Row) -> int:
    """In columns."""
    return sum(piece.width for piece in row)


def shorten_path(path: str, columns: int) -> str:
    """A path without its middle: the first folder where there is room for it, and the end of the name."""
    if sanitize.width(path) <= columns:
        return path
    first, slash, rest = path.partition("/")
    head = f"{first}/" if slash and sanitize.width(first) + 16 <= columns and "/" in rest else ""
    tail = path
    while tail and sanitize.width(head) + 1 + sanitize.width(tail) > columns:
        tail = tail[1:]
    return f"{head}…{tail}"


class Layout:
    """Lays text out in rows of a number of columns."""

    def __init__(self, columns: int) -> None:
        self.columns = max(NARROWEST, min(columns, WIDEST))

    def hanging(
        self,
        lead: str,
        text: str,
        style: str = "",
        *,
        right: Row | None = None,
        lead_style: str = "",
        bar: bool = False,
        action: str = "",
    ) -> Iterator[Row]:
        """Safe text wrapped under itself behind its lead, which each row repeats with `bar`.

        `right` has a column of its own in the first row, or rows below if it is wide.
        """
        side, right = sanitize.width(lead), right or []
        beside = width(right)
        below = beside > max(self.columns - side - 16, 0) or (beside > self.columns // 2 and not bar)
        room = max(self.columns - side - (beside + 1 if right and not below else 0), 8)
        wrapped = [row for line in text.split("\n") for row in _wrapped(line, room)]
        for at, (line, joint) in enumerate(wrapped):
            first = Piece(lead, lead_style or style, action, copied=_NO_WORD.sub("", lead))
            later = Piece(lead if bar else " " * side, lead_style or style, action, joint or "", joint is not None)
            row = [later if at else first, Piece(line, style, action)]
            if right and not below and at == 0:
                row += [gap(room - sanitize.width(line) + 1), *right]
            yield row
        if right and below:
            yield from self.flowing(right, side + 2)

    def flowing(self, pieces: Row, indent: int) -> Iterator[Row]:
        """Pieces one after the other, on as many rows as they need; a name is kept with its numbers where they fit."""
        row, used = [mark(" " * indent)], indent
        for at, piece in enumerate(pieces):
            text = piece.text
            needs = piece.width + width(list(takewhile(_goes_on, pieces[at + 1 :])))
            if _goes_on(piece) or needs > self.columns - indent:
                needs = piece.width
            if used + needs > self.columns and used > indent:
                yield row
                row, used = [mark(" " * indent)], indent
            if isinstance(text, str) and used == indent:
                text = sanitize.clip(text.lstrip(), self.columns - indent)
            row.append(piece._replace(text=text))
            used += row[-1].width
        yield row

    def ends(self, left: Row, right: Row) -> Iterator[Row]:
        """One row with a left and a right end; more where they do not fit."""
        between = self.columns - width(left) - width(right)
        if between >= 2:
            yield [*left, gap(between), *right]
            return
        yield from self.flowing(left, 0)
        yield from self.flowing(right, 2)


def _wrapped(line: str, columns: int) -> Iterator[tuple[str, str | None]]:
    """The rows of a line, each with what stood between it and the row before: a blank, or nothing inside a word that
    is too long; None for the first."""
    text, end = " ".join(line.split()), 0
    for at, row in enumerate(sanitize.wrap(line, columns)):
        joint = " " if text[end : end + 1] == " " else ""
        end += len(row) + len(joint)
        yield row, joint if at else None


def _goes_on(piece: Piece) -> bool:
    """Whether it belongs to the piece before it."""
    return isinstance(piece.text, str) and not piece.text.startswith("  ")
