"""General computing concepts in a user's words → sentences that help to find a topic; never quoted, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

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
    """Concepts of one Markdown file: `## Name`, `Also: a, b`, and one sentence an item; VocabularyError with the line."""
    found: list[Concept] = []
    name, names, sentences = "", [], []

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
        folder = files("assistant") / "data" / "vocabulary"
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".md"):
                found |= {key(c.name): c for c in parse(file.read_text("utf-8"), file.name)}
    own = notes / USER_FILE if notes is not None else None
    if own is not None and own.is_file():
        found |= {key(c.name): c for c in parse(own.read_text("utf-8", "replace"), USER_FILE)}
    return tuple(found[k] for k in sorted(found))


_GENERIC = frozenset(
    key(w)
    for w in "service services deployment strategy pattern policy policies approach update release rule resource object "
    "feature setting option configuration config management mode cluster instance system api the a an of for cloud".split()
)


def bare(topic_key: str) -> str:
    """A topic key without the words that any name may carry (service, policy, strategy …); itself where nothing is left."""
    left = " ".join(w for w in topic_key.split() if w not in _GENERIC)
    return left or topic_key


def matching(known: Sequence[Concept], topic_keys: Iterable[str]) -> dict[str, list[Concept]]:
    """Topic key → the concepts whose name or other name it is, or whose name stands in it as whole words."""
    by_name: dict[str, list[Concept]] = {}
    for concept in known:
        for name in dict.fromkeys((concept.name, *concept.names, *_unparenthesised(concept.name))):
            by_name.setdefault(bare(key(name)), []).append(concept)
    found: dict[str, list[Concept]] = {}
    for topic in topic_keys:
        hits = _lookup(bare(topic).split(), by_name)
        if hits:
            found[topic] = list({c.name: c for c in hits}.values())
    return found


def _lookup(words: list[str], by_name: Mapping[str, list[Concept]]) -> list[Concept]:
    """The whole name; else its longest run of two words or more; else, in names of two words, its last word alone."""
    for size in range(len(words), 1, -1):
        hits = [c for i in range(len(words) - size + 1) for c in by_name.get(" ".join(words[i : i + size]), [])]
        if hits:
            return hits
    if len(words) == 1:
        return by_name.get(words[0], [])
    return []


def _unparenthesised(name: str) -> list[str]:
    match = re.match(r"^(.*?)\s*\(([^)]*)\)\s*$", name)
    return [match[1], match[2]] if match else []
