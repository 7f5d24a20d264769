"""Who writes to a collection, and how its server is."""

from __future__ import annotations

from contextlib import closing

from assistant.storage.backend import Health
from assistant.storage.postgres.connection import FIRST_SECONDS, connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.errors import translated
from assistant.storage.postgres.schema import lock_key, schema_name, serving
from assistant.system.collection import Collection

_HOLDER = """
    SELECT coalesce(nullif(a.application_name, ''), 'process ' || a.pid), a.usename::text
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32) | l.objid::bigint = ?
"""
_SERVER = """
    SELECT current_setting('server_version'),
        coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), ''), current_user::text,
        pg_is_in_recovery(), coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
        has_database_privilege(current_database(), 'CREATE')
"""
_TABLES = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint, coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint,
        coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')), false),
        coalesce(bool_and(has_table_privilege(c.oid, 'INSERT')), false)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relkind = 'r'
"""
_INDEXES = """
    SELECT c.relname::text, i.indisvalid AND i.indisready, a.amname = 'hnsw'
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_am a ON a.oid = c.relam WHERE n.nspname = ? ORDER BY 1
"""
_SCHEMAS = "SELECT count(*) FROM assistant.schemas WHERE collection = ?"


def holder(database: PostgresDatabase, key: int) -> str:
    """Who holds the advisory lock of this number; "" where nobody does."""
    return ", ".join(f"{name} as {role}" for name, role in database.rows(_HOLDER, key))


def being_written(collection: Collection) -> bool:
    """Whether a process holds the writer's lock at this moment. Unreachable."""
    with closing(_database(collection)) as database:
        return bool(database.rows(_HOLDER, lock_key(collection)))


def health(collection: Collection) -> Health:
    """How the server and the collection's tables are. Unreachable."""
    with closing(_database(collection)) as database:
        ((server, extension, role, standby, encrypted, may_create),) = database.rows(_SERVER)
        with translated():
            found = serving(database.connection, collection)
        name = schema_name(found.id) if found else ""
        ((size, index_size, may_read, may_write),) = database.rows(_TABLES, name)
        indexes = database.rows(_INDEXES, name)
        left = 0
        if found:
            ((schemas,),) = database.rows(_SCHEMAS, collection.name)
            left = schemas - 1
        return Health(
            server=server,
            extension=extension,
            role=role,
            standby=standby,
            encrypted=encrypted,
            may_read=may_read,
            may_write=not standby and (may_write if found else may_create),
            size=size,
            index_size=index_size,
            approximate=any(hnsw for _, _, hnsw in indexes),
            broken_indexes=tuple(index for index, usable, _ in indexes if not usable),
            leftovers=left,
            writer=holder(database, lock_key(collection)),
        )


def _database(collection: Collection) -> PostgresDatabase:
    return PostgresDatabase(connect(collection.conninfo, "assistant", FIRST_SECONDS))
