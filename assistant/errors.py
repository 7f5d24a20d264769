"""Exceptions whose text ends with the next step."""

from __future__ import annotations

from assistant.exit_codes import Exit


class AssistantError(Exception):
    """An error that the user can fix: one sentence on what is wrong and, apart, the next step.

    Messages keep raw names; what shows them passes them through `text.sanitize`.
    """

    code: str = "internal"
    exit: Exit = Exit.BUG

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint


class BadRequest(AssistantError):
    """An option, a batch line or a setting that cannot be meant."""

    code = "bad_request"
    exit = Exit.USAGE


class EmptyQuestion(AssistantError):
    """Nothing but blanks and control characters was asked."""

    code = "empty_question"
    exit = Exit.USAGE


class NoNotes(AssistantError):
    """No folder of notes, or none with a note in it."""

    code = "no_notes"
    exit = Exit.CANNOT


class UnreadableNotes(AssistantError):
    """Notes are there, and not one of them can be read."""

    code = "unreadable_notes"
    exit = Exit.CANNOT


class IndexUnusable(AssistantError):
    """The index can be neither read nor rebuilt."""

    code = "index_unusable"
    exit = Exit.CANNOT


class Broken(AssistantError):
    """A library that the program needs is missing or cannot be loaded."""

    exit = Exit.CANNOT


class ModelUnusable(AssistantError):
    """The embedding model is missing, damaged, or of a kind that cannot be used."""

    code = "model_unusable"
    exit = Exit.CANNOT
