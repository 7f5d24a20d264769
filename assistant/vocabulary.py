"""General computing concepts in a user's words → sentences that help to find a topic; never quoted, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.english import rarity
from assistant.terms import key

USER_FILE = "assistant-vocabulary.md"
"""At the top of the notes folder; its concepts are added to the shipped ones, a same-named one replaces."""


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
    name = ""
    names: list[str] = []
    sentences: list[str] = []

    def close() -> None:
        if name:
            found.append(Concept(name, tuple(names), tuple(sentences)))

    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("## "):
            close()
            name, names, sentences = stripped[3:].strip(), [], []
        elif stripped.lower().startswith("also:") and name:
            names += [n.strip() for n in stripped[5:].split(",") if n.strip()]
        elif stripped.startswith(("- ", "* ")) and name:
            sentences.append(stripped[2:].strip())
        elif stripped and not stripped.startswith("# ") and name:
            raise VocabularyError(f"{where}, line {number}: expected `## Name`, `Also:` or `- sentence`.")
    close()
    return tuple(found)


def concepts(notes: Path | None = None, *, shipped: bool = True) -> tuple[Concept, ...]:
    """The shipped concepts and the user's own, by name; a user's concept replaces the shipped one of that name."""
    found: dict[str, Concept] = {}
    if shipped:
        folder = Path(__file__).parent / "data" / "vocabulary"
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".md"):
                found |= {key(c.name): c for c in parse(file.read_text("utf-8"), file.name)}
    own = notes / USER_FILE if notes is not None else None
    if own is not None and own.is_file():
        found |= {key(c.name): c for c in parse(own.read_text("utf-8", "replace"), USER_FILE)}
    return tuple(found[k] for k in sorted(found))


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


def matching(known: Sequence[Concept], topic_keys: Iterable[str]) -> dict[str, list[Concept]]:
    """Topic key → the concept of that very name; `Spotter` has told before which concepts the notes speak of."""
    by_key: dict[str, list[Concept]] = {}
    for concept in known:
        by_key.setdefault(key(concept.name), []).append(concept)
    return {topic: by_key[topic] for topic in topic_keys if topic in by_key}


class Spotter:
    """Finds the names of concepts in texts, whatever their inflection."""

    def __init__(self, known: Sequence[Concept]) -> None:
        self._names: dict[tuple[str, ...], list[str]] = {}
        for concept in known:
            for name in (concept.name, *concept.names, *_unparenthesised(concept.name)):
                for stems in {tuple(key(name).split()), tuple(bare(key(name)).split())}:
                    if len(stems) > 1 or (stems and (name.isupper() or rarity(stems[0]) >= _TELLING)):
                        self._names.setdefault(stems, []).append(concept.name)
        self._longest = max(map(len, self._names), default=0)

    def spot(self, text: str) -> list[str]:
        """Names of the concepts that a text names, each once, longer names first; a word inside a longer name
        counts too.
        """
        stems = key(text).split()
        found: dict[str, None] = {}
        for size in range(min(self._longest, len(stems)), 0, -1):
            for at in range(len(stems) - size + 1):
                found.update(dict.fromkeys(self._names.get(tuple(stems[at : at + size]), ())))
        return list(found)


_TELLING = 0.4
"""Rarity in general English from which one word alone is taken for a concept's name."""


def _unparenthesised(name: str) -> list[str]:
    match = re.match(r"^(.*?)\s*\(([^)]*)\)\s*$", name)
    return [match[1], match[2]] if match else []
