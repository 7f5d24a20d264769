"""The table of the chat's actions and their keys, from which bindings, footer, help and palette are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal["prompt", "anywhere", "reading", "palette"]
Part = Literal["prompt", "answers", "source"]
"""A pane that may have the focus."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action of the app; `id` names it in `assistant.toml`."""

    id: str
    keys: str
    """As Textual names them, with commas between; "" for the palette alone."""
    shown: str
    """The keys as help and palette show them."""
    label: str
    """What it does, for help and palette."""
    where: Where
    """What must have the focus for the key to count: the prompt, or (reading) transcript or source pane."""
    call: str
    """The app's method without `action_`, with its arguments."""
    footer: str = ""
    """A word for the footer while the prompt has the focus; "" keeps it out."""


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
        "Copy the mouse selection, else cancel the question",
        "anywhere",
        "interrupt",
    ),
    Action("next-part", "tab", "tab", "Next pane: prompt, answers, source and its links", "anywhere", "focus_next"),
    Action("previous-part", "shift+tab", "shift+tab", "Previous pane or link", "anywhere", "focus_previous"),
    Action("new-topic", "ctrl+n", "ctrl+n", "New topic: the next question stands alone", "anywhere", "new_topic"),
    Action("source", "ctrl+o,f3", "ctrl+o, f3", "Open or close the source", "anywhere", "source", "Source"),
    Action("browse", "ctrl+b,f2", "ctrl+b, f2", "Browse notes", "anywhere", "browse"),
    Action("editor", "f4", "f4", "Open the editor at the citation", "anywhere", "editor", "Editor"),
    Action("save", "ctrl+s", "ctrl+s", "Save the session as Markdown", "anywhere", "save", "Save"),
    Action("search-history", "ctrl+r", "ctrl+r", "Search earlier questions", "anywhere", "search_history"),
    Action("look", "f5", "f5", "Check notes for changes", "anywhere", "look"),
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
    Action("open", "enter", "enter", "Open the marked link, else the selected citation", "reading", "open_chosen"),
    Action("back-link", "alt+left", "alt+left", "Back to where a link was followed", "reading", "back_link"),
    Action("backlinks", "b", "b", "Notes that link here", "reading", "backlinks"),
    Action("names", "a", "a", "Open a name of the answer, the verdict or another", "reading", "names"),
    Action("copy-answer", "y", "y", "Copy the answer", "reading", "copy_answer"),
    Action("copy-snippet", "c", "c", "Copy a snippet as it is in the note", "reading", "copy_snippet"),
    Action("edit", "e", "e", "Open the editor at the citation", "reading", "editor"),
    Action("fold", "space", "space", "Unfold snippets / fold answer", "reading", "fold_chosen"),
    Action("first", "g,home", "g, home", "First answer", "reading", "first"),
    Action("last", "G,end", "G, end", "Last answer", "reading", "last"),
    Action("again", "r", "r", "Ask again", "reading", "again"),
    Action("under", "u", "u", "Ask again under a heading of the notes", "reading", "under"),
    Action("mend", "exclamation_mark", "!", "Mend the answer: say what it should have been", "reading", "mend"),
    Action("find", "slash", "/", "Find in the pane that has the focus", "reading", "find"),
    Action("find-next", "n", "n", "Next match", "reading", "find_next(1)"),
    Action("find-previous", "N", "N", "Previous match", "reading", "find_next(-1)"),
    Action("raw-lines", "m", "m", "Source as numbered lines of Markdown, or rendered", "reading", "raw_lines"),
    Action("previous-citation", "left_square_bracket", "[", "Previous citation", "reading", "step_citation(-1)"),
    Action("next-citation", "right_square_bracket", "]", "Next citation", "reading", "step_citation(1)"),
    Action("help-reading", "question_mark", "?", "Help", "reading", "help"),
    Action("to-prompt", "i", "i", "Back to the prompt", "reading", "to_prompt"),
    Action("wider-source", "less_than_sign", "<", "Make the source wider", "reading", "resize_source(1)"),
    Action("narrower-source", "greater_than_sign", ">", "Make the source narrower", "reading", "resize_source(-1)"),
    Action("row-up", "up", "up", "Scroll up a row", "reading", "row(-1)"),
    Action("row-down", "down", "down", "Scroll down a row", "reading", "row(1)"),
    Action("left", "left", "left", "Scroll the source to the left", "reading", "sideways(-1)"),
    Action("right", "right", "right", "Scroll the source to the right", "reading", "sideways(1)"),
    Action("last-copy", "", "", "Show the last copy", "palette", "last_copy"),
    Action("theme", "", "", "Choose a theme", "palette", "change_theme"),
    Action("forget", "", "", "Forget this session", "palette", "forget"),
    Action("about", "", "", "What the notes are about", "palette", "about"),
)
PROMPT = tuple(one for one in ACTIONS if one.where == "prompt")
ANYWHERE = tuple(one for one in ACTIONS if one.where == "anywhere")
READING = tuple(one for one in ACTIONS if one.where == "reading")
_FIRST = (
    "theme",
    "help",
    "new-topic",
    "forget",
    "save",
    "about",
    "search-history",
    "copy-answer",
    "copy-snippet",
    "open",
)
"""What the palette begins with: what people look for there."""
_LAST = ("back", "interrupt", "next-part", "previous-part")
"""What it ends with: keys that everybody presses, and that say little as commands."""
COMMANDS = (
    *(one for id in _FIRST for one in ACTIONS if one.id == id),
    *(one for one in ACTIONS if one.where != "prompt" and one.id not in _FIRST + _LAST),
    *(one for one in ACTIONS if one.id in _LAST),
)
"""What the palette lists, in its order: typing itself needs no command."""
FOOTERS: dict[Part, tuple[tuple[str, str], ...]] = {
    "prompt": tuple((one.id, one.footer) for one in ACTIONS if one.footer),
    "answers": (
        ("previous-answer", ""),
        ("next-answer", "Answer"),
        ("cite-1", "to 8 Source"),
        ("copy-answer", "Copy"),
        ("copy-snippet", "Snippet"),
        ("fold", "Fold"),
        ("again", "Again"),
        ("help-reading", "Help"),
    ),
    "source": (
        ("previous-citation", ""),
        ("next-citation", "Citation"),
        ("find", "Find"),
        ("edit", "Editor"),
        ("wider-source", ""),
        ("narrower-source", "Width"),
        ("back", "Back"),
        ("to-prompt", "Prompt"),
        ("help-reading", "Help"),
    ),
}
"""The actions in the footer, by the part that has the focus, with a word each; "" shares the word of the next one."""

