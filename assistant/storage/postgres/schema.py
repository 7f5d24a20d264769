"""The tables of a collection, and the list of collections."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from assistant.errors import IndexUnusable
from assistant.storage.errors import IndexOutdated, ReadOnly
from assistant.storage.postgres.connection import Connection
from assistant.storage.postgres.database import PostgresDatabase, is_missing
from assistant.storage.postgres.errors import translated
from assistant.storage.state import SEARCHED
from assistant.system.collection import Collection

SCHEMA = 1
"""Raise it with every change to TABLES, and add to MIGRATIONS how a collection of the version before is changed."""
MIGRATIONS: dict[int, str] = {}
"""By the version that it begins with, the SQL that makes a collection one of the next."""
_MIGRATION_SECONDS = 10
"""How long a migration waits for readers; meanwhile others wait behind it."""
_OLDEST_EXTENSION = (0, 7)
"""The first version of pgvector that has half-precision vectors."""
_CREATING = 0x6E6F746573
"""The advisory lock under which the list of collections is made."""

REGISTRY = """
CREATE SCHEMA IF NOT EXISTS assistant;
CREATE TABLE IF NOT EXISTS assistant.schemas(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, collection text COLLATE "C" NOT NULL
);
CREATE TABLE IF NOT EXISTS assistant.collections(
    name text COLLATE "C" PRIMARY KEY,
    serving bigint NOT NULL,        -- assistant.schemas.id
    version integer NOT NULL        -- of its tables
);
"""

WANTED = "(CASE WHEN uses > 0 THEN 1 ELSE 0 END + CASE WHEN chunks > 0 THEN 2 ELSE 0 END)"
"""An SQL expression: what a text's `filed` should be."""

