"""What a writer has put in and not committed, whatever database it goes to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assistant.storage import codec
from assistant.storage.backend import IN_LIST, Contents, Database, StoredVector
from assistant.storage.errors import IndexDamaged
from assistant.storage.state import State, TextId

_MOST = 2**62
"""Ids beyond it were never given."""


@dataclass(slots=True)
class Uncommitted:
    """What is known of an open transaction besides its rows; a commit or a rollback ends it."""

    notes: int = 0
    """Notes put in less those taken out."""
    passages: int = 0
    """Passages put in less those taken out."""
    tokens: int = 0
    """Terms in them, as often as they occur, the title's too."""
    terms: Counter[str] = field(default_factory=Counter)
    """Term → passages with it put in less those taken out."""
    topics: Counter[str] = field(default_factory=Counter)
    """Key of a topic → mentions of it put in less those taken out, where the database does not count them itself."""
    text_ids: dict[str, tuple[TextId, bool]] = field(default_factory=dict)
    """Text → its row and whether it has a vector, of the texts looked up so far."""
    last_ids: dict[str, int] = field(default_factory=dict)
    """By table the greatest id that was ever given."""


class Transaction(ABC):
    """A writer's hold on an index until it is closed; what is not committed by then is gone."""

    def __init__(self) -> None:
        self.state = State()
        """As of the last commit, with what later parts of the transaction replaced in it."""
        self.uncommitted = Uncommitted()

    # What each database does in its own way.

    @property
    @abstractmethod
    def abandoned(self) -> bool:
        """Whether the previous writer was killed and may have left something half."""

    @property
    @abstractmethod
    def database(self) -> Database:
        """The connection that writes; AssertionError once it is closed."""

    @abstractmethod
    def read_state(self) -> State:
        """The state committed last; an empty one where nothing was."""

    @abstractmethod
    def write_state(self, state: State) -> None:
        """Replaces the state, in the open transaction."""

    @abstractmethod
    def last_id(self, table: str) -> int:
        """The greatest id that a row of the table ever had, 0 for none."""

    @abstractmethod
    def first_waiting(self) -> tuple[str, str, str]:
        """The queries for id and text of the texts without a vector, the first so many: those of passages, those of the
        vocabulary, those of chunks."""

    @abstractmethod
    def put_contents(self, note: int, contents: Sequence[Contents]) -> None:
        """Puts in the terms of a note's passages, for full text."""

    @abstractmethod
    def drop_contents(self, note: int, passages: Sequence[int]) -> None:
        """Takes out the terms of a note's passages, and takes them off the counts."""

    def put_mentions(self, rows: Sequence[tuple[str, str, str, int, int]]) -> None:
        """Puts in rows of `mentions`: key, name, kind, passage, sum."""
        self.change_many("INSERT INTO mentions(key, name, kind, passage, crc) VALUES (?, ?, ?, ?, ?)", rows)

    @abstractmethod
    def count_topics(self) -> None:
        """Brings the table `keys` in line with the mentions, where that is not done with each."""

    @abstractmethod
    def start_over(self) -> None:
        """Forgets every row; readers have the last generation until the next is published. Ids go on counting."""

    @abstractmethod
    def salvageable(self) -> Iterator[StoredVector]:
        """The vectors of a damaged index that was put aside, those of this encoder that can be read."""

    @abstractmethod
    def forget_filed(self, state: State) -> State:
        """The state once no vector is filed, since another encoder makes those that follow."""

    @abstractmethod
    def file_vectors(self, *, finished: bool, insist: bool) -> bool:
        """As `Writer.file_vectors`."""

    @abstractmethod
    def sound(self, *, whole: bool) -> bool:
        """As `Writer.sound`."""

    @abstractmethod
    def remove_leftovers(self) -> None:
        """Deletes what a killed writer left and what no reader looks for any more."""

    @abstractmethod
    def close(self) -> None:
        """Takes back what was not committed and lets the next writer in."""

    # What they share.

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self.database.rows(sql, *values)

    def change(self, sql: str, *values: object) -> None:
        """Runs a statement in this transaction."""
        self.database.change(sql, *values)

    def change_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """As `change`, for many rows, in a fraction of the time."""
        self.database.change_many(sql, rows)

    def new_ids(self, table: str, count: int) -> range:
        """Ids for so many new rows of a table whose ids are never given twice: rows whose ids are known before can be
        inserted together. IndexDamaged where there can be no more."""
        last_ids = self.uncommitted.last_ids
        if table not in last_ids:
            last_ids[table] = self.last_id(table)
            if not 0 <= last_ids[table] < _MOST:
                raise IndexDamaged("the counter of ids")
        first = last_ids[table] + 1
        last_ids[table] += count
        return range(first, first + count)

    def keep(self) -> None:
        """Commits where anything changed at all; the generation stays."""
        if self.database.in_transaction:
            self.commit()

    def commit(self, pending: int | None = None) -> None:
        """Makes the transaction what readers see; `pending` passages have no vector, as many as before if None."""
        self._count_terms()
        self.count_topics()
        state, uncommitted = self.state, self.uncommitted
        self.state = replace(
            state,
            change=state.change + 1,
            notes=state.notes + uncommitted.notes,
            passages=state.passages + uncommitted.passages,
            pending=state.pending if pending is None else pending,
        )
        self.write_state(self.state)
        self.forget()
        self.database.commit()

    def _count_terms(self) -> None:
        """Brings the table of term frequencies up to date."""
        more = {term: n for term, n in sorted(self.uncommitted.terms.items()) if n}
        if not more:
            return
        rows = self.rows(f"SELECT term, n, crc FROM frequencies WHERE term {IN_LIST}", list(more))
        before = codec.unpack_frequencies(rows)
        after = {term: before.get(term, 0) + n for term, n in more.items()}
        self.change(f"DELETE FROM frequencies WHERE term {IN_LIST}", list(before))
        self.change_many(
            "INSERT INTO frequencies(term, n, crc) VALUES (?, ?, ?)",
            [codec.pack_frequency(term, n) for term, n in after.items() if n > 0],
        )

    def forget(self) -> None:
        """Forgets what is known of the transaction besides its rows."""
        self.uncommitted = Uncommitted()

    def rollback(self) -> None:
        """Takes back what was not committed."""
        self.forget()
        self.database.rollback()
        self.state = self.read_state()
