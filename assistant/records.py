"""The frozen records that travel between the stages; no stage knows another, all know these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NewType

LineNumber = NewType("LineNumber", int)
"""1-based line of a note, as an editor shows it."""

PassageId = NewType("PassageId", int)
"""Row id of a passage in the store; stable only within one generation."""

ChunkId = NewType("ChunkId", int)
"""The same of a chunk."""

BlockKind = Literal[
    "heading", "paragraph", "item", "row", "fence", "code", "html", "rule", "front_matter", "reference", "marker"
]
"""A marker is a line that tells a site generator what to do: an include, the line that opens an admonition or a tab."""
PassageKind = Literal[
    "heading", "label", "paragraph", "definition", "item", "pair", "row", "tree", "fence", "step", "code", "pointer"
]
NAMING_KINDS: frozenset[PassageKind] = frozenset(("heading", "label", "pointer"))
"""Kinds of passages that only name what stands below them or elsewhere, and say nothing themselves."""
Outcome = Literal["answered", "partial", "not_in_notes"]
LEFT_OUT: Mapping[str, bool] = {"left_out": True}
"""Metadata of a field that JSON has only where it is not None."""
Stage = Literal["found", "read"]
"""What is done of an answer: candidates are retrieved; the reader has read the first of them."""


@dataclass(frozen=True, slots=True)
class NoteFile:
    """What one look at the folder says of a note, without opening it."""

    path: str
    """Relative to the notes folder, `/` on every platform."""
    size: int
    """Bytes."""
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Note:
    """One note as read: its lines carry no line ends and no BOM; undecodable notes never become one."""

    path: str
    lines: tuple[str, ...]
    """Split at `\\n`, `\\r\\n`, `\\r` only; a final line end opens no further line."""
    digest: str
    """SHA-256 of the file's bytes, hex."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines of a section that markdown-it calls one thing; its text is its lines."""

    kind: BlockKind
    start: LineNumber
    end: LineNumber
    """Inclusive."""
    plain: str = ""
    """Inline text without marks, links' targets and line breaks; for a fence its content, dedented; for a marker the
    title of what it opens, "" where that says no more than "Note"."""
    lead: str = ""
    """The bold run that opens the block, without its marks; "" where it opens with anything else."""
    info: str = ""
    """A fence's whole info string."""
    body: tuple[LineNumber, LineNumber] | None = None
    """A fence's first and last line between its marks; None for an empty fence and other kinds."""
    depth: int = 0
    """Nesting of list items: 0 outside lists, 1 for an item of an outer list."""
    parent: int | None = None
    """Position, within the section's blocks, of the item or the admonition, tab or directive this block stands in."""
    header: tuple[str, ...] = ()
    """A table row's column names, plain."""
    cells: tuple[str, ...] = ()
    """A table row's cells, plain."""
    contents: bool = False
    """Whether it belongs to a table of contents (a list all of whose items link to anchors of this note)."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (or the text before the first one) with everything up to the next heading."""

    heading_path: tuple[str, ...]
    """Plain headings from the note's title down, never empty."""
    anchor: str
    """GitHub's slug of the last heading, duplicates numbered; "" for text before the first heading."""
    level: int
    """1 to 6; 0 for text before the first heading."""
    start: LineNumber
    end: LineNumber
    """Inclusive; `end == start - 1` only for an empty note."""
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A note's sections in order; together they cover every line exactly once."""

    path: str
    title: str
    """Its first H1, else front matter's title, else the file name without suffix."""
    titled: bool
    """False where the title is only the file name: shown, but neither embedded nor searched."""
    tags: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where a fence does not parse."""

    line: LineNumber
    message: str


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is found and quoted: a few lines of one note that say one thing."""

    path: str
    heading_path: tuple[str, ...]
    anchor: str
    kind: PassageKind
    label: str
    """The bold line, item or heading question that introduces it; "" for none."""
    start: LineNumber
    end: LineNumber
    text: str
    """What is searched: plain text without marks (a step: its comment and its code lines; a row: with column names)."""
    titled: bool = True
    """False where `heading_path[0]` is only a file name."""
    fence: tuple[LineNumber, LineNumber] | None = None
    """The lines between the marks of the fence it stands in."""
    info: str = ""
    """That fence's info string."""
    problems: tuple[Problem, ...] | None = None
    """For kind `fence`: where it does not parse; None where it was not checked."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The context of passages: a section, or neighbouring blocks of a long one."""

    path: str
    heading_path: tuple[str, ...]
    anchor: str
    start: LineNumber
    end: LineNumber
    """Inclusive; every passage stands, with all of its lines, in one chunk."""
    text: str
    """Its blocks as plain text, a line break between two, without the heading; "" where there is but a heading."""
    titled: bool = True
    """False where `heading_path[0]` is only a file name."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name the notes use for something that a question may ask for, where it stands."""

    name: str
    """As the notes write it; at most six words."""
    kind: str
    """Where it was found: heading, label, definition, target, resource, comment, identifier, phrase."""
    start: LineNumber
    end: LineNumber
    """The passage (by its lines) that speaks for it."""