# Texts that may be longer than a B-tree takes (2,704 bytes), and are looked up by equality alone, have hash indexes,
# also where the same text must not come twice.
TABLES = f"""
CREATE TABLE state(
    one bigint PRIMARY KEY CHECK (one = 1),
    generation bigint NOT NULL,     -- of the text; 0 while nothing was published
    change bigint NOT NULL,         -- of anything: every commit raises it
    identity text NOT NULL,         -- of the encoder
    versions text NOT NULL,         -- of what made the text
    notes bigint NOT NULL, passages bigint NOT NULL, pending bigint NOT NULL,
    file text NOT NULL, file_size bigint NOT NULL, file_total bigint NOT NULL, file_texts bigint NOT NULL,
    file_error float8 NOT NULL, previous text NOT NULL, -- of a FAISS file, which there is none of here
    crc bigint NOT NULL,
    committed float8 NOT NULL DEFAULT extract(epoch FROM clock_timestamp())
);
CREATE TABLE counters(name text PRIMARY KEY, last bigint NOT NULL); -- by table the last id that was given
CREATE TABLE notes(
    id bigint PRIMARY KEY, path text COLLATE "C" NOT NULL, EXCLUDE USING hash (path WITH =),
    size bigint NOT NULL, mtime_ns bigint NOT NULL, inode bigint NOT NULL,
    looked bigint NOT NULL,         -- when the stat was taken, ns
    digest text NOT NULL, title text NOT NULL, titled bigint NOT NULL, tags text NOT NULL,
    count bigint NOT NULL, lines bytea NOT NULL
);
CREATE TABLE refused(               -- notes that cannot be read, so that each is tried once
    path text COLLATE "C" NOT NULL, EXCLUDE USING hash (path WITH =),
    size bigint NOT NULL, mtime_ns bigint NOT NULL, inode bigint NOT NULL, looked bigint NOT NULL, reason text NOT NULL
);
CREATE TABLE sections(
    id bigint PRIMARY KEY, note bigint NOT NULL, heading_path text NOT NULL, anchor text NOT NULL, start bigint NOT NULL
);
CREATE INDEX sections_note ON sections(note);
CREATE TABLE texts(                 -- whatever is embedded, once, however often it occurs
    id bigint PRIMARY KEY, key text COLLATE "C" NOT NULL UNIQUE, text text NOT NULL,
    uses bigint NOT NULL DEFAULT 0,     -- by passages
    chunks bigint NOT NULL DEFAULT 0,   -- uses by chunks
    others bigint NOT NULL DEFAULT 0,   -- uses by the vocabulary
    ready bigint NOT NULL DEFAULT 0,    -- has a vector
    filed bigint NOT NULL DEFAULT 0,    -- 1: has codes among those of passages, 2: of chunks, 3: of both
    idle bigint                         -- the generation since which nothing uses it
) WITH (fillfactor = 80);
CREATE INDEX texts_waiting ON texts(uses, others, chunks) WHERE ready = 0;
CREATE INDEX texts_tail ON texts(id) WHERE {SEARCHED} AND filed = 0;
CREATE INDEX texts_misfiled ON texts(id) WHERE ready = 1 AND filed <> {WANTED};
CREATE INDEX texts_idle ON texts(idle) WHERE uses = 0 AND chunks = 0 AND others = 0;
CREATE TABLE vectors(               -- of texts.id: the rows (k, d) as little-endian float32
    text bigint PRIMARY KEY, rows bigint NOT NULL, data bytea NOT NULL, crc bigint NOT NULL
);
ALTER TABLE vectors ALTER data SET STORAGE EXTERNAL; -- numbers that do not compress
CREATE TABLE passage_codes(text bigint NOT NULL, code halfvec NOT NULL); -- the rows of vectors, to be searched
CREATE INDEX passage_codes_text ON passage_codes(text);
CREATE TABLE chunk_codes(text bigint NOT NULL, code halfvec NOT NULL);
CREATE INDEX chunk_codes_text ON chunk_codes(text);
CREATE TABLE filing(                -- of the codes
    one bigint PRIMARY KEY CHECK (one = 1), dimension bigint NOT NULL,
    passages bigint NOT NULL, chunks bigint NOT NULL,   -- rows
    passages_indexed boolean NOT NULL, chunks_indexed boolean NOT NULL, -- by HNSW
    error float8 NOT NULL           -- the largest distance of a row from its code
);
INSERT INTO filing VALUES (1, 0, 0, 0, false, false, 0);
CREATE TABLE passages(
    id bigint PRIMARY KEY, note bigint NOT NULL, section bigint NOT NULL, start bigint NOT NULL,
    text bigint NOT NULL, chunk bigint NOT NULL, body text NOT NULL, crc bigint NOT NULL
);
CREATE INDEX passages_chunk ON passages(chunk, start);
CREATE INDEX passages_note ON passages(note);
CREATE INDEX passages_section ON passages(section);
CREATE INDEX passages_text ON passages(text);
CREATE TABLE chunks(
    id bigint PRIMARY KEY, note bigint NOT NULL, start bigint NOT NULL, text bigint NOT NULL,
    body text NOT NULL,
    words text NOT NULL,            -- its terms, in order
    crc bigint NOT NULL
);
CREATE INDEX chunks_note ON chunks(note, start);
CREATE INDEX chunks_text ON chunks(text);
CREATE TABLE mentions(
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, passage bigint NOT NULL,
    key text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL, crc bigint NOT NULL
);
CREATE INDEX mentions_passage ON mentions(passage);
CREATE INDEX mentions_key ON mentions(key);
CREATE TABLE keys(key text COLLATE "C" NOT NULL, uses bigint NOT NULL, matched bigint NOT NULL DEFAULT 0);
CREATE INDEX keys_key ON keys(key);
CREATE INDEX keys_new ON keys(uses) WHERE matched = 0;
CREATE INDEX keys_gone ON keys(uses) WHERE uses = 0;
CREATE TABLE matches(               -- concepts of the vocabulary whose name stands in a topic's
    key text COLLATE "C" NOT NULL, concept text COLLATE "C" NOT NULL,
    whole bigint NOT NULL,          -- whether it is all of it
    crc bigint NOT NULL
);
CREATE INDEX matches_key ON matches USING hash (key);
CREATE INDEX matches_concept ON matches USING hash (concept);
CREATE TABLE sentences(
    concept text COLLATE "C" NOT NULL,
    position bigint NOT NULL,       -- 0 is the concept's name
    sentence text NOT NULL, text bigint NOT NULL
);
CREATE INDEX sentences_concept ON sentences USING hash (concept);
CREATE TABLE concepts(              -- the sentences' vectors (k, d) of one concept
    concept text COLLATE "C" NOT NULL, EXCLUDE USING hash (concept WITH =),
    texts text NOT NULL,            -- ids of what they were made from
    rows bigint NOT NULL, data bytea NOT NULL, crc bigint NOT NULL
);
CREATE TABLE centres(               -- of all concepts side by side: the names' vectors, then the sentences' middles
    one bigint PRIMARY KEY CHECK (one = 1), names text NOT NULL, data bytea NOT NULL, crc bigint NOT NULL
);
CREATE TABLE concept_words(
    term text COLLATE "C" NOT NULL, concept text COLLATE "C" NOT NULL,
    weight float8 NOT NULL,         -- BM25 of the term in the concept's sentences
    named float8 NOT NULL,          -- share of the concept's names that hold it
    crc bigint NOT NULL
);
CREATE INDEX concept_words_term ON concept_words USING hash (term);
CREATE INDEX concept_words_named ON concept_words USING hash (concept) WHERE named > 0;
CREATE TABLE frequencies(           -- passages that hold each term
    term text COLLATE "C" NOT NULL, n bigint NOT NULL, crc bigint NOT NULL
);
CREATE INDEX frequencies_term ON frequencies USING hash (term);
CREATE TABLE postings(              -- the passages of one note that hold a term, in arrays of one length
    term text COLLATE "C" NOT NULL, note bigint NOT NULL,
    passages bigint[] NOT NULL,
    frequencies float8[] NOT NULL,  -- how often: in its words, and half as much in its headings
    lengths bigint[] NOT NULL       -- terms of the passage in all
);
CREATE INDEX postings_term ON postings(left(term, 200)); -- a hash index walks past all rows of a term for one more
CREATE INDEX postings_note ON postings(note);
CREATE TABLE lengths(note bigint PRIMARY KEY, tokens bigint NOT NULL); -- terms of all passages of a note
CREATE TABLE totals(one bigint PRIMARY KEY CHECK (one = 1), tokens bigint NOT NULL); -- of all notes
INSERT INTO totals VALUES (1, 0);

CREATE FUNCTION count_texts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE format('UPDATE texts SET %1$I = %1$I + m.n, idle = NULL FROM
            (SELECT text, count(*) AS n FROM changed GROUP BY text) AS m WHERE texts.id = m.text', TG_ARGV[0]);
    ELSE
        EXECUTE format('UPDATE texts SET %1$I = %1$I - m.n FROM
            (SELECT text, count(*) AS n FROM changed GROUP BY text) AS m WHERE texts.id = m.text', TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER passages_in AFTER INSERT ON passages REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('uses');
CREATE TRIGGER passages_out AFTER DELETE ON passages REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('uses');
CREATE TRIGGER chunks_in AFTER INSERT ON chunks REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('chunks');
CREATE TRIGGER chunks_out AFTER DELETE ON chunks REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('chunks');
CREATE TRIGGER sentences_in AFTER INSERT ON sentences REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('others');
CREATE TRIGGER sentences_out AFTER DELETE ON sentences REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_texts('others');
"""


