"""What the threads report to the app; handlers of the app keep all state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from assistant.records import Answer, Candidate
from assistant.tui.source.note_text import Blocks, NoteText

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading, Overview
    from assistant.notes.link_targets import Target
    from assistant.tui.outline import Outline
    from assistant.tui.worker.link_resolver import Backlink


class WorkerMessage(Message):
    """A report of a thread; all its texts are raw."""


@dataclass(eq=False)
class OverviewRead(WorkerMessage):
    """What the notes hold now; None where no index is there yet."""

    overview: Overview | None


@dataclass(eq=False)
class SuggestionsRead(WorkerMessage):
    """Questions to begin with, so far."""

    questions: tuple[str, ...]
    complete: bool
    """Whether no more will come."""


@dataclass(eq=False)
class IndexProgress(WorkerMessage):
    """What is being done to the index, for the status line; "" when nothing is."""

    text: str
    done: int = 0
    of: int = 0
    """0 for a step that does not count."""
    pace: str = ""
    """Its rate and the time that is left."""


@dataclass(eq=False)
class Trouble(WorkerMessage):
    """An error that is no question's own, with the next step."""

    text: str


@dataclass(eq=False)
class QuestionWaiting(WorkerMessage):
    """Why a question is not answered yet."""

    number: int
    reason: str


@dataclass(eq=False)
class QuestionStarted(WorkerMessage):
    """Its turn in the queue has come; sent again when a question that had to wait is tried again."""

    number: int


@dataclass(eq=False)
class QuestionAnswered(WorkerMessage):
    """The record, with what the card needs to show it without reading notes in the app's thread."""

    number: int
    answer: Answer
    digests: Mapping[str, str]
    """Of the cited notes, by path."""
    colours: Mapping[int, Sequence[Content]]
    """A snippet's position in the answer → its lines."""


@dataclass(eq=False)
class QuestionFailed(WorkerMessage):
    """A question that could not be answered, with the reason and the next step."""

    number: int
    reason: str


@dataclass(eq=False)
class FollowUpChecked(WorkerMessage):
    """Whether a text that is being typed would lean on the subject."""

    text: str
    leans: bool


@dataclass(eq=False)
class FollowUpSubject(WorkerMessage):
    """What the next question would lean on; "" for nothing."""

    name: str


@dataclass(eq=False)
class NoteRead(WorkerMessage):
    """A note for the source pane; None where it cannot be read, and why."""

    path: str
    text: NoteText | None
    trouble: str = ""
    blocks: Mapping[int, Blocks] = field(default_factory=dict)
    """What people read in the chunks near the place that is wanted, by position of the chunk."""


@dataclass(eq=False)
class ChunkParsed(WorkerMessage):
    """What people read in one more chunk of a note, by its position."""

    text: NoteText
    chunk: int
    blocks: Blocks


@dataclass(eq=False)
class FenceColoured(WorkerMessage):
    """The lines of a fence of the note with that digest, from the line `first` (1-based) on."""

    digest: str
    first: int
    lines: Sequence[Content]


@dataclass(eq=False)
class SnippetsColoured(WorkerMessage):
    """The snippets of an answer of an earlier session, by position."""

    number: int
    colours: Mapping[int, Sequence[Content]]


@dataclass(eq=False)
class DigestsRead(WorkerMessage):
    """The digests of cited notes as they are on disk now, by path."""

    digests: Mapping[str, str]


@dataclass(eq=False)
class QuotesChecked(WorkerMessage):
    """By the number of an answer's turn, whether all that it quotes from notes that changed still stands in them."""

    standing: Mapping[int, bool]


@dataclass(eq=False)
class NotesGone(WorkerMessage):
    """There is no note left; why, with the next step."""

    text: str


@dataclass(eq=False)
class DocumentationRead(WorkerMessage):
    """The answer to a question about the program, laid out, or why there is none."""

    question: str
    text: str


@dataclass(eq=False)
class OutlineRead(WorkerMessage):
    """The notes and their headings, to browse; sent again where they have changed."""

    outline: Outline


@dataclass(eq=False)
class CandidateLocated(WorkerMessage):
    """Where a candidate's heading stands now; None where it is not found."""

    candidate: Candidate
    heading: Heading | None


@dataclass(eq=False)
class LinkResolved(WorkerMessage):
    """Where a link of the note `source` leads."""

    source: str
    target: Target
    heading_path: tuple[str, ...] = ()
    """Of the heading that the link names; empty for the top of the note."""
    line: int = 1


@dataclass(eq=False)
class BacklinksAwaited(WorkerMessage):
    """The notes are being read for the links to one of them, which takes a while."""

    path: str
    notes: int


@dataclass(eq=False)
class BacklinksRead(WorkerMessage):
    """The lines of other notes that link to the note at `path`, by note and line."""

    path: str
    links: Sequence[Backlink]


@dataclass(eq=False)
class TextCopied(WorkerMessage):
    """A text was handed to a clipboard program; `program` is "" where the terminal must be asked."""

    subject: str
    """What it is a copy of, such as `answer`."""
    text: str
    left_out: int
    """Control characters that it lost."""
    program: str


@dataclass(eq=False)
class AnswersSaved(WorkerMessage):
    """A file was written; `trouble` says why it was not."""

    path: Path
    trouble: str = ""


class SessionForgotten(WorkerMessage):
    """The session file is gone."""


@dataclass(eq=False)
class VocabularyWritten(WorkerMessage):
    """The user's vocabulary has one more sentence, or the trouble why not."""

    trouble: str = ""
