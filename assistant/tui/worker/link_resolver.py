"""Links of the notes, in the engine's thread: where one leads, and which lines link to a note."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.notes.link_targets import InNotes, LinkTargets, Outside, Target, section
from assistant.records import NoteFile
from assistant.tui.worker.job_queue import JobQueue, Post
from assistant.tui.worker.messages import BacklinksAwaited, BacklinksRead, LinkResolved

if TYPE_CHECKING:
    from assistant.engine import Engine
    from assistant.notes.link_lines import LineLink
    from assistant.records import Section

_SLICE = 50
"""Notes that are read in one job, so that a question never waits for more."""
_SLICE_BYTES = 2_000_000
"""Of the notes of one job, but for a larger note."""


class Backlink(NamedTuple):
    """A line of a note that links to another."""

    path: str
    line: int
    """1-based."""
    text: str
    """Of the line, raw."""


@dataclass(slots=True)
class _Search:
    """For the links to one note."""

    number: int
    path: str
    targets: LinkTargets
    slices: Iterator[Sequence[NoteFile]]
    """The notes that are still to be read."""
    found: list[Backlink] = field(default_factory=list)

    def wants(self, link: LineLink, file: NoteFile) -> bool:
        """Whether a link of a note leads to the one that is looked for."""
        target = self.targets.target(link.target, file.path)
        return isinstance(target, InNotes) and target.path == self.path


class LinkResolver:
    """Only links to notes of the folder itself lead anywhere, as its files are now, or to notes of the index where no
    folder is named."""

    def __init__(self, engine: Callable[[], Engine], jobs: JobQueue, post: Post) -> None:
        self._engine = engine
        self._jobs = jobs
        self._post = post
        self._links: dict[NoteFile, tuple[tuple[LineLink, str], ...]] = {}
        """The links of each note, with their lines, for as long as its file stays as it is."""
        self._search = 0
        """The newest search for links to a note; older ones end."""

    def resolve(self, link: str, source: str) -> None:
        """`link` is as in `DisplaySpan.target`, `source` the path of its note; brings LinkResolved."""
        self._jobs.put(lambda: self._resolve(link, source))

    def read_backlinks(self, path: str) -> None:
        """Brings BacklinksRead for the note at a path, BacklinksAwaited before it where there are many notes."""
        self._search += 1
        number = self._search
        self._jobs.put(lambda: self._begin_search(path, number))

    def _resolve(self, link: str, source: str) -> None:
        target = self._inside(self._targets(self._files()).target(link, source), link)
        found = self._section(target)
        if found is None:
            self._post(LinkResolved(source, target))
        else:
            self._post(LinkResolved(source, target, found.heading_path, found.start))

    def _files(self) -> Sequence[NoteFile]:
        return self._engine().files()

    def _targets(self, files: Sequence[NoteFile]) -> LinkTargets:
        return LinkTargets((file.path for file in files), self._titles)

    def _titles(self) -> Mapping[str, str]:
        titles = dict[str, str]()
        for heading in self._engine().headings():
            titles.setdefault(heading.path, heading.heading_path[0])
        return titles

    def _inside(self, target: Target, link: str) -> Target:
        """As it is, or outside for a note that a symbolic link brings into the folder."""
        if isinstance(target, InNotes) and not self._is_inside(target.path):
            return Outside(link)
        return target

    def _is_inside(self, path: str) -> bool:
        """A note that is read from the index is."""
        folder = self._engine().folder
        return folder is None or lies_in(folder, path)

    def _section(self, target: Target) -> Section | None:
        """The section that the fragment of a target in the notes names."""
        from assistant.notes import markdown

        if not isinstance(target, InNotes) or not target.fragment:
            return None
        return section(markdown.outline(self._engine().note(target.path)).sections, target.fragment)

    # Links to a note.

    def _begin_search(self, path: str, number: int) -> None:
        files = self._files()
        self._links = {file: self._links[file] for file in files if file in self._links}
        unread = sum(file not in self._links for file in files)
        if unread > _SLICE:
            self._post(BacklinksAwaited(path, unread))
        slices = _slices([file for file in files if file.path != path])
        self._read_slice(_Search(number, path, self._targets(files), slices))

    def _read_slice(self, search: _Search) -> None:
        if search.number != self._search:
            return
        files = next(search.slices, None)
        if files is None:
            self._post(BacklinksRead(search.path, search.found))
            return
        for file in files:
            lines = {link.line: text for link, text in self._links_of(file) if search.wants(link, file)}
            search.found += (Backlink(file.path, line, text) for line, text in lines.items())
        self._jobs.put(lambda: self._read_slice(search))

    def _links_of(self, file: NoteFile) -> Sequence[tuple[LineLink, str]]:
        """None for a note that cannot be read or lies outside the folder."""
        from assistant.notes import link_lines

        if file not in self._links:
            lines = self._engine().lines(file.path) if self._is_inside(file.path) else ()
            self._links[file] = tuple((link, lines[link.line - 1]) for link in link_lines.links(lines))
        return self._links[file]


def lies_in(notes: Path, path: str) -> bool:
    """Whether a note's file is in the folder, links of the file system followed."""
    try:
        return (notes / path).resolve().is_relative_to(notes.resolve())
    except (OSError, RuntimeError):
        return False


def _slices(files: Sequence[NoteFile]) -> Iterator[Sequence[NoteFile]]:
    taken, size = list[NoteFile](), 0
    for file in files:
        if taken and (len(taken) == _SLICE or size + file.size > _SLICE_BYTES):
            yield taken
            taken, size = [], 0
        taken.append(file)
        size += file.size
    if taken:
        yield taken
