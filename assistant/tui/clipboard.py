"""A text → the user's clipboard."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Literal

Way = Literal["tmux", "osc52", "local"]
"""tmux's buffer, the terminal's OSC 52, or a program of this machine."""
_LOCAL = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("clip.exe",),
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SECONDS = 2.0
"""How long a clipboard's own program may take."""


def clean(text: str) -> tuple[str, int]:
    """The text without control characters but newline and tab, and how many were left out."""
    kept = _CONTROLS.sub("", text)
    return kept, len(text) - len(kept)


def pipe(text: str, way: Way) -> str:
    """Hands clean text to the first clipboard program that takes it and returns the program's name; "" where there is
    none, so that the terminal must be asked. Blocks for as long as the program does."""
    programs = ((("tmux", "load-buffer", "-w", "-"),) if way == "tmux" else _LOCAL) if way != "osc52" else ()
    return next((words[0] for words in programs if shutil.which(words[0]) and _run(words, text)), "")


def _run(words: tuple[str, ...], text: str) -> bool:
    try:
        # xclip stays to serve the clipboard: it must not hold our streams.
        done = subprocess.run(
            words,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
