"""The commands that a text beginning with a slash may become, above the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from assistant.tui.cards.rows import Piece, Row, content
from assistant.tui.slash_commands import SlashCommand

_USAGE = 15
"""Columns of a command with its words."""
_ROWS = 6
"""Rows of the screen that are left to the answers, the prompt and the rows around them, at the least."""


class SlashList(Static):
    """A row a command, one of them marked; hidden while there are none."""

    DEFAULT_CSS = """
    SlashList { display: none; height: auto; padding: 0 1; background: $surface; text-wrap: nowrap;
                text-overflow: ellipsis; link-style: none; link-color: auto; link-background: transparent; }
    """

    def __init__(self) -> None:
        super().__init__("", id="slash", markup=False)
        self._commands: Sequence[SlashCommand] = ()
        self._at = 0

    @property
    def marked(self) -> SlashCommand | None:
        """The command that enter runs; None while the list is hidden."""
        return self._commands[self._at] if self._commands else None

    @property
    def text(self) -> str:
        """What it shows, a line a row; "" while it is hidden."""
        return str(self.content) if self.display else ""

    def offer(self, commands: Sequence[SlashCommand]) -> None:
        """Lists these, the first one marked where the marked one is not among them; none hides the list."""
        marked = self.marked
        self._commands = commands
        self._at = commands.index(marked) if marked in commands else 0
        self._show()

    def move(self, by: int) -> None:
        """Marks the next one (1) or the one before (-1), round and round."""
        self._at = (self._at + by) % len(self._commands)
        self._show()

    def _show(self) -> None:
        self.display = bool(self._commands)
        if not self._commands:
            return
        room = max(min(len(self._commands), self.app.size.height // 2 - _ROWS // 2), 1)
        first = max(min(self._at - room // 2, len(self._commands) - room), 0)
        rows = [self._row(at) for at in range(first, first + room)]
        self.update(content([piece for at, row in enumerate(rows) for piece in ([Piece("\n")] if at else []) + row]))

    def _row(self, at: int) -> Row:
        command = self._commands[at]
        action = f"app.slash('{command.name}')"
        style = "bold" if at == self._at else ""
        return [
            Piece(f"{'▶' if at == self._at else ' '} {command.usage:<{_USAGE}} ", style or "$text-accent", action),
            Piece(command.label, style or "dim", action),
        ]
