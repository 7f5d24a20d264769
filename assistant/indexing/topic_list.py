"""A store → the topics that a verdict can name, each with its place."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.storage import Store, StoredMention
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged


@dataclass(frozen=True, slots=True)
class NamedTopic:
    """A topic, and the place that most makes it a name."""

    name: str
    path: str
    line: int
    heading_path: tuple[str, ...]
    kind: str
    """heading, label, definition, target, resource, comment, phrase or identifier."""


def named_topics(store: Store) -> tuple[NamedTopic, ...]:
    """Every topic once, by path, line and name."""
    best: dict[str, StoredMention] = {}
    for mention in store.topics():
        if mention.kind in TELLING:
            topic_key = merged(mention.key)
            known = best.get(topic_key)
            if topic_key and (known is None or TELLING.index(mention.kind) < TELLING.index(known.kind)):
                best[topic_key] = mention
    passages = store.passages(sorted({mention.passage for mention in best.values()}))
    topics = (
        NamedTopic(mention.name, at.path, at.start, at.heading_path, mention.kind)
        for mention in best.values()
        for at in (passages[mention.passage],)
    )
    return tuple(sorted(topics, key=lambda topic: (topic.path, topic.line, topic.name)))
