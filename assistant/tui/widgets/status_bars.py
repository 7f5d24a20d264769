"""The lines of one row: state of the index on top, what the next question inherits above the prompt, keys below it."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget

from assistant.text import sanitize
from assistant.tui.cards.rows import Piece, Row
from assistant.tui.keymap import ACTIONS

_NAME, _NAME_BESIDE = 44, 20
"""Columns of the name of what the next question inherits, alone and beside something else."""
_PROGRESS = 56
"""Columns of what is done to the index where there is little room."""


class _Ends(Visual):
    """One row with a left and a right end; the left one gives way, but for a right end that has a shorter form."""

    def __init__(self, left: Row, right: Row, shorter: Row) -> None:
        self._left, self._right, self._shorter = left, right, shorter

    def content(self, width: int) -> Content:
        right = Content("").join(piece.content() for piece in self._right)
        if right.cell_length > width // 2 and self._shorter:
            right = Content("").join(piece.content() for piece in self._shorter)
        if right.cell_length > width:
            right = right.truncate(width, ellipsis=True)
        left = Content("").join(piece.content() for piece in self._left)
        room = max(width - right.cell_length - 2, 0)
        if left.cell_length > room:
            left = left.truncate(room, ellipsis=True)
        return left + Content(" " * max(width - left.cell_length - right.cell_length, 0)) + right

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.content(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_minimal_width(self, rules: RulesMap) -> int:
        return 1

    def get_height(self, rules: RulesMap, width: int) -> int:
        return 1


class Bar(Widget, inherit_bindings=False):
    """A row with two ends."""

    DEFAULT_CSS = """
    Bar { height: 1; padding: 0 1; text-wrap: nowrap; link-style: none; link-color: auto;
          link-background: transparent; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.auto_links = False
        self._visual = _Ends([], [], [])
        self.said = ("", "")
        """What stands at the left and at the right, plain."""

    def render(self) -> _Ends:
        return self._visual

    def show(self, left: Row, right: Row, shorter: Row | None = None) -> None:
        """`shorter` takes the place of a right end that asks for more than half the row."""
        self.said = ("".join(str(piece.text) for piece in left), "".join(str(piece.text) for piece in right))
        self._visual = _Ends(left, right, shorter or [])
        self.refresh()


class StatusLine(Bar):
    """What is indexed, and whether that is what the notes say."""

    def state(self, folder: str, counts: tuple[int, int] | None, right: str) -> None:
        """`counts` are notes and passages."""
        about = f"{sanitize.line(folder)}"
        if counts is not None:
            notes, passages = counts
            about += f" · {notes:,} note{'' if notes == 1 else 's'} · {passages:,} passages"
        said = sanitize.line(right)
        self.show(
            [Piece("assistant", "bold"), Piece(f"  {about}")],
            [Piece(said, "dim")],
            [Piece(sanitize.clip(said.split(";")[0], _PROGRESS), "dim")],
        )


class ContextStrip(Bar):
    """Shown only when there is something to say."""

    def __init__(self, new_topic: str) -> None:
        """`new_topic` is the key that drops what is inherited."""
        super().__init__("context")
        self._new_topic = f"{sanitize.line(new_topic)} new topic"

    def state(self, inherits: str, *, below: bool, chosen: tuple[int, int]) -> None:
        """`chosen`: which answer keys act on, and how many there are; (0, 0) where that goes without saying."""
        parts: list[Row] = []
        if inherits:
            alone = not below and chosen == (0, 0)
            name = sanitize.clip(sanitize.line(inherits), _NAME if alone else _NAME_BESIDE)
            parts.append([Piece("↳ follows on: ", "dim"), Piece(name, "bold")])
        if below:
            parts.append([Piece("New answer below (end)", "bold $warning", "app.last")])
        if chosen != (0, 0):
            parts.append([Piece(f"chosen: answer {chosen[0]} of {chosen[1]}", "dim")])
        left: Row = []
        for part in parts:
            left += [*([Piece("   ")] if left else []), *part]
        right = [Piece(self._new_topic, "dim", "app.new_topic")] if inherits else []
        self.display = bool(left)
        self.show(left, right)


class KeyBar(Bar):
    """The keys that everybody needs; a click does what the key does.

    One widget that never changes: Textual's footer is built anew from a dozen whenever the focus moves.
    """

    DEFAULT_CSS = """
    KeyBar { color: $footer-foreground; background: $footer-background; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__("keys")
        row: Row = []
        for one in ACTIONS:
            if one.footer:
                key = keys.get(one.id, one.keys).split(",")[0].strip().replace("ctrl+", "^")
                act = f"app.{one.call}" + ("" if one.call.endswith(")") else "()")
                gap = "  " if row else ""
                row += [
                    Piece(gap),
                    Piece(sanitize.line(key), "bold $footer-key-foreground", act),
                    Piece(f" {one.footer}", "", act),
                ]
        self.show(row, [])
