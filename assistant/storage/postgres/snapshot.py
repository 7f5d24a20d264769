"""A committed state of a collection, read in transactions that last no longer than a question."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import psycopg

from assistant.errors import AssistantError
from assistant.storage import codec
from assistant.storage.backend import IN_LIST, NO_LIMIT, Filed, Users
from assistant.storage.errors import (
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    StoreError,
    Superseded,
    Unreachable,
)
from assistant.storage.postgres.connection import LOST_SECONDS, Connection, parameters, pause, pool_of
from assistant.storage.postgres.database import dialect, each, is_missing
from assistant.storage.postgres.errors import is_passing, text, translation
from assistant.storage.postgres.nearest import Codes, Filing
from assistant.storage.postgres.schema import check_version, search_in, serving
from assistant.storage.state import COLUMNS, State, unpack_state
from assistant.system import collection as system

_STATEMENT_SECONDS = 60
"""After which the server gives up a query, unless the address has an option of its own."""
_IDLE_SECONDS = 300
"""After which it closes a transaction in which nothing is asked, such as that of a program that was stopped."""
_SORTED = "32MB"
"""What a query may sort in memory: the passages of a question's words are 100,000 among a million, which PostgreSQL
would write to disk. An option of the address comes before it, too."""
_NOTICE_SECONDS = 0.5
"""From which a wait for the server is told."""
_K1, _B = 1.2, 0.75
"""FTS5's, which the index of a folder ranks by."""
_RANKED = """
    SELECT u.passage, -sum(q.idf * (u.frequency * (?::float8 + 1::float8)
        / (u.frequency + ?::float8 * ((1::float8 - ?::float8) + ?::float8 * u.length / ?::float8))) ORDER BY q.place)
    FROM unnest(?::text[], ?::float8[]) WITH ORDINALITY AS q(term, idf, place)
        JOIN postings p ON left(p.term, 200) = left(q.term, 200) AND p.term = q.term,
        unnest(p.passages, p.frequencies, p.lengths) AS u(passage, frequency, length)
    WHERE ?::bigint[] IS NULL OR u.passage = ANY(?)
    GROUP BY u.passage ORDER BY 2 LIMIT ?
"""
_RANKED_TO = f"SELECT * FROM ({_RANKED}) AS r(passage, score) WHERE score <= ?"

_COLUMNS = COLUMNS.count(",") + 2
"""Of the state, with its sum."""
_STATE = f"""
    WITH f AS (
        SELECT tokens, dimension, passages, chunks, passages_indexed, chunks_indexed, error FROM totals, filing
    ) SELECT s.*, f.* FROM (SELECT {COLUMNS}, crc, committed FROM state) AS s, f
""".encode()

_Read = TypeVar("_Read")


