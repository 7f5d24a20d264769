"""The user's editor as a command that opens a file at a line, started without a shell."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from assistant.errors import BadRequest
from assistant.system.process_tuning import users_environment

_GOTO_OPTION = {"code", "codium", "code-insiders", "cursor", "windsurf"}
"""Editors that take `-g file:line`."""
_LINE_SUFFIX = {"subl", "sublime_text", "hx", "helix", "zed", "zeditor", "lapce", "pulsar", "atom"}
"""Editors that take `file:line`."""
_LINE_OPTION = {"kate": "-l", "mate": "-l", "idea": "--line", "pycharm": "--line", "charm": "--line"}
_PLUS_LINE = {"emacs", "emacsclient", "micro", "kak", "gedit", "gnome-text-editor", "xed", "pluma", "mcedit"}
"""Editors that take `+line file`; not every release takes `--`, and an absolute path cannot be an option."""


def command(editor: str, path: Path, line: int) -> list[str]:
    """The words of the command; `editor` is one as a shell would read it, "" for the usual one; `path` is absolute.
    BadRequest where there is no editor, or its name cannot be split."""
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise BadRequest(f"The editor cannot be read as a command: {editor}.", "Fix $VISUAL or $EDITOR.") from error
    if not words:
        words = [_usual_editor()]
    if shutil.which(words[0]) is None:
        raise BadRequest(f"The editor {words[0]} was not found.", "Set $VISUAL or $EDITOR to an installed one.")
    return [*words, *_file_at_line(words, path, line)]


def start(words: Sequence[str]) -> None:
    """Runs the editor to its end, on the terminal even where stdin is a pipe; BadRequest where it cannot be started."""
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            with suppress(OSError), Path("/dev/tty").open("rb") as terminal:
                subprocess.run(words, stdin=terminal, env=users_environment(), check=False)
                return
        subprocess.run(words, env=users_environment(), check=False)
    except OSError as error:
        raise BadRequest(f"{words[0]} could not be started: {error.strerror}.", "Check $VISUAL and $EDITOR.") from error


def _usual_editor() -> str:
    for name in ("vi", "nano"):
        if shutil.which(name):
            return name
    raise BadRequest("No editor is set.", "Set $VISUAL or $EDITOR, such as EDITOR=nano.")


def _file_at_line(words: Sequence[str], path: Path, line: int) -> list[str]:
    name = PurePath(words[0]).name.lower()
    if name in _GOTO_OPTION:
        goto = [] if {"-g", "--goto"} & set(words) else ["-g"]
        return [*goto, f"{path}:{line}"]
    if name in _LINE_SUFFIX:
        return [f"{path}:{line}"]
    if name in _LINE_OPTION:
        return [_LINE_OPTION[name], str(line), str(path)]
    if name in _PLUS_LINE:
        return [f"+{line}", str(path)]
    return [f"+{line}", "--", str(path)]  # vi's way, which nearly every other editor follows
