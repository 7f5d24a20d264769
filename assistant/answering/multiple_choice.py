"""Options of a multiple-choice question → support for each, and the one that is best supported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.topic import Topic
from assistant.records import Option, Passage
from assistant.retrieval.result import RetrievalResult
from assistant.text.tokenizer import terms

NAMED = 0.05
"""What a point of a topic's score counts beside a cosine."""
_BEHIND = -6.0
"""How far behind the best topic an option's topic counts at most."""
_SHARPNESS = 8
"""Of the softmax that makes shares of the scores."""


@dataclass(frozen=True, slots=True)
class SupportedOption:
    """An option with the one passage that best supports question and option together."""

    label: str
    text: str
    support: float
    """Its share; those of all options sum to 1."""
    passage: Passage | None

    def record(self, citations: tuple[int, ...]) -> Option:
        """As the answer shows it: with its citations, and the support rounded to 4 places."""
        return Option(self.label, self.text, round(self.support, 4), citations)


@dataclass(frozen=True, slots=True)
class Choice:
    """The shares of a question's options, and which of them is chosen."""

    options: tuple[SupportedOption, ...]
    """In the given order."""
    label: str | None
    """Of the best supported option; None where nothing supports any, or two are supported alike."""


def choose(result: RetrievalResult, ranked: Sequence[Topic]) -> Choice:
    """A softmax over the options' best passages and the ranks of their names as a verdict. A tie chooses none."""
    options, evidence = result.query.options, result.options
    named = [_named(text, ranked) for _, text in options]
    scores = np.array([e.score + NAMED * name if e.score else 0.0 for e, name in zip(evidence, named, strict=True)])
    shares = np.exp(_SHARPNESS * (scores - scores.max()))
    shares = shares / shares.sum()
    supported = tuple(
        SupportedOption(label, text, float(share), e.passage)
        for (label, text), share, e in zip(options, shares, evidence, strict=True)
    )
    first, *others = sorted(range(len(options)), key=lambda n: -scores[n])
    best = round(float(scores[first]), 6)
    clear = scores[first] > 0 and (not others or best > round(float(scores[others[0]]), 6))
    return Choice(supported, options[first][0] if clear else None)


def _named(option: str, ranked: Sequence[Topic]) -> float:
    """How far the best topic that an option names is behind the best of all; `_BEHIND` at most and without any."""
    said = frozenset(terms(option))
    if not ranked:
        return _BEHIND
    behind = (t.score - ranked[0].score for t in ranked if said.issuperset(t.key.split()))
    return max(_BEHIND, max(behind, default=_BEHIND))
