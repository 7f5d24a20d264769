"""An encoder for tests in which the meaning of a vector does not matter, and which costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


class HashingEncoder:
    """Hashed words, unit rows, no limit."""

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.identity = f"hashing-{dimension}"

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            yield self.question(text)[np.newaxis]

    def question(self, text: str) -> NDArray[np.float32]:
        row = np.zeros(self.dimension, dtype=np.float32)
        for word in text.casefold().split() or [""]:
            digest = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "big")
            row[digest % self.dimension] += 1 if digest >> 63 else -1
        if not row.any():  # words that cancel out
            row[0] = 1
        return np.asarray(row / np.linalg.norm(row), dtype=np.float32)

    def ahead(self, texts: Sequence[str]) -> None:
        pass