class PostgresSnapshot:
    """One committed state. A REPEATABLE READ transaction holds it while it is read; after `rest`, or where the
    connection was lost, another one reads on if nothing was committed meanwhile, else Superseded."""

    def __init__(self, collection: system.Collection, identity: str | None) -> None:
        """The newest state. IndexMissing, IndexOutdated, IndexDamaged, IndexUnusable, Unreachable."""
        self._collection = collection
        self._pool = pool_of(collection.conninfo)
        self._setting = _settings(collection.conninfo)
        self._connection: Connection | None = None
        self._schema = 0
        self._committed = 0.0
        self._tokens = 0
        self._filing = Filing(0, 0, 0, False, False, 0.0)
        self._notices: list[str] = []
        self.state = State()
        self._run(lambda connection: None)
        if identity is not None and identity != self.state.identity:
            self.close()
            raise IndexOutdated("made by another model")

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        statement = dialect(sql)
        return self._run(lambda connection: connection.execute(statement, values, binary=True).fetchall())

    def each(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one; Unreachable where the connection is lost after the first."""

        def begin(connection: Connection) -> tuple[list[Any], Iterator[Any]]:
            rows = each(connection, sql, values)
            return list(islice(rows, 1)), rows

        first, rest = self._run(begin)
        yield from first
        try:
            yield from rest
        except psycopg.Error as error:
            self._let_go(broken=True)
            raise _unreadable(error) from error

    def _run(self, read: Callable[[Connection], _Read]) -> _Read:
        """What is read in a transaction that sees the state; tried again where the connection is lost."""
        failures = _Failures()
        while True:
            try:
                result = read(self._pinned(failures.lost))
            except psycopg.Error as error:
                self._let_go(broken=True)
                failures.add(error)
                if failures.lost is not None:
                    self._pool.clear()
                    pause(failures.count)
            except (StoreError, AssistantError):
                self._let_go(broken=False)
                raise
            except BaseException:  # such as Ctrl-C in the middle of a query
                self._let_go(broken=True)
                raise
            else:
                self._notices.extend(failures.notices())
                return result

    def _pinned(self, lost: float | None) -> Connection:
        """A connection in a transaction that sees the state."""
        if self._connection is None:
            patience = None if lost is None else max(0.0, LOST_SECONDS - (time.monotonic() - lost))
            self._connection = self._pool.take(patience)
            self._pin(self._connection)
        return self._connection

    def _pin(self, connection: Connection) -> None:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(self._setting)
        found = serving(connection, self._collection)
        if found is None:
            raise IndexMissing(f"no index in {self._collection}")
        check_version(found.version, self._collection)
        search_in(connection, found.id, local=True)
        row = connection.execute(_STATE, binary=True).fetchone()
        state = unpack_state(row[:_COLUMNS]) if row else State()
        if row is None or state.generation == 0:
            raise IndexMissing(f"no index in {self._collection}")
        committed, tokens, *filing = row[_COLUMNS:]
        if self.state.generation and (found.id, state.change, committed) != self._commit:
            raise Superseded("a newer generation was committed")
        self._schema, self.state, self._committed, self._tokens = found.id, state, committed, tokens
        self._filing = Filing(*filing)

    @property
    def _commit(self) -> tuple[int, int, float]:
        """What tells one commit from all others, also of another server that has taken this one's place."""
        return self._schema, self.state.change, self._committed

    def _let_go(self, *, broken: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if broken:
            connection.close()
            return
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        else:
            self._pool.give(connection)

    def rest(self) -> None:
        """Ends the transaction, which keeps the server from removing old rows, and gives the connection back."""
        self._let_go(broken=False)

    @property
    def committed(self) -> datetime | None:
        """When the state was committed, in UTC."""
        return datetime.fromtimestamp(self._committed, UTC)

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: the server recovers by itself."""
        return ()

    def take_notices(self) -> tuple[str, ...]:
        """What had to be waited for since the last call, one sentence each."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def current(self) -> bool:
        """Whether nothing was committed since, as of now; False also where that cannot be told. Unreachable, since
        another snapshot would wait for the server once more."""
        try:
            if self._connection is None:
                self._run(lambda connection: None)
                return True
            with closing(PostgresSnapshot(self._collection, None)) as newest:  # this one stays as it is
                self._notices.extend(newest.take_notices())
                return newest._commit == self._commit
        except Unreachable:
            raise
        except (StoreError, AssistantError):
            return False

    def sound(self) -> bool:
        """The state names nothing beside its rows."""
        return True

    def read_ahead(self) -> None:
        """Nothing is read whole."""

    def filed(self, users: Users) -> Filed:
        """The codes of the texts that passages or chunks stand for."""
        codes = Codes(self.rows, users, self._filing)
        return Filed(codes if codes.size else None, np.zeros(0, dtype=np.int64))

    def ranked(
        self,
        terms: Sequence[str],
        only: Collection[int] | None,
        *,
        limit: int = NO_LIMIT,
        worst: float | None = None,
    ) -> list[tuple[int, float]]:
        """As `Snapshot.ranked`: FTS5's BM25 in its order of operations, so that scores are the same to the last bit."""
        rows = self.rows(f"SELECT term, n, crc FROM frequencies WHERE term {IN_LIST}", list(terms))
        counts = codec.unpack_frequencies(rows)
        known = [term for term in terms if term in counts]
        if not known:
            return []
        if self.state.passages < max(counts.values()) or self._tokens < 1:
            raise IndexDamaged("the counts of the full text")
        weights = [_idf(self.state.passages, counts[term]) for term in known]
        mean = self._tokens / self.state.passages
        those = None if only is None else sorted(only)
        values = [_K1, _K1, _B, _B, mean, known, weights, those, those]
        if worst is None:
            return self.rows(_RANKED, *values, limit)
        return self.rows(_RANKED_TO, *values, limit, worst)

    def close(self) -> None:
        """Lets go of the state; may be called twice."""
        self.rest()


class _Failures:
    """Of one read, which is tried again as long as that may help."""

    def __init__(self) -> None:
        self.lost: float | None = None
        """When the connection was lost, in monotonic seconds; None where it was not."""
        self.count = 0
        self._missing = False

    def add(self, error: psycopg.Error) -> None:
        """Takes note of one; raises the StoreError that it stands for where there is no sense in another try."""
        if is_missing(error) and not self._missing:
            self._missing = True  # others may have taken the tables' place, which the next try tells
            return
        if not is_passing(error):
            raise _unreadable(error) from error
        self.count += 1
        self.lost = time.monotonic() if self.lost is None else self.lost
        if time.monotonic() - self.lost > LOST_SECONDS:
            raise Unreachable(text(error)) from error

    def notices(self) -> Iterator[str]:
        """What is told of the wait once a try has succeeded."""
        if self.lost is not None and (took := time.monotonic() - self.lost) >= _NOTICE_SECONDS:
            yield f"The connection to the index was lost and made again after {took:.1f} s."


def _unreadable(error: psycopg.Error) -> StoreError:
    """The StoreError that an error stands for where something is read."""
    meant = translation(error)
    return Unreachable(str(meant)) if isinstance(meant, ReadOnly) else meant  # no privilege to read


def _idf(passages: int, holding: int) -> float:
    """FTS5's weight of a term."""
    weight = math.log((passages - holding + 0.5) / (holding + 0.5))
    return weight if weight > 0 else 1e-6


def _settings(conninfo: str) -> bytes:
    """What is set in each transaction."""
    options = str(parameters(conninfo).get("options") or "")
    settings = {"statement_timeout": f"{_STATEMENT_SECONDS}s", "work_mem": _SORTED}
    own = {"idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s"}
    own |= {name: value for name, value in settings.items() if name not in options}
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in own.items()).encode()
