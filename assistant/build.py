"""Changed notes → the next generation of the index, and a report of what changed.

Text first: what the notes say is published before a vector is computed; vectors follow in batches that are kept as they
come.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant import notes, passages, snippets, topics, vocabulary
from assistant.encoder import Encoder
from assistant.errors import NoNotes, UnreadableNotes
from assistant.records import Note, NoteFile
from assistant.store import (
    Busy,
    DiskFull,
    IndexDamaged,
    IndexedNote,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    Store,
    StoredNote,
    StoreError,
    TextId,
    Writer,
    abandoned,
    problems,
)

_BATCH_SECONDS = 2.0
"""What a killed build loses at most."""

_BATCH_TEXTS = 512
_LOOK_AGAIN_SECONDS = 3.0
"""How long vectors are computed before the notes are looked at again, at the least."""
_LOOK_SHARE = 30
"""How many times as long they are computed as a look takes."""
_CHUNK = 20_000
"""Texts that are taken out of the index at once, to be embedded."""
AT_ONCE = 160
"""Texts without a vector that a question waits for; about two seconds."""

Embed = Literal["all", "few", "none"]
"""Which vectors a build computes: all, all where no more than AT_ONCE are missing, or none."""


class Progress(Protocol):
    """Told what a build is doing and, where it counts, how far it is."""

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None: ...


@dataclass(slots=True)
class BuildReport:
    """What a build did, counted."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    """Passages that got a vector."""
    reused: int = 0
    """Passages of added and changed notes whose vector was there already."""
    salvaged: int = 0
    """Vectors taken over from a damaged database."""
    pending: int = 0
    """Passages still without one."""
    generation: int = 0
    seconds: float = 0.0
    reason: str = ""
    """Why notes that did not change were taken in again, one sentence; "" where they were not."""
    warnings: list[str] = field(default_factory=list)
    """Notes that were passed over and what had to be mended, one sentence each."""


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
    except (IndexDamaged, IndexOutdated, LookupError, TypeError, ValueError) as error:
        if mend or not (isinstance(error, StoreError) or problems(index)):
            raise
        report = build.run(full=False, mend=True)
        if not isinstance(error, IndexOutdated):
            report.warnings.append(f"The index was damaged ({error}) and has been built again.")
    report.seconds = round(monotonic() - began, 3)
    return report


def due(waiting: int, embed: Embed) -> bool:
    """Whether so many missing vectors are computed by a build of that kind."""
    return waiting > 0 and (embed == "all" or (embed == "few" and waiting <= AT_ONCE))


def stale(store: Store, folder: Path, files: Sequence[NoteFile], identity: str) -> bool:
    """Whether a build could find something to do: the notes, the model, the vocabulary or the program may have changed,
    or a file of the index needs mending. Opens no note."""
    known = store.note_files()
    return (
        _outdated(store, folder, identity)
        or len(known) != len(files)
        or not all((entry := known.get(file.path)) is not None and _settled(entry, file) for file in files)
    )


def small(store: Store, folder: Path, files: Sequence[NoteFile], few: int) -> bool:
    """Whether what changed is so little that about `few` new vectors would do; opens no note. A note that grew says
    by how much, any other changed one counts as a few lines."""
    if _outdated(store, folder, store.identity):
        return False
    known = store.note_files()
    grown = read = 0
    for file in files:
        entry = known.get(file.path)
        if entry is not None and _settled(entry, file):
            continue
        read += file.size
        grown += file.size if entry is None else max(file.size - entry.file.size, 0) + _BYTES_A_PASSAGE
    return grown <= few * _BYTES_A_PASSAGE and read <= _BYTES_READ


_BYTES_A_PASSAGE = 100
"""Of a note with its headings and blank lines, for each passage it gives (the shipped note: 80)."""
_BYTES_READ = 100_000
"""Of all changed notes together, which are split into passages anew: about half a second."""


def _outdated(store: Store, folder: Path, identity: str) -> bool:
    return bool(store.warnings) or store.identity != identity or store.versions != versions(folder)


def versions(folder: Path) -> str:
    """What the text of an index depends on besides the notes, and after a blank the digest of the vocabulary."""
    return f"{passages.VERSION}.{topics.VERSION}.{snippets.VERSION} {_vocabulary_digest(folder)}"


def _settled(entry: StoredNote, file: NoteFile) -> bool:
    """A note that could not be opened may open now, though its stat is the same."""
    return entry.same(file) and (not entry.reason or "UTF-8" in entry.reason)


def _vocabulary_digest(folder: Path) -> str:
    try:
        own = (folder / vocabulary.USER_FILE).read_bytes()
    except OSError:  # most have none
        own = b""
    return hashlib.sha256(_shipped() + own).hexdigest()[:16]


@cache
def _shipped() -> bytes:
    """Digest of the vocabulary that comes with the program."""
    data = Path(vocabulary.__file__).parent / "data" / "vocabulary"
    digest = hashlib.sha256()
    for path in sorted(data.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()


def _silent(what: str, done: int = 0, of: int = 0) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class _Look:
    """The notes at one moment."""

    files: tuple[NoteFile, ...]
    warnings: tuple[str, ...]
    moment: int
    versions: str


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
    concepts: tuple[vocabulary.Concept, ...] | None = None
    spotter: vocabulary.Spotter | None = None
    computed: dict[str, int] = field(default_factory=dict)
    """By step: texts that got a vector before the last look at the notes."""
    patience: float = _LOOK_AGAIN_SECONDS
    """Seconds of computing until the next look."""
    taken: set[str] = field(default_factory=set)
    """Notes that were added or changed: the next look finds them unchanged."""

    def run(self, *, full: bool, mend: bool) -> BuildReport:
        self.report, self.computed, self.taken = BuildReport(), {}, set()
        look = self._look()
        if not (full or mend) and self._nothing_to_do(look):
            return self.report
        with Writer(self.index, mend=mend) as writer:
            self._publish(writer, look, full=full)
            while due(writer.waiting_count(), self.embed):
                self._embed(writer)
                if due(writer.waiting_count(), self.embed):
                    self._look_again(writer)
            self._finish(writer)
        return self.report

    def _look_again(self, writer: Writer) -> None:
        """Takes in what was saved while vectors were computed; where looking takes long it is done less often."""
        began = self.monotonic()
        self._publish(writer, self._look(), full=False)
        self.patience = max(_LOOK_AGAIN_SECONDS, _LOOK_SHARE * (self.monotonic() - began))

    def _look(self) -> _Look:
        moment = self.clock()
        scan = notes.scan(self.folder, self.skip)
        if not scan.files:
            raise NoNotes(f"There are no notes in {self.folder}.", "Point --notes at a folder with .md files.")
        return _Look(scan.files, scan.warnings, moment, versions(self.folder))

    def _nothing_to_do(self, look: _Look) -> bool:
        """Looks without the lock; IndexDamaged where the database cannot even say this much."""
        if abandoned(self.index):
            return False  # what a killed writer left behind must go, and its vector file be looked at
        try:
            with Store.open(self.index) as store:
                if _outdated(store, self.folder, self.encoder.identity) or (self.verify and not store.sound()):
                    return False
                if due(store.waiting(), self.embed):
                    return False
                known = store.note_files()
                self.report.pending, self.report.generation = store.pending, store.generation
        except (IndexMissing, IndexOutdated):
            return False
        if known.keys() != {file.path for file in look.files}:
            return False
        doubtful = [file for file in look.files if not _settled(known[file.path], file)]
        if not all(self._unchanged(known[file.path], file) for file in doubtful):
            return False
        self._look_kept(look, [file for file in doubtful if not known[file.path].reason])
        refused = {path: entry.reason for path, entry in known.items() if entry.reason}
        self.report.warnings = [*look.warnings, *(f"{path} {refused[path]}" for path in sorted(refused))]
        self.report.unchanged = len(look.files) - len(refused)
        return True

    def _unchanged(self, entry: StoredNote, file: NoteFile) -> bool:
        try:
            return notes.read(self.folder, file.path).digest == entry.digest
        except notes.UnreadableNote as error:
            return error.reason == entry.reason

    def _look_kept(self, look: _Look, same: Sequence[NoteFile]) -> None:
        """Keeps the newer look where it settles that a note is the same, so that the next one need not read it."""
        settling = [file for file in same if StoredNote(file, "", look.moment).same(file)]
        if not settling:
            return
        try:
            with Writer(self.index) as writer:
                known = writer.note_files()
                for file in settling:
                    if known[file.path].looked < look.moment:
                        writer.touch(file, look.moment)
                writer.keep()
        except (Busy, ReadOnly, DiskFull, KeyError):
            return  # the next look reads the note once more

    def _publish(self, writer: Writer, look: _Look, *, full: bool) -> None:
        """Takes in what changed since the last generation and publishes it, where anything did."""
        known = writer.note_files()
        reason = self._reason(writer, look, full)
        self.report.reason = self.report.reason or reason
        if reason:
            writer.begin(self.encoder.identity, look.versions)
            self.concepts = self.spotter = None
        if full:
            writer.start_over()
        if not known:
            self.report.salvaged = writer.salvage()
        changed = self._take(writer, look, known, everything=bool(reason))
        if changed or reason:
            self._match(writer, everything=bool(reason))
            writer.publish()
        else:
            writer.keep()
        self.report.generation = writer.state.generation

    def _reason(self, writer: Writer, look: _Look, full: bool) -> str:
        """Why no note can be left as it is indexed."""
        state = writer.state
        if state.generation == 0:
            return "There was no index yet."
        if full:
            return "Everything was built again, as asked."
        if state.identity != self.encoder.identity:
            return "The index was made by another model, so everything was built again."
        if state.versions.partition(" ")[0] != look.versions.partition(" ")[0]:
            return "The index was made by another version of this program, so everything was built again."
        if state.versions != look.versions:
            return "The vocabulary has changed, so topics were looked for again."
        return ""

    def _take(self, writer: Writer, look: _Look, known: dict[str, StoredNote], *, everything: bool) -> int:
        """Puts, keeps or drops every note; how many are not what they were."""
        differ = refused = 0
        gone: set[str] = set()
        report = self.report
        report.unchanged, report.warnings = 0, list(look.warnings)
        for number, file in enumerate(look.files, 1):
            entry = known.get(file.path)
            if entry is not None and not everything and _settled(entry, file):
                refused += bool(entry.reason)
                report.unchanged += not entry.reason and file.path not in self.taken
                continue
            self.progress("Reading notes", number, len(look.files))
            try:
                note = notes.read(self.folder, file.path)
            except notes.UnreadableNote as error:
                if isinstance(error.__cause__, FileNotFoundError):
                    gone.add(file.path)  # between the look and this: it is no note that cannot be read
                    continue
                refused += 1
                differ += entry is None or entry.reason != error.reason
                report.removed += entry is not None and not entry.reason
                writer.refuse(file, look.moment, error.reason)
                continue
            if entry is not None and not everything and entry.digest == note.digest:
                report.unchanged += file.path not in self.taken
                writer.touch(file, look.moment)
                continue
            differ += 1
            report.reused += writer.put_note(_indexed(note, file, look.moment, self._spotting()))
            report.added += entry is None or bool(entry.reason)
            report.changed += entry is not None and not entry.reason and entry.digest != note.digest
            same = entry is not None and entry.digest == note.digest
            report.unchanged += same
            if not same:
                self.taken.add(file.path)
        if refused and refused + len(gone) == len(look.files):
            raise UnreadableNotes(f"Not one of the notes in {self.folder} can be read.", "Check their permissions.")
        for path in sorted(known.keys() - ({file.path for file in look.files} - gone)):
            writer.drop_note(path)
            report.removed += not known[path].reason
            differ += 1
        report.warnings += [f"{path} {reason}" for path, reason in writer.refused()]
        return differ

    def _match(self, writer: Writer, *, everything: bool) -> None:
        """Compares the topics that are new, or all of them, with the vocabulary."""
        if everything:
            writer.forget_matches()
        keys = writer.unmatched()
        known, spotter = self._known(), self._spotting()
        writer.set_concepts(
            keys,
            {key: spotter.matches(key) for key in keys},
            {concept.name: concept.sentences[: vocabulary.EMBEDDED] for concept in known},
            lambda names: vocabulary.words(known, names),
        )

    def _known(self) -> tuple[vocabulary.Concept, ...]:
        """The vocabulary, read once a build."""
        if self.concepts is None:
            try:
                self.concepts = vocabulary.concepts(self.folder)
            except vocabulary.VocabularyError as error:
                self.report.warnings.append(f"{error} The file is left out until that is mended.")
                self.concepts = vocabulary.concepts()
        return self.concepts

    def _spotting(self) -> vocabulary.Spotter:
        if self.spotter is None:
            self.spotter = vocabulary.Spotter(self._known())
        return self.spotter

    def _embed(self, writer: Writer) -> None:
        """Computes vectors until none is missing, or for so long that the notes should be looked at again."""
        waiting = writer.waiting(_CHUNK)
        of_passages = writer.waiting_count(passages=True)
        counts = {_PASSAGES: of_passages, _VOCABULARY: writer.waiting_count() - of_passages}

        def tell(done: int) -> None:
            what, here = (_PASSAGES, done) if done <= of_passages else (_VOCABULARY, done - of_passages)
            before = self.computed.get(what, 0)
            self.progress(what, before + here, before + counts[what])

        embedded, done = _embed(
            *(writer, self.encoder, waiting, tell, self.monotonic), self.monotonic() + self.patience
        )
        self.report.embedded += embedded
        for what, here in ((_PASSAGES, min(done, of_passages)), (_VOCABULARY, max(0, done - of_passages))):
            self.computed[what] = self.computed.get(what, 0) + here

    def _finish(self, writer: Writer) -> None:
        writer.gather_concepts()
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


def _indexed(note: Note, file: NoteFile, moment: int, spotter: vocabulary.Spotter) -> IndexedNote:
    # Here, so that a look at notes that did not change loads no parser.
    from assistant import sections

    outline = sections.outline(note)
    found = passages.passages(outline, note)
    embedded = tuple(passages.embedded(passage) for passage in found)
    return IndexedNote(file, moment, note, outline, found, embedded, topics.mentions(found, spotter))


_PASSAGES, _VOCABULARY = "Embedding passages", "Embedding the vocabulary"


def _embed(
    writer: Writer,
    encoder: Encoder,
    waiting: Sequence[tuple[TextId, str]],
    tell: Callable[[int], None],
    monotonic: Callable[[], float],
    until: float,
) -> tuple[int, int]:
    """Computes vectors and commits them in batches; how many passages got one, and how many texts. An interrupt keeps
    what is computed."""
    embedded = done = 0
    batch: list[tuple[TextId, NDArray[np.float32]]] = []
    committed = monotonic()
    try:
        for done, matrix in enumerate(encoder.passages([text for _, text in waiting]), 1):
            batch.append((waiting[done - 1][0], matrix))
            tell(done)
            now = monotonic()
            if len(batch) == _BATCH_TEXTS or now - committed > _BATCH_SECONDS:
                ready, batch, committed = batch, [], now
                embedded += writer.put_vectors(ready)
                if now > until:
                    break
    finally:
        if batch:
            embedded += writer.put_vectors(batch)
    return embedded, done
