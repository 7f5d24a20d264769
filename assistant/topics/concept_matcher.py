"""Texts of the notes → the concepts of the vocabulary whose names stand in them, whatever their inflection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from assistant.text.tokenizer import WORD, key, stems_of
from assistant.text.word_frequency import rarity
from assistant.topics.vocabulary import Concept

_GENERIC = frozenset(
    key(word)
    for word in (
        *("service", "services", "deployment", "strategy", "pattern", "policy", "policies", "approach", "update"),
        *("release", "rule", "resource", "object", "feature", "setting", "option", "configuration", "config"),
        *("management", "mode", "cluster", "instance", "system", "api", "the", "a", "an", "of", "for", "cloud"),
    )
)
_RARE = 0.4
"""Rarity in general English from which one word alone is taken for a concept's name."""

_Stems = tuple[str, ...]


def without_generic_words(topic_key: str) -> str:
    """A topic key without the words of any name (service, policy, strategy …); itself where nothing is left."""
    left = " ".join(word for word in topic_key.split() if word not in _GENERIC)
    return left or topic_key


@lru_cache(maxsize=1)
def matcher(concepts: tuple[Concept, ...]) -> ConceptMatcher:
    """That of these concepts; cached, as the next build most likely asks for the same."""
    return ConceptMatcher(concepts)


class ConceptMatcher:
    """Finds the names of concepts by the stems of their words."""

    def __init__(self, concepts: Sequence[Concept]) -> None:
        self._in_texts: dict[_Stems, list[str]] = {}
        """Name → concepts; only names that are telling enough to be found inside a text."""
        self._whole: dict[_Stems, list[str]] = {}
        """Name → concepts; every name, for a text that is nothing else."""
        shortened: dict[_Stems, dict[str, str]] = {}
        for concept in concepts:
            for name, stems, short in _names(concept):
                shortened.setdefault(short, {}).setdefault(concept.name, name)
                self._add(stems, concept.name, name)
        for stems, names in shortened.items():
            # What is left of several concepts' names names none of them: "proxy" of an API proxy, "server" of an API's.
            if stems not in self._whole and len(names) == 1:
                self._add(stems, *next(iter(names.items())))
        self._single_words = frozenset(stems[0] for stems in self._in_texts if len(stems) == 1)
        self._lengths: dict[str, dict[str, tuple[int, ...]]] = {}
        """By the first stem and the second: how many words the names have that begin so."""
        for stems in self._in_texts:
            if len(stems) > 1:
                by_second = self._lengths.setdefault(stems[0], {})
                by_second[stems[1]] = tuple({*by_second.get(stems[1], ()), len(stems)})

    def _add(self, stems: _Stems, concept: str, name: str) -> None:
        if concept not in self._whole.setdefault(stems, []):
            self._whole[stems].append(concept)
            if len(stems) > 1 or (stems and (name.isupper() or rarity(stems[0]) >= _RARE)):
                self._in_texts.setdefault(stems, []).append(concept)

    def matches(self, topic_key: str) -> dict[str, bool]:
        """The concepts whose name stands in a topic's name (its key) → whether it is all of it, generic words aside."""
        stems = tuple(topic_key.split())
        whole = self._whole.get(stems) or self._whole.get(tuple(without_generic_words(topic_key).split()), [])
        matches = dict.fromkeys(whole, True)
        for begin, end in self._spans(stems):
            for concept in self._in_texts[stems[begin:end]]:
                matches.setdefault(concept, False)
        return matches

    def find(self, text: str) -> list[tuple[str, str]]:
        """The concepts that a text names, each once with the words that name it first, as the text writes them.

        Longer names come first; a name inside a longer one counts too.
        """
        stems = [stem for word in WORD.findall(text) for stem in stems_of(word)]
        spans = self._spans(stems)
        if not spans:
            return []
        places = [match.span() for match in WORD.finditer(text) for _ in stems_of(match[0])]
        written: dict[str, str] = {}
        for begin, end in spans:
            for concept in self._in_texts[tuple(stems[begin:end])]:
                written.setdefault(concept, text[places[begin][0] : places[end - 1][1]])
        return list(written.items())

    def _spans(self, stems: Sequence[str]) -> list[tuple[int, int]]:
        """Begin and end of each name, the longest first, then from left to right."""
        single_words, lengths, names = self._single_words, self._lengths, self._in_texts
        spans = [
            (begin, begin + length)
            for begin, (first, second) in enumerate(pairwise(stems))
            if first in lengths and second in lengths[first]
            for length in lengths[first][second]
            if begin + length <= len(stems) and tuple(stems[begin : begin + length]) in names
        ]
        spans += [(begin, begin + 1) for begin, stem in enumerate(stems) if stem in single_words]
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0])) if len(spans) > 1 else spans


@lru_cache(maxsize=10_000)
def _names(concept: Concept) -> tuple[tuple[str, _Stems, _Stems], ...]:
    """Each name of a concept with its stems and those that are left without generic words. Cached, since an edit of the
    user's vocabulary changes few of all concepts."""
    names = (concept.name, *concept.names, *_parts_of_brackets(concept.name))
    keys = [(name, key(name)) for name in names]
    return tuple((name, tuple(whole.split()), tuple(without_generic_words(whole).split())) for name, whole in keys)


def _parts_of_brackets(name: str) -> list[str]:
    """What stands before the brackets at a name's end, and in them; none without."""
    match = re.match(r"^(.*?)\s*\(([^)]*)\)\s*$", name)
    return [match[1], match[2]] if match else []
