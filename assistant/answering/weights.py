"""The fitted numbers, read from the data file that `scripts/fit` writes, or from another file of its form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.errors import BadRequest

SHIPPED = Path(__file__).parents[1] / "data" / "constants.json"
PLAIN = Path(__file__).parents[1] / "data" / "constants-plain.json"
"""Fitted without the vocabulary: what it would have said is no evidence against a question where it is silent."""


@dataclass(frozen=True, slots=True)
class NameWeights:
    """What ranks the names that may be the verdict."""

    features: Mapping[str, float]
    """Of a topic's features; see `topic_features.FEATURES`."""
    temperature: float
    """Divides the scores before they become confidences."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What decides from a question's form and its vector together whether a name is asked for."""

    encoder: str
    """The identity of the encoder whose vectors it knows; for another one's the form decides alone."""
    asked: Mapping[str, float]
    """Of the features of the form; "bias" included."""
    vector: NDArray[np.float32]
    """(d,): of the question's vector."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The fitted numbers, by feature name."""

    names: NameWeights
    asked: Mapping[str, float]
    """Of the decision whether a name is asked for; "bias" included, see `name_asked.FEATURES`."""
    meaning: Meaning
    """The same, where the question's vector is looked at too."""
    outcome: Mapping[str, float]
    """Of the decision whether the notes answer; "bias" included, see `decision_features.FEATURES`."""
    threshold: float
    """The probability below which a question is declined."""


@cache
def load(path: Path | None = None, vocabulary: bool = True) -> Weights:
    """The weights of `path`, or those shipped for answers with or without the vocabulary; BadRequest where the file
    is not of the form.
    """
    path = path or (SHIPPED if vocabulary else PLAIN)
    try:
        data = json.loads(path.read_text("utf-8"))
        return Weights(
            NameWeights(_numbers(data["names"]), float(data["names_temperature"])),
            _numbers(data["asked"]),
            Meaning(
                str(data["meaning"]["encoder"]),
                _numbers(data["meaning"]["asked"]),
                np.array(data["meaning"]["vector"], dtype=np.float32),
            ),
            _numbers(data["outcome"]),
            float(data["threshold"]),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadRequest(f"{path} does not hold constants: {error}.", "Let scripts/fit write it.") from error


def _numbers(table: Mapping[str, float]) -> dict[str, float]:
    return {str(k): float(v) for k, v in table.items()}
