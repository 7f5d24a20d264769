"""What the engine's thread tells the app; all state is kept by who handles them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from assistant.records import Answer, Note

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading, Overview


class Told(Message):
    """Anything the thread says."""


class Seen(Told):
    """What the notes hold now; None where no index is there yet."""

    def __init__(self, overview: Overview | None) -> None:
        super().__init__()
        self.overview = overview


class Progressed(Told):
    """What is being done to the index, for the status line; "" when it is done. Raw text."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said


class Waiting(Told):
    """Why a question is not answered yet."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__()
        self.number = number
        self.said = said


class Started(Told):
    """A question has its turn."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Answered(Told):
    def __init__(
        self, number: int, answer: Answer, digests: Mapping[str, str], colours: Mapping[int, Sequence[Content]]
    ) -> None:
        super().__init__()
        self.number = number
        self.answer = answer
        self.digests = digests
        self.colours = colours


class Inherits(Told):
    """What the next question would lean on; "" for nothing. Raw text."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Failed(Told):
    """A question that could not be answered, with the reason and the next step; raw text."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__()
        self.number = number
        self.said = said


class Trouble(Told):
    """Something that is no question's fault; raw text."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said


class NoteRead(Told):
    """A note for the source pane, or why there is none."""

    def __init__(self, path: str, note: Note | None, said: str = "") -> None:
        super().__init__()
        self.path = path
        self.note = note
        self.said = said


class Coloured(Told):
    """The lines of a fence of a note, from `first` (1-based) on."""

    def __init__(self, digest: str, first: int, lines: Sequence[Content]) -> None:
        super().__init__()
        self.digest = digest
        self.first = first
        self.lines = lines


class SnippetsColoured(Told):
    """The snippets of an answer that came back from an earlier session."""

    def __init__(self, number: int, colours: Mapping[int, Sequence[Content]]) -> None:
        super().__init__()
        self.number = number
        self.colours = colours


class Digested(Told):
    """The digests of notes as they are on disk now."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        super().__init__()
        self.digests = digests


class Headings(Told):
    """Every heading of the notes."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        super().__init__()
        self.headings = headings
