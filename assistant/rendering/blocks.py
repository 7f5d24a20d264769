"""What an answer shows, as frozen records: every text clean, everything decided but its order and how it looks.

`display` makes the list of them; each front end arranges it and turns a kind of block into rows, Markdown or text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.records import Outcome, Problem


@dataclass(frozen=True, slots=True)
class Question:
    """As the user asked it, before any correction."""

    text: str


@dataclass(frozen=True, slots=True)
class Understood:
    """A follow-up as it would stand alone."""

    text: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the notes do not say."""

    outcome: Outcome
    """Not `answered`, but for an answer that names missing terms all the same."""
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """One sentence on what to ask or do next."""

    text: str
    answered: bool
    """Whether the notes answer the question all the same."""


@dataclass(frozen=True, slots=True)
class Name:
    """A candidate: the verdict or an alternative."""

    position: int
    """0 for the verdict, from 1 for the alternatives."""
    name: str
    heading_path: tuple[str, ...]
    strength: str
    """strong, fair or weak."""
    bar: str
    """The same with finer steps, five columns wide, such as `████░`; never empty."""
    citations: tuple[int, ...]
    reason: str
    """The first line of its first citation without the name, else where its heading stands."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best candidate, at position 0."""

    name: Name


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Best first."""

    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Supporter:
    """A name that meets a requirement."""

    name: str
    citations: tuple[int, ...]
    position: int | None
    """Of the candidate with that name; None where the answer has no such candidate."""


@dataclass(frozen=True, slots=True)
class RequirementItem:
    """One demand of the question, with the names that meet it."""

    text: str
    supported: bool
    supporters: tuple[Supporter, ...]


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the question demands; never empty."""

    items: tuple[RequirementItem, ...]


@dataclass(frozen=True, slots=True)
class OptionItem:
    """One option of a multiple-choice question; `best` is True for the chosen one only."""

    label: str
    text: str
    support: str
    """With two decimals, such as `0.87`."""
    citations: tuple[int, ...]
    best: bool


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a multiple-choice question, in its order."""

    items: tuple[OptionItem, ...]
    undecided: bool
    """Whether the notes support none of them."""


@dataclass(frozen=True, slots=True)
class StatementItem:
    """A run of the quotations that are cited by number."""

    text: str
    citations: tuple[int, ...]
    side: int | None = None
    """0 or 1 for a line of one side of a comparison alone."""


@dataclass(frozen=True, slots=True)
class Statements:
    """In the order of the answer; never empty."""

    items: tuple[StatementItem, ...]
    sides: tuple[str, str] | None = None
    """The names of the two sides of a comparison, where each has a line of its own."""

    def of(self, side: int | None) -> tuple[StatementItem, ...]:
        """Those of one side, 0 or 1, or of both (None), in the order of the answer."""
        return tuple(item for item in self.items if item.side == side)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A snippet; an answer has one block for each."""

    position: int
    """Among the answer's snippets, from 0."""
    caption: str
    """"" where the note gives none."""
    heading: str | None
    """The heading that it stands under; None where that is not known."""
    language: str
    """"" where the fence names none."""
    code: str
    citation: int
    problems: tuple[Problem, ...] | None
    """None where it was not checked."""
    first_line: int
    """The note's line that the code begins at; 0 where that is not known."""

    @property
    def title(self) -> str:
        """The caption, else the heading, else `Snippet`."""
        return self.caption or ("Snippet" if self.heading is None else self.heading)

    @property
    def rows(self) -> list[str]:
        """The lines of the code, without empty ones at its end; never none."""
        return self.code.rstrip("\n").split("\n")

    @property
    def syntax(self) -> str:
        """What the parser says of it, in words."""
        if self.problems is None:
            return "not checked"
        if not self.problems:
            return "parses"
        return f"does not parse: line {self.problems[0].line}, {self.problems[0].message}"


@dataclass(frozen=True, slots=True)
class Source:
    """A citation."""

    number: int
    path: str
    line: int
    heading_path: tuple[str, ...]
    anchor: str
    """GitHub's slug of the heading, raw: for links only."""
    stale: bool
    """Whether the note has changed since it was indexed."""
    gist: str
    """The quote's first line that is not blank, without list mark and bold."""
    file: str
    """The note's path as the system knows it, raw whatever the cleaning: for links only."""
    url: str = ""
    """The web address of the heading; "" for none. Where there is one, links lead there and not to the file."""

    @property
    def heading(self) -> str:
        """The last heading, else the path."""
        return self.heading_path[-1] if self.heading_path else self.path


@dataclass(frozen=True, slots=True)
class Sources:
    """The citations by number, never none; not for an answer that is `not_in_notes`, which has `Nearest`."""

    items: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Nearest:
    """In place of the sources where the notes do not answer."""

    items: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Warnings:
    """What the reader should know of the answer or the index, one sentence each; never empty."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AsOf:
    """Which generation of an index that others write the answer is of."""

    text: str
    """Such as `as of generation 12, 2026-11-28 14:02 UTC`."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the answer came about, as an outline; only where the request asked for it."""

    rows: tuple[tuple[int, str], ...]
    """Depth from 0, and text."""


DisplayBlock = (
    Question
    | Understood
    | Shortfall
    | Hint
    | Verdict
    | Alternatives
    | Requirements
    | Options
    | Statements
    | CodeBlock
    | Sources
    | Nearest
    | Warnings
    | AsOf
    | Explanation
)


def arrange(blocks: Iterable[DisplayBlock], order: Sequence[type[DisplayBlock]]) -> list[DisplayBlock]:
    """The blocks of the kinds in `order`, in that order; blocks of one kind keep theirs."""
    shown = [block for block in blocks if type(block) in order]
    return sorted(shown, key=lambda block: order.index(type(block)))


def below_title(heading_path: Sequence[str]) -> str:
    """The headings below the note's title, or the title where it is alone."""
    return " › ".join(heading_path[1:] or heading_path)
