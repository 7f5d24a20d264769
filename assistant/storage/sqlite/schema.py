"""The tables of an index in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import IndexUnusable
from assistant.storage.errors import IndexDamaged, IndexOutdated
from assistant.storage.sqlite.database import Database
from assistant.storage.state import COLUMNS, INSERT_STATE, SEARCHED, State, pack_state, unpack_state

SCHEMA = 7
"""The database's `user_version`; raise it with every change to TABLES or to the meaning of a column."""

APPLICATION = 0x4E415353
"""`application_id` of our databases ("NASS")."""

_WORD_CHARACTERS = "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum() and chr(c) not in "'\"")

TABLES = f"""
CREATE TABLE state(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,    -- of the text; 0 while nothing was published
    change INTEGER NOT NULL,        -- of anything: every commit raises it
    identity TEXT NOT NULL,         -- of the encoder
    versions TEXT NOT NULL,         -- of what made the text
    notes INTEGER NOT NULL, passages INTEGER NOT NULL, pending INTEGER NOT NULL,
    file TEXT NOT NULL, file_size INTEGER NOT NULL, file_total INTEGER NOT NULL, file_texts INTEGER NOT NULL,
    file_error REAL NOT NULL,
    previous TEXT NOT NULL,         -- the FAISS file before
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE notes(
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    looked INTEGER NOT NULL,        -- when the stat was taken, ns
    digest TEXT NOT NULL, title TEXT NOT NULL, titled INTEGER NOT NULL, tags TEXT NOT NULL,
    count INTEGER NOT NULL, lines BLOB NOT NULL
) STRICT;
CREATE TABLE refused(               -- notes that cannot be read, so that each is tried once
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    looked INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE TABLE sections(
    id INTEGER PRIMARY KEY, note INTEGER NOT NULL, heading_path TEXT NOT NULL, anchor TEXT NOT NULL,
    start INTEGER NOT NULL
) STRICT;
CREATE INDEX sections_note ON sections(note, anchor);
CREATE TABLE texts(                 -- whatever is embedded, once, however often it occurs
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,    -- by passages
    chunks INTEGER NOT NULL DEFAULT 0,  -- uses by chunks
    others INTEGER NOT NULL DEFAULT 0,  -- uses by the vocabulary
    ready INTEGER NOT NULL DEFAULT 0,   -- has a vector
    filed INTEGER NOT NULL DEFAULT 0,   -- stands in the FAISS file
    idle INTEGER                        -- the generation since which nothing uses it
) STRICT;
CREATE INDEX texts_waiting ON texts(uses, others, chunks) WHERE ready = 0;
CREATE INDEX texts_tail ON texts(id) WHERE {SEARCHED} AND filed = 0;
CREATE INDEX texts_of_no_passage ON texts(chunks) WHERE filed = 1 AND uses = 0;
CREATE INDEX texts_of_chunks ON texts(id) WHERE filed = 1 AND chunks > 0;
CREATE INDEX texts_idle ON texts(idle) WHERE uses = 0 AND chunks = 0 AND others = 0;
CREATE TABLE vectors(               -- of texts.id: the rows (k, d) as little-endian float32
    text INTEGER PRIMARY KEY, rows INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE passages(
    id INTEGER PRIMARY KEY AUTOINCREMENT, note INTEGER NOT NULL, section INTEGER NOT NULL, start INTEGER NOT NULL,
    text INTEGER NOT NULL, chunk INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_chunk ON passages(chunk, start);
CREATE INDEX passages_note ON passages(note);
CREATE INDEX passages_section ON passages(section);
CREATE INDEX passages_text ON passages(text, note, start); -- all that is asked of a text that is near
CREATE TRIGGER passage_in AFTER INSERT ON passages
    BEGIN UPDATE texts SET uses = uses + 1, idle = NULL WHERE id = NEW.text; END;
CREATE TRIGGER passage_out AFTER DELETE ON passages
    BEGIN UPDATE texts SET uses = uses - 1 WHERE id = OLD.text; END;
CREATE TABLE chunks(
    id INTEGER PRIMARY KEY AUTOINCREMENT, note INTEGER NOT NULL, start INTEGER NOT NULL, text INTEGER NOT NULL,
    body TEXT NOT NULL,
    words TEXT NOT NULL,            -- its terms, in order
    crc INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_note ON chunks(note, start);
CREATE INDEX chunks_text ON chunks(text, note, start);
CREATE TRIGGER chunk_in AFTER INSERT ON chunks
    BEGIN UPDATE texts SET chunks = chunks + 1, idle = NULL WHERE id = NEW.text; END;
CREATE TRIGGER chunk_out AFTER DELETE ON chunks
    BEGIN UPDATE texts SET chunks = chunks - 1 WHERE id = OLD.text; END;
CREATE TABLE mentions(
    id INTEGER PRIMARY KEY, passage INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE INDEX mentions_passage ON mentions(passage);
CREATE INDEX mentions_key ON mentions(key);
CREATE TABLE keys(
    key TEXT PRIMARY KEY, uses INTEGER NOT NULL, matched INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_new ON keys(key) WHERE matched = 0;
CREATE INDEX keys_gone ON keys(key) WHERE uses = 0;
CREATE TRIGGER mention_in AFTER INSERT ON mentions BEGIN
    INSERT INTO keys(key, uses) VALUES (NEW.key, 1) ON CONFLICT(key) DO UPDATE SET uses = uses + 1;
END;
CREATE TRIGGER mention_out AFTER DELETE ON mentions BEGIN
    UPDATE keys SET uses = uses - 1 WHERE key = OLD.key;
END;
CREATE TABLE matches(               -- concepts of the vocabulary whose name stands in a topic's
    key TEXT NOT NULL, concept TEXT NOT NULL,
    whole INTEGER NOT NULL,         -- whether it is all of it
    crc INTEGER NOT NULL, PRIMARY KEY (key, concept)
) STRICT, WITHOUT ROWID;
CREATE INDEX matches_concept ON matches(concept);
CREATE TABLE sentences(
    concept TEXT NOT NULL,
    position INTEGER NOT NULL,      -- 0 is the concept's name
    sentence TEXT NOT NULL, text INTEGER NOT NULL,
    PRIMARY KEY (concept, position)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER sentence_in AFTER INSERT ON sentences
    BEGIN UPDATE texts SET others = others + 1, idle = NULL WHERE id = NEW.text; END;
CREATE TRIGGER sentence_out AFTER DELETE ON sentences
    BEGIN UPDATE texts SET others = others - 1 WHERE id = OLD.text; END;
CREATE TABLE concepts(              -- the sentences' vectors (k, d) of one concept
    concept TEXT PRIMARY KEY,
    texts TEXT NOT NULL,            -- ids of what they were made from
    rows INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE centres(               -- of all concepts side by side: the names' vectors, then the sentences' middles
    one INTEGER PRIMARY KEY CHECK (one = 1), names TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE concept_words(
    term TEXT NOT NULL, concept TEXT NOT NULL,
    weight REAL NOT NULL,           -- BM25 of the term in the concept's sentences
    named REAL NOT NULL,            -- share of the concept's names that hold it
    crc INTEGER NOT NULL, PRIMARY KEY (term, concept)
) STRICT, WITHOUT ROWID;
CREATE INDEX concept_words_named ON concept_words(concept) WHERE named > 0;
CREATE TABLE frequencies(            -- passages that hold each term
    term TEXT PRIMARY KEY, n INTEGER NOT NULL, crc INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Every character but blanks and quotes belongs to a token: a term is one token, whatever it holds.
CREATE VIRTUAL TABLE contents USING fts5(words, headings, title, tokenize="ascii tokenchars '{_WORD_CHARACTERS}'");
"""


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def check_version(database: Database, folder: Path) -> bool:
    """Whether the tables exist; IndexDamaged for another program's database, IndexOutdated for an older version's,
    IndexUnusable for a newer version's."""
    ((version,),) = database.rows("PRAGMA user_version")
    ((application,),) = database.rows("PRAGMA application_id")
    if version == 0 and database.rows("SELECT count(*) FROM sqlite_master") == [(0,)]:
        return False
    if application != APPLICATION:
        raise IndexDamaged("the header is not that of an index")
    if version > SCHEMA:
        raise IndexUnusable(
            f"The index in {folder} was written by a newer version of this program.",
            "Upgrade the program, or choose another folder with --index.",
        )
    if version < SCHEMA:
        raise IndexOutdated("written by an older version")
    return True


def create(database: Database) -> None:
    """Makes the tables in an empty database."""
    database.script(f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;")


def read_state(database: Database) -> State:
    """The state committed last; an empty one where nothing was."""
    rows = database.rows(f"SELECT {COLUMNS}, crc FROM state")
    return unpack_state(rows[0]) if rows else State()


def write_state(database: Database, state: State) -> None:
    """Replaces the state, in the open transaction."""
    database.change("DELETE FROM state")
    database.change(INSERT_STATE, *pack_state(state))
