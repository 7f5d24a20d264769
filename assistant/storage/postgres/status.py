"""Who writes to a collection, and how its server is."""

from __future__ import annotations

from assistant.storage.postgres.connection import FIRST_SECONDS, connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.schema import lock_key
from assistant.system.collection import Collection

_HOLDER = """
    SELECT coalesce(nullif(a.application_name, ''), 'process ' || a.pid), a.usename
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname =
        current_database()) AND l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = ?
"""


def holder(database: PostgresDatabase, key: int) -> str:
    """Who holds the advisory lock of this number; "" where nobody does."""
    rows = database.rows(_HOLDER, key)
    return ", ".join(f"{name} as {role}" for name, role in rows)


def being_written(collection: Collection) -> bool:
    """Whether a process holds the writer's lock at this moment."""
    database = PostgresDatabase(connect(collection.conninfo, "assistant", FIRST_SECONDS))
    try:
        return bool(database.rows(_HOLDER, lock_key(collection)))
    finally:
        database.close()
