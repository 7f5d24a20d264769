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


class Drawn:
    """An encoder whose unit vectors are drawn with a seed made of the text."""

    def __init__(self, identity: str = "drawn", dimension: int = 64) -> None:
        self.identity = identity
        self.dimension = dimension

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            yield self.question(text)[np.newaxis]

    def question(self, text: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        row = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        return np.asarray(row / np.linalg.norm(row), dtype=np.float32)

    def ahead(self, texts: Sequence[str]) -> None:
        pass


class Seeded:
    """Passages get drawn vectors; questions are encoded by the default model."""

    def __init__(self) -> None:
        self._model = default_encoder()
        self.identity = self._model.identity
        self.dimension = self._model.dimension
        self.passages = Drawn(self.identity, self.dimension).passages
        self.question = self._model.question
        self.ahead = self._model.ahead


def default_encoder() -> OnnxEncoder:
    """The default model's, loaded; it is prepared first where it never was."""
    cache = user_cache(os.environ)
    encoder = OnnxEncoder(preparation.prepare(preparation.DEFAULT_MODEL, cache, lambda text: None))
    encoder.question("What is this about?")
    return encoder


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
