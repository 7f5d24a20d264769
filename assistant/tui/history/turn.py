"""A question with its answer, as the chat keeps it: on the screen, in the session file, in a saved Markdown file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assistant.records import Answer

State = Literal["running", "waiting", "answered", "failed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation."""

    number: int
    """Counts the questions since the chat was opened, from 1; negative for turns of earlier sessions."""
    question: str
    under: tuple[str, ...] = ()
    """The heading path the question was confined to."""
    state: State = "running"
    answer: Answer | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the cited notes when it was answered, by path."""
    changed: bool = False
    """Whether lines that it quotes have changed since."""
    holds: bool = False
    """Whether a cited note has changed since, and all that is quoted still stands in it."""
    reason: str = ""
    """Why it waits or failed, raw."""
