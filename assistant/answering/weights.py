"""The fitted numbers, read from the data file that `scripts/fit` writes, or from another file of its form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.errors import BadRequest

SHIPPED = Path(__file__).parents[1] / "data" / "constants.json"
PLAIN = Path(__file__).parents[1] / "data" / "constants-plain.json"
"""Fitted without the vocabulary: what it would have said is no evidence against a question where it is silent."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The fitted numbers, by feature name."""

    verdict: Mapping[str, float]
    """Of a topic's features; see `topic_features.FEATURES`."""
    temperature: float
    """Divides the scores before they become confidences."""
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
            {str(k): float(v) for k, v in data["verdict"].items()},
            float(data["temperature"]),
            {str(k): float(v) for k, v in data["outcome"].items()},
            float(data["threshold"]),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadRequest(f"{path} does not hold constants: {error}.", "Let scripts/fit write it.") from error
