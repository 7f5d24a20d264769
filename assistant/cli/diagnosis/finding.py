"""One finding of `assistant doctor`, and what several kinds of findings say."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "notes-assistant"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined."""

    part: str
    """python, packages, command, model, notes, index, caches, mcp, server, terminal."""
    says: str
    remedy: str = ""
    """The command that fixes it; "" where nothing is wrong."""

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to fix."""
        return not self.remedy


def pip_install(*words: str) -> str:
    """The command that installs with this Python's pip."""
    return shlex.join([sys.executable, "-m", "pip", "install", *words])


def size(folder: Path) -> str:
    """Of all files below the folder together, in MB; what cannot be read counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return f"{total / 1e6:.1f} MB"