_EXTENSION = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"


class Serving(NamedTuple):
    """Which tables a collection is read from."""

    id: int
    """Of their schema."""
    version: int


def schema_name(number: int) -> str:
    """Of the schema with this id."""
    return f"assistant_{number}"


def lock_key(collection: Collection) -> int:
    """The number of the collection's advisory lock, signed, 64 bits."""
    digest = hashlib.sha256(f"assistant\0{collection.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def serving(connection: Connection, collection: Collection) -> Serving | None:
    """What the list of collections says; None where it has no such collection, or there is no list."""
    try:
        row = connection.execute(
            "SELECT serving, version FROM assistant.collections WHERE name = %s", (collection.name,), binary=True
        ).fetchone()
    except psycopg.Error as error:
        if is_missing(error):
            return None
        raise
    return None if row is None else Serving(*row)


def check_version(version: int, collection: Collection) -> None:
    """IndexUnusable for a newer version's tables, IndexOutdated for an older one's."""
    if version > SCHEMA:
        raise IndexUnusable(
            f"The index in {collection} was written by a newer version of this program.",
            "Upgrade the program, or choose another collection with --index.",
        )
    if version < SCHEMA:
        raise IndexOutdated("written by an older version; `assistant index` brings it up to date")


def search_in(connection: Connection, number: int, *, local: bool) -> None:
    """Lets statements find the tables of the schema with this id, until the end of the transaction if `local`;
    InsufficientPrivilege where this role may not use it, which would look as if there were no tables."""
    name = schema_name(number)
    found = connection.execute(
        "SELECT set_config('search_path', %s || coalesce((SELECT ', ' || quote_ident(nspname) FROM pg_extension e"
        " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'vector'), ''), %s),"
        " coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s), true)",
        (name, local, name),
        binary=True,
    ).fetchone()
    if found is not None and not found[1]:
        raise psycopg.errors.InsufficientPrivilege(f"permission denied for schema {name}")


def prepare(database: PostgresDatabase, collection: Collection, *, migrate: bool = True) -> Serving:
    """What serves the collection, for its writer, who holds its lock: made where it is missing, migrated where it is of
    an older version, if `migrate`. ReadOnly, IndexUnusable, IndexOutdated where no migration leads to this version."""
    with translated():
        found = serving(database.connection, collection)
    if found is None:
        _install(database)
        found = Serving(new_schema(database, collection), SCHEMA)
        database.change(
            "INSERT INTO assistant.collections(name, serving, version) VALUES (?, ?, ?)", collection.name, *found
        )
        database.commit()
    if migrate and found.version <= SCHEMA:
        found = migrated(database, collection, found, MIGRATIONS)
    if migrate or found.version > SCHEMA:
        check_version(found.version, collection)
    return found


def migrated(database: PostgresDatabase, collection: Collection, found: Serving, migrations: dict[int, str]) -> Serving:
    """The collection with the tables of the newest version that these migrations lead to, each step in a transaction of
    its own. Busy where readers keep one from its tables."""
    while found.version in migrations:
        with translated():
            database.begin()
            search_in(database.connection, found.id, local=True)
        database.script(f"SET LOCAL lock_timeout = '{_MIGRATION_SECONDS}s'")
        database.script(migrations[found.version])
        found = found._replace(version=found.version + 1)
        database.change("UPDATE assistant.collections SET version = ? WHERE name = ?", found.version, collection.name)
        database.commit()
    return found


def new_schema(database: PostgresDatabase, collection: Collection) -> int:
    """Makes empty tables in a schema of their own and has statements find them; its id."""
    database.begin()
    ((number,),) = database.rows("INSERT INTO assistant.schemas(collection) VALUES (?) RETURNING id", collection.name)
    database.define(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema_name(number))))
    with translated():
        search_in(database.connection, number, local=False)
    database.script(TABLES)
    return int(number)


