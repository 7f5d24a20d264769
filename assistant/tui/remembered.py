"""What the chat remembers for its next start, in a small JSON file beside the session files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.system import permissions

NARROWEST, WIDEST = 25, 75
"""Per cent of the width that the source pane takes at the least and at the most."""
_MOST = 10_000
"""Bytes of a file that is read; a longer one is none of ours."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the user has chosen in the chat."""

    theme: str = ""
    """"" where none was chosen."""
    source_width: int = 0
    """Per cent of the width that the source pane takes; 0 where it was never changed."""


def read(path: Path | None) -> Remembered:
    """What is remembered; nothing without a path, and of a file that is missing, unreadable or damaged."""
    if path is None:
        return Remembered()
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.read(_MOST))
        theme, width = record.get("theme", ""), record.get("source_width", 0)
    except (OSError, ValueError, AttributeError, RecursionError):
        return Remembered()
    sound = type(width) is int and NARROWEST <= width <= WIDEST
    return Remembered(theme if isinstance(theme, str) else "", width if sound else 0)


def write(path: Path, remembered: Remembered) -> None:
    """Replaces the file, whole, for its owner alone; OSError."""
    permissions.folder(path.parent)
    permissions.replace(path, json.dumps(asdict(remembered)) + "\n")
