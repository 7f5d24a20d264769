"""The exit codes of the command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command, documented in the README."""

    ANSWERED = 0
    NOT_IN_NOTES = 1
    USAGE = 2
    CANNOT = 3
    PARTIAL = 4
    BUG = 70
    INTERRUPTED = 130
