"""The screens that lie over the chat: pick from a list, name a file, read a text, help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from assistant.text import sanitize
from assistant.tui.keymap import ACTIONS, Action, Where
from assistant.tui.slash_commands import SLASH_COMMANDS

_MOST = 500
"""Entries that are listed at once; typing narrows them down."""


class Picker(ModalScreen[int | None]):
    """A list that typing narrows down; returns the position of the chosen entry, None where none was chosen."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Close", show=False),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
    ]
    DEFAULT_CSS = """
    Picker { align: center middle; background: $background 60%; }
    Picker > Vertical { width: 80%; max-width: 100; height: 80%; max-height: 30; border: round $border;
                        background: $surface; }
    Picker Input { border: none; height: 1; padding: 0 1; background: $surface; }
    Picker OptionList { border: none; height: 1fr; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, title: str, entries: Sequence[str], *, counted: bool = False) -> None:
        """`entries` are raw, a line each; `counted` says beside the title how many are left of them."""
        super().__init__()
        self._counted = counted
        self._title = title
        self._entries = entries
        self._shown: list[int] = []

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(sanitize.line(self._title))
            box.border_subtitle = Content("type to narrow · enter chooses · escape closes")
            yield Input(placeholder="Type to narrow the list", compact=True)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def on_input_submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def _list(self, typed: str) -> None:
        words = typed.casefold().split()
        matching = [at for at, entry in enumerate(self._entries) if all(word in entry.casefold() for word in words)]
        self._shown = matching[:_MOST]
        if self._counted:
            title = f"{self._title} · {len(matching):,} of {len(self._entries):,}"
            self.query_one(Vertical).border_title = Content(sanitize.line(title))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(Content(sanitize.line(self._entries[at]))) for at in self._shown)
        options.highlighted = 0 if self._shown else None


class Naming(ModalScreen[str | None]):
    """A line of text to edit; returns it, None where it was not accepted."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", "Close", show=False)]
    DEFAULT_CSS = """
    Naming { align: center middle; background: $background 60%; }
    Naming > Vertical { width: 80%; max-width: 100; height: auto; border: round $border; background: $surface; }
    Naming Input { border: none; height: 1; padding: 0 1; background: $surface; }
    """

    def __init__(self, title: str, text: str, *, select: bool = False) -> None:
        """`select` selects the text, so that typing replaces it."""
        super().__init__()
        self._title, self._text, self._select = title, text, select

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(sanitize.line(self._title))
            box.border_subtitle = Content("enter accepts · escape closes")
            yield Input(self._text, select_on_focus=self._select, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class Reading(ModalScreen[None]):
    """A text to read and to select."""

    BINDINGS: ClassVar = [Binding("escape,q,enter", "dismiss", "Close", show=False)]
    DEFAULT_CSS = """
    Reading { align: center middle; background: $background 60%; }
    Reading TextArea { width: 80%; max-width: 100; height: 80%; border: round $border; }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        area = TextArea(sanitize.block(self._text), read_only=True, show_cursor=False)
        area.border_title = Content(sanitize.line(self._title))
        area.border_subtitle = Content("escape closes")
        yield area


class Help(ModalScreen[None]):
    """The table of keys, those of the part that had the focus first."""

    BINDINGS: ClassVar = [
        Binding("escape,q,f1,question_mark", "dismiss", "Close", show=False),
    ]
    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > VerticalScroll { width: 90%; max-width: 90; height: 90%; border: round $border; background: $surface;
                            padding: 0 1; }
    Help Static { height: auto; }
    """

    def __init__(self, first: Where, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__()
        self._first, self._keys = first, keys

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = Content("Help")
            box.border_subtitle = Content("escape closes")
            yield Static(self.text(), markup=False)

    def text(self) -> Content:
        """All of it, as it is shown."""
        order: list[Where] = ["prompt", "reading"] if self._first == "prompt" else ["reading", "prompt"]
        parts: list[Content] = []
        for where in (*order, "anywhere", "palette"):
            parts.append(Content.styled(_TITLES[where], _HEADING))
            parts += [_line(one, self._keys) for one in ACTIONS if one.where == where and one.id not in _LIKE_FIRST]
            parts.append(Content(""))
            if where == "prompt":
                parts.append(Content.styled("Commands in the prompt (tab completes, escape hides)", _HEADING))
                parts += [Content.assemble((f"  {one.usage:<15}", "bold"), one.label) for one in SLASH_COMMANDS]
                parts.append(Content(""))
        parts.append(Content(_CLOSING))
        return Content("\n").join(parts)


def _line(action: Action, keys: Mapping[str, str]) -> Content:
    shown = sanitize.line(keys.get(action.id, action.shown)) or "commands"
    if action.id == "cite-1":
        return Content.assemble(("  1 … 8       ", "bold"), "Open that citation")
    return Content.assemble((f"  {shown:<12}", "bold"), action.label)


_HEADING = "bold $text-accent"
_LIKE_FIRST = frozenset(f"cite-{number}" for number in range(2, 9))
_TITLES: dict[str, str] = {
    "prompt": "In the prompt",
    "reading": "In answers and source (tab goes there, escape back)",
    "anywhere": "Everywhere",
    "palette": "In the commands (ctrl+p)",
}
_CLOSING = (
    "A click does what a key does: on [n], a source, a link, a caption, a runner-up, the footer. "
    "Dragging selects, ctrl+c copies it; shift and dragging is the terminal's own selection. "
    "tmux keeps ctrl+b for itself: there f2 browses the notes. "
    'Keys can be changed in assistant.toml, in a table [keys]: copy-answer = "f8".'
)
