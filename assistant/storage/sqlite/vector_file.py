"""The FAISS file of an index: written once under a name made from its content, verified before it is used."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread

import numpy as np

from assistant.storage import nearest
from assistant.storage.nearest import Coded, Flat, Matrix
from assistant.storage.state import VectorFile
from assistant.system import permissions

CODED_FROM = 10_000
"""Texts from which the file holds codes: below, exact rows are as quick to search."""


class FileDamaged(Exception):
    """The vector file is not the one that was written."""


def file_name(digest: str) -> str:
    """`digest` is the file's SHA-256, hex, of which the name has 16 digits."""
    return f"vectors-{digest[:16]}.faiss"


def total(descriptor: int) -> int:
    """A signed 64-bit sum over the bytes that any one changed byte changes; ten times as fast as SHA-256."""
    if os.fstat(descriptor).st_size == 0:
        return 0
    with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as data:
        whole = len(data) // 8
        words = np.frombuffer(data, dtype="<u8", count=whole)
        result = int(np.add.reduce(words, dtype=np.uint64)) + int.from_bytes(data[whole * 8 :], "little")
        del words
    return (result + 2**63) % 2**64 - 2**63


def write(folder: Path, dimension: int, rows: Callable[[], Iterable[tuple[int, Matrix]]], texts: int) -> VectorFile:
    """Writes the rows of so many texts durably under a name made from the file's content; `rows` gives them each time
    it is called. OSError or RuntimeError leaves no file."""
    temporary = folder / f"vectors-{os.getpid()}.tmp"
    vectors = Coded.of(dimension, rows) if texts >= CODED_FROM else Flat.of(dimension, rows())
    try:
        temporary.unlink(missing_ok=True)
        permissions.touch(temporary)
        vectors.write(temporary)
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            size, added = os.fstat(file.fileno()).st_size, total(file.fileno())
            stamp = VectorFile(file_name(digest), size, added, texts, vectors.error)
        temporary.replace(folder / stamp.name)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(folder)
    return stamp


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(folder: Path, stamp: VectorFile) -> int | None:
    """A descriptor, which outlives the file's name; None where the file is gone or its size is not the stamp's."""
    try:
        descriptor = os.open(folder / stamp.name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    if os.fstat(descriptor).st_size == stamp.size:
        return descriptor
    os.close(descriptor)
    return None


def sound(folder: Path, stamp: VectorFile, *, whole: bool = True) -> bool:
    """Whether the file is the stamp's, byte for byte or by its size alone; True for the stamp of no file."""
    if not stamp.name:
        return True
    descriptor = open_file(folder, stamp)
    if descriptor is None:
        return False
    try:
        return not whole or total(descriptor) == stamp.total
    finally:
        os.close(descriptor)


def load(descriptor: int, stamp: VectorFile) -> Flat | Coded:
    """Reads and closes the file; FileDamaged where a byte of it changed."""
    try:
        if total(descriptor) != stamp.total:
            raise FileDamaged(stamp.name)
        return nearest.read(f"/dev/fd/{descriptor}", stamp.error)
    except (RuntimeError, OSError, ValueError) as error:
        raise FileDamaged(stamp.name) from error
    finally:
        os.close(descriptor)


class Loading(Thread):
    """The vector file on its way into memory."""

    def __init__(self, descriptor: int, stamp: VectorFile) -> None:
        super().__init__(name="vectors")
        self._descriptor = descriptor
        self._stamp = stamp
        self._result: Flat | Coded | Exception = FileDamaged(stamp.name)

    def run(self) -> None:
        """Raises nothing: an error is kept for `searchable`."""
        try:
            self._result = load(self._descriptor, self._stamp)
        except Exception as error:  # noqa: BLE001 - of any kind: raised where the vectors are wanted
            self._result = error

    def searchable(self) -> Flat | Coded:
        """Once it is read; FileDamaged, or what else kept it from being read."""
        self.join()
        if isinstance(self._result, Exception):
            raise self._result
        return self._result
