"""Changed notes → the next generation of the index, and a report of what changed.

Text first: the text of the notes is published (`note_indexer`) before a vector is computed (`embedder`); vectors follow
in batches that are committed as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from assistant.indexing.changes import ANOTHER_VERSION, Diff, Embed, NotesSnapshot, diff, due, unchanged
from assistant.indexing.embedder import Embedder
from assistant.indexing.note_indexer import NoteIndexer
from assistant.indexing.report import BuildReport, Progress
from assistant.models.encoder import Encoder
from assistant.storage import (
    Busy,
    DiskFull,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    Store,
    StoredNote,
    Unreachable,
    Writer,
    abandoned,
)
from assistant.system.collection import IndexPlace

_LOOK_AGAIN_SECONDS = 3.0
"""How long vectors are computed before the notes are looked at again, at the least."""
_MOST_LOST = 5
"""Times that a connection is made again before a build gives up."""
_LOOK_SHARE = 30
"""How many times as long they are computed as a look takes."""


def refresh(
    folder: Path,
    index: IndexPlace,
    encoder: Callable[[], Encoder],
    *,
    full: bool = False,
    salvage: bool = False,
    embed: Embed = "all",
    verify: bool = True,
    progress: Progress | None = None,
    skip: Collection[Path] = (),
    monotonic: Callable[[], float] = time.monotonic,
    clock: Callable[[], int] = time.time_ns,
) -> BuildReport:
    """Brings the index up to date with the notes: nothing is written where nothing changed.

    `full` computes everything anew; `salvage` keeps nothing of the database but the vectors whose sums are right;
    `verify` reads the vector file whole, as is done anyhow after a writer that was killed; `skip` are folders that hold
    no notes, as `index` does. NoNotes and UnreadableNotes leave the index as it was. Busy, ReadOnly and DiskFull leave
    the last generation that was published, and so does Unreachable.
    """
    began = monotonic()
    own = (index,) if isinstance(index, Path) else ()
    build = _Build(folder, index, encoder(), embed, verify, progress or _silent, (*own, *skip), monotonic, clock)
    try:
        report = _through(build, full=full, salvage=salvage)
    except (IndexDamaged, IndexOutdated) as error:
        if salvage:
            raise
        report = _through(build, full=False, salvage=True)
        if isinstance(error, IndexOutdated):
            report.reason = ANOTHER_VERSION
        else:
            report.warnings.append(f"The index was corrupt ({error}) and was rebuilt.")
    report.seconds = round(monotonic() - began, 3)
    return report


def _through(build: _Build, *, full: bool, salvage: bool) -> BuildReport:
    """One run; where the connection to the database is lost it is run again, and goes on from what was committed."""
    lost: list[str] = []
    while True:
        try:
            report = build.run(full=full, salvage=salvage)
        except Unreachable as error:
            if len(lost) == _MOST_LOST:
                raise
            lost.append(f"The connection to the index was lost ({error}); what was missing was done again.")
        else:
            report.warnings += lost[-1:]
            return report


def _silent(what: str, done: int = 0, of: int = 0) -> None:
    """Progress that nobody watches."""


@dataclass(slots=True)
class _Build:
    """One call of `refresh`."""

    folder: Path
    index: IndexPlace
    encoder: Encoder
    embed: Embed
    verify: bool
    progress: Progress
    skip: tuple[Path, ...]
    monotonic: Callable[[], float]
    clock: Callable[[], int]
    report: BuildReport = field(default_factory=BuildReport)

    def run(self, *, full: bool, salvage: bool) -> BuildReport:
        self.report = BuildReport()
        notes, moment = self._look()
        if not (full or salvage) and self._nothing_to_do(notes, moment):
            return self.report
        indexer = NoteIndexer(self.folder, self.encoder.identity, self.report, self.progress)
        embedder = Embedder(self.encoder, self.report, self.progress, self.monotonic)
        patience = _LOOK_AGAIN_SECONDS
        with Writer(self.index, salvage=salvage) as writer:
            indexer.publish(writer, notes, moment, full=full)
            while due(writer.texts.waiting_count(), self.embed):
                embedder.compute(writer, patience)
                if due(writer.texts.waiting_count(), self.embed):
                    patience = self._look_again(writer, indexer)
            self._finish(writer)
        return self.report

    def _look(self) -> tuple[NotesSnapshot, int]:
        """The notes, and the nanoseconds since the epoch from which their stats were taken."""
        moment = self.clock()
        return NotesSnapshot.take(self.folder, self.skip), moment

    def _look_again(self, writer: Writer, indexer: NoteIndexer) -> float:
        """Indexes what was saved while vectors were computed, and says for how many seconds to compute on: where
        looking takes long it is done less often."""
        began = self.monotonic()
        indexer.publish(writer, *self._look(), full=False)
        return max(_LOOK_AGAIN_SECONDS, _LOOK_SHARE * (self.monotonic() - began))

    def _nothing_to_do(self, notes: NotesSnapshot, moment: int) -> bool:
        """Decides without the lock; IndexDamaged where the database cannot even say this much."""
        if abandoned(self.index):
            return False  # a killed writer left files to remove, and maybe a broken vector file
        try:
            with Store.open(self.index) as store:
                changes = diff(notes, store, self.encoder.identity)
                if changes.outdated or store.warnings or (self.verify and not store.sound()):
                    return False
                if due(store.waiting(), self.embed):
                    return False
                self.report.pending, self.report.generation = store.pending, store.generation
        except (IndexMissing, IndexOutdated):
            return False
        if changes.added or changes.removed:
            return False
        if not all(unchanged(self.folder, file, changes.indexed[file.path]) for file in changes.doubtful):
            return False
        self._settle(changes, moment)
        refused = [f"{path} {entry.reason}" for path, entry in sorted(changes.indexed.items()) if entry.reason]
        self.report.warnings = [*notes.warnings, *refused]
        self.report.unchanged = len(notes.files) - len(refused)
        return True

    def _settle(self, changes: Diff, moment: int) -> None:
        """Keeps the newer stats that settle that notes are the same, so that the next build need not read them."""
        same = [file for file in changes.doubtful if not changes.indexed[file.path].reason]
        settling = [file for file in same if StoredNote(file, "", moment).same(file)]
        if not settling:
            return
        try:
            with Writer(self.index) as writer:
                indexed = writer.notes.files()
                for file in settling:
                    if indexed[file.path].looked < moment:
                        writer.notes.touch(file, moment)
                writer.keep()
        except (Busy, ReadOnly, DiskFull, KeyError):
            return  # the next build reads the note once more

    def _finish(self, writer: Writer) -> None:
        writer.concepts.gather()
        name, sound = writer.state.file.name, writer.sound(whole=self.verify or writer.abandoned)
        try:
            writer.file_vectors(finished=not writer.texts.waiting_count(), insist=not sound)
        except DiskFull:
            writer.rollback()
            self.report.warnings.append(
                "The disk is too full for the vector file; opening the index is slower until there is room."
            )
        else:
            if not sound:
                self.report.warnings.append(f"{name} in the index was missing or corrupt and was rewritten.")
        self.report.pending = writer.state.pending
