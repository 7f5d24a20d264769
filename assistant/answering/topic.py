"""A name that may be the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.records import Passage
from assistant.text.excerpts import plain


@dataclass(slots=True)
class Topic:
    """A name with what speaks for it among the candidates."""

    key: str
    name: str
    """As the most telling place writes it, first."""
    rank: int
    """Of that place in `extraction.TELLING`."""
    speakers: dict[int, float] = field(default_factory=dict)
    """Position in `RetrievalResult.hits` → how much that passage counts; those that give the name come first, then
    those that only stand below it, each by position."""
    kinds: set[str] = field(default_factory=set)
    """Of all places that give the name."""
    features: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """(features,): as `topic_features.FEATURES` lists them."""
    score: float = 0.0
    confidence: float = 0.0


def names(passage: Passage, name: str) -> bool:
    """Whether the name stands in the passage, its label or the headings over it, word for word."""
    return plain(name) in plain(f"{passage.text} {' '.join(passage.heading_path)} {passage.label}")