def drop(database: PostgresDatabase, number: int) -> None:
    """Deletes a schema with all its tables, in a transaction of its own; Busy where it is being read."""
    database.begin()
    database.script("SET LOCAL lock_timeout = '200ms'")
    name = sql.Identifier(schema_name(number))
    database.define(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
    database.change("DELETE FROM assistant.schemas WHERE id = ?", number)
    database.commit()


def _install(database: PostgresDatabase) -> None:
    """The list of collections and the extension, where they are missing. ReadOnly where this role may not."""
    database.begin()
    database.change("SELECT pg_advisory_xact_lock(?)", _CREATING)
    _install_extension(database)
    if database.rows("SELECT to_regclass('assistant.collections') IS NULL") == [(True,)]:
        database.script(REGISTRY)
    database.commit()


def _install_extension(database: PostgresDatabase) -> None:
    if not database.rows("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        raise ReadOnly("the server has no extension vector: an administrator installs pgvector")
    if not database.rows(_EXTENSION):
        try:
            database.script("CREATE EXTENSION vector")
        except ReadOnly as error:
            raise ReadOnly(
                "the extension vector is not installed in this database, and this role may not do it: an administrator"
                " runs CREATE EXTENSION vector"
            ) from error
    ((version,),) = database.rows(_EXTENSION)
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST_EXTENSION:
        raise ReadOnly(
            f"the extension vector is too old ({version}): an administrator runs ALTER EXTENSION vector UPDATE"
        )


def others(database: PostgresDatabase, collection: Collection) -> list[int]:
    """Ids of the collection's schemas that do not serve."""
    rows: list[Any] = database.rows(
        "SELECT s.id FROM assistant.schemas s JOIN assistant.collections c ON c.name = s.collection"
        " WHERE s.collection = ? AND s.id <> c.serving ORDER BY s.id",
        collection.name,
    )
    return [int(number) for (number,) in rows]
