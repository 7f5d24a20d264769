"""What a passage can be called: the names that it mentions, and those that stand over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from assistant.records import Passage
from assistant.text.tokenizer import key
from assistant.topics.extraction import CONCEPT, DESCRIBED, TELLING
from assistant.topics.names import merged, names

_RANK = {kind: rank for rank, kind in enumerate(TELLING)}
_FULL_WORTH, _LESS_WORTH = 1.0, {"body": 0.95, "phrase": 0.9}
"""How much of a passage's score counts for a name that is its own, stands over it, or only in it."""


class Naming(NamedTuple):
    """A name by which a verdict can call what a passage speaks for; a tuple, since a question looks at hundreds."""

    key: str
    """`merged`: what makes two names one topic."""
    name: str
    """As the most telling place of the passage writes it, first."""
    rank: int
    """Of that place in TELLING."""
    kinds: frozenset[str]
    """Of all places of the passage that give the name."""
    worth: float
    """How much of the passage's score counts for the name."""


def namings(passage: Passage, mentioned: Iterable[tuple[str, str, str]]) -> tuple[Naming, ...]:
    """The names for what a passage speaks for, one a topic: those of its mentions, given as (key, name, kind) in
    order, then of its heading and its label."""
    above = (name for text in (passage.heading_path[-1], passage.label.split(", ")[0]) for name in names(text)[:1])
    places: dict[str, list[tuple[int, str, str]]] = {}
    for topic_key, name, kind in (*mentioned, *((key(name), name, "body") for name in above)):
        if kind not in (CONCEPT, DESCRIBED) and merged(topic_key):
            places.setdefault(merged(topic_key), []).append((_RANK[kind], name, kind))
    return tuple(_naming(topic_key, of_topic) for topic_key, of_topic in places.items())


def _naming(topic_key: str, places: Sequence[tuple[int, str, str]]) -> Naming:
    rank, name, _ = min(places, key=lambda place: place[0])
    kinds = frozenset(kind for _, _, kind in places)
    return Naming(topic_key, name, rank, kinds, max(_LESS_WORTH.get(kind, _FULL_WORTH) for kind in kinds))
