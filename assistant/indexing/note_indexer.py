"""The notes at one moment → the text of the index's next generation: what changed is indexed and published."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import UnreadableNotes
from assistant.indexing.changes import Diff, NotesSnapshot, diff
from assistant.indexing.report import BuildReport, Progress
from assistant.notes import chunker, chunks
from assistant.notes import folder as notes_folder
from assistant.records import Note, NoteFile
from assistant.storage import IndexedNote, Writer
from assistant.topics import concept_matcher, extraction, vocabulary


@dataclass(slots=True)
class _Pass:
    """One pass over the notes."""

    writer: Writer
    moment: int
    """When the notes' stats were taken, in nanoseconds since the epoch."""
    diff: Diff
    everything: bool
    """Whether notes are indexed again though their content is the same."""
    differing: int = 0
    """Notes that are not what they were."""
    refused: int = 0
    """Notes that cannot be read."""
    vanished: set[str] = field(default_factory=set)
    """Paths that were removed during the pass."""


@dataclass(slots=True)
class NoteIndexer:
    """Of one build; counts in `report` what it does."""

    folder: Path
    identity: str
    """Of the encoder."""
    report: BuildReport
    progress: Progress
    _concepts: tuple[vocabulary.Concept, ...] | None = None
    _matcher: concept_matcher.ConceptMatcher | None = None
    _indexed: set[str] = field(default_factory=set)
    """Notes that were added or changed: the next pass finds them unchanged."""

    def publish(self, writer: Writer, notes: NotesSnapshot, moment: int, *, full: bool) -> None:
        """Indexes what changed since the last generation and publishes it, where anything did. `moment` is when the
        notes' stats were taken, in nanoseconds since the epoch; `full` indexes all anew. UnreadableNotes where no note
        at all can be read."""
        changes = diff(notes, writer, self.identity)
        reason = "Everything was rebuilt, as requested." if full and writer.generation else changes.outdated
        self.report.reason = self.report.reason or reason
        if reason:
            writer.begin(self.identity, notes.versions)
            self._concepts = self._matcher = None
        if full:
            writer.start_over()
        if not changes.indexed:
            self.report.salvaged = writer.texts.salvage()
        differing = self._index_notes(notes, _Pass(writer, moment, changes, everything=bool(reason)))
        if differing or reason:
            self._match(writer, everything=bool(reason))
            writer.publish()
        else:
            writer.keep()
        self.report.generation = writer.generation

    def _index_notes(self, notes: NotesSnapshot, this: _Pass) -> int:
        """Puts, keeps or drops every note; how many are not what they were."""
        changes, report = this.diff, self.report
        report.unchanged, report.warnings = 0, list(notes.warnings)
        to_read = {file.path for file in (*changes.added, *changes.changed, *changes.unsettled)}
        for number, file in enumerate(notes.files, 1):
            if this.everything or file.path in to_read:
                self.progress("Reading notes", number, len(notes.files))
                self._index_note(file, this)
            elif changes.indexed[file.path].reason:
                this.refused += 1
            else:
                report.unchanged += file.path not in self._indexed
        if this.refused and this.refused + len(this.vanished) == len(notes.files):
            raise UnreadableNotes(f"Not one of the notes in {self.folder} can be read.", "Check their permissions.")
        for path in sorted({*changes.removed, *(this.vanished & changes.indexed.keys())}):
            this.writer.notes.drop(path)
            report.removed += not changes.indexed[path].reason
            this.differing += 1
        report.warnings += [f"{path} {reason}" for path, reason in this.writer.notes.refused()]
        return this.differing

    def _index_note(self, file: NoteFile, this: _Pass) -> None:
        """Reads one note that may have changed, and replaces what is indexed of it where it did."""
        report, writer = self.report, this.writer
        entry = this.diff.indexed.get(file.path)
        was_readable = entry is not None and not entry.reason
        try:
            note = notes_folder.read(self.folder, file.path)
        except notes_folder.UnreadableNote as error:
            if isinstance(error.__cause__, FileNotFoundError):
                this.vanished.add(file.path)  # since its stat was taken: that is no note that cannot be read
                return
            this.refused += 1
            this.differing += entry is None or entry.reason != error.reason
            report.removed += was_readable
            writer.notes.refuse(file, this.moment, error.reason)
            return
        same = entry is not None and entry.digest == note.digest
        if same and not this.everything:
            report.unchanged += file.path not in self._indexed
            writer.notes.touch(file, this.moment)
            return
        this.differing += 1
        report.reused += writer.notes.put(_indexed(note, file, this.moment, self._concept_matcher()))
        report.added += not was_readable
        report.changed += was_readable and not same
        report.unchanged += same
        if not same:
            self._indexed.add(file.path)

    def _match(self, writer: Writer, *, everything: bool) -> None:
        """Compares the topics that are new, or all of them, with the vocabulary."""
        if everything:
            writer.concepts.forget_matches()
        keys = writer.concepts.unmatched()
        concepts, matcher = self._vocabulary(), self._concept_matcher()
        writer.concepts.set_concepts(
            keys,
            {key: matcher.matches(key) for key in keys},
            {concept.name: concept.sentences[: vocabulary.EMBEDDED] for concept in concepts},
            lambda names: vocabulary.term_weights(concepts, names),
        )

    def _vocabulary(self) -> tuple[vocabulary.Concept, ...]:
        """Read once a build."""
        if self._concepts is None:
            try:
                self._concepts = vocabulary.concepts(self.folder)
            except vocabulary.VocabularyError as error:
                self.report.warnings.append(f"{error} The file is ignored until that is fixed.")
                self._concepts = vocabulary.concepts()
        return self._concepts

    def _concept_matcher(self) -> concept_matcher.ConceptMatcher:
        if self._matcher is None:
            self._matcher = concept_matcher.matcher(self._vocabulary())
        return self._matcher


def _indexed(note: Note, file: NoteFile, moment: int, matcher: concept_matcher.ConceptMatcher) -> IndexedNote:
    # Here, so that comparing notes that did not change loads no parser.
    from assistant.notes import markdown

    outline = markdown.outline(note)
    passages = chunker.passages(outline, note)
    around = chunks.chunks(outline, passages)
    return IndexedNote(
        *(file, moment, note, outline),
        passages=passages,
        embedded=tuple(chunker.embedded(passage) for passage in passages),
        mentions=extraction.mentions(passages, matcher),
        chunks=around,
        embedded_chunks=tuple(chunks.embedded(chunk) for chunk in around),
    )
