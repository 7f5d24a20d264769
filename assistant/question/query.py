"""A question as it is understood before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.text.stop_words import CODE_NOUNS
from assistant.text.tokenizer import stem

Intent = Literal["concept", "detail", "tool", "list", "value", "how", "why", "compare", "code", "need"]
"""What kind of answer is asked for; `need` is a scenario without a question word."""


TEXTS = 14
"""Texts of a question that are embedded at most: itself and its clauses."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of a question."""

    text: str
    """A span of the question."""
    weight: float
    """1 for a requirement; less for what is only background; negative for what must not be."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question's parts."""

    text: str
    """The whole question, blanks and control characters tidied."""
    core: str
    """What is embedded: without sentences that only ask, and without what is put aside."""
    requirements: tuple[Requirement, ...]
    intent: Intent
    terms: tuple[str, ...]
    """Stems of its content words, each once, in order: neither function words nor words that only ask for a form."""
    wants_code: bool
    language: str
    """The language asked for, canonical; "" for any, "drawing" for a diagram."""
    tells_need: bool
    """Whether it tells of a situation or a need, and does not only ask for a fact."""
    nouns: frozenset[str] = frozenset()
    """Stems of the words behind the last "which" or "what" that may be the noun asked for."""
    options: tuple[tuple[str, str], ...] = ()
    """(label, text) of a multiple-choice question, in the given order."""

    @property
    def for_purpose(self) -> bool:
        """Whether what is asked for is chosen for a purpose: a need is told, or a service, a resource, a tool is asked
        for, and not a thing of code (a flag, a method)."""
        return self.tells_need or (self.intent in ("concept", "detail", "tool") and not self.of_code)

    @property
    def of_code(self) -> bool:
        """Whether a thing of code is asked for by its noun."""
        return not CODE_NOUNS.isdisjoint(self.nouns)

    @property
    def subject(self) -> tuple[str, ...]:
        """The terms without the language that is asked for."""
        return tuple(term for term in self.terms if term != stem(self.language)) or self.terms

    @property
    def searched_text(self) -> str:
        """What of the whole question is embedded."""
        return self.core or self.text

    @property
    def searched(self) -> tuple[Requirement, ...]:
        """The requirements that are looked up besides the whole question; none where it is one requirement."""
        return self.requirements[: TEXTS - 2] if len(self.requirements) > 1 else ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is embedded of it."""
        return tuple(dict.fromkeys((self.searched_text, *(r.text for r in self.searched), self.text)))
