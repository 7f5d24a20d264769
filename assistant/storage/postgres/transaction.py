"""A writer's hold on a collection: an advisory lock, and one transaction for each commit."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import pgvector
from pgvector.psycopg import register_vector
from psycopg import sql

from assistant.storage import codec
from assistant.storage.backend import Contents, StoredVector
from assistant.storage.errors import Busy, DiskFull, IndexDamaged, ReadOnly, StoreError
from assistant.storage.postgres import nearest, schema
from assistant.storage.postgres.connection import LOST_SECONDS, connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.errors import translated
from assistant.storage.postgres.full_text import postings_of
from assistant.storage.postgres.schema import WANTED
from assistant.storage.postgres.status import holder
from assistant.storage.state import COLUMNS, INSERT_STATE, State, pack_state, text_key, unpack_state
from assistant.storage.transaction import Transaction
from assistant.system.collection import Collection

_MISFILED = f"SELECT id, {WANTED} FROM texts WHERE ready = 1 AND filed <> {WANTED} ORDER BY id LIMIT ?"
_FILED_AT_ONCE = 2000
_FIRST_WAITING = (
    "SELECT id, text FROM texts WHERE ready = 0 AND uses > 0 ORDER BY uses, others, chunks, id LIMIT ?",
    "SELECT id, text FROM texts WHERE ready = 0 AND uses = 0 AND others > 0 ORDER BY others, chunks, id LIMIT ?",
    "SELECT id, text FROM texts WHERE ready = 0 AND uses = 0 AND others = 0 AND chunks > 0 ORDER BY chunks, id LIMIT ?",
)
_COUNT_TOPICS = (
    "UPDATE keys SET uses = keys.uses + m.n FROM unnest(?::text[], ?::bigint[]) AS m(key, n) WHERE keys.key = m.key",
    "INSERT INTO keys(key, uses) SELECT m.key, m.n FROM unnest(?::text[], ?::bigint[]) AS m(key, n)"
    " WHERE NOT EXISTS (SELECT 1 FROM keys WHERE keys.key = m.key)",
)
_OF_PASSAGES, _OF_CHUNKS = 1, 2
"""Bits of `texts.filed`."""
_LEAST_MEMORY, _MOST_MEMORY = 64, 4096
"""MB for building an HNSW index. One that fits is built ten times as fast as one that does not."""
_A_ROW = 800
"""Bytes that pgvector needs for a row of an HNSW index beside its numbers: 706 were measured."""

_DEATH = {
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings of the server's side of the connection."""


