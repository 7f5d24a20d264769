"""Changed notes → the next generation of the index, and a report of what changed.

Text first: what the notes say is published (`intake`) before a vector is computed (`embedding`); vectors follow in
batches that are kept as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.indexing.changes import Embed, due, outdated, settled
from assistant.indexing.embedder import Embedding
from assistant.indexing.note_indexer import Intake, NotesSnapshot
from assistant.indexing.report import BuildReport, Progress
from assistant.models.encoder import Encoder
from assistant.notes import folder as notes_folder
from assistant.records import NoteFile
from assistant.storage import (
    Busy,
    DiskFull,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    Store,
    StoredNote,
    StoreError,
    Writer,
    abandoned,
    problems,
)

_LOOK_AGAIN_SECONDS = 3.0
"""How long vectors are computed before the notes are looked at again, at the least."""
_LOOK_SHARE = 30
"""How many times as long they are computed as a look takes."""


def refresh(
    folder: Path,
    index: Path,
    encoder: Callable[[], Encoder],
    *,
    full: bool = False,
    mend: bool = False,
    embed: Embed = "all",
    verify: bool = True,
    progress: Progress | None = None,
    skip: Collection[Path] = (),
    monotonic: Callable[[], float] = time.monotonic,
    clock: Callable[[], int] = time.time_ns,
) -> BuildReport:
    """Brings the index up to date with the notes: nothing is written where nothing changed.

    `full` computes everything anew; `mend` keeps nothing of the database but the vectors whose sums are right;
    `verify` reads the vector file whole, as is done anyhow after a writer that was killed; `skip` are folders that hold
    no notes, as `index` does. NoNotes and UnreadableNotes leave the index as it was. Busy, ReadOnly and DiskFull leave
    the last generation that was published.
    """
    began = monotonic()
    build = _Build(folder, index, encoder(), embed, verify, progress or _silent, (index, *skip), monotonic, clock)
    try:
        report = build.run(full=full, mend=mend)
    except (IndexDamaged, IndexOutdated) as error:
        if mend:
            raise
        report = build.run(full=False, mend=True)
        if not isinstance(error, IndexOutdated):
            report.warnings.append(f"The index was damaged ({error}) and has been built again.")
    report.seconds = round(monotonic() - began, 3)
    return report


def _silent(what: str, done: int = 0, of: int = 0) -> None:
    """Progress that nobody watches."""


@dataclass(slots=True)
class _Build:
    """One call of `refresh`."""

    folder: Path
    index: Path
    encoder: Encoder
    embed: Embed
    verify: bool
    progress: Progress
    skip: tuple[Path, ...]
    monotonic: Callable[[], float]
    clock: Callable[[], int]
    report: BuildReport = field(default_factory=BuildReport)

    def run(self, *, full: bool, mend: bool) -> BuildReport:
        self.report = BuildReport()
        look = self._look()
        if not (full or mend) and self._nothing_to_do(look):
            return self.report
        intake = Intake(self.folder, self.encoder.identity, self.report, self.progress)
        embedding = Embedding(self.encoder, self.report, self.progress, self.monotonic)
        patience = _LOOK_AGAIN_SECONDS
        with Writer(self.index, mend=mend) as writer:
            intake.publish(writer, look, full=full)
            while due(writer.texts.waiting_count(), self.embed):
                embedding.compute(writer, patience)
                if due(writer.texts.waiting_count(), self.embed):
                    patience = self._look_again(writer, intake)
            self._finish(writer)
        return self.report

    def _look(self) -> NotesSnapshot:
        return NotesSnapshot.now(self.folder, self.skip, self.clock)

    def _look_again(self, writer: Writer, intake: Intake) -> float:
        """Takes in what was saved while vectors were computed, and says for how many seconds to compute on: where
        looking takes long it is done less often."""
        began = self.monotonic()
        intake.publish(writer, self._look(), full=False)
        return max(_LOOK_AGAIN_SECONDS, _LOOK_SHARE * (self.monotonic() - began))

    def _nothing_to_do(self, look: NotesSnapshot) -> bool:
        """Looks without the lock; IndexDamaged where the database cannot even say this much."""
        if abandoned(self.index):
            return False  # what a killed writer left behind must go, and its vector file be looked at
        try:
            with Store.open(self.index) as store:
                if outdated(store, self.folder, self.encoder.identity) or (self.verify and not store.sound()):
                    return False
                if due(store.waiting(), self.embed):
                    return False
                known = store.note_files()
                self.report.pending, self.report.generation = store.pending, store.generation
        except (IndexMissing, IndexOutdated):
            return False
        if known.keys() != {file.path for file in look.files}:
            return False
        doubtful = [file for file in look.files if not settled(known[file.path], file)]
        if not all(self._unchanged(known[file.path], file) for file in doubtful):
            return False
        self._look_kept(look, [file for file in doubtful if not known[file.path].reason])
        refused = {path: entry.reason for path, entry in known.items() if entry.reason}
        self.report.warnings = [*look.warnings, *(f"{path} {refused[path]}" for path in sorted(refused))]
        self.report.unchanged = len(look.files) - len(refused)
        return True

    def _unchanged(self, entry: StoredNote, file: NoteFile) -> bool:
        try:
            return notes_folder.read(self.folder, file.path).digest == entry.digest
        except notes_folder.UnreadableNote as error:
            return error.reason == entry.reason

    def _look_kept(self, look: NotesSnapshot, same: Sequence[NoteFile]) -> None:
        """Keeps the newer look where it settles that a note is the same, so that the next one need not read it."""
        settling = [file for file in same if StoredNote(file, "", look.moment).same(file)]
        if not settling:
            return
        try:
            with Writer(self.index) as writer:
                known = writer.note_files()
                for file in settling:
                    if known[file.path].looked < look.moment:
                        writer.notes.touch(file, look.moment)
                writer.keep()
        except (Busy, ReadOnly, DiskFull, KeyError):
            return  # the next look reads the note once more

    def _finish(self, writer: Writer) -> None:
        writer.concepts.gather()
        named, sound = writer.state.file.name, writer.sound(whole=self.verify or writer.abandoned)
        try:
            writer.file_vectors(finished=not writer.state.pending, insist=not sound)
        except DiskFull:
            writer.rollback()
            self.report.warnings.append(
                "There was no room for the vector file; opening the index is slower until there is."
            )
        else:
            if not sound:
                self.report.warnings.append(f"{named} in the index was missing or damaged and has been written anew.")
        self.report.pending = writer.state.pending
