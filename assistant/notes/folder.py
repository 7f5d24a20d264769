"""A folder of Markdown files → its notes; the only module that reads note files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.errors import NoNotes
from assistant.records import Note, NoteFile

SUFFIXES = (".md", ".markdown")
VOCABULARY = "assistant-vocabulary.md"
"""At the top of the folder it is the user's vocabulary and not a note."""
VENDORED = frozenset({"node_modules", "bower_components", "venv", "site-packages", "__pycache__", "__pypackages__"})
VENV_MARK = "pyvenv.cfg"
MAX_BYTES = 16 * 1024 * 1024

_Identity = tuple[int, int]


class UnreadableNote(Exception):
    """A note that is no text in UTF-8 or cannot be opened; `reason` completes a sentence that begins with its path."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scan:
    """The notes of a folder at one moment."""

    files: tuple[NoteFile, ...]
    """Sorted by path."""
    warnings: tuple[str, ...]
    """Which files and folders were left out and why, one sentence each, sorted."""


def scan(folder: Path, skip: Collection[Path] = ()) -> Scan:
    """Every note below `folder`, by stat alone; folders in `skip` are left out. NoNotes where it cannot be listed."""
    walk = _Walk(skip)
    try:
        walk.enter(os.fspath(folder), "")
    except OSError as error:
        raise NoNotes(
            f"{folder} is not a folder that can be read: {_why(error)}.", "Point --notes at a folder with .md files."
        ) from error
    walk.follow()
    return Scan(tuple(sorted(walk.files, key=lambda f: f.path)), tuple(sorted(walk.warnings)))


def read(folder: Path, path: str) -> Note:
    """The note at `path` below `folder`, from one read; raises UnreadableNote."""
    return decode(path, _content(folder, path))


def lines(folder: Path, path: str) -> tuple[str, ...]:
    """The lines of that note without its digest, which takes longer; raises UnreadableNote."""
    return _split(path, _content(folder, path))


def leading_out(folder: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the notes that lie outside the folder: a symbolic link in it leads there."""
    root = os.path.realpath(folder)
    folders: dict[str, str] = {}
    found = set()
    for path in paths:
        above, _, name = path.rpartition("/")
        if above not in folders:
            folders[above] = os.path.realpath(os.path.join(root, above))  # noqa: PTH118 - thousands of paths
        file = os.path.join(folders[above], name)  # noqa: PTH118
        real = os.path.realpath(file) if os.path.islink(file) else file  # noqa: PTH114
        if os.path.commonpath((root, real)) != root:
            found.add(path)
    return frozenset(found)


def decode(path: str, data: bytes) -> Note:
    """The note whose file holds `data`; raises UnreadableNote where that is not UTF-8."""
    return Note(path, _split(path, data), hashlib.sha256(data).hexdigest())


def _content(folder: Path, path: str) -> bytes:
    try:
        return _bytes(folder / path)
    except OSError as error:
        raise UnreadableNote(path, f"cannot be read: {_why(error)}") from error


def _split(path: str, data: bytes) -> tuple[str, ...]:
    try:
        return _cached_lines(data) if len(data) <= _CACHED else _decoded_lines(data)
    except UnicodeDecodeError as error:
        raise UnreadableNote(path, f"is not UTF-8 (byte {error.start + 1})") from error


_CACHED = 256 * 1024
"""Bytes of a note up to which its lines are cached: one question after another cites the same notes."""


@lru_cache(maxsize=16)
def _cached_lines(data: bytes) -> tuple[str, ...]:
    return _decoded_lines(data)


def _decoded_lines(data: bytes) -> tuple[str, ...]:
    text = data.decode("utf-8")
    # Not str.splitlines: it also cuts at form feeds and U+2028, and then no line number is an editor's.
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return tuple(lines)


class _Walk:
    """A walk that enters each real folder once, under its own name before that of a link to it."""

    def __init__(self, skip: Collection[Path]) -> None:
        self.files: list[NoteFile] = []
        self.warnings: list[str] = []
        self._links: list[tuple[str, str]] = []
        self._seen: set[_Identity] = {identity for path in skip if (identity := _identity(path))}

    def follow(self) -> None:
        """Walk the linked folders, in order of their names, until none is new."""
        while self._links:
            links, self._links = sorted(self._links), []
            for folder, path in links:
                self._try(folder, path)

    def enter(self, folder: str, path: str) -> None:
        """Take the notes of one folder and of those in it; `path` is "" or ends with `/`."""
        pending = [(folder, path)]
        self._list(*pending.pop(), pending)
        while pending:
            folder, path = pending.pop()
            self._try(folder, path, pending)

    def _try(self, folder: str, path: str, pending: list[tuple[str, str]] | None = None) -> None:
        try:
            if pending is None:
                self.enter(folder, path)
            else:
                self._list(folder, path, pending)
        except FileNotFoundError:
            pass  # it went away under the walk
        except OSError as error:
            self.warnings.append(f"{_shown(path)} cannot be listed: {_why(error)}")

    def _list(self, folder: str, path: str, pending: list[tuple[str, str]]) -> None:
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in self._seen:
            return
        self._seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            listed = list(entries)
        if path and any(entry.name == VENV_MARK for entry in listed):
            return
        for entry in listed:
            name = entry.name
            if name.startswith("."):
                continue
            if _is_folder(entry):
                if name not in VENDORED:
                    (self._links if entry.is_symlink() else pending).append((entry.path, f"{path}{name}/"))
            elif name.lower().endswith(SUFFIXES) and path + name != VOCABULARY:
                self._take(entry, path + name)

    def _take(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            status = entry.stat()
        except OSError as error:
            if entry.is_symlink():
                self.warnings.append(f"{_shown(path)} is a broken link: {_why(error)}")
            return
        if not stat.S_ISREG(status.st_mode):
            self.warnings.append(f"{_shown(path)} is not a regular file")
        elif not path.isascii() and _shown(path) != path:
            self.warnings.append(f"{_shown(path)} has a name that is not UTF-8")
        else:
            self.files.append(NoteFile(path, status.st_size, status.st_mtime_ns, status.st_ino))


def _bytes(file: Path) -> bytes:
    """The whole of a regular file; OSError for anything else, which is never opened."""
    _note_size(file.stat())
    # Something else may have taken its place: O_NONBLOCK does not wait for the other end of a FIFO.
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        # A buffer of what may be read at the most would cost more than the reading.
        return stream.read(min(_note_size(os.fstat(handle)) + _GROWTH, MAX_BYTES))


_GROWTH = 64 * 1024
"""Bytes that are read beyond a note's size, should it be growing."""


def _note_size(status: os.stat_result) -> int:
    """Bytes of a file; OSError where it is no regular one or too large for a note."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if status.st_size > MAX_BYTES:
        raise OSError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
    return status.st_size


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _why(error: OSError) -> str:
    return error.strerror.lower() if error.strerror else str(error)


def _shown(path: str) -> str:
    """`path` without the lone surrogates that stand for bytes which are not UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
