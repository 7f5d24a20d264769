"""The rows that frame the chat: the state of the index on top, the context above the prompt, the keys below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget

from assistant.text import sanitize
from assistant.tui.cards.rows import Piece, Row, content, plain
from assistant.tui.keymap import ACTIONS, FOOTERS, Part

_SUBJECT, _SUBJECT_BESIDE = 44, 20
"""Columns of the name that the next question leans on, alone and beside something else."""
_PROGRESS = 56
"""Columns of the index's progress where there is little room."""


class _TwoEnds(Visual):
    """One row with a left and a right end; the left one gives way, but for a right end that has a shorter form."""

    def __init__(self, left: Row, right: Row, shorter: Row) -> None:
        self._left, self._right, self._shorter = left, right, shorter

    def content(self, width: int) -> Content:
        right = content(self._right)
        if right.cell_length > width // 2 and self._shorter:
            right = content(self._shorter)
        if right.cell_length > width:
            right = right.truncate(width, ellipsis=True)
        left = content(self._left)
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
        self._shown: tuple[Row, Row, Row] = ([], [], [])
        self._visual = _TwoEnds(*self._shown)
        self.texts = ("", "")
        """Left and right end, plain."""

    def render(self) -> _TwoEnds:
        return self._visual

    def show(self, left: Row, right: Row, shorter: Row | None = None) -> None:
        """`shorter` takes the place of a right end that asks for more than half the row."""
        shown = (left, right, shorter or [])
        if shown != self._shown:
            self._shown = shown
            self.texts = (plain(left), plain(right))
            self._visual = _TwoEnds(*shown)
            self.refresh()


class StatusLine(Bar):
    """What is indexed, and whether the index is up to date."""

    def state(self, folder: str, counts: tuple[int, int] | None, right: str) -> None:
        """`counts` are notes and passages, None while they are not known."""
        corpus = sanitize.line(folder)
        if counts is not None:
            notes, passages = counts
            corpus += f" · {notes:,} note{'' if notes == 1 else 's'} · {passages:,} passages"
        state = sanitize.line(right)
        self.show(
            [Piece("assistant", "bold"), Piece(f"  {corpus}")],
            [Piece(state, "dim")],
            [Piece(sanitize.clip(state.split(";")[0], _PROGRESS), "dim")],
        )


class Follows(NamedTuple):
    """What the next question leans on."""

    subject: str
    """"" for nothing."""
    scope: tuple[str, ...] = ()
    """The heading path that it is asked under; empty for all notes."""
    stands_alone: bool = False
    """Whether what is typed now leans on nothing all the same."""


class ContextStrip(Bar):
    """What the next question leans on, and where answers are; hidden where there is nothing to say."""

    def __init__(self, new_topic: str, back: str) -> None:
        """`new_topic` is the key that drops the subject, `back` the one that drops the heading."""
        super().__init__("context")
        self._new_topic = f"{sanitize.line(new_topic)} new topic"
        self._all_notes = f"{sanitize.line(back)} all notes"

    def state(self, follows: Follows, *, below: bool, chosen: tuple[int, int]) -> None:
        """`below` says whether an answer is out of view, `chosen` which answer keys act on, and how many there are,
        (0, 0) where that goes without saying."""
        parts: list[Row] = []
        subject, scope = follows.subject, follows.scope
        if scope:
            columns = _SUBJECT_BESIDE if subject or below or chosen != (0, 0) else _SUBJECT
            parts.append([Piece("Under: ", "dim"), Piece(sanitize.clip(sanitize.line(scope[-1]), columns), "bold")])
        if subject and follows.stands_alone:
            parts.append([Piece("stands alone", "dim")])
        elif subject:
            alone = not below and not scope and chosen == (0, 0)
            name = sanitize.clip(sanitize.line(subject), _SUBJECT if alone else _SUBJECT_BESIDE)
            parts.append([Piece("↳ follows on: ", "dim"), Piece(name, "bold")])
        if below:
            parts.append([Piece("New answer below (end)", "bold $warning", "app.last")])
        if chosen != (0, 0):
            parts.append([Piece(f"chosen: answer {chosen[0]} of {chosen[1]}", "dim")])
        left: Row = []
        for part in parts:
            left += [*([Piece("   ")] if left else []), *part]
        right = [Piece(self._all_notes, "dim", "app.drop_scope")] if scope else []
        if subject and not follows.stands_alone:
            right += [*([Piece(" · ", "dim")] if right else []), Piece(self._new_topic, "dim", "app.new_topic")]
        self.display = bool(left)
        self.show(left, right)


class KeyBar(Bar):
    """The keys of the part that has the focus; a click does what the key does.

    One widget: Textual's footer is built anew from a dozen whenever the focus moves.
    """

    DEFAULT_CSS = """
    KeyBar { color: $footer-foreground; background: $footer-background; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__("keys")
        self._keys = keys
        self.part: Part | None = None
        self.show_part("prompt")

    def show_part(self, part: Part) -> None:
        """The part that has the focus now."""
        if part == self.part:
            return
        self.part = part
        actions = {one.id: one for one in ACTIONS}
        row: Row = []
        together = False
        for id, word in FOOTERS[part]:
            one = actions[id]
            key = self._keys.get(id, one.shown).split(",")[0].strip().replace("ctrl+", "^")
            act = f"app.{one.call}" + ("" if one.call.endswith(")") else "()")
            gap = " " if together else "  " if row else ""
            row += [
                Piece(gap),
                Piece(sanitize.line(key), "bold $footer-key-foreground", act),
                *([Piece(f" {word}", "", act)] if word else []),
            ]
            together = not word
        self.show(row, [])
