"""The connection of a writer, whose errors are StoreErrors, and the SQL of this package in PostgreSQL's words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from assistant.storage.backend import IN_LIST
from assistant.storage.errors import StoreError
from assistant.storage.postgres.connection import Connection
from assistant.storage.postgres.errors import translated

_COPIED = re.compile(r"INSERT INTO (\w+\([\w, ]+\)) VALUES \([?, ]+\)")
_AT_ONCE = 1000
_NUMBERS = itertools.count()
"""Of cursors, several of which may be open."""


@cache
def dialect(statement: str) -> bytes:
    """A statement of this package as psycopg takes it."""
    return statement.replace("%", "%%").replace(IN_LIST, "= ANY(?)").replace("?", "%s").encode()


def each(connection: Connection, statement: str, values: Sequence[object]) -> Iterator[Any]:
    """The rows of a query, one by one, a thousand at a time from the server; in a transaction only."""
    with connection.cursor(name=f"each_{next(_NUMBERS)}") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(dialect(statement), values, binary=True)
        yield from cursor


class PostgresDatabase:
    """One connection in autocommit mode; every method raises StoreErrors."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, *values: object) -> list[Any]:
        """All rows of a query."""
        with translated():
            return self.connection.execute(dialect(statement), values, binary=True).fetchall()

    def each(self, statement: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one; begins a transaction where none is open."""
        with translated():
            self.begin()
            yield from each(self.connection, statement, values)

    def begin(self) -> None:
        """Nothing happens where a transaction is open."""
        if not self.in_transaction:
            self.connection.execute("BEGIN")

    def change(self, statement: str, *values: object) -> None:
        """Runs a statement in a transaction, begun here where none is open."""
        with translated():
            self.begin()
            self.connection.execute(dialect(statement), values)

    def change_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """As `change`, for many rows: what is plainly inserted is copied, in a fraction of the time."""
        with translated(), self.connection.cursor() as cursor:
            self.begin()
            copied = _COPIED.fullmatch(statement)
            if copied is None:
                cursor.executemany(dialect(statement), rows)
                return
            with cursor.copy(f"COPY {copied[1]} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)

    def script(self, script: str) -> None:
        """Runs several statements without values, in a transaction, begun here where none is open."""
        with translated():
            self.begin()
            self.connection.execute(script.encode())

    def define(self, statement: sql.Composed) -> None:
        """Runs a statement with names in it, in a transaction, begun here where none is open."""
        with translated():
            self.begin()
            self.connection.execute(statement)

    def commit(self) -> None:
        """Ends the open transaction; StoreError where none is open, or the server took it back."""
        with translated():
            done = self.connection.execute("COMMIT").statusmessage
        if done != "COMMIT":
            raise StoreError("the server took the transaction back")

    def rollback(self) -> None:
        """Nothing happens where no transaction is open, or the connection is lost."""
        if self.in_transaction and not self.connection.broken:
            with translated():
                self.connection.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun and has neither been committed nor rolled back."""
        return self.connection.info.transaction_status is not TransactionStatus.IDLE

    def close(self) -> None:
        """Takes back what was not committed; may be called twice."""
        self.connection.close()


def is_missing(error: psycopg.Error) -> bool:
    """Whether a table or schema is not there."""
    return error.sqlstate in ("42P01", "3F000")
