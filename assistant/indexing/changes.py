"""Whether an index is behind its notes, and by how much; opens no note."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from assistant.notes import chunker, syntax_check
from assistant.records import NoteFile
from assistant.storage import Store, StoredNote
from assistant.topics import extraction, vocabulary

AT_ONCE = 160
"""Texts without a vector that a question waits for; about two seconds."""

Embed = Literal["all", "few", "none"]
"""Which vectors a build computes: all, all where no more than AT_ONCE are missing, or none."""


def due(waiting: int, embed: Embed) -> bool:
    """Whether so many missing vectors are computed by a build of that kind."""
    return waiting > 0 and (embed == "all" or (embed == "few" and waiting <= AT_ONCE))


def stale(store: Store, folder: Path, files: Sequence[NoteFile], identity: str) -> bool:
    """Whether a build could find something to do: the notes, the model, the vocabulary or the program may have changed,
    or a file of the index needs mending."""
    known = store.note_files()
    return (
        outdated(store, folder, identity)
        or len(known) != len(files)
        or not all((entry := known.get(file.path)) is not None and settled(entry, file) for file in files)
    )


def small(store: Store, folder: Path, files: Sequence[NoteFile], few: int) -> bool:
    """Whether what changed is so little that about `few` new vectors would do; opens no note. A note that grew says
    by how much, any other changed one counts as a few lines."""
    if outdated(store, folder, store.identity):
        return False
    known = store.note_files()
    grown = read = 0
    for file in files:
        entry = known.get(file.path)
        if entry is not None and settled(entry, file):
            continue
        read += file.size
        grown += file.size if entry is None else max(file.size - entry.file.size, 0) + _BYTES_A_PASSAGE
    return grown <= few * _BYTES_A_PASSAGE and read <= _BYTES_READ


_BYTES_A_PASSAGE = 100
"""Of a note with its headings and blank lines, for each passage it gives (the shipped note: 80)."""
_BYTES_READ = 100_000
"""Of all changed notes together, which are split into passages anew: about half a second."""


def outdated(store: Store, folder: Path, identity: str) -> bool:
    """Whether all of the index has to be looked at again, whatever the notes are."""
    return bool(store.warnings) or store.identity != identity or store.versions != versions(folder)


def versions(folder: Path) -> str:
    """What the text of an index depends on besides the notes, and after a blank the digest of the vocabulary."""
    return f"{chunker.VERSION}.{extraction.VERSION}.{syntax_check.VERSION} {_vocabulary_digest(folder)}"


def settled(entry: StoredNote, file: NoteFile) -> bool:
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
    data = Path(vocabulary.__file__).parents[1] / "data" / "vocabulary"
    digest = hashlib.sha256()
    for path in sorted(data.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
