"""The notes at one moment → the text of the index's next generation: what changed is taken in and published."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import NoNotes, UnreadableNotes
from assistant.indexing.changes import settled, versions
from assistant.indexing.report import BuildReport, Progress
from assistant.notes import chunker
from assistant.notes import folder as notes_folder
from assistant.records import Note, NoteFile
from assistant.storage import IndexedNote, StoredNote, Writer
from assistant.topics import extraction, vocabulary


@dataclass(frozen=True, slots=True)
class NotesSnapshot:
    """The notes at one moment."""

    files: tuple[NoteFile, ...]
    warnings: tuple[str, ...]
    moment: int
    versions: str

    @classmethod
    def now(cls, folder: Path, skip: Collection[Path], clock: Callable[[], int]) -> NotesSnapshot:
        """By stat alone; NoNotes where there are none."""
        moment = clock()
        scan = notes_folder.scan(folder, skip)
        if not scan.files:
            raise NoNotes(f"There are no notes in {folder}.", "Point --notes at a folder with .md files.")
        return cls(scan.files, scan.warnings, moment, versions(folder))


@dataclass(slots=True)
class _Counts:
    """Of one pass over the notes."""

    differ: int = 0
    """Notes that are not what they were."""
    refused: int = 0
    """Notes that cannot be read."""
    gone: set[str] = field(default_factory=set)
    """Paths that went away under the pass."""


@dataclass(slots=True)
class Intake:
    """Of one build; counts in `report` what it does."""

    folder: Path
    identity: str
    """Of the encoder."""
    report: BuildReport
    progress: Progress
    _concepts: tuple[vocabulary.Concept, ...] | None = None
    _spotter: vocabulary.Spotter | None = None
    _taken: set[str] = field(default_factory=set)
    """Notes that were added or changed: the next look finds them unchanged."""

    def publish(self, writer: Writer, look: NotesSnapshot, *, full: bool) -> None:
        """Takes in what changed since the last generation and publishes it, where anything did."""
        known = writer.note_files()
        reason = self._reason(writer, look, full)
        self.report.reason = self.report.reason or reason
        if reason:
            writer.begin(self.identity, look.versions)
            self._concepts = self._spotter = None
        if full:
            writer.start_over()
        if not known:
            self.report.salvaged = writer.texts.salvage()
        changed = self._take(writer, look, known, everything=bool(reason))
        if changed or reason:
            self._match(writer, everything=bool(reason))
            writer.publish()
        else:
            writer.keep()
        self.report.generation = writer.state.generation

    def _reason(self, writer: Writer, look: NotesSnapshot, full: bool) -> str:
        """Why no note can be left as it is indexed."""
        state = writer.state
        if state.generation == 0:
            return "There was no index yet."
        if full:
            return "Everything was built again, as asked."
        if state.identity != self.identity:
            return "The index was made by another model, so everything was built again."
        if state.versions.partition(" ")[0] != look.versions.partition(" ")[0]:
            return "The index was made by another version of this program, so everything was built again."
        if state.versions != look.versions:
            return "The vocabulary has changed, so topics were looked for again."
        return ""

    def _take(self, writer: Writer, look: NotesSnapshot, known: dict[str, StoredNote], *, everything: bool) -> int:
        """Puts, keeps or drops every note; how many are not what they were."""
        counts, report = _Counts(), self.report
        report.unchanged, report.warnings = 0, list(look.warnings)
        for number, file in enumerate(look.files, 1):
            entry = known.get(file.path)
            if entry is not None and not everything and settled(entry, file):
                counts.refused += bool(entry.reason)
                report.unchanged += not entry.reason and file.path not in self._taken
                continue
            self.progress("Reading notes", number, len(look.files))
            self._take_note(writer, look.moment, file, entry, counts, everything=everything)
        if counts.refused and counts.refused + len(counts.gone) == len(look.files):
            raise UnreadableNotes(f"Not one of the notes in {self.folder} can be read.", "Check their permissions.")
        for path in sorted(known.keys() - ({file.path for file in look.files} - counts.gone)):
            writer.notes.drop(path)
            report.removed += not known[path].reason
            counts.differ += 1
        report.warnings += [f"{path} {reason}" for path, reason in writer.notes.refused()]
        return counts.differ

    def _take_note(
        self,
        writer: Writer,
        moment: int,
        file: NoteFile,
        entry: StoredNote | None,
        counts: _Counts,
        *,
        everything: bool,
    ) -> None:
        """Reads one note that may have changed, and puts it in the place of `entry` where it did."""
        report = self.report
        try:
            note = notes_folder.read(self.folder, file.path)
        except notes_folder.UnreadableNote as error:
            if isinstance(error.__cause__, FileNotFoundError):
                counts.gone.add(file.path)  # between the look and this: it is no note that cannot be read
                return
            counts.refused += 1
            counts.differ += entry is None or entry.reason != error.reason
            report.removed += entry is not None and not entry.reason
            writer.notes.refuse(file, moment, error.reason)
            return
        same = entry is not None and entry.digest == note.digest
        if same and not everything:
            report.unchanged += file.path not in self._taken
            writer.notes.touch(file, moment)
            return
        counts.differ += 1
        report.reused += writer.notes.put(_indexed(note, file, moment, self._spotting()))
        report.added += entry is None or bool(entry.reason)
        report.changed += entry is not None and not entry.reason and not same
        report.unchanged += same
        if not same:
            self._taken.add(file.path)

    def _match(self, writer: Writer, *, everything: bool) -> None:
        """Compares the topics that are new, or all of them, with the vocabulary."""
        if everything:
            writer.concepts.forget_matches()
        keys = writer.concepts.unmatched()
        known, spotter = self._known(), self._spotting()
        writer.concepts.set_concepts(
            keys,
            {key: spotter.matches(key) for key in keys},
            {concept.name: concept.sentences[: vocabulary.EMBEDDED] for concept in known},
            lambda names: vocabulary.words(known, names),
        )

    def _known(self) -> tuple[vocabulary.Concept, ...]:
        """The vocabulary, read once a build."""
        if self._concepts is None:
            try:
                self._concepts = vocabulary.concepts(self.folder)
            except vocabulary.VocabularyError as error:
                self.report.warnings.append(f"{error} The file is left out until that is mended.")
                self._concepts = vocabulary.concepts()
        return self._concepts

    def _spotting(self) -> vocabulary.Spotter:
        if self._spotter is None:
            self._spotter = vocabulary.spotter(self._known())
        return self._spotter


def _indexed(note: Note, file: NoteFile, moment: int, spotter: vocabulary.Spotter) -> IndexedNote:
    # Here, so that a look at notes that did not change loads no parser.
    from assistant.notes import markdown

    outline = markdown.outline(note)
    found = chunker.passages(outline, note)
    embedded = tuple(chunker.embedded(passage) for passage in found)
    return IndexedNote(file, moment, note, outline, found, embedded, extraction.mentions(found, spotter))