class PostgresTransaction(Transaction):
    """Holds the collection's lock until closed. Tables of their own are written beside those that serve, and take their
    place once complete, where everything is computed anew."""

    def __init__(self, collection: Collection, *, salvage: bool = False) -> None:
        """`salvage` puts the tables aside, for `salvageable`, and begins new ones. Busy, ReadOnly, IndexDamaged,
        IndexUnusable, DiskFull, Unreachable."""
        super().__init__()
        self._collection = collection
        self._database: PostgresDatabase | None = None
        self._beside = self._aside = 0
        """Ids of the schema that is written and does not serve yet, and of the one that was put aside; 0 for none."""
        self._name = f"assistant index ({socket.gethostname()}, process {os.getpid()})"
        self._database = PostgresDatabase(connect(collection.conninfo, self._name, LOST_SECONDS))
        try:
            self._prepare(self._database, salvage)
        except BaseException:
            self.close()
            raise

    def _prepare(self, database: PostgresDatabase, salvage: bool) -> None:
        key = schema.lock_key(self._collection)
        if database.rows("SELECT pg_try_advisory_lock(?)", key) != [(True,)]:
            writer = holder(database, key)
            raise Busy("another process is writing to this index" + (f": {writer}" if writer else ""))
        _notice_death(database)
        serving = schema.prepare(database, self._collection, migrate=not salvage)
        with translated():
            schema.search_in(database.connection, serving.id, local=False)
            register_vector(database.connection)
        if salvage:
            self._aside, self._beside = serving.id, schema.new_schema(database, self._collection)
            database.commit()
        self.remove_leftovers()
        self.state = self.read_state()

    @property
    def abandoned(self) -> bool:
        return False

    @property
    def database(self) -> PostgresDatabase:
        assert self._database is not None, "the writer is closed"
        return self._database

    def read_state(self) -> State:
        rows = self.rows(f"SELECT {COLUMNS}, crc FROM state")
        return unpack_state(rows[0]) if rows else State()

    def write_state(self, state: State) -> None:
        self.change("DELETE FROM state")
        self.change(INSERT_STATE, *pack_state(state))
        self.change("UPDATE totals SET tokens = tokens + ?", self.uncommitted.tokens)
        self.database.change_many(
            "INSERT INTO counters(name, last) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET last = excluded.last",
            list(self.uncommitted.last_ids.items()),
        )

    def last_id(self, table: str) -> int:
        rows = self.rows(
            f"SELECT last FROM counters WHERE name = ? UNION ALL SELECT coalesce(max(id), 0) FROM {table}", table
        )
        return max(int(number) for (number,) in rows)

    def first_waiting(self) -> tuple[str, str, str]:
        return _FIRST_WAITING

    def put_contents(self, note: int, contents: Sequence[Contents]) -> None:
        postings, tokens = postings_of(contents)
        self.change_many(
            "INSERT INTO postings(term, note, passages, frequencies, lengths) VALUES (?, ?, ?, ?, ?)",
            [(term, note, *(_array(column) for column in columns)) for term, columns in postings.items()],
        )
        self.change("INSERT INTO lengths(note, tokens) VALUES (?, ?)", note, tokens)
        self.uncommitted.tokens += tokens

    def put_mentions(self, rows: Sequence[tuple[str, str, str, int, int]]) -> None:
        """A common topic's count would be another row version with each note, and each of them is read on the way to
        the last, so that counts are kept until they are asked for."""
        super().put_mentions(rows)
        self.uncommitted.topics.update(row[0] for row in rows)

    def count_topics(self) -> None:
        more = {key: n for key, n in sorted(self.uncommitted.topics.items()) if n}
        self.uncommitted.topics.clear()
        if more:
            for statement in _COUNT_TOPICS:
                self.change(statement, list(more), list(more.values()))

    def drop_contents(self, note: int, passages: Sequence[int]) -> None:
        topics = self.rows("SELECT key, count(*) FROM mentions WHERE passage = ANY(?) GROUP BY key", list(passages))
        self.uncommitted.topics.subtract(dict(codec.typed("a topic", topics, str, int)))
        counts = self.rows("SELECT term, cardinality(passages)::bigint FROM postings WHERE note = ?", note)
        self.uncommitted.terms.subtract(dict(codec.typed("the full text", counts, str, int)))
        for (tokens,) in self.rows("SELECT tokens FROM lengths WHERE note = ?", note):
            self.uncommitted.tokens -= tokens
        self.change("DELETE FROM postings WHERE note = ?", note)
        self.change("DELETE FROM lengths WHERE note = ?", note)

    def commit(self, pending: int | None = None) -> None:
        """As `Transaction.commit`; the codes are brought in line with the texts first. What replaces damaged tables
        serves at once."""
        self._file_codes()
        self._commit(pending, swap=bool(self._aside))

    def _commit(self, pending: int | None, *, swap: bool) -> None:
        """Once the codes are filed; `swap` lets new tables take the place of those that serve."""
        if swap:
            self.change(
                "UPDATE assistant.collections SET serving = ?, version = ? WHERE name = ?",
                *(self._beside, schema.SCHEMA, self._collection.name),
            )
        super().commit(pending)
        if swap:
            self._beside = self._aside = 0

    def rollback(self) -> None:
        """Takes back what was not committed, new tables too."""
        super().rollback()
        if self._beside and not self.rows("SELECT 1 FROM assistant.schemas WHERE id = ?", self._beside):
            self._beside = 0

    def _file_codes(self) -> None:
        """Replaces the codes of texts that passages or chunks have begun, or ceased, to stand for."""
        while wanted := dict(self.rows(_MISFILED, _FILED_AT_ONCE)):
            used = [text for text, users in wanted.items() if users]
            matrices = {
                text: codec.unpack_matrix(*matrix)
                for text, *matrix in self.rows("SELECT text, rows, data, crc FROM vectors WHERE text = ANY(?)", used)
            }
            dimensions = {matrix.shape[1] for matrix in matrices.values()}
            if len(matrices) < len(used) or len(dimensions) > 1:
                raise IndexDamaged("a vector")
            for dimension in dimensions:
                self._expect(dimension)
            coded = {text: nearest.halves(matrix) for text, matrix in matrices.items()}
            self.database.begin()
            more = [
                self._replace_codes(table, list(wanted), {text: coded[text][0] for text in used if wanted[text] & bit})
                for table, bit in (("passage_codes", _OF_PASSAGES), ("chunk_codes", _OF_CHUNKS))
            ]
            self.change(f"UPDATE texts SET filed = {WANTED} WHERE id = ANY(?)", list(wanted))
            self.change(
                "UPDATE filing SET passages = passages + ?, chunks = chunks + ?, error = greatest(error, ?),"
                " dimension = coalesce(?, dimension)",
                *(*more, max((error for _, error in coded.values()), default=0.0), next(iter(dimensions), None)),
            )

    def _expect(self, dimension: int) -> None:
        """Has codes of so many numbers follow; those of another encoder were taken out before, and their indexes, which
        take no others, go with them."""
        ((before, *indexed),) = self.rows("SELECT dimension, passages_indexed, chunks_indexed FROM filing")
        for name, has in zip(("passages", "chunks"), indexed, strict=True):
            if has and before != dimension:
                self._drop_index(name)

    def _replace_codes(self, table: str, texts: list[int], codes: dict[int, Sequence[Any]]) -> int:
        """How many rows the table has gained, in the open transaction."""
        ((gone,),) = self.rows(
            f"WITH gone AS (DELETE FROM {table} WHERE text = ANY(?) RETURNING 1) SELECT count(*) FROM gone", texts
        )
        with translated(), self.database.connection.cursor() as cursor:
            statement = sql.SQL("COPY {}(text, code) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table))
            with cursor.copy(statement) as copy:
                copy.set_types(["int8", "halfvec"])
                for text, rows in codes.items():
                    for row in rows:
                        copy.write_row((text, pgvector.HalfVector(row)))
        return sum(map(len, codes.values())) - int(gone)

    def start_over(self) -> None:
        """Into tables beside those that serve, which go on serving until the new ones are complete."""
        self.database.rollback()
        self._drop(self._beside)
        self._beside = schema.new_schema(self.database, self._collection)
        self._copy_counters()
        self.forget()
        state = self.state
        self.state = State(state.generation, state.change, state.identity, state.versions)

    def _copy_counters(self) -> None:
        """From the tables that serve, so that no id is given twice."""
        ((serving,),) = self.rows("SELECT serving FROM assistant.collections WHERE name = ?", self._collection.name)
        counters = sql.SQL("INSERT INTO counters SELECT * FROM {}.counters").format(
            sql.Identifier(schema.schema_name(serving))
        )
        self.database.define(counters)

    def salvageable(self) -> Iterator[StoredVector]:
        """From the tables that were put aside."""
        if not self._aside:
            return
        name = sql.Identifier(schema.schema_name(self._aside))
        query = sql.SQL(
            "SELECT t.key, t.text, v.rows, v.data, v.crc FROM {0}.vectors v JOIN {0}.texts t ON t.id = v.text"
        ).format(name)
        # By a connection of its own: what cannot be read would end this transaction.
        aside = PostgresDatabase(connect(self._collection.conninfo, self._name, LOST_SECONDS))
        with closing(aside), suppress(StoreError, TypeError, ValueError):  # what is left is computed again
            for key, text, count, data, crc in aside.each(query.as_string(aside.connection)):
                if text_key(self.state.identity, text) == key and codec.is_unit(count, data, crc):
                    yield text, count, data, crc

    def forget_filed(self, state: State) -> State:
        """The codes go with the texts that they stand for."""
        return state

    def file_vectors(self, *, finished: bool, insist: bool) -> bool:
        """Makes an HNSW index where there are so many codes that it pays, drops it where there are few, and lets new
        tables take the place of the old ones, once all vectors are `finished`."""
        if not finished:
            return False
        ((dimension, *counts_and_indexed),) = self.rows(
            "SELECT dimension, passages, chunks, passages_indexed, chunks_indexed FROM filing"
        )
        counts, indexed = counts_and_indexed[:2], counts_and_indexed[2:]
        filed = False
        for name, count, has in zip(("passages", "chunks"), counts, indexed, strict=True):
            least = nearest.HNSW_FROM // 2 if has else nearest.HNSW_FROM
            wanted = count >= least and dimension <= nearest.HNSW_LONGEST
            if wanted != has:
                if has:
                    self._drop_index(name)
                else:
                    self._index_codes(name, dimension, count)
                filed = True
        if filed or self._beside:
            self._file_codes()
            self._commit(None, swap=bool(self._beside))
            self.remove_leftovers()
        return filed

    def _index_codes(self, name: str, dimension: int, count: int) -> None:
        define = self.database.define
        index = sql.SQL("CREATE INDEX {} ON {} USING hnsw ((code::halfvec({})) halfvec_ip_ops)").format(
            sql.Identifier(f"{name}_hnsw"), sql.Identifier(f"{name.removesuffix('s')}_codes"), sql.Literal(dimension)
        )
        memory = min(max(_LEAST_MEMORY, count * (2 * dimension + _A_ROW) // 2**20), _MOST_MEMORY)
        define(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(f"{memory}MB")))
        self.database.script("SAVEPOINT indexing")
        try:
            define(index)
        except DiskFull:  # where memory that processes share is small, as in a container, one process has to do
            self.database.script("ROLLBACK TO SAVEPOINT indexing; SET LOCAL max_parallel_maintenance_workers = 0")
            define(index)
        self._mark_indexed(name, indexed=True)

    def _drop_index(self, name: str) -> None:
        self.database.define(sql.SQL("DROP INDEX {}").format(sql.Identifier(f"{name}_hnsw")))
        self._mark_indexed(name, indexed=False)

    def _mark_indexed(self, name: str, *, indexed: bool) -> None:
        column = sql.Identifier(f"{name}_indexed")
        self.database.define(sql.SQL("UPDATE filing SET {} = {}").format(column, indexed))

    def sound(self, *, whole: bool) -> bool:
        """Nothing stands beside the rows."""
        return True

    def remove_leftovers(self) -> None:
        """Tables that serve no more, unless a reader is just reading them: the next writer removes those."""
        for number in schema.others(self.database, self._collection):
            if number not in (self._beside, self._aside):
                self._drop(number)

    def _drop(self, number: int) -> None:
        if number:
            try:
                schema.drop(self.database, number)
            except (Busy, ReadOnly):  # a reader has them, or they are another role's
                self.database.rollback()

    def close(self) -> None:
        if self._database is not None:
            # The server would notice some time later that the connection is gone, and hold the lock until then.
            with suppress(StoreError):
                self._database.rollback()
                self._database.rows("SELECT pg_advisory_unlock_all()")
            self._database.close()
            self._database = None


def _notice_death(database: PostgresDatabase) -> None:
    """Has the server notice soon that this process is gone, or its host, and let the next writer in. Not every server's
    system can."""
    for setting, value in _DEATH.items():
        with suppress(StoreError):
            database.rows("SELECT set_config(?, ?, false)", setting, value)


def _array(numbers: Sequence[float]) -> str:
    """An array as COPY reads it, written in a third of the time that psycopg takes for many short ones."""
    return "{" + ",".join(map(str, numbers)) + "}"
