"""A change to confirm: its lines, those that are added and taken away marked by sign and colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from assistant.text import sanitize

_STYLES = {"+": "$text-success", "-": "$text-error"}


class Confirmation(ModalScreen[bool]):
    """Returns whether the change was accepted."""

    BINDINGS: ClassVar = [
        Binding("enter", "dismiss(True)", "Accept", show=False),
        Binding("escape,q", "dismiss(False)", "Close", show=False),
    ]
    DEFAULT_CSS = """
    Confirmation { align: center middle; background: $background 60%; }
    Confirmation > VerticalScroll { width: 90%; max-width: 100; height: auto; max-height: 80%; border: round $border;
                                    background: $surface; padding: 0 1; }
    Confirmation Static { height: auto; }
    """

    def __init__(self, title: str, lines: Sequence[str], verb: str) -> None:
        """`lines` are a diff's, raw; `verb` says what enter does."""
        super().__init__()
        self._title, self._lines, self._verb = title, lines, verb

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = Content(sanitize.line(self._title))
            box.border_subtitle = Content(f"enter {self._verb} · escape closes")
            shown = [Content.styled(sanitize.line(line), _STYLES.get(line[:1], "")) for line in self._lines]
            yield Static(Content("\n").join(shown), markup=False)
