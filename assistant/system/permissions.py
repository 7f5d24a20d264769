"""Files and folders that only their owner may read, write or enter, whatever the umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
"""Modes of what is made."""
_OTHERS = 0o077


def folder(path: Path) -> None:
    """Makes the folder and those above it that are missing; OSError. One that exists keeps its mode."""
    if not path.parent.exists():
        folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=FOLDER)
        return
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))


def opener(path: str, flags: int) -> int:
    """Opens a file that is private where it is new: for `open(…, opener=opener)`."""
    return os.open(path, flags | os.O_CLOEXEC, FILE)


def write(path: Path, text: str) -> None:
    """Replaces the content of the file, in UTF-8; OSError."""
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)


def replace(path: Path, text: str, mode: int = FILE) -> None:
    """Replaces the file as a whole, in UTF-8: written beside it, then renamed; OSError.

    A link stays one, a file keeps its mode, and a new one gets `mode` as far as the umask allows.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(text)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def touch(path: Path) -> None:
    """Makes the file where it is missing, and makes it private where it is the user's own; OSError, also for a link."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE)
    try:
        tighten(descriptor)
    finally:
        os.close(descriptor)


def tighten(descriptor: int) -> None:
    """Takes the rights of others from an open file or folder; not where it is another user's, a pipe or a device."""
    status = os.fstat(descriptor)
    file_or_folder = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    if file_or_folder and status.st_uid == os.geteuid() and status.st_mode & _OTHERS:
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~_OTHERS)


def tighten_folder(path: Path, ours: Callable[[str], bool]) -> None:
    """Takes the rights of others from a folder whose files are all `ours` by name; any other folder is left alone."""
    with suppress(OSError):
        if not all(map(ours, os.listdir(path))):  # noqa: PTH208 - names are all that counts
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            tighten(descriptor)
        finally:
            os.close(descriptor)


def open_to_others(path: Path) -> bool:
    """Whether others than the owner may read, write or enter it."""
    try:
        return bool(path.lstat().st_mode & _OTHERS)
    except OSError:
        return False
