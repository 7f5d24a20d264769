"""A result of the engine → stdout, with its warnings on stderr."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import BadRequest
from assistant.system.settings import named_editor
from assistant.system.streams import discard_stdout, say, write

if TYPE_CHECKING:
    from assistant.engine import Engine


def print_result(engine: Engine, warnings: Sequence[str], text: str) -> bool:
    """Prints both, and leaves the rest of the index to the background; whether anybody reads the text."""
    for warning in warnings:
        say(f"Warning: {warning}")
    try:
        write(text)
    except BrokenPipeError:
        discard_stdout()
        return False
    finally:
        engine.finish_later()
    return True


def open_in_editor(notes: str, path: str, line: int) -> None:
    """Opens a note at a line (1-based) in the user's editor; BadRequest where there is none, or no file: `notes` is ""
    where the notes are in no folder."""
    from assistant.system import editor

    if not notes:
        raise BadRequest(f"There is no file here: {path} was read from the index.", "Name the notes with --notes.")
    editor.start(editor.command(named_editor(os.environ), Path(notes, path), line))
