"""Connections to the database, made again where they are lost, and kept for the next question."""

from __future__ import annotations

import math
import os
import random
import socket
import threading
import time
from functools import cache
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format, PGconn, Ping

from assistant.errors import BadRequest
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
_SHORTEST_CONNECT_SECONDS = 2
"""libpq takes no less."""
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""So that a host that fell silent is found within a minute; the system waits for hours."""
_MOST_IDLE = 8
_NUL, _ESCAPE = "\0", "\ue000"
"""PostgreSQL's texts hold no NUL, notes may: it is stored as an escape."""


def connect(conninfo: str, name: str, patience: float, starting: float | None = None) -> Connection:
    """A connection in autocommit mode, called `name` on the server, tried again where it may be well then: for
    `patience` seconds where nothing answers, for `starting` (LOST_SECONDS) where a server says that it starts or stops;
    Unreachable."""
    began, step = time.monotonic(), _STEP_SECONDS
    full = _completed(conninfo, name, patience)
    bounds = {Ping.NO_RESPONSE: patience, Ping.REJECT: max(patience, LOST_SECONDS if starting is None else starting)}
    answer = Ping.NO_RESPONSE
    while True:
        try:
            connection: Connection = psycopg.connect(full, autocommit=True)
        except psycopg.OperationalError as error:
            before, answer = answer, _answer(full, error)
            started = answer is Ping.OK and before is not Ping.OK  # it may have, between the refusal and this answer
            if not started and time.monotonic() - began >= bounds.get(answer, 0.0):
                raise Unreachable(text(error)) from error
        except psycopg.Error as error:
            raise Unreachable(text(error)) from error
        except UnicodeError as error:
            raise Unreachable("no host can have this name") from error
        else:
            _adapt(connection)
            return connection
        time.sleep(step * random.uniform(0.5, 1))
        step = min(2 * step, _LONGEST_STEP_SECONDS)


def _completed(conninfo: str, name: str, patience: float) -> str:
    """With what the address leaves open."""
    given = parameters(conninfo)
    timeout = max(_SHORTEST_CONNECT_SECONDS, min(_CONNECT_SECONDS, math.ceil(patience)))
    defaults: dict[str, str | int] = {"application_name": name, "connect_timeout": timeout, **_KEEPALIVE}
    return make_conninfo(conninfo, **{key: value for key, value in defaults.items() if not given.get(key)})


def parameters(conninfo: str) -> dict[str, Any]:
    """The parts of an address; BadRequest where libpq does not know one."""
    try:
        return dict(conninfo_to_dict(conninfo))
    except psycopg.ProgrammingError:  # its text may hold a password
        raise BadRequest(
            "The address of the index has a part that PostgreSQL does not know.", "Look for a slip in its parameters."
        ) from None


def _answer(conninfo: str, error: psycopg.OperationalError) -> Ping:
    """What the server says to a connection that failed with this error."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return Ping.NO_RESPONSE
    answer = Ping(PGconn.ping(conninfo.encode()))
    return Ping.NO_ATTEMPT if answer is Ping.NO_RESPONSE and _names_no_host(conninfo) else answer


def _names_no_host(conninfo: str) -> bool:
    """Whether there is no host of that name, now or later; a name server that does not answer says nothing."""
    given = parameters(conninfo)
    hosts = str(given.get("host") or os.environ.get("PGHOST", "")).split(",")
    return not given.get("hostaddr") and all(map(_is_no_host, hosts))


def _is_no_host(name: str) -> bool:
    if not name or name.startswith(("/", "@")):  # a socket
        return False
    try:
        socket.getaddrinfo(name, None)
    except socket.gaierror as error:
        return error.errno == socket.EAI_NONAME
    return False


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
        connection = connect(
            self._conninfo, "assistant", self._patience if patience is None else patience, starting=patience
        )
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
