"""What readers and writers ask of a database: one Protocol each, which `sqlite` and `postgres` fulfil."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from assistant.storage.nearest import Exact, Ids, Matrix
from assistant.storage.state import State

IN_LIST = "IN (*)"
"""In the SQL of this package: restricts a column to the values of a list, however long it is, which takes the place of
one value."""
NO_LIMIT = 2**62
"""More rows than a LIMIT ever means."""
Users = Literal["uses", "chunks"]
"""What stands for a text: passages or chunks, by the column of `texts` that counts them."""


class Rows(Protocol):
    """Runs queries, with `?` for each value; every method raises StoreErrors."""

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""

    def each(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one."""


class Database(Rows, Protocol):
    """A connection that writes."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun and has neither been committed nor rolled back."""

    def change(self, sql: str, *values: object) -> None:
        """Runs a statement in a transaction, begun here where none is open."""

    def change_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """As `change`, for many rows, in a fraction of the time."""

    def commit(self) -> None:
        """Ends the open transaction; StoreError where none is open."""

    def rollback(self) -> None:
        """Nothing happens where no transaction is open."""

    def close(self) -> None:
        """Takes back what was not committed; may be called twice."""


class Part(Protocol):
    """Unit rows that can be searched, each with the id of its text; an id may occur several times."""

    @property
    def size(self) -> int:
        """Rows."""

    @property
    def dimension(self) -> int:
        """Length of a row."""

    def search(
        self, queries: Matrix, k: int, only: Ids | None, dead: Ids, exact: Exact
    ) -> tuple[list[dict[int, float]], Matrix]:
        """Per query the best score of each text (of `only`, none of `dead`) among its k nearest rows, and the score
        (queries,) at or below which rows may be missing (minus infinity where none are). `exact` gives the rows of
        texts."""


class Filed(NamedTuple):
    """The part that was prepared for search when the index was written."""

    part: Part | None
    """None where there is none yet."""
    dead: Ids
    """What of it is not searched."""
    members: Ids | None = None
    """What alone of it is searched; None for all of it but `dead`."""


class Snapshot(Rows, Protocol):
    """One committed state, read only, which no later commit changes."""

    state: State

    @property
    def committed(self) -> datetime | None:
        """When the state was committed, in UTC; None where the database does not say."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be recovered so far, one sentence each."""

    def take_notices(self) -> tuple[str, ...]:
        """What had to be waited for since the last call, one sentence each."""

    def current(self) -> bool:
        """Whether nothing was committed since; False also where that cannot be told. Unreachable."""

    def sound(self) -> bool:
        """Whether what the state names beside its rows is what was written."""

    def rest(self) -> None:
        """Lets go of what others wait for until the next read."""

    def read_ahead(self) -> None:
        """Starts to read, beside the caller's own work, what `filed` would wait for."""

    def filed(self, users: Users) -> Filed:
        """The vectors of the texts that passages or chunks stand for."""

    def ranked(
        self,
        terms: Sequence[str],
        only: Collection[int] | None,
        *,
        limit: int = NO_LIMIT,
        worst: float | None = None,
    ) -> list[tuple[int, float]]:
        """Passages (of `only`) with any of the terms, distinct ones, in their words or headings, and their BM25, the
        lower the better and best first: words count 1, headings 0.5, the title nothing but length; those that score
        `worst` or better."""

    def close(self) -> None:
        """Lets go of the state; may be called twice."""


class Contents(NamedTuple):
    """The terms of one passage, in order."""

    passage: int
    words: Sequence[str]
    headings: Sequence[str]
    title: Sequence[str]


@dataclass(frozen=True, slots=True)
class Health:
    """How a database server and the tables of one collection are."""

    server: str
    """Version of PostgreSQL."""
    extension: str
    """Version of pgvector; "" where it is not installed in the database."""
    role: str
    """Who is connected."""
    standby: bool
    """Whether the server only follows another one."""
    encrypted: bool
    """Whether the connection is, by TLS."""
    may_read: bool
    may_write: bool
    """Whether the role may change the collection or, where there is none yet, make it."""
    size: int
    """Bytes of the collection's tables and indexes."""
    index_size: int
    """Bytes of its indexes alone."""
    approximate: bool
    """Whether an HNSW index finds the nearest vectors."""
    broken_indexes: tuple[str, ...]
    """Names of indexes that cannot be used."""
    leftovers: int
    """Schemas that serve no more, which the next writer removes."""
    writer: str
    """Who is writing; "" where nobody is."""


StoredVector = tuple[str, int, bytes, int]
"""A text, the rows (k, d) of its vector as `codec.pack_matrix` packs them: k, bytes, their sum."""
