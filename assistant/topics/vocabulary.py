"""The vocabulary: general computing concepts in a user's words, shipped and the user's own; they only help retrieval,
and are never quoted or shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

from assistant.text.tokenizer import key, terms

USER_FILE = "assistant-vocabulary.md"
"""At the top of the notes folder; its concepts are added to the shipped ones, a same-named one replaces."""
EMBEDDED = 12
"""Sentences of a concept that get a vector, the first; of the others the words count. Twice as many vectors find no
more (DECISIONS.md), and each costs a build some milliseconds."""
_K1, _B = 1.2, 0.5
"""Of BM25."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: its name, its other names, and sentences as users speak of it."""

    name: str
    names: tuple[str, ...]
    sentences: tuple[str, ...]


class VocabularyError(ValueError):
    """A vocabulary file that is not of the form; the message names the line."""


def parse(text: str, where: str) -> tuple[Concept, ...]:
    """The concepts of one Markdown file: `## Name`, `Also: a, b`, and one sentence an item; VocabularyError names the
    file `where` and the line."""
    concepts: list[Concept] = []
    names: list[str] | None = None
    sentences: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith(("- ", "* ")):
            if names is not None:
                sentences.append(stripped[2:].strip())
        elif stripped.startswith("## "):
            if names is not None:
                concepts.append(Concept(names[0], tuple(names[1:]), tuple(sentences)))
            name = stripped[3:].strip()
            names, sentences = [name] if name else None, []
        elif names is None or not stripped or stripped.startswith("# "):
            continue
        elif stripped.lower().startswith("also:"):
            names += [name.strip() for name in stripped[5:].split(",") if name.strip()]
        else:
            raise VocabularyError(f"{where}, line {number}: expected `## Name`, `Also:` or `- sentence`.")
    if names is not None:
        concepts.append(Concept(names[0], tuple(names[1:]), tuple(sentences)))
    return tuple(concepts)


def with_sentence(text: str, name: str, sentence: str) -> str:
    """The text of a vocabulary file with one more sentence of the concept called `name`, at the end of its section, or
    in a section of its own at the end; unchanged where the sentence stands there already."""
    lines = text.splitlines()
    wanted = " ".join(name.split())
    item = f"- {' '.join(sentence.split())}"
    begins = next((n for n, line in enumerate(lines) if line.startswith("## ") and key(line[3:]) == key(wanted)), None)
    if begins is None:
        apart = [""] if lines and lines[-1].strip() else []
        return "\n".join([*lines, *apart, f"## {wanted}", "", item]) + "\n"
    ends = next((n for n in range(begins + 1, len(lines)) if lines[n].startswith("## ")), len(lines))
    section = lines[begins:ends]
    if item in (line.strip() for line in section):
        return text
    while not section[-1].strip():
        section.pop()
    apart = [] if section[-1].strip().startswith(("- ", "* ")) else [""]
    after = [""] if ends < len(lines) else []
    return "\n".join([*lines[:begins], *section, *apart, item, *after, *lines[ends:]]) + "\n"


def concepts(notes: Path | None = None, *, shipped: bool = True) -> tuple[Concept, ...]:
    """The shipped concepts and those of the notes' own file, by name; a user's concept replaces the shipped one of that
    name. VocabularyError, OSError."""
    by_key = dict(_shipped()) if shipped else {}
    file = notes / USER_FILE if notes is not None else None
    if file is not None and file.is_file():
        by_key |= {key(concept.name): concept for concept in parse(file.read_text("utf-8", "replace"), USER_FILE)}
    return tuple(by_key[name] for name in sorted(by_key))


@cache
def _shipped() -> dict[str, Concept]:
    """By the key of the name; read once, since a process that follows a folder builds again and again."""
    folder = Path(__file__).parents[1] / "data" / "vocabulary"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda file: file.name)
    return {key(concept.name): concept for file in files for concept in parse(file.read_text("utf-8"), file.name)}


def term_weights(known: Sequence[Concept], names: Sequence[str]) -> Iterator[tuple[str, str, float, float]]:
    """(term, concept, weight, share) for each term of the sentences and names of the concepts called `names`.

    The weight is the term's BM25 in the concept, each concept one document of the whole vocabulary; the share is that
    of the concept's names that hold the term.
    """
    if not names:
        return
    counts, concepts_with, average = _counted(tuple(known))
    all_names = {concept.name: (concept.name, *concept.names) for concept in known}
    for name in names:
        count, in_names = counts[name], _text_counts(all_names[name])
        norm = _K1 * (1 - _B + _B * count.total() / average)
        for term in sorted(count):
            idf = math.log(1 + (len(counts) - concepts_with[term] + 0.5) / (concepts_with[term] + 0.5))
            weight = idf * count[term] * (_K1 + 1) / (count[term] + norm)
            yield term, name, round(weight, 4), round(in_names[term] / len(all_names[name]), 4)


@lru_cache(maxsize=1)
def _counted(known: tuple[Concept, ...]) -> tuple[dict[str, Counter[str]], Counter[str], float]:
    """How often each term stands in each concept, in how many concepts it stands, and the mean length of a concept."""
    counts = {one.name: _counts_of(one) for one in known}
    concepts_with = Counter(chain.from_iterable(counts.values()))
    return counts, concepts_with, sum(count.total() for count in counts.values()) / max(1, len(counts))


@lru_cache(maxsize=10_000)
def _counts_of(concept: Concept) -> Counter[str]:
    """In how many of its sentences and names each term stands; not to be changed. Cached apart, since an edit of the
    user's vocabulary changes few of all concepts."""
    return _text_counts((*concept.sentences, concept.name, *concept.names))


def _text_counts(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each term stands."""
    return Counter(chain.from_iterable(set(terms(text)) for text in texts))
