"""The commands that are typed in the prompt: their table, and what a text that begins with a slash means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command; `action` is what it does without words."""

    name: str
    """What is typed behind the slash."""
    label: str
    """What it does, in a line."""
    action: str
    """The app's method without `action_`, with its arguments."""
    words: str = ""
    """What may be typed behind the name; "" where nothing may."""

    @property
    def usage(self) -> str:
        """Name and words, as help and list show them."""
        return f"/{self.name} {self.words}".rstrip()


SLASH_COMMANDS = (
    SlashCommand("help", "Keys and commands; with words, an answer from the documentation", "help", "[words]"),
    SlashCommand("new", "New topic: the next question stands alone", "new_topic"),
    SlashCommand("copy", "Copy the answer", "copy_answer"),
    SlashCommand("open", "Open citation N of the chosen answer", "open_chosen", "[N]"),
    SlashCommand("theme", "Choose a theme, or take the one of that name", "change_theme", "[name]"),
    SlashCommand("notes", "What the notes are about", "about"),
    SlashCommand("forget", "Forget this session", "forget"),
    SlashCommand("save", "Save the session as Markdown", "save"),
    SlashCommand("quit", "Quit", "quit"),
)
_BY_NAME = {one.name: one for one in SLASH_COMMANDS}
_QUIT = ("exit", "quit")
"""Words that quit with a slash and, where they are all that was typed, without one."""
_LONG, _LONGEST = 6, 12
"""Letters from which on a word with two slips still counts as a command mistyped, and of one that may be one at all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that is no question: a command with its words, or a mistyped one."""

    text: str
    """As it was typed."""
    command: SlashCommand | None
    """None where the word is no command."""
    words: str = ""
    nearest: str = ""
    """The name of the command that a mistyped word is most like."""


def parse(text: str) -> Entry | None:
    """None for a question: a text of several lines, a path, a sentence that begins with no command's name, a text with
    a blank in front of its slash."""
    typed = text.strip()
    if typed.removeprefix("/").casefold() in _QUIT:
        return Entry(text, _BY_NAME["quit"])
    if not text.startswith("/") or "\n" in typed:
        return None
    first, *words = typed.split(maxsplit=1)
    name = first[1:].casefold()
    if name in _BY_NAME:
        return Entry(text, _BY_NAME[name], *words)
    nearest = "" if words or "/" in name or len(name) > _LONGEST else _nearest(name)
    return Entry(text, None, nearest=nearest) if nearest else None


def matching(text: str) -> tuple[SlashCommand, ...]:
    """The commands that a text may become: those whose name begins with the word behind the slash; none where the text
    is more than that word."""
    if not text.startswith("/") or any(letter.isspace() for letter in text):
        return ()
    return tuple(one for one in SLASH_COMMANDS if one.name.startswith(text[1:].casefold()))


def _nearest(word: str) -> str:
    """The command that the word is a beginning of, or a slip or two away from; "" where there is none."""
    begun = next((name for name in _BY_NAME if name.startswith(word)), "")
    slips = {name: _slips(word, name) for name in _BY_NAME}
    name = min(slips, key=slips.__getitem__)
    return begun or (name if slips[name] <= (2 if len(word) >= _LONG else 1) else "")


def _slips(word: str, name: str) -> int:
    """Letters left out, put in, changed or swapped with the next one on the way from one to the other."""
    rows = [list(range(len(name) + 1))]
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, wanted in enumerate(name, 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != wanted))
            if i > 1 and j > 1 and word[i - 2 : i] == wanted + name[j - 2]:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
