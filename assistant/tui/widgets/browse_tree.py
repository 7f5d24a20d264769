"""The tree of the notes over the chat: opens a note at a heading, or asks under the heading."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from assistant.tui.outline import Outline
from assistant.tui.widgets.heading_tree import HeadingTree


class BrowseTree(HeadingTree):
    """Can be opened before the headings are read; `show` brings them, and brings others where they have changed."""

    # ctrl+t: a filter input has no use for it, and tmux passes it on.
    BINDINGS: ClassVar = [Binding("ctrl+t", "ask_under", "Ask under", show=False, priority=True)]
    FOOTER = "enter opens · ctrl+t asks under it · escape closes"
    ENTER_ASKS = False

    def __init__(self, outline: Outline | None) -> None:
        super().__init__("Browse notes", outline)

    def action_ask_under(self) -> None:
        self._narrow()
        self._take(self._tree.cursor_node, ask=True)
