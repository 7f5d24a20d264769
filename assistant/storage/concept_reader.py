"""The concepts of the vocabulary that the notes of one committed state name, their words and their vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.storage import codec
from assistant.storage.backend import IN_LIST, Snapshot
from assistant.storage.errors import IndexDamaged
from assistant.storage.nearest import Matrix
from assistant.storage.read_cache import ReadCache
from assistant.storage.stored import Concepts
from assistant.storage.text_vectors import CACHED, LentVectors


class ConceptReader:
    """Reads concepts when they are first asked for; the contracts are those of `Store`."""

    def __init__(self, snapshot: Snapshot, lent: LentVectors) -> None:
        self._snapshot = snapshot
        self._lent = lent
        self._completed: dict[str, Matrix] = {}
        """(1 + k, d) of each concept that is complete with the lent vectors only: its name's, then its sentences'."""
        self._concepts: Concepts | None = None
        self._weights_of = ReadCache(self._read_weights, CACHED)

    def lent_changed(self) -> None:
        """Lets concepts take part whose last missing vectors were lent."""
        rows = self._snapshot.rows(codec.SENTENCES)
        lacking = {str(row[0]) for row in rows if row[3] is None}
        complete = codec.complete_concepts(rows, self._lent.by_text)
        self._completed = {concept: matrix for concept, matrix in complete if concept in lacking}
        self._concepts = None

    def concepts(self) -> Concepts:
        if self._concepts is None:
            self._concepts = self._read_concepts()
        return self._concepts

    def _read_concepts(self) -> Concepts:
        rows = self._snapshot.rows("SELECT names, data, crc FROM centres")
        by_name: dict[str, tuple[Matrix, Matrix]] = {}
        if rows:
            listed, data, crc = rows[0]
            names = codec.unpack_strings(listed)
            with codec.decoding("the centres of the concepts"):
                matrix = codec.unpack_matrix(2 * len(names), data, crc ^ codec.checksum(listed))
            if not self._completed:
                return Concepts(names, matrix[: len(names)], matrix[len(names) :])
            by_name = {name: (matrix[n], matrix[len(names) + n]) for n, name in enumerate(names)}
        by_name |= {name: (matrix[0], codec.centre(matrix[1:])) for name, matrix in self._completed.items()}
        if not by_name:
            nothing = np.zeros((0, 0), dtype=np.float32)
            return Concepts((), nothing, nothing)
        named, centres = zip(*(by_name[name] for name in sorted(by_name)), strict=True)
        return Concepts(tuple(sorted(by_name)), np.stack(named), np.stack(centres))

    def concept_rows(self, names: Sequence[str]) -> dict[str, Matrix]:
        dimension = self.concepts().centres.shape[1]
        sql = f"SELECT concept, rows, data, crc FROM concepts WHERE concept {IN_LIST}"
        stored = {
            name: codec.unpack_matrix(*row, dimension=dimension) for name, *row in self._snapshot.rows(sql, list(names))
        }
        matrices = stored | {name: self._completed[name][1:] for name in names if name in self._completed}
        if not matrices.keys() >= set(names):
            raise IndexDamaged("the vectors of a concept are missing")
        return matrices

    def likely_concepts(self, terms: Sequence[str], limit: int) -> list[str]:
        weights = self._weights(terms)
        return sorted(weights, key=lambda concept: (-weights[concept], concept))[:limit]

    def concept_weights(self, terms: Sequence[str]) -> dict[str, float]:
        known = self.concepts().place
        return {concept: weight for concept, weight in self._weights(terms).items() if concept in known}

    def _weights(self, terms: Sequence[str]) -> dict[str, float]:
        weights: dict[str, float] = {}
        for of_term in self._weights_of.of(sorted(set(terms))).values():
            for concept, weight in of_term:
                weights[concept] = weights.get(concept, 0.0) + weight
        return weights

    def _read_weights(self, terms: list[str]) -> dict[str, list[tuple[str, float]]]:
        """(concept, weight) by term."""
        weights: dict[str, list[tuple[str, float]]] = {term: [] for term in terms}
        for term, concept, weight, _ in self._words(f"term {IN_LIST}", terms):
            weights[term].append((concept, weight))
        return weights

    def concept_names(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        words = self._words(f"concept {IN_LIST} AND named > 0", names)
        return sorted((concept, term, named) for term, concept, _, named in words)

    def _words(self, where: str, values: Sequence[str]) -> list[tuple[str, str, float, float]]:
        sql = f"SELECT term, concept, weight, named, crc FROM concept_words WHERE {where}"
        return codec.unpack_words(self._snapshot.rows(sql, list(values)))

    def concept_topics(self, names: Sequence[str]) -> list[tuple[str, str, bool]]:
        sql = f"SELECT key, concept, whole, crc FROM matches WHERE concept {IN_LIST}"
        return codec.unpack_matches(self._snapshot.rows(sql, list(names)))
