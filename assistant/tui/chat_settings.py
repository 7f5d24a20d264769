"""What the chat takes from the user's settings and from its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.tui.clipboard import Way


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What the command line and the settings file decide for one chat."""

    notes: Path
    model: str
    """Its name, for the welcome."""
    working_folder: Path
    """Where a saved session goes unless the user names another folder."""
    editor: str = ""
    """Its command line; "" where none is set."""
    clipboard: Way = "osc52"
    theme: str = ""
    """"" for Textual's default."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The user's own keys, by id of the action."""
    no_color: bool = False
    """No colours but the terminal's own."""

    @property
    def ansi(self) -> bool:
        """Whether everything is drawn in the terminal's own sixteen colours."""
        return self.no_color or self.theme.startswith("ansi-")
