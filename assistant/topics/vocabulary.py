"""General computing concepts in a user's words → sentences that help to find a topic; never quoted, never shown."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from pathlib import Path

from assistant.text.tokenizer import WORD, key, stems_of, terms
from assistant.text.word_frequency import rarity

USER_FILE = "assistant-vocabulary.md"
"""At the top of the notes folder; its concepts are added to the shipped ones, a same-named one replaces."""


EMBEDDED = 12
"""Sentences of a concept that get a vector, the first; of the others the words count. Twice as many vectors find no
more (DECISIONS.md), and each costs a build some milliseconds."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: its name, its other names, and sentences as users speak of it."""

    name: str
    names: tuple[str, ...]
    sentences: tuple[str, ...]


class VocabularyError(ValueError):
    """A vocabulary file that is not of the form; the message names the line."""


def parse(text: str, where: str) -> tuple[Concept, ...]:
    """Concepts of one Markdown file: `## Name`, `Also: a, b`, and one sentence an item; VocabularyError with the
    line.
    """
    found: list[Concept] = []
    names: list[str] | None = None
    sentences: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith(("- ", "* ")):
            if names is not None:
                sentences.append(stripped[2:].strip())
        elif stripped.startswith("## "):
            if names is not None:
                found.append(Concept(names[0], tuple(names[1:]), tuple(sentences)))
            name = stripped[3:].strip()
            names, sentences = [name] if name else None, []
        elif names is None or not stripped or stripped.startswith("# "):
            continue
        elif stripped.lower().startswith("also:"):
            names += [n.strip() for n in stripped[5:].split(",") if n.strip()]
        else:
            raise VocabularyError(f"{where}, line {number}: expected `## Name`, `Also:` or `- sentence`.")
    if names is not None:
        found.append(Concept(names[0], tuple(names[1:]), tuple(sentences)))
    return tuple(found)


def concepts(notes: Path | None = None, *, shipped: bool = True) -> tuple[Concept, ...]:
    """The shipped concepts and the user's own, by name; a user's concept replaces the shipped one of that name."""
    found = dict(_shipped()) if shipped else {}
    own = notes / USER_FILE if notes is not None else None
    if own is not None and own.is_file():
        found |= {key(c.name): c for c in parse(own.read_text("utf-8", "replace"), USER_FILE)}
    return tuple(found[k] for k in sorted(found))


@cache
def _shipped() -> dict[str, Concept]:
    """By the key of the name; read once, since whoever follows a folder builds again and again."""
    folder = Path(__file__).parents[1] / "data" / "vocabulary"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda f: f.name)
    return {key(c.name): c for file in files for c in parse(file.read_text("utf-8"), file.name)}


_GENERIC = frozenset(
    key(w)
    for w in [
        "service",
        "services",
        "deployment",
        "strategy",
        "pattern",
        "policy",
        "policies",
        "approach",
        "update",
        "release",
        "rule",
        "resource",
        "object",
        "feature",
        "setting",
        "option",
        "configuration",
        "config",
        "management",
        "mode",
        "cluster",
        "instance",
        "system",
        "api",
        "the",
        "a",
        "an",
        "of",
        "for",
        "cloud",
    ]
)


def bare(topic_key: str) -> str:
    """A topic key without the words that any name may carry (service, policy, strategy …); itself where nothing
    is left.
    """
    left = " ".join(w for w in topic_key.split() if w not in _GENERIC)
    return left or topic_key


def words(known: Sequence[Concept], wanted: Sequence[str]) -> Iterator[tuple[str, str, float, float]]:
    """(term, concept, weight, named) for each term of the `wanted` concepts' sentences and names: its BM25 there, each
    concept one document of the whole vocabulary, and the share of the concept's names that hold it.
    """
    if not wanted:
        return
    bags, held, average = _counted(tuple(known))
    names = {c.name: (c.name, *c.names) for c in known}
    for name in wanted:
        bag, called = bags[name], _bag(names[name])
        norm = _K1 * (1 - _B + _B * bag.total() / average)
        for term in sorted(bag):
            idf = math.log(1 + (len(bags) - held[term] + 0.5) / (held[term] + 0.5))
            weight = idf * bag[term] * (_K1 + 1) / (bag[term] + norm)
            yield term, name, round(weight, 4), round(called[term] / len(names[name]), 4)


_K1, _B = 1.2, 0.5


