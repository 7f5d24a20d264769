"""The headings of the notes → a tree of entries: each note, its headings below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading


@dataclass(eq=False, slots=True)
class Entry:
    """A note (whose heading path is empty) or one of its headings; all texts are raw."""

    path: str
    heading_path: tuple[str, ...]
    line: int
    """Where it begins, from 1."""
    parent: Entry | None
    name: str
    """The last heading, or the note's path, with its case folded."""
    children: list[Entry] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The last heading, or the note's path."""
        return self.heading_path[-1] if self.heading_path else self.path

    @property
    def ancestors(self) -> Iterator[Entry]:
        """From its parent up to its note."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def scope(self) -> tuple[str, ...]:
        """The heading path that a question under it is confined to: of a note its title.

        Empty for a note that has several headings at the top, or none.
        """
        if self.heading_path:
            return self.heading_path
        return self.children[0].heading_path if len(self.children) == 1 else ()


@dataclass(frozen=True, slots=True)
class Matches:
    """The entries that have all the words, themselves or in what stands above them."""

    entries: Sequence[Entry]
    """By note and line."""
    first: Entry | None
    """The first that has all words in its own name, else the first of all."""


class Outline:
    """Every note that has a heading, and every heading, by note and line."""

    def __init__(self, headings: Iterable[Heading]) -> None:
        """`headings` by note and line; one whose parents are not among them gets parents at its own line."""
        self.notes: list[Entry] = []
        self.entries: list[Entry] = []
        """Notes and headings, each note before its headings."""
        open_entries: list[Entry] = []
        for heading in headings:
            if not open_entries or open_entries[0].path != heading.path:
                open_entries = [self._add(heading.path, (), 1, None)]
            depth = 0
            while depth + 1 < min(len(open_entries), len(heading.heading_path)):
                if open_entries[depth + 1].heading_path[-1] != heading.heading_path[depth]:
                    break
                depth += 1
            del open_entries[depth + 1 :]
            for end in range(depth + 1, len(heading.heading_path) + 1):
                entry = self._add(heading.path, heading.heading_path[:end], heading.line, open_entries[-1])
                open_entries.append(entry)

    def with_words(self, typed: str) -> Matches:
        """The entries that have every word of `typed`, case aside, at least one of them in their own name.

        So "queue limits" finds the heading Limits below Queue Service.
        """
        words = typed.casefold().split()
        found: list[Entry] = []
        first: Entry | None = None
        for entry in self.entries:
            missing = [word for word in words if word not in entry.name]
            if not missing:
                first = first or entry
            elif len(missing) == len(words) or not _stand_above(missing, entry):
                continue
            found.append(entry)
        return Matches(found, first or (found[0] if found else None))

    def depth_of(self, most: int) -> int:
        """How many levels of headings can be shown at once in at most `most` rows; 0 for the notes alone."""
        counts: dict[int, int] = {}
        for entry in self.entries:
            depth = len(entry.heading_path)
            counts[depth] = counts.get(depth, 0) + 1
        rows = depth = 0
        for depth in sorted(counts):
            rows += counts[depth]
            if rows > most:
                return max(depth - 1, 0)
        return depth

    def _add(self, path: str, heading_path: tuple[str, ...], line: int, parent: Entry | None) -> Entry:
        name = heading_path[-1] if heading_path else path
        entry = Entry(path, heading_path, line, parent, name.casefold())
        (self.notes if parent is None else parent.children).append(entry)
        self.entries.append(entry)
        return entry


def _stand_above(words: Iterable[str], entry: Entry) -> bool:
    above = [one.name for one in entry.ancestors]
    return all(any(word in name for name in above) for word in words)
