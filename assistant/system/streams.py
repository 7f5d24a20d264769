"""stdout and stderr: the one module that writes to them; what goes to stderr is made safe for a terminal here."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from assistant.errors import AssistantError
from assistant.exit_codes import Exit
from assistant.text import sanitize


class _State:
    progress_shown = False
    """Whether the last line of the terminal is a progress line, which the next output has to clear."""


_state = _State()


class Unwritten(AssistantError):
    """stdout is closed or its disk is full. Not for a pipe that its reader closed, which is a BrokenPipeError."""

    exit = Exit.CANNOT


def write(text: str) -> None:
    """Writes to stdout and flushes; BrokenPipeError where the reader has closed the pipe, Unwritten for a full disk."""
    if sys.stdout is None:
        raise Unwritten("stdout is closed.", "Redirect it to a file or a pipe.")
    clear_progress()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
        raise Unwritten(
            f"The answer could not be written: {error.strerror}.", "Free some space, or write elsewhere."
        ) from error


def say(text: str, *, lines: bool = False) -> None:
    """Writes one line to stderr, or several where `lines`; does nothing where stderr is closed."""
    clear_progress()
    _to_stderr((sanitize.block(text) if lines else sanitize.line(text)) + "\n")


def show_progress(text: str) -> None:
    """Puts a progress line on the terminal, clipped to its width, in place of the last one; the next output clears it.
    Only for a stderr that is a terminal."""
    columns = _columns(sys.stderr) or 80
    _to_stderr(f"\r{sanitize.clip(sanitize.line(text), columns - 1)}\x1b[K")
    _state.progress_shown = True


def clear_progress() -> None:
    """Takes the progress line away, if there is one."""
    if _state.progress_shown:
        _state.progress_shown = False
        _to_stderr("\r\x1b[K")


def discard_stdout() -> None:
    """Sends what is still buffered for stdout nowhere, so that it cannot fail when the process ends."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        pass


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none."""
    return _columns(sys.stdout)


def can_rewrite_lines() -> bool:
    """Whether stderr is a terminal that can rewrite its lines."""
    return _columns(sys.stderr) is not None and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def interactive() -> bool:
    """Whether stdin, stdout and stderr are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _to_stderr(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _columns(stream: TextIO | None) -> int | None:
    try:
        return (os.get_terminal_size(stream.fileno()).columns or 80) if stream and stream.isatty() else None
    except (OSError, ValueError):
        return None
