"""The notes of a folder compared with those of an index, by their stat; only `unchanged` opens a note."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, Self

from assistant.errors import NoNotes, UnreadableNotes
from assistant.indexing.report import listed
from assistant.notes import chunker, chunks, syntax_check
from assistant.notes import folder as notes_folder
from assistant.records import NoteFile
from assistant.storage import StoredNote
from assistant.topics import extraction, vocabulary

AT_ONCE = 160
"""Texts without a vector that a question waits for; about two seconds."""
_BYTES_A_PASSAGE = 100
"""Of a note with its headings and blank lines, for each passage it gives (the shipped note: 80)."""
_BYTES_READ = 100_000
"""Of all changed notes together, which are split into passages anew: about half a second."""

ANOTHER_VERSION = "The index was made by another version of this program, so everything was rebuilt."

Embed = Literal["all", "few", "none"]
"""Which vectors a build computes: all, all where no more than AT_ONCE are missing, or none."""


def due(waiting: int, embed: Embed) -> bool:
    """Whether so many missing vectors are computed by a build of that kind."""
    return waiting > 0 and (embed == "all" or (embed == "few" and waiting <= AT_ONCE))


@dataclass(frozen=True, slots=True)
class NotesSnapshot:
    """The notes at one moment."""

    files: tuple[NoteFile, ...]
    """Never empty; sorted by path."""
    warnings: tuple[str, ...]
    """Files that were passed over and why, one sentence each."""
    versions: str
    """As of `versions`."""

    @classmethod
    def take(cls, folder: Path, skip: Collection[Path]) -> Self:
        """`skip` are folders that hold no notes. NoNotes; UnreadableNotes where all of them were passed over."""
        scan = notes_folder.scan(folder, skip)
        if not scan.files and scan.warnings:
            raise UnreadableNotes(
                f"Not one of the notes in {folder} can be read: {listed(scan.warnings)}.", "Check them."
            )
        if not scan.files:
            raise NoNotes(f"There are no notes in {folder}.", "Point --notes at a folder with .md files.")
        return cls(scan.files, scan.warnings, versions(folder))


class Indexed(Protocol):
    """A store or a writer."""

    @property
    def generation(self) -> int:
        """Raised by each commit that changes the text; 0 where nothing was published yet."""

    @property
    def identity(self) -> str:
        """Of the encoder."""

    @property
    def versions(self) -> str:
        """Of what made the text of the index, to compare with `NotesSnapshot.versions`."""

    def note_files(self) -> dict[str, StoredNote]:
        """By path; notes that could not be read are among them, with a reason."""


@dataclass(frozen=True, slots=True)
class Diff:
    """How notes differ from what is indexed of them."""

    outdated: str
    """Why every note has to be indexed again, whatever its file, one sentence; "" where none has to."""
    added: tuple[NoteFile, ...]
    """Notes that are not in the index."""
    changed: tuple[NoteFile, ...]
    """Notes with another stat; their content may still be the indexed one."""
    unsettled: tuple[NoteFile, ...]
    """Notes with the same stat that may have changed all the same: the stat was taken too soon after the last change to
    show another, or the note could not be opened and may open now."""
    removed: tuple[str, ...]
    """Paths that are in the index alone, sorted."""
    indexed: Mapping[str, StoredNote]
    """All notes of the index, by path."""

    @property
    def doubtful(self) -> tuple[NoteFile, ...]:
        """Notes that have to be read to tell whether they changed, by path."""
        return tuple(sorted((*self.changed, *self.unsettled), key=lambda file: file.path))

    @property
    def stale(self) -> bool:
        """Whether a build could find something to do."""
        return bool(self.outdated or self.added or self.changed or self.unsettled or self.removed)

    def small(self, few: int) -> bool:
        """Whether so little changed that about `few` new vectors would do. A note that grew says by how much, any other
        changed one counts as a few lines."""
        doubtful = self.doubtful
        grown = sum(file.size for file in self.added)
        grown += sum(max(file.size - self.indexed[file.path].file.size, 0) + _BYTES_A_PASSAGE for file in doubtful)
        read = sum(file.size for file in (*self.added, *doubtful))
        return not self.outdated and grown <= few * _BYTES_A_PASSAGE and read <= _BYTES_READ


def diff(notes: NotesSnapshot, index: Indexed, identity: str) -> Diff:
    """What a build by the encoder `identity` would find changed."""
    indexed = index.note_files()
    added, changed, unsettled = list[NoteFile](), list[NoteFile](), list[NoteFile]()
    for file in notes.files:
        entry = indexed.get(file.path)
        if entry is None:
            added.append(file)
        elif not _settled(entry, file):
            (unsettled if entry.file == file else changed).append(file)
    removed = sorted(indexed.keys() - {file.path for file in notes.files})
    outdated = _outdated(notes, index, identity)
    return Diff(outdated, tuple(added), tuple(changed), tuple(unsettled), tuple(removed), indexed)


def unchanged(folder: Path, file: NoteFile, entry: StoredNote) -> bool:
    """Whether a note, which is read, is as it was indexed, or as unreadable as it was."""
    try:
        return notes_folder.read(folder, file.path).digest == entry.digest
    except notes_folder.UnreadableNote as error:
        return error.reason == entry.reason


def _settled(entry: StoredNote, file: NoteFile) -> bool:
    """A note that could not be opened may open now, though its stat is the same."""
    return entry.same(file) and (not entry.reason or "UTF-8" in entry.reason)


def _outdated(notes: NotesSnapshot, index: Indexed, identity: str) -> str:
    if index.generation == 0:
        return "There was no index yet."
    if index.identity != identity:
        return "The index was made by another model, so everything was rebuilt."
    if index.versions.partition(" ")[0] != notes.versions.partition(" ")[0]:
        return ANOTHER_VERSION
    if index.versions != notes.versions:
        return "The vocabulary has changed, so topics were extracted again."
    return ""


def versions(folder: Path) -> str:
    """What the text of an index depends on besides the notes, and after a blank the digest of the vocabulary."""
    code = (chunker.VERSION, chunks.VERSION, extraction.VERSION, syntax_check.VERSION)
    return f"{'.'.join(map(str, code))} {_vocabulary_digest(folder)}"


def _vocabulary_digest(folder: Path) -> str:
    try:
        own = (folder / vocabulary.USER_FILE).read_bytes()
    except OSError:  # most have none
        own = b""
    return hashlib.sha256(_shipped_digest() + own).hexdigest()[:16]


@cache
def _shipped_digest() -> bytes:
    """Of the vocabulary that comes with the program."""
    data = Path(vocabulary.__file__).parents[1] / "data" / "vocabulary"
    digest = hashlib.sha256()
    for path in sorted(data.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
