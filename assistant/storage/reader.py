"""One committed generation of the index, read only."""

from __future__ import annotations

from collections.abc import Collection as Those
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from assistant.records import ChunkId, Passage, PassageId
from assistant.storage.backend import Snapshot
from assistant.storage.concept_reader import ConceptReader
from assistant.storage.full_text import FullText
from assistant.storage.nearest import Matrix
from assistant.storage.state import TextId
from assistant.storage.stored import Concepts, StoredChunk, StoredMention, StoredNote, StoredSection
from assistant.storage.text_reader import TextReader
from assistant.storage.vector_reader import VectorReader
from assistant.system.collection import Collection, IndexPlace


class Store:
    """A reader of one committed state, which no later commit changes; close it, or use it as a context manager.

    Every method that reads may raise IndexDamaged, and of a database on a server Unreachable or Superseded. Order is
    never left to the database: lists are sorted as each method says.
    Ids of passages come from this store; one that it does not hold is damage.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._text = TextReader(snapshot)
        self._full_text = FullText(snapshot)
        self._vectors = VectorReader(snapshot)
        self._concepts = ConceptReader(snapshot, self._vectors.lent)

    @classmethod
    def open(cls, place: IndexPlace, identity: str | None = None) -> Self:
        """The newest committed state; IndexMissing, IndexDamaged, Unreachable, or IndexOutdated (not made by encoder
        `identity`)."""
        if isinstance(place, Collection):
            from assistant.storage.postgres.snapshot import PostgresSnapshot

            return cls(PostgresSnapshot(place, identity))
        from assistant.storage.sqlite.snapshot import SqliteSnapshot

        return cls(SqliteSnapshot.open(place, identity))

    def rest(self) -> None:
        """Lets go of what others wait for, such as a connection, until the next read."""
        self._snapshot.rest()

    def close(self) -> None:
        """Lets go of the state; may be called twice."""
        self._snapshot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The state.

    @property
    def generation(self) -> int:
        """From 1; raised by each commit that changes the text."""
        return self._snapshot.state.generation

    @property
    def identity(self) -> str:
        """Identity of the encoder whose vectors it holds."""
        return self._snapshot.state.identity

    @property
    def versions(self) -> str:
        """Versions of the code and the vocabulary that the text was indexed with."""
        return self._snapshot.state.versions

    @property
    def notes_count(self) -> int:
        """Notes that could be read."""
        return self._snapshot.state.notes

    @property
    def passages_count(self) -> int:
        """Passages of all notes, with and without a vector."""
        return self._snapshot.state.passages

    @property
    def pending(self) -> int:
        """Passages that have no vector yet, neither stored nor lent."""
        return self._vectors.pending

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be recovered so far, one sentence each."""
        return self._snapshot.warnings

    @property
    def committed(self) -> datetime | None:
        """When the state was committed, in UTC; None for a folder."""
        return self._snapshot.committed

    def take_notices(self) -> tuple[str, ...]:
        """What had to be waited for since the last call, one sentence each."""
        return self._snapshot.take_notices()

    def current(self) -> bool:
        """Whether nothing was committed since; False also where that cannot be told. Unreachable."""
        return self._snapshot.current()

    def sound(self) -> bool:
        """Whether the vector file, if the index has one, is byte for byte the one that was written."""
        return self._snapshot.sound()

    def waiting(self) -> int:
        """Texts of any kind that have no vector yet."""
        ((count,),) = self._snapshot.rows("SELECT count(*) FROM texts WHERE ready = 0 AND uses + chunks + others > 0")
        return int(count)

    # Notes, headings and passages.

    def note_files(self) -> dict[str, StoredNote]:
        """What was indexed of each note, by path; read once."""
        return self._text.note_files

    def refused(self) -> list[tuple[str, str]]:
        """Path and reason of each note that could not be read, by path."""
        return self._text.refused()

    def lines(self, path: str, start: int, end: int) -> tuple[str, ...]:
        """Lines `start` to `end` (1-based, inclusive) as they were indexed; none where there is no such note."""
        return self._text.lines(path, start, end)

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """The passages of these ids, in that order."""
        return self._text.passages(ids)

    def passage_ids(self) -> list[PassageId]:
        """All of them, by path and line."""
        return self._text.passage_ids()

    def passages_of(self, paths: Those[str]) -> set[PassageId]:
        """Those of these notes."""
        return self._text.passages_of(paths)

    def section_passages(self, path: str, anchor: str) -> list[PassageId]:
        """Those of one section, by line."""
        return self._text.section_passages(path, anchor)

    def headings(self) -> list[tuple[str, ...]]:
        """Every heading path, sorted, once; none is empty."""
        return self._text.headings()

    def sections(self) -> list[StoredSection]:
        """Every section with a heading, by path and line."""
        return self._text.sections()

    def under(self, heading: Sequence[str]) -> set[PassageId]:
        """Passages below a heading whose path ends with `heading`, case and spacing aside; where none does, with its
        first part as the last words of a heading."""
        return self._text.under(heading)

    def tagged(self, tag: str) -> set[PassageId]:
        """Passages of the notes that carry the tag, case aside."""
        return self._text.tagged(tag)

    # Chunks.

    def chunks(self, ids: Sequence[PassageId]) -> dict[PassageId, ChunkId]:
        """The chunk that each of these passages stands in."""
        return self._text.chunks(ids)

    def stored_chunks(self, ids: Sequence[ChunkId]) -> dict[ChunkId, StoredChunk]:
        """The chunks of these ids, in that order."""
        return self._text.stored_chunks(ids)

    def chunk_passages(self, ids: Sequence[ChunkId], first: int) -> list[PassageId]:
        """Of each of these chunks the `first` passages, by chunk and line."""
        return self._text.chunk_passages(ids, first)

    # Topics.

    def mentions(self, ids: Sequence[PassageId]) -> list[StoredMention]:
        """The names these passages speak for, by passage, name and kind."""
        return self._text.mentions(ids)

    def topic(self, keys: Sequence[str], first: int = -1) -> dict[str, list[StoredMention]]:
        """Every mention of these topics, or the `first` of each, by path, line and name; keys that nothing mentions are
        left out."""
        return self._text.topic(keys, first)

    def topics(self) -> list[StoredMention]:
        """All mentions, by path, line and name."""
        return self._text.topics()

    def spelled_out(self, initials: str) -> str | None:
        """The name in the notes whose words begin with these letters, as it is written first; of several the one that
        most passages use, then by the alphabet; None where there is none."""
        return self._text.spelled_out(initials)

    # Full text.

    def bm25_candidates(
        self, terms: Sequence[str], limit: int, only: Those[PassageId] | None = None
    ) -> list[PassageId]:
        """Passages with any of the terms in their text, label or headings (the title does not count), best BM25 first,
        then by path and line; about `limit` of them: those that tie with the last are included."""
        return self._full_text.bm25_candidates(terms, limit, only)

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many passages each term occurs, as `bm25_candidates` searches for it; 0 where it is in none."""
        return self._full_text.frequencies(terms)

    # Vectors.

    def read_ahead(self) -> None:
        """Starts to read the vector file, where there is one, beside the caller's own work."""
        self._vectors.read_ahead()

    def nearest_passages(
        self, queries: Matrix, limit: int, only: Those[PassageId] | None = None
    ) -> list[dict[PassageId, float]]:
        """For each row of `queries` (q, d) the about `limit` passages with the best cosine (the best of a passage's
        vectors, to 6 places), best first, then by path and line; those that tie with the last are included."""
        return self._vectors.nearest_passages(queries, limit, only)

    def nearest_chunks(
        self, queries: Matrix, limit: int, only: Those[PassageId] | None = None
    ) -> list[dict[ChunkId, float]]:
        """As `nearest_passages`; of `only` the chunks around them."""
        return self._vectors.nearest_chunks(queries, limit, only)

    def vectors(self, ids: Sequence[PassageId]) -> dict[PassageId, Matrix]:
        """The unit rows (k, d) of each passage that has a vector, in the order of `ids`."""
        return self._vectors.vectors(ids)

    def chunk_vectors(self, ids: Sequence[ChunkId]) -> dict[ChunkId, Matrix]:
        """The unit rows (k, d) of each chunk that has a vector, in the order of `ids`."""
        return self._vectors.chunk_vectors(ids)

    def lacking(self, ids: Sequence[PassageId], concepts: Sequence[str]) -> list[tuple[TextId, str]]:
        """Texts of these passages, then of these concepts' sentences, that have no vector yet, each once, by id."""
        return self._vectors.lacking(ids, concepts)

    def lend(self, vectors: Mapping[TextId, Matrix]) -> None:
        """Makes this store search vectors that are in no index yet; those of texts that have one are passed over."""
        if self._vectors.lend(vectors):
            self._concepts.lent_changed()

    # Concepts of the vocabulary.

    def concepts(self) -> Concepts:
        """The vocabulary's concepts that these notes name; read once."""
        return self._concepts.concepts()

    def concept_rows(self, names: Sequence[str]) -> dict[str, Matrix]:
        """The unit rows (k, d) of the sentences of each of `concepts`."""
        return self._concepts.concept_rows(names)

    def likely_concepts(self, terms: Sequence[str], limit: int) -> list[str]:
        """The concepts whose sentences hold most of these terms, by summed BM25, with and without vectors."""
        return self._concepts.likely_concepts(terms, limit)

    def concept_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Concept → the summed BM25 of these terms in its sentences; those that hold none are left out."""
        return self._concepts.concept_weights(terms)

    def concept_names(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        """(concept, term, share of the concept's names that hold the term), by concept and term."""
        return self._concepts.concept_names(names)

    def concept_topics(self, names: Sequence[str]) -> list[tuple[str, str, bool]]:
        """(concept, topic key, whether the concept's name is the whole of the topic's), by concept and key."""
        return self._concepts.concept_topics(names)
