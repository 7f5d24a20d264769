"""Folders of any size for measurements: the Knative notes again and again with numbers in them, and seeded vectors."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.models import preparation
from assistant.models.encoder import OnnxEncoder
from assistant.system.settings import user_cache

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = ROOT.parent / "shared" / "corpora" / "knative-docs.tar.gz"
_WORD = re.compile(r"[A-Za-z]{4,}")


class Seeded:
    """Passages get unit vectors drawn with a seed made of their text; questions are encoded as they always are."""

    def __init__(self) -> None:
        cache = user_cache(os.environ)
        self._model = OnnxEncoder(preparation.prepare(preparation.DEFAULT_MODEL, cache, lambda text: None))
        self.identity = self._model.identity
        self.dimension = self._model.dimension

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            row = np.random.default_rng(seed).standard_normal((1, self.dimension), dtype=np.float32)
            yield row / np.linalg.norm(row)

    def question(self, text: str) -> NDArray[np.float32]:
        return self._model.question(text)

    def ahead(self, texts: Sequence[str]) -> None:
        self._model.ahead(texts)


def knative(folder: Path) -> list[Path]:
    """Unpacks the 399 notes below the folder; their paths, sorted. FileNotFoundError where there is no archive."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return sorted(folder.rglob("*.md"))


def repeat(notes: Sequence[Path], folder: Path, copies: int) -> None:
    """Writes each note so many times; in every copy but the first one word of each line carries the copy's number."""
    for copy in range(copies):
        for number, note in enumerate(notes):
            path = folder / f"{copy:03}" / f"{number:03}-{note.name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(numbered(note.read_text("utf-8"), copy), "utf-8")


def numbered(text: str, copy: int) -> str:
    """The text with a number behind the first longer word of each line; itself for copy 0."""
    if not copy:
        return text
    return "".join(_WORD.sub(rf"\g<0>{copy}", line, count=1) for line in text.splitlines(keepends=True))
