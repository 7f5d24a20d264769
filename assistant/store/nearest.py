"""Exact search for the nearest texts: the FAISS file, the vectors it does not hold yet, and the ids it should skip."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import private
from assistant.store.schema import VectorFile

Matrix = NDArray[np.float32]

_ADDED_AT_ONCE = 4096


class FileDamaged(Exception):
    """The FAISS file is not the one that was written."""


def file_name(digest: str) -> str:
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


def _faiss() -> Any:
    """Imported where it is first used: much that the store does needs no vectors. The types it ships are wrong."""
    import faiss

    # Its threads wait for each other in steps of 8 ms where another program is busy, however small the index, and the
    # last bits of a score depend on their number. One thread searches 100,000 rows in 17 ms whatever else goes on.
    faiss.omp_set_num_threads(1)
    return faiss


class Flat:
    """One IndexIDMap2 over an IndexFlatIP; an id may stand in it several times."""

    def __init__(self, index: Any) -> None:
        self.index = index

    @classmethod
    def of(cls, dimension: int, rows: Iterable[tuple[int, Matrix]]) -> Flat:
        faiss = _faiss()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        for ids, matrix in _gathered(rows):
            index.add_with_ids(matrix, ids)
        return cls(index)

    @property
    def size(self) -> int:
        return int(self.index.ntotal)

    def search(
        self, queries: Matrix, k: int, only: NDArray[np.int64] | None, dead: NDArray[np.int64]
    ) -> tuple[Matrix, NDArray[np.int64]]:
        """Scores and ids (q, k), best first; -1 fills what is missing."""
        faiss = _faiss()
        if only is not None:
            bits = _bits(only)
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        elif len(dead):
            bits = _bits(dead)
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorNot(faiss.IDSelectorBitmap(bits)))
        else:
            parameters = None
        scores, ids = self.index.search(queries, k, params=parameters)
        return scores, ids


def flat(rows: Iterable[tuple[int, Matrix]]) -> Flat | None:
    """An index of the rows; None where there are none."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return None
    return Flat.of(first[1].shape[1], chain([first], iterator))


def _bits(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    members = np.zeros(int(numbers.max(initial=0)) + 1, dtype=np.bool_)
    members[numbers] = True
    return np.packbits(members, bitorder="little")


def _gathered(rows: Iterable[tuple[int, Matrix]]) -> Iterator[tuple[NDArray[np.int64], Matrix]]:
    ids: list[int] = []
    matrices: list[Matrix] = []
    for number, matrix in rows:
        ids.extend([number] * len(matrix))
        matrices.append(matrix)
        if len(ids) >= _ADDED_AT_ONCE:
            yield np.array(ids, dtype=np.int64), np.concatenate(matrices)
            ids, matrices = [], []
    if ids:
        yield np.array(ids, dtype=np.int64), np.concatenate(matrices)


def write(folder: Path, dimension: int, rows: Iterable[tuple[int, Matrix]], texts: int) -> VectorFile:
    """Writes the rows durably under a name made from the file's content; OSError or RuntimeError leaves no file."""
    faiss = _faiss()
    temporary = folder / f"vectors-{os.getpid()}.tmp"
    try:
        temporary.unlink(missing_ok=True)
        private.touch(temporary)
        faiss.write_index(Flat.of(dimension, rows).index, str(temporary))
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            stamp = VectorFile(file_name(digest), os.fstat(file.fileno()).st_size, total(file.fileno()), texts)
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


def load(descriptor: int, stamp: VectorFile) -> Flat:
    """Reads and closes the file; FileDamaged where a byte of it changed."""
    faiss = _faiss()
    try:
        if total(descriptor) != stamp.total:
            raise FileDamaged(stamp.name)
        return Flat(faiss.read_index(f"/dev/fd/{descriptor}"))
    except (RuntimeError, OSError, ValueError) as error:
        raise FileDamaged(stamp.name) from error
    finally:
        os.close(descriptor)


class Reading(Thread):
    """The vector file on its way into memory."""

    def __init__(self, descriptor: int, stamp: VectorFile) -> None:
        super().__init__(name="vectors")
        self._descriptor = descriptor
        self._stamp = stamp
        self._flat: Flat | None = None

    def run(self) -> None:
        with suppress(FileDamaged):
            self._flat = load(self._descriptor, self._stamp)

    def flat(self) -> Flat:
        """Once it is read; FileDamaged."""
        self.join()
        if self._flat is None:
            raise FileDamaged(self._stamp.name)
        return self._flat


@dataclass(frozen=True, slots=True)
class Nearest:
    """The searchable whole: `filed` less `dead`, and the `tail` that came after it."""

    filed: Flat | None
    tail: Flat | None
    dead: NDArray[np.int64]

    @property
    def size(self) -> int:
        return sum(part.size for part in (self.filed, self.tail) if part is not None)

    def search(
        self, queries: Matrix, k: int, only: Collection[int] | None = None
    ) -> tuple[list[dict[int, float]], NDArray[np.float32]]:
        """Per query the best score of each text among its k nearest rows of either part, and the score (queries,) at or
        below which rows may be missing (minus infinity where none are)."""
        found: list[dict[int, float]] = [{} for _ in queries]
        floor = np.full(len(queries), -np.inf, dtype=np.float32)
        chosen = None if only is None else np.fromiter(only, dtype=np.int64)
        for part, dead in ((self.filed, self.dead), (self.tail, self.dead[:0])):
            if part is None or part.size == 0:
                continue
            scores, ids = part.search(queries, min(k, part.size), chosen, dead)
            if k < part.size:
                floor = np.maximum(floor, scores[:, -1])
            _merge(found, scores, ids)
        return found, floor


def _merge(found: list[dict[int, float]], scores: Matrix, ids: NDArray[np.int64]) -> None:
    for best, row_scores, row_ids in zip(found, scores.tolist(), ids.tolist(), strict=True):
        for score, number in zip(row_scores, row_ids, strict=True):
            if number >= 0 and score > best.get(number, -np.inf):
                best[number] = score
