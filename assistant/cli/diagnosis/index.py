"""The notes, and the index that is made from them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cli.diagnosis.finding import Finding, size
from assistant.errors import AssistantError
from assistant.system import permissions
from assistant.system.settings import Settings

if TYPE_CHECKING:
    from assistant.records import NoteFile
    from assistant.storage import Store, StoredNote

_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
_WARNING_REMEDIES = (
    (" cannot be listed: ", "chmod u+rx"),
    (" cannot be read: ", "chmod u+r"),
    (" is not UTF-8 ", "iconv -f latin1 -t utf-8 -o NEW.md"),
    (" is a broken link", "rm"),
)
"""What stands behind the path in a warning about a note → the command that fixes it."""


def notes(settings: Settings) -> Iterator[Finding]:
    """How many notes there are, then one finding for each warning; a folder that cannot be read is a finding too. None
    where no folder is named."""
    from assistant.notes import folder as notes_folder

    if settings.folder is None:
        return
    other_notes = "assistant --notes DIR doctor"
    try:
        scan = notes_folder.scan(settings.notes, _own_folders(settings))
    except AssistantError as error:
        yield Finding("notes", error.message, other_notes)
        return
    count = len(scan.files)
    yield Finding("notes", f"{count:,} in {settings.notes}", "" if count else other_notes)
    for warning in scan.warnings:
        yield Finding("notes", warning, _warning_remedy(settings.notes, warning))


def _warning_remedy(folder: Path, warning: str) -> str:
    """The command that fixes what a warning about a note or a folder, which begins with its path, is about."""
    for complaint, command in _WARNING_REMEDIES:
        path, found, _ = warning.partition(complaint)
        if found:
            return f"{command} {shlex.quote(str(folder / path))}"
    return shlex.join(["ls", "-la", str(folder)])


def _own_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders that an index may be kept in, which hold no notes."""
    return tuple(place for place in (settings.index, settings.fallback_index) if isinstance(place, Path))


def index(settings: Settings, folder: Path, program: str, now: float) -> Iterator[Finding]:
    """`folder` is the one meant for the index; `program` is the command line up to the command's name; `now` is in
    seconds since the epoch."""
    from assistant.storage import IndexMissing, Store, StoreError, being_written, problems

    folder = _index_folder(folder, settings.fallback_index)
    rebuild, age = f"{program} index --full", _age(folder, now)
    # First, since opening the index changes times and modes.
    shared = any(permissions.open_to_others(path) for path in _index_files(folder))
    updating = being_written(folder)
    try:
        damage = problems(folder)
        with Store.open(folder) as store:
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages, "
                f"{size(folder)} in {folder}, written {age} ago"
            )
            if damage:
                yield Finding("index", f"damaged ({'; '.join(damage)}): {facts}", rebuild)
                return
            yield Finding("index", f"intact: {facts}")
            yield from lacking(store, f"{program} index", updating=updating)
            if settings.folder is not None:
                yield from behind(settings.folder, _own_folders(settings), store, f"{program} index")
    except IndexMissing:
        yield Finding("index", f"none yet in {folder}", f"{program} index")
    except (StoreError, AssistantError, OSError) as error:
        yield Finding("index", f"{folder} cannot be read: {error}", rebuild)
    if shared:
        yield Finding("index", f"{folder} can be read by other users", f"chmod -R go= {shlex.quote(str(folder))}")


def _index_folder(meant: Path, fallback: Path | None) -> Path:
    """Where the index is: in the fallback folder where the one meant for it takes no files."""
    if fallback is not None and not (meant / "notes.sqlite").exists() and (fallback / "notes.sqlite").exists():
        return fallback
    return meant


def lacking(store: Store, update: str, *, updating: bool) -> Iterator[Finding]:
    """What an undamaged index still lacks; `update` adds it, and `updating` says that another process is adding it."""
    if store.pending and updating:
        yield Finding("index", f"{store.pending:,} passages have no embedding yet; another process is computing them")
    elif store.pending:
        yield Finding("index", f"{store.pending:,} passages have no embedding yet", update)


def behind(notes: Path, skip: Collection[Path], store: Store, update: str) -> Iterator[Finding]:
    """How an undamaged index differs from the notes; `skip` are folders that hold none, and `update` mends it."""
    from assistant.indexing import changes
    from assistant.notes import folder as notes_folder

    files = notes_folder.scan(notes, skip).files
    if store.versions != changes.versions(notes):
        yield Finding("index", "the vocabulary or the program has changed since it was built", update)
    known = store.note_files()
    if _changed(notes, files, known):
        yield Finding("index", "the notes have changed since it was built", update)
    for path, entry in sorted(known.items()):
        if entry.reason:
            warning = f"{path} {entry.reason}"
            yield Finding("notes", warning, _warning_remedy(notes, warning))


def _changed(folder: Path, files: Sequence[NoteFile], known: Mapping[str, StoredNote]) -> bool:
    """Whether a note is new, gone or different; one whose file looks different is read."""
    from assistant.indexing.changes import unchanged

    if known.keys() != {file.path for file in files}:
        return True
    return not all(known[file.path].same(file) or unchanged(folder, file, known[file.path]) for file in files)


def _index_files(folder: Path) -> list[Path]:
    return [*folder.glob("notes.sqlite*"), *folder.glob("vectors-*")]


def _age(folder: Path, now: float) -> str:
    """How long ago a generation was written, in the largest unit of which two have passed."""
    files = [path for path in _index_files(folder) if not path.name.endswith("-shm")]
    written = max((path.stat().st_mtime for path in files), default=now)
    seconds = max(int(now - written), 0)
    length, name = next((unit for unit in _UNITS if seconds >= 2 * unit[0]), (1, ""))
    return f"{seconds // length} {name}" if name else "a moment"
