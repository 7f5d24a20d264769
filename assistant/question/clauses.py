"""A question's sentences and clauses: which of them only ask, and what each is worth."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.question.patterns import AGAINST, BACKGROUND, CLAUSE, SENTENCE
from assistant.question.query import Requirement
from assistant.text.stop_words import ASKING, content
from assistant.text.tokenizer import words

_LONG = 8
"""Words up to which a sentence is one clause."""
_EDGES = " ,.;:!?"


def sentences(text: str) -> list[str]:
    """The sentences that hold a word, in order, with their marks."""
    return [s.strip() for s in SENTENCE.split(text) if re.search(r"\w", s)]


def only_asks(sentence: str) -> bool:
    """Whether a sentence only asks for a name ("Which service fits?") and says nothing of the need."""
    if not sentence.endswith("?") and not re.match(r"(?i)^(?:please|show|tell|give|example|name)\b", sentence):
        return False
    if not re.search(r"(?i)\b(?:which|what|where|how|recommend|suggest|please|example|name|tell|show)\b", sentence):
        return False
    left = [t for t in content(sentence) if t not in ASKING]
    return len(left) <= 1 and len(words(sentence)) <= 12


def requirements(spoken: Sequence[str]) -> tuple[Requirement, ...]:
    """Every clause of the sentences that says something, with its weight, in order."""
    clauses = (clause.strip(_EDGES) for sentence in spoken for clause in _clauses(sentence))
    return tuple(Requirement(clause, _weight(clause)) for clause in clauses if content(clause))


def without_exclusions(spoken: Sequence[str]) -> str:
    """The sentences without the clauses that say what must not be; whole where hardly anything else is left."""
    left = []
    for sentence in spoken:
        parts = _clauses(sentence)
        kept = [p for p in parts if not AGAINST.search(p.strip(_EDGES))]
        if kept:
            left.append(sentence if len(kept) == len(parts) else ", ".join(p.strip(" ,") for p in kept))
    text = " ".join(left)
    return text if len(content(text)) >= 4 else " ".join(spoken)


def _clauses(sentence: str) -> list[str]:
    return CLAUSE.split(sentence) if len(words(sentence)) > _LONG else [sentence]


def _weight(clause: str) -> float:
    if AGAINST.search(clause):
        return -0.5
    return 0.4 if BACKGROUND.search(clause) else 1.0
