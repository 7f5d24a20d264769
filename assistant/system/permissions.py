"""Files and folders that are made for their owner alone, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077


def folder(path: Path) -> None:
    """Makes the folder and those above it that are missing; OSError. One that is there stays as it is."""
    if not path.parent.exists():
        folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=FOLDER)
        return
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))


def opener(path: str, flags: int) -> int:
    """For `open`."""
    return os.open(path, flags | os.O_CLOEXEC, FILE)


def write(path: Path, text: str) -> None:
    """The whole file anew, in UTF-8; OSError."""
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)


def touch(path: Path) -> None:
    """Makes the file where it is missing, and takes it from others where it is ours; OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE)
    try:
        tighten(descriptor)
    finally:
        os.close(descriptor)


def tighten(descriptor: int) -> None:
    """Takes an open file or folder from others; left as it is where it belongs to another user, or is a device."""
    found = os.fstat(descriptor)
    usual = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    if usual and found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & ~_OTHERS)


def tighten_folder(path: Path, ours: Callable[[str], bool]) -> None:
    """Takes a folder from others if it holds nothing but what is `ours` by name; else it is somebody's, and stays."""
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
