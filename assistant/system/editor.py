"""The user's editor as a command that opens a file at a line; no shell ever sees it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from assistant.errors import BadRequest
from assistant.system.process_tuning import environment

_COLON = {"code", "codium", "code-insiders", "cursor", "windsurf"}
"""Take `-g file:line`."""
_SUFFIX = {"subl", "sublime_text", "hx", "helix", "zed", "zeditor", "lapce", "pulsar", "atom"}
"""Take `file:line`."""
_OPTION = {"kate": "-l", "mate": "-l", "idea": "--line", "pycharm": "--line", "charm": "--line"}
_BARE = {"emacs", "emacsclient", "micro", "kak", "gedit", "gnome-text-editor", "xed", "pluma", "mcedit"}
"""Take `+line file`, and not every release of them takes `--`; the path is absolute, so it is never an option."""


def command(editor: str, path: Path, line: int) -> list[str]:
    """The words to start; `path` must be absolute. BadRequest where there is no editor, or its name cannot be split."""
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise BadRequest(f"The editor cannot be read as a command: {editor}.", "Mend $VISUAL or $EDITOR.") from error
    if not words:
        words = [_usual()]
    if shutil.which(words[0]) is None:
        raise BadRequest(f"The editor {words[0]} was not found.", "Set $VISUAL or $EDITOR to an installed one.")
    return [*words, *_place(words, path, line)]


def start(words: Sequence[str]) -> None:
    """Runs it to its end, on the terminal even where stdin is a pipe; BadRequest where it cannot be started."""
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            with suppress(OSError), Path("/dev/tty").open("rb") as terminal:
                subprocess.run(words, stdin=terminal, env=environment(), check=False)
                return
        subprocess.run(words, env=environment(), check=False)
    except OSError as error:
        raise BadRequest(f"{words[0]} could not be started: {error.strerror}.", "Check $VISUAL and $EDITOR.") from error


def _usual() -> str:
    found = next((name for name in ("vi", "nano") if shutil.which(name)), None)
    if found is None:
        raise BadRequest("No editor is named.", "Set $VISUAL or $EDITOR, such as EDITOR=nano.")
    return found


def _place(words: Sequence[str], path: Path, line: int) -> list[str]:
    name = PurePath(words[0]).name.lower()
    if name in _COLON:
        goto = [] if {"-g", "--goto"} & set(words) else ["-g"]
        return [*goto, f"{path}:{line}"]
    if name in _SUFFIX:
        return [f"{path}:{line}"]
    if name in _OPTION:
        return [_OPTION[name], str(line), str(path)]
    if name in _BARE:
        return [f"+{line}", str(path)]
    return [f"+{line}", "--", str(path)]  # vi's way, which nearly every other editor follows
