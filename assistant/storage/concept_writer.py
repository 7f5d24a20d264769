"""What a build puts into the index about the vocabulary: which concepts the notes name, their words and vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from assistant.storage import codec
from assistant.storage.backend import IN_LIST
from assistant.storage.nearest import Matrix
from assistant.storage.text_writer import TextWriter
from assistant.storage.transaction import Transaction

_TEXTS = """
    SELECT s.concept, s.text, t.ready FROM sentences s JOIN texts t ON t.id = s.text ORDER BY s.concept, s.position
"""


class ConceptWriter:
    """Part of a `Writer`."""

    def __init__(self, transaction: Transaction, texts: TextWriter) -> None:
        self._transaction = transaction
        self._texts = texts

    def forget_matches(self) -> None:
        """Has every topic compared with the vocabulary again."""
        self._transaction.change("DELETE FROM matches")
        self._transaction.change("DELETE FROM sentences")
        self._transaction.change("DELETE FROM concept_words")
        self._transaction.change("UPDATE keys SET matched = 0")

    def unmatched(self) -> list[str]:
        """Topic keys that were not compared with the vocabulary yet, sorted."""
        self._transaction.count_topics()
        self._transaction.change("DELETE FROM matches WHERE key IN (SELECT key FROM keys WHERE uses = 0)")
        self._transaction.change("DELETE FROM keys WHERE uses = 0")
        rows = self._transaction.rows("SELECT key FROM keys WHERE matched = 0 ORDER BY key")
        return [key for (key,) in codec.typed("a topic", rows, str)]

    def set_concepts(
        self,
        keys: Sequence[str],
        matches: Mapping[str, Mapping[str, bool]],
        sentences: Mapping[str, Sequence[str]],
        words: Callable[[Sequence[str]], Iterable[tuple[str, str, float, float]]],
    ) -> None:
        """Puts in the concepts that match each of `keys` (topic key → concept → whether it is the whole name) and, of
        the whole vocabulary, each concept's name and sentences; those of concepts that match no topic are left out.
        `words` gives (term, concept, weight, share of names) of the concepts it is called with."""
        change_many = self._transaction.change_many
        self._transaction.change(f"UPDATE keys SET matched = 1 WHERE key {IN_LIST}", list(keys))
        pairs = [(key, concept, int(whole)) for key in keys for concept, whole in sorted(matches.get(key, {}).items())]
        change_many("DELETE FROM matches WHERE key = ?", [(key,) for key in keys])
        change_many(
            "INSERT INTO matches(key, concept, whole, crc) VALUES (?, ?, ?, ?)",
            [codec.pack_match(*pair) for pair in pairs],
        )
        new = self._new_concepts()
        numbered = [(concept, each) for concept in new for each in enumerate((concept, *sentences.get(concept, ())))]
        texts = self._texts.register([sentence for _, (_, sentence) in numbered])
        change_many(
            "INSERT INTO sentences(concept, position, sentence, text) VALUES (?, ?, ?, ?)",
            [(concept, *each, text) for (concept, each), (text, _) in zip(numbered, texts, strict=True)],
        )
        weighed = [codec.pack_word(*word) for word in sorted(words(new))]
        change_many("DELETE FROM concept_words WHERE term = ? AND concept = ?", [row[:2] for row in weighed])
        change_many("INSERT INTO concept_words(term, concept, weight, named, crc) VALUES (?, ?, ?, ?, ?)", weighed)

    def _new_concepts(self) -> list[str]:
        """Concepts that match a topic and have no sentences yet, sorted; those that match none any more are deleted."""
        matching = {concept for (concept,) in self._transaction.rows("SELECT DISTINCT concept FROM matches")}
        rows = self._transaction.rows("SELECT concept FROM sentences WHERE position = 0")
        present = {concept for (concept,) in rows}
        for concept in sorted(present - matching):
            self._transaction.change("DELETE FROM sentences WHERE concept = ?", concept)
            self._transaction.change("DELETE FROM concept_words WHERE concept = ?", concept)
        return sorted(matching - present)

    def gather(self) -> None:
        """Commits the vectors of the vocabulary's sentences side by side, each concept's whose texts all have one."""
        rows, change = self._transaction.rows, self._transaction.change
        gathered, complete = dict(rows("SELECT concept, texts FROM concepts")), _complete(rows(_TEXTS))
        if gathered == complete and len(rows("SELECT 1 FROM centres")) == bool(gathered):
            return
        names, named, centres, packed = list[str](), list[Matrix](), list[Matrix](), dict[str, tuple[int, bytes, int]]()
        for concept, matrix in codec.complete_concepts(rows(codec.SENTENCES), {}):
            names.append(concept)
            named.append(matrix[0])
            centres.append(codec.centre(matrix[1:]))
            packed[concept] = codec.pack_matrix(matrix[1:])
        with codec.decoding("a concept"):  # a text may be marked as ready and have no vector
            new = {concept: row for concept, row in packed.items() if gathered.get(concept) != complete[concept]}
            for concept in sorted({*new, *(gathered.keys() - packed.keys())}):
                change("DELETE FROM concepts WHERE concept = ?", concept)
            self._transaction.change_many(
                "INSERT INTO concepts(concept, texts, rows, data, crc) VALUES (?, ?, ?, ?, ?)",
                [(concept, complete[concept], *row) for concept, row in new.items()],
            )
            self._put_centres(names, [*named, *centres])
        self._transaction.commit()

    def _put_centres(self, names: Sequence[str], rows: Sequence[Matrix]) -> None:
        """`rows` are those of the names, then the centres."""
        self._transaction.change("DELETE FROM centres")
        if names:
            listed = codec.pack_strings(names)
            _, data, crc = codec.pack_matrix(np.stack(rows))
            self._transaction.change(
                "INSERT INTO centres(one, names, data, crc) VALUES (1, ?, ?, ?)",
                listed,
                data,
                crc ^ codec.checksum(listed),
            )


def _complete(rows: Iterable[Sequence[Any]]) -> dict[str, str]:
    """Concept → the ids of its texts, of each whose texts all have a vector, from rows of _TEXTS."""
    complete = dict[str, str]()
    for concept, group in groupby(rows, key=itemgetter(0)):
        texts, ready = zip(*(row[1:] for row in group), strict=True)
        if all(ready) and len(texts) > 1:
            complete[concept] = ",".join(map(str, texts))
    return complete
