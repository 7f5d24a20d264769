"""stdout and stderr: one module writes to them, and nothing reaches a terminal raw."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TextIO

from assistant.errors import AssistantError, Exit
from assistant.text import sanitize

_OFTEN = 0.1
"""Seconds between two states of a progress line on a terminal."""
_SELDOM = 10.0
"""The same where stderr is a file or a pipe."""


class _State:
    line_open = False
    """Whether a progress line stands on the terminal, which whatever comes next must take away."""


_state = _State()


class Unwritten(AssistantError):
    """stdout took no more; whoever reads it is still there, so this is no closed pipe."""

    exit = Exit.CANNOT


def write(text: str) -> None:
    """Writes to stdout and flushes; BrokenPipeError where the reader has gone, Unwritten for a full disk."""
    if sys.stdout is None:
        raise Unwritten("stdout is closed.", "Open it, or read the answer from a file.")
    end_line()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise Unwritten(
            f"The answer could not be written: {error.strerror}.", "Free some space, or write elsewhere."
        ) from error


def say(text: str, *, lines: bool = False) -> None:
    """One line (or `lines`) on stderr; lost without a word where that is closed."""
    end_line()
    try:
        sys.stderr.write((sanitize.block(text) if lines else sanitize.line(text)) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


def end_line() -> None:
    """Takes the progress line away."""
    if _state.line_open:
        _state.line_open = False
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def silence() -> None:
    """What is still buffered for a reader who has gone must not become an error at the end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none."""
    return _columns(sys.stdout)


def on_terminal() -> bool:
    """Whether stderr is a terminal that can rewrite its lines."""
    return _columns(sys.stderr) is not None and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def _columns(stream: TextIO | None) -> int | None:
    try:
        return (os.get_terminal_size(stream.fileno()).columns or 80) if stream and stream.isatty() else None
    except (OSError, ValueError):
        return None


class Progress:
    """Steps that take long, on stderr: one line rewritten on a terminal; elsewhere only what does not count, a line now
    and then.

    Call it with what is being done and, where it counts, how far it is.
    """

    def __init__(self) -> None:
        self._live = sys.stderr is not None and sys.stderr.isatty()
        self._step = ""
        self._began = 0.0
        self._next = 0.0

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        now = time.monotonic()
        if what != self._step:
            self._step, self._began, self._next = what, now, now
        if now < self._next or (of and not self._live):
            return
        self._next = now + (_OFTEN if self._live else _SELDOM)
        self._show(what + _how_far(done, of, now - self._began))

    def _show(self, text: str) -> None:
        shown = sanitize.line(text)
        if self._live:
            columns = _columns(sys.stderr) or 80
            self._put(f"\r{sanitize.clip(shown, columns - 1)}\x1b[K")
            _state.line_open = True
        else:
            self._put(shown + "\n")

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            self._live = False


def _how_far(done: int, total: int, seconds: float) -> str:
    if not total:
        return " …"
    left = f", {_span(seconds / done * (total - done))} left" if done and seconds > 1 else ""
    return f" {done:,} of {total:,}{left}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
