"""How sure an answer is of a name, in a word and a small bar: a probability in per cent says more than is known."""

from __future__ import annotations

from bisect import bisect_right

STRONG, FAIR = 0.7, 0.4
"""Confidence from which a candidate is called so; below FAIR it is weak."""
_STEPS = (0.2, FAIR, STRONG, 0.9)
"""Confidence from which another column of the bar is full, so that no two words share a bar."""


def word(confidence: float) -> str:
    """strong, fair or weak, of a confidence from 0 to 1."""
    return "strong" if confidence >= STRONG else "fair" if confidence >= FAIR else "weak"


def bar(confidence: float) -> str:
    """Five columns, of which at least one is full."""
    full = bisect_right(_STEPS, confidence) + 1
    return "█" * full + "░" * (len(_STEPS) + 1 - full)


def shown(confidence: float) -> str:
    """Both, such as `strong ████░`."""
    return f"{word(confidence)} {bar(confidence)}"
