"""Connections to the database, made again where they are lost, and kept for the next question."""

from __future__ import annotations

import random
import threading
import time
from functools import cache
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format, PGconn, Ping

from assistant.storage.errors import Unreachable
from assistant.storage.postgres.errors import text

Connection = psycopg.Connection[tuple[Any, ...]]
FIRST_SECONDS = 5.0
"""How long a server is waited for that does not answer at all, before the first connection of a process."""
LOST_SECONDS = 30.0
"""How long one is waited for that answered before, or that says that it is starting."""
_STEP_SECONDS, _LONGEST_STEP_SECONDS = 0.05, 1.0
"""Between two tries: doubled with each, and each anything from half of it to the whole, so that readers that lost a
server together do not come back together."""
_CONNECT_SECONDS = 10
_MOST_IDLE = 8
_NUL, _ESCAPE = "\0", "\ue000"
"""PostgreSQL's texts hold no NUL, notes may: it is stored as an escape."""


def connect(conninfo: str, name: str, patience: float) -> Connection:
    """A connection in autocommit mode, called `name` on the server, tried again for so many seconds where it may be
    well then; Unreachable."""
    deadline, step = time.monotonic() + patience, _STEP_SECONDS
    given = conninfo_to_dict(conninfo)
    full = make_conninfo(
        conninfo,
        application_name=given.get("application_name") or name,
        connect_timeout=given.get("connect_timeout") or _CONNECT_SECONDS,
    )
    while True:
        try:
            connection: Connection = psycopg.connect(full, autocommit=True)
        except psycopg.OperationalError as error:
            answer = PGconn.ping(full.encode())
            if answer is Ping.REJECT:  # it starts or stops
                deadline = max(deadline, time.monotonic() + LOST_SECONDS - patience)
            if answer not in (Ping.REJECT, Ping.NO_RESPONSE) or time.monotonic() > deadline:
                raise Unreachable(text(error)) from error
        except psycopg.Error as error:
            raise Unreachable(text(error)) from error
        else:
            _adapt(connection)
            return connection
        time.sleep(step * random.uniform(0.5, 1))
        step = min(2 * step, _LONGEST_STEP_SECONDS)


class Pool:
    """The connections of this process to one database that nobody uses at the moment."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._patience = FIRST_SECONDS

    def take(self, patience: float | None = None) -> Connection:
        """An idle connection or a new one, waited for at most so long; Unreachable."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = connect(self._conninfo, "assistant", self._patience if patience is None else patience)
        self._patience = LOST_SECONDS
        return connection

    def give(self, connection: Connection) -> None:
        """Takes a connection back; one that is in a transaction or broken is closed."""
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with self._lock:
            if idle and not connection.broken and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def clear(self) -> None:
        """Closes what is idle: where one connection was lost, the others were too."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


@cache
def pool_of(conninfo: str) -> Pool:
    """The one pool of this process."""
    return Pool(conninfo)


def pause(attempt: int) -> None:
    """Before a transaction is tried again that met another one; `attempt` counts from 1."""
    time.sleep(min(_STEP_SECONDS * 2**attempt, _LONGEST_STEP_SECONDS) * random.uniform(0.5, 1))


class _TextDumper(Dumper):
    format = Format.TEXT

    def dump(self, obj: Any) -> Buffer:
        """UTF-8, NUL escaped."""
        stored = str(obj)
        if _NUL in stored or _ESCAPE in stored:
            stored = stored.replace(_ESCAPE, f"{_ESCAPE}1").replace(_NUL, f"{_ESCAPE}0")
        return stored.encode()


class _TextLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """What `_TextDumper` was given."""
        loaded = str(data, "utf-8")
        if _ESCAPE in loaded:
            loaded = loaded.replace(f"{_ESCAPE}0", _NUL).replace(f"{_ESCAPE}1", _ESCAPE)
        return loaded


def _adapt(connection: Connection) -> None:
    connection.adapters.register_dumper(str, _TextDumper)
    connection.adapters.register_loader("text", _TextLoader)
