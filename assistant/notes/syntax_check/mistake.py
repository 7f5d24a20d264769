"""What a check of one language gives: a mistake with its row, or that the code cannot be judged."""

from __future__ import annotations

from collections.abc import Callable

Mistake = tuple[int, str]
"""0-based row and message."""
Check = Callable[[str], Mistake | None]
"""Dedented code → its first mistake, None where it parses; raises where the code cannot be judged."""


class Fragment(Exception):
    """Code that was never meant to stand alone."""