@lru_cache(maxsize=1)
def _counted(known: tuple[Concept, ...]) -> tuple[dict[str, Counter[str]], Counter[str], float]:
    """The terms of each concept, in how many concepts each stands, and how many a concept has on the average."""
    bags = {c.name: _bag((*c.sentences, c.name, *c.names)) for c in known}
    held = Counter(chain.from_iterable(bags.values()))
    return bags, held, sum(bag.total() for bag in bags.values()) / max(1, len(bags))


def _bag(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each term stands."""
    return Counter(chain.from_iterable(set(terms(text)) for text in texts))


@lru_cache(maxsize=1)
def spotter(known: tuple[Concept, ...]) -> Spotter:
    """That of these concepts; kept, as the next build most likely asks for the same."""
    return Spotter(known)


class Spotter:
    """Finds the names of concepts in texts, whatever their inflection."""

    def __init__(self, known: Sequence[Concept]) -> None:
        self._names: dict[tuple[str, ...], list[str]] = {}
        self._whole: dict[tuple[str, ...], list[str]] = {}
        called = [(c.name, n) for c in known for n in (c.name, *c.names, *_unparenthesised(c.name))]
        short: dict[tuple[str, ...], dict[str, str]] = {}
        for concept, name in called:
            short.setdefault(tuple(bare(key(name)).split()), {}).setdefault(concept, name)
            self._add(tuple(key(name).split()), concept, name)
        for stems, concepts in short.items():
            # What is left of several concepts' names names none of them: "proxy" of an API proxy, "server" of an API's.
            if stems not in self._whole and len(concepts) == 1:
                self._add(stems, *next(iter(concepts.items())))
        self._alone = frozenset(stems[0] for stems in self._names if len(stems) == 1)
        self._sizes: dict[str, dict[str, tuple[int, ...]]] = {}
        """By the first stem and the second: how long the names are that begin so."""
        for stems in self._names:
            if len(stems) > 1:
                after = self._sizes.setdefault(stems[0], {})
                after[stems[1]] = tuple({*after.get(stems[1], ()), len(stems)})

    def _add(self, stems: tuple[str, ...], concept: str, name: str) -> None:
        if concept not in self._whole.setdefault(stems, []):
            self._whole[stems].append(concept)
            if len(stems) > 1 or (stems and (name.isupper() or rarity(stems[0]) >= _TELLING)):
                self._names.setdefault(stems, []).append(concept)

    def matches(self, topic_key: str) -> dict[str, bool]:
        """The concepts whose name stands in a topic's, by its key → whether it is the whole of it, words that any
        name may carry aside.
        """
        stems = tuple(topic_key.split())
        whole = self._whole.get(stems) or self._whole.get(tuple(bare(topic_key).split()), [])
        found = dict.fromkeys(whole, True)
        for at, end in self._runs(stems):
            for name in self._names[stems[at:end]]:
                found.setdefault(name, False)
        return found

    def spot(self, text: str) -> list[str]:
        """Names of the concepts that a text names, each once, longer names first; a word inside a longer name
        counts too.
        """
        return [name for name, _ in self.spots(text)]

    def spots(self, text: str) -> list[tuple[str, str]]:
        """As `spot`, each concept with the words that name it first, as the text writes them."""
        stems = [s for word in WORD.findall(text) for s in stems_of(word)]
        runs = self._runs(stems)
        if not runs:
            return []
        spans = [match.span() for match in WORD.finditer(text) for _ in stems_of(match[0])]
        found: dict[str, str] = {}
        for at, end in runs:
            for name in self._names[tuple(stems[at:end])]:
                found.setdefault(name, text[spans[at][0] : spans[end - 1][1]])
        return list(found.items())

    def _runs(self, stems: Sequence[str]) -> list[tuple[int, int]]:
        """Begin and end of each name, the longest first, then from left to right."""
        alone, sizes, names = self._alone, self._sizes, self._names
        runs = [
            (at, at + size)
            for at, (first, second) in enumerate(pairwise(stems))
            if first in sizes and second in sizes[first]
            for size in sizes[first][second]
            if at + size <= len(stems) and tuple(stems[at : at + size]) in names
        ]
        runs += [(at, at + 1) for at, stem in enumerate(stems) if stem in alone]
        return sorted(runs, key=lambda run: (run[0] - run[1], run[0])) if len(runs) > 1 else runs


_TELLING = 0.4
"""Rarity in general English from which one word alone is taken for a concept's name."""


def _unparenthesised(name: str) -> list[str]:
    match = re.match(r"^(.*?)\s*\(([^)]*)\)\s*$", name)
    return [match[1], match[2]] if match else []
