"""What the chat takes from the user's settings and from its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.tui.clipboard import Way
from assistant.tui.remembered import Remembered

if TYPE_CHECKING:
    from assistant.engine import Engine


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What the command line and the settings file decide for one chat."""

    notes: Path | None
    """Their folder; None where they are read from an index in a database."""
    model: str
    """Its name, for the welcome."""
    working_folder: Path
    """Where a saved session goes unless the user names another folder."""
    name: str = ""
    """Of the notes; "" for that of their folder."""
    mends: bool = True
    """Whether what is added to the user's vocabulary gets into the index."""
    editor: str = ""
    """Its command line; "" where none is set."""
    clipboard: Way = "osc52"
    theme: str = ""
    """The one that the settings file or the terminal asks for; "" for none."""
    theme_is_set: bool = False
    """Whether it is the settings file's, which comes before every choice in the chat."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The user's own keys, by id of the action."""
    no_color: bool = False
    """No colours but the terminal's own."""
    remembered: Remembered = field(default_factory=Remembered)
    """What was chosen in the chat before."""
    remembered_file: Path | None = None
    """Where it is remembered; None remembers nothing."""
    open_documentation: Callable[[], Engine] | None = None
    """An engine for the documentation pages, which is opened in a thread of its own; None where there are none."""

    quiet_seconds: float = 0.8
    """After the last key, before questions to begin with are asked of the notes."""

    @property
    def title(self) -> str:
        """What the notes are called."""
        return self.name or (self.notes.name if self.notes is not None else "")

    @property
    def first_theme(self) -> str:
        """The theme at the start: the one of the settings before the remembered one; "" for Textual's default."""
        return self.theme or self.remembered.theme

    @property
    def ansi(self) -> bool:
        """Whether everything is drawn in the terminal's own sixteen colours."""
        return self.no_color or self.first_theme.startswith("ansi-")
