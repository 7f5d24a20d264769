"""Any exception → a sentence on stderr that ends with the next step, an error object under --json, an exit code."""

from __future__ import annotations

import os
from contextlib import suppress

from assistant.errors import AssistantError, Broken
from assistant.system.settings import debugging
from assistant.system.streams import say, write


def report(error: Exception, *, json: bool) -> int:
    """Says what went wrong, on stdout too where `json`; returns the exit code."""
    known = readable(error)
    say(f"Error: {known}")
    if json:
        from assistant.rendering.answer_json import error_json

        with suppress(OSError, AssistantError):
            write(error_json(known) + "\n")
    return known.exit


def readable(error: Exception) -> AssistantError:
    """The error as one that the user can read; the traceback of an internal error is printed under ASSISTANT_DEBUG."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, ImportError) and not (error.name or "").startswith("assistant"):
        reason = (str(error).splitlines() or [""])[0]
        return Broken(f"A required library cannot be loaded ({reason}).", "`assistant doctor` prints the fix.")
    if debugging(os.environ):
        import traceback

        for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
            say(line)
    return AssistantError(
        f"Internal error ({type(error).__name__}: {error}).",
        "Run it again with ASSISTANT_DEBUG=1, and report what it prints.",
    )
