"""The row below the panes that says what is looked for, and which match the reader is at."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.text import sanitize
from assistant.tui.cards.rows import Piece
from assistant.tui.keymap import key
from assistant.tui.widgets.status_bars import Bar


class FindBar(Bar):
    """Hidden while nothing is looked for."""

    DEFAULT_CSS = """
    FindBar { display: none; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__("find")
        forward, backward, end = (sanitize.line(key(id, keys)) for id in ("find-next", "find-previous", "back"))
        self._keys = [
            Piece(f"{forward} next", "dim", "app.find_next(1)"),
            Piece(f" · {backward} previous", "dim", "app.find_next(-1)"),
            Piece(f" · {end} ends", "dim", "app.end_find"),
        ]
        self._short_keys = [Piece(f"{end} ends", "dim", "app.end_find")]

    def state(self, text: str, where: str, place: tuple[int, int]) -> None:
        """`text` is looked for, raw, in what `where` names; `place` is the match the reader is at, from 1, and how
        many there are."""
        at, of = place
        count = f"{at} of {of:,}" if at else f"{of:,} match{'' if of == 1 else 'es'}" if of else "No match"
        left = [Piece(count, "bold"), Piece(f" in {where}: ", "dim"), Piece(sanitize.line(text))]
        self.show(left, self._keys if of else self._short_keys, self._short_keys)
        self.display = True
