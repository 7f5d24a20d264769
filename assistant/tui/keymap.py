"""What the chat can do, with its keys: bindings, footer, help and palette are all made from this table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal["prompt", "anywhere", "reading", "palette"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do; `id` names it in `assistant.toml`."""

    id: str
    keys: str
    """As Textual names them, with commas between; "" for the palette alone."""
    shown: str
    """As a reader would call them."""
    label: str
    """What it does, for help and palette."""
    where: Where
    """prompt: counts while the prompt has the focus; reading: transcript and source pane have it."""
    call: str
    """The action of the app."""
    footer: str = ""
    """A word for the footer; "" keeps it out."""


ACTIONS = (
    Action("ask", "enter", "enter", "Ask the question", "prompt", "ask"),
    Action(
        "new-line",
        "ctrl+j,shift+enter",
        "ctrl+j",
        "New line (shift+enter, where it is sent)",
        "prompt",
        "new_line",
    ),
    Action("earlier", "up", "up", "On the first row: an earlier question", "prompt", "earlier"),
    Action("later", "down", "down", "On the last row: a later one, then the draft", "prompt", "later"),
    Action("back", "escape", "escape", "Close, else cancel, else go to the prompt", "anywhere", "leave"),
    Action(
        "interrupt",
        "ctrl+c",
        "ctrl+c",
        "Copy the mouse's selection, else cancel the question",
        "anywhere",
        "interrupt",
    ),
    Action("next-part", "tab", "tab", "Go to the next part: prompt, answers, source", "anywhere", "focus_next"),
    Action("previous-part", "shift+tab", "shift+tab", "Go to the part before", "anywhere", "focus_previous"),
    Action("new-topic", "ctrl+n", "ctrl+n", "New topic: the next question stands alone", "anywhere", "new_topic"),
    Action("source", "ctrl+o,f3", "ctrl+o, f3", "Open or close the source", "anywhere", "source", "Source"),
    Action("editor", "f4", "f4", "Open the editor at the citation", "anywhere", "editor", "Editor"),
    Action("save", "ctrl+s", "ctrl+s", "Save the session as Markdown", "anywhere", "save", "Save"),
    Action("search-history", "ctrl+r", "ctrl+r", "Search earlier questions", "anywhere", "search_history"),
    Action("look", "f5", "f5", "Look at the notes now", "anywhere", "look"),
    Action("page-up", "pageup", "pageup", "Scroll up a page; the prompt keeps the focus", "anywhere", "page(-1)"),
    Action("page-down", "pagedown", "pagedown", "Scroll down a page", "anywhere", "page(1)"),
    Action("next", "alt+down", "alt+down", "Next answer", "anywhere", "step(1)"),
    Action("previous", "alt+up", "alt+up", "Previous answer", "anywhere", "step(-1)"),
    Action("commands", "ctrl+p", "ctrl+p", "Commands", "anywhere", "command_palette", "Commands"),
    Action("help", "f1", "f1", "Help", "anywhere", "help", "Help"),
    Action("quit", "ctrl+q", "ctrl+q", "Quit", "anywhere", "quit", "Quit"),
    Action("next-answer", "j", "j", "Next answer", "reading", "step(1)"),
    Action("previous-answer", "k", "k", "Previous answer", "reading", "step(-1)"),
    *(
        Action(
            f"cite-{number}", str(number), str(number), f"Open citation {number}", "reading", f"cite_chosen({number})"
        )
        for number in range(1, 9)
    ),
    Action("open", "enter", "enter", "Open the citation that is selected", "reading", "open_chosen"),
    Action("names", "a", "a", "Open a name of the answer, the verdict or another", "reading", "names"),
    Action("copy-answer", "y", "y", "Copy the answer", "reading", "copy_answer"),
    Action("copy-snippet", "c", "c", "Copy a snippet as it is in the note", "reading", "copy_snippet"),
    Action("edit", "e", "e", "Open the editor at the citation", "reading", "editor"),
    Action("fold", "space", "space", "Snippets whole, answer folded, and back", "reading", "fold_chosen"),
    Action("first", "g,home", "g, home", "First answer", "reading", "first"),
    Action("last", "G,end", "G, end", "Last answer", "reading", "last"),
    Action("again", "r", "r", "Ask again", "reading", "again"),
    Action("under", "u", "u", "Ask again under a heading of the notes", "reading", "under"),
    Action("find", "slash", "/", "Find in the source", "reading", "find"),
    Action("find-next", "n", "n", "Next place found", "reading", "find_next(1)"),
    Action("find-previous", "N", "N", "Previous place found", "reading", "find_next(-1)"),
    Action("previous-citation", "left_square_bracket", "[", "Previous citation", "reading", "step_citation(-1)"),
    Action("next-citation", "right_square_bracket", "]", "Next citation", "reading", "step_citation(1)"),
    Action("help-reading", "question_mark", "?", "Help", "reading", "help"),
    Action("to-prompt", "i", "i", "Back to the prompt", "reading", "to_prompt"),
    Action("row-up", "up", "up", "Scroll up a row", "reading", "row(-1)"),
    Action("row-down", "down", "down", "Scroll down a row", "reading", "row(1)"),
    Action("left", "left", "left", "Scroll the source to the left", "reading", "sideways(-1)"),
    Action("right", "right", "right", "Scroll the source to the right", "reading", "sideways(1)"),
    Action("last-copy", "", "", "Show the last copy", "palette", "last_copy"),
    Action("theme", "", "", "Choose a theme", "palette", "change_theme"),
    Action("forget", "", "", "Forget this session", "palette", "forget"),
)
PROMPT = tuple(one for one in ACTIONS if one.where == "prompt")
ANYWHERE = tuple(one for one in ACTIONS if one.where == "anywhere")
READING = tuple(one for one in ACTIONS if one.where == "reading")
COMMANDS = tuple(one for one in ACTIONS if one.where != "prompt")
"""What the palette lists: typing itself needs no command."""


_FIRST = ("interrupt", "quit", "next-part", "previous-part")
"""Come before what a widget does with the key; the next key finds the focus where it is to be."""
_PAGES = ("page-up", "page-down")
"""Keys of a text area that the answers have instead."""


def in_prompt(keys: Mapping[str, str]) -> dict[str, str]:
    """Key → the app's action, for the keys that come before what a text area does with them: those of the prompt, and
    whatever the user chose; `keys` are the user's own."""
    found: dict[str, str] = {}
    for one in (*PROMPT, *ANYWHERE):
        if one.where == "prompt" or one.id in keys or one.id in _PAGES:
            found |= {name.strip(): f"app.{one.call}" for name in keys.get(one.id, one.keys).split(",")}
    return found


def key(id: str, keys: Mapping[str, str]) -> str:
    """The first key of an action, as it is shown; `keys` are the user's own."""
    named = next(one for one in ACTIONS if one.id == id)
    return keys.get(id, named.shown).split(",")[0].strip()


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Textual's bindings for them."""
    return [
        Binding(
            one.keys,
            f"app.{one.call}",
            one.footer or one.label,
            show=bool(one.footer),
            id=one.id,
            priority=one.id in _FIRST,
        )
        for one in actions
        if one.keys
    ]
