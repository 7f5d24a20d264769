"""An encoder that keeps the texts it encodes, for benchmarks that hold the program against its encoder alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.models.encoder import Encoder


class RecordingEncoder:
    """Encodes with another encoder, and keeps each text in the order in which it was encoded."""

    def __init__(self, inner: Encoder) -> None:
        self.inner = inner
        self.texts: list[str] = []

    @property
    def identity(self) -> str:
        return self.inner.identity

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text, matrix in zip(texts, self.inner.passages(texts), strict=True):
            self.texts.append(text)
            yield matrix

    def question(self, text: str) -> NDArray[np.float32]:
        self.texts.append(text)
        return self.inner.question(text)

    def ahead(self, texts: Sequence[str]) -> None:
        self.inner.ahead(texts)