_BEFORE_WIDGETS = ("interrupt", "quit", "next-part", "previous-part")
"""Their keys come before what a widget does with them; the next key finds the focus where it is to be."""
_PAGES = ("page-up", "page-down")
"""Their keys scroll the answers, though a text area has a use for them."""


def prompt_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """Key → the app's action, for the keys that come before what a text area does with them.

    These are the prompt's and those that the user has chosen; `keys` are the user's own, by id of the action.
    """
    calls: dict[str, str] = {}
    for one in (*PROMPT, *ANYWHERE):
        if one.where == "prompt" or one.id in keys or one.id in _PAGES:
            calls |= {name.strip(): f"app.{one.call}" for name in keys.get(one.id, one.keys).split(",")}
    return calls


def key(id: str, keys: Mapping[str, str]) -> str:
    """The first key of an action, as it is shown; `keys` are the user's own."""
    action = next(one for one in ACTIONS if one.id == id)
    return keys.get(id, action.shown).split(",")[0].strip()


def unknown_actions(keys: Mapping[str, str]) -> list[str]:
    """The ids of `keys` that no action has, sorted."""
    return sorted(set(keys) - {one.id for one in ACTIONS})


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Textual's bindings of the actions that have a key."""
    return [
        Binding(
            one.keys,
            f"app.{one.call}",
            one.footer or one.label,
            show=bool(one.footer),
            id=one.id,
            priority=one.id in _BEFORE_WIDGETS,
        )
        for one in actions
        if one.keys
    ]