class Hit(NamedTuple):
    """A passage with its scores for one question; a tuple, since a question makes hundreds."""

    id: PassageId
    passage: Passage
    dense: float | None
    """Cosine with the question, -1 to 1; None while the passage has no vector."""
    lexical: float
    """0 to 1, on the same scale for every question."""
    score: float
    """The fused score on fixed bounds; hits are ordered by `(-score, path, line)`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question and how it is to be answered; the fields of a batch line and the options of `ask`."""

    question: str
    id: str | None = None
    conversation: str | None = None
    """Requests with the same one share context, in the order they are asked."""
    options: Mapping[str, str] | None = None
    """Label to text, in the order given."""
    code: bool = False
    """Whether a snippet is asked for."""
    language: str | None = None
    under: str | None = None
    """A heading, or a path of them joined with ` > `."""
    tag: str | None = None
    limit: int = 8
    """Citations at the most, 1 to 8."""
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """Lines of a note, 1-based and inclusive, under the number (from 1) by which the answer refers to them."""

    number: int
    path: str
    heading_path: tuple[str, ...]
    anchor: str
    start_line: int
    end_line: int
    quote: str
    """Verbatim, a substring of the cited lines joined with `\\n`."""
    stale: bool = False
    url: str | None = field(default=None, metadata=LEFT_OUT)
    """Web address of the heading in the note; None where no address is set for the notes."""


UNSURE = 0.3
"""A verdict less sure than this does not come before the best passage, and is not the subject of later questions."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that may fit, with the citations that speak for it."""

    name: str
    heading_path: tuple[str, ...]
    confidence: float
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """A name that meets a requirement, and the numbers of the citations that say so."""

    name: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RequirementSupport:
    """One requirement of the question, and the names that meet it."""

    text: str
    supported: bool
    support: tuple[Support, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A run of the quotes that it cites by number, without their Markdown."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things that an answer compares, and the numbers of the citations that are of it alone."""

    name: str
    """As the notes write it."""
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A whole fence; `caption` is None where the note gives none, `problems` None where it was not checked."""

    language: str
    """First word of the info string, as written."""
    info: str
    caption: str | None
    code: str
    citation: int
    problems: tuple[Problem, ...] | None


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a multiple-choice question, as given, with its support."""

    label: str
    text: str
    support: float
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IndexState:
    """The state of the index that the answer was made from; generations count from 1."""

    generation: int
    stale: bool
    """True when the answer came from a generation older than the notes."""
    pending: int
    """Passages that still have no vector."""
    committed: str | None = field(default=None, metadata=LEFT_OUT)
    """When the generation was committed (ISO 8601, UTC); None for an index in a folder."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question got; the fields are those of the JSON contract, in its order."""

    question: str
    outcome: Outcome
    standalone_question: str | None = None
    verdict: Candidate | None = None
    alternatives: tuple[Candidate, ...] = ()
    requirements: tuple[RequirementSupport, ...] = ()
    statements: tuple[Statement, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    options: tuple[Option, ...] = ()
    choice: str | None = None
    missing: tuple[str, ...] = ()
    hint: str | None = None
    citations: tuple[Citation, ...] = ()
    warnings: tuple[str, ...] = ()
    elapsed_ms: float = 0.0
    notes: str = ""
    """Absolute path of the notes folder; "" where the notes were read from the index alone."""
    index: IndexState = field(default_factory=lambda: IndexState(0, False, 0))
    id: str | None = None
    explain: Mapping[str, object] | None = None
    sides: tuple[Side, Side] | None = None
    """Of a comparison, in the order of the question; citations of both sides are in neither."""


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """Lines of a note that a search found, 1-based and inclusive."""

    path: str
    heading_path: tuple[str, ...]
    anchor: str
    kind: PassageKind
    start_line: int
    end_line: int
    quote: str
    """Those lines, verbatim, joined with `\\n`."""
    score: float
    """0 to 1, on fixed bounds: comparable between searches."""
    stale: bool = False
    """True where the note no longer says so on these lines."""
    url: str | None = field(default=None, metadata=LEFT_OUT)
    """As that of a citation."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The passages that one search found, best first."""

    query: str
    passages: tuple[FoundPassage, ...]
    warnings: tuple[str, ...] = ()
    elapsed_ms: float = 0.0
    notes: str = ""
    """Absolute path of the notes folder; "" where the notes were read from the index alone."""
    index: IndexState = field(default_factory=lambda: IndexState(0, False, 0))
