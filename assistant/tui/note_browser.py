"""Browsing: a tree of the notes, from which a note is opened or a question is asked under a heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.tui.conversation import Conversation
from assistant.tui.outline import Outline
from assistant.tui.source_opener import SourceOpener
from assistant.tui.view import ChatView
from assistant.tui.worker.engine_thread import EngineThread

if TYPE_CHECKING:
    from assistant.tui.cards.card import Card
    from assistant.tui.widgets.heading_tree import HeadingTree, Picked

_AGAIN_SECONDS = 0.3
"""When headings that were read before are read again: after the first paint, which that would hold up."""


class NoteBrowser:
    """The tree comes up at once, with the headings as they were read last; they are read again meanwhile."""

    def __init__(
        self, view: ChatView, engine_thread: EngineThread, opener: SourceOpener, conversation: Conversation
    ) -> None:
        self._view = view
        self._engine_thread = engine_thread
        self._opener = opener
        self._conversation = conversation
        self._outline: Outline | None = None
        """As it was read last; None before that."""

    def open(self) -> None:
        """Shows the tree; what is picked is opened, or asked under."""
        from assistant.tui.widgets.browse_tree import BrowseTree  # its widgets are not needed for the first frame

        self._push(BrowseTree(self._outline), self._view.transcript.chosen)

    def choose_scope(self) -> None:
        """Shows the tree to ask under what is picked: what is typed, else the chosen answer's question."""
        from assistant.tui.widgets.heading_tree import HeadingTree

        card = self._view.chosen_card()
        if card is None and not self._view.prompt.text.strip():
            self._view.toast("No question to ask under a heading.")
        else:
            self._push(HeadingTree("Ask again under", self._outline), card)

    def show(self, outline: Outline) -> None:
        """Keeps the headings and fills the tree, where it is open."""
        from assistant.tui.widgets.heading_tree import HeadingTree

        self._outline = outline
        screen = self._view.app.screen
        if isinstance(screen, HeadingTree):
            screen.show(outline)

    def _push(self, tree: HeadingTree, card: Card | None) -> None:
        def done(picked: Picked | None) -> None:
            if picked is not None and picked.ask:
                self._conversation.ask_below(picked.entry, card)
            elif picked is not None:
                self._opener.open_entry(picked.entry)

        self._view.app.push_screen(tree, done)
        if self._outline is None:
            self._engine_thread.read_outline()
        else:
            self._view.app.set_timer(_AGAIN_SECONDS, self._engine_thread.read_outline)
