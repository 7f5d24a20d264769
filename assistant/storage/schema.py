"""What stands in the index folder: the tables, the lock, and what can be wrong with them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import IndexUnusable
from assistant.system import permissions

DATABASE = "notes.sqlite"
LOCK = "writer.lock"
SCHEMA = 6
"""Stands in the database as `user_version`; raise it with every change to TABLES or to what a column means."""

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
    others INTEGER NOT NULL DEFAULT 0,  -- by the vocabulary
    ready INTEGER NOT NULL DEFAULT 0,   -- has a vector
    filed INTEGER NOT NULL DEFAULT 0,   -- stands in the FAISS file
    idle INTEGER                        -- the generation since which nothing uses it
) STRICT;
CREATE INDEX texts_waiting ON texts(uses, others) WHERE ready = 0;
CREATE INDEX texts_tail ON texts(id) WHERE ready = 1 AND filed = 0 AND uses > 0;
CREATE INDEX texts_dead ON texts(id) WHERE filed = 1 AND uses = 0;
CREATE INDEX texts_idle ON texts(idle) WHERE uses = 0 AND others = 0;
CREATE TABLE vectors(               -- of texts.id: the rows (k, d) as little-endian float32
    text INTEGER PRIMARY KEY, rows INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE passages(
    id INTEGER PRIMARY KEY AUTOINCREMENT, note INTEGER NOT NULL, section INTEGER NOT NULL, start INTEGER NOT NULL,
    text INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_note ON passages(note);
CREATE INDEX passages_section ON passages(section);
CREATE INDEX passages_text ON passages(text, note, start); -- all that is asked of a text that is near
CREATE TRIGGER passage_in AFTER INSERT ON passages
    BEGIN UPDATE texts SET uses = uses + 1, idle = NULL WHERE id = NEW.text; END;
CREATE TRIGGER passage_out AFTER DELETE ON passages
    BEGIN UPDATE texts SET uses = uses - 1 WHERE id = OLD.text; END;
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


class StoreError(Exception):
    """Why a committed generation cannot be read, or a new one not written; whoever opened it decides what follows."""


class IndexMissing(StoreError):
    """Nothing was ever published in the folder."""


class IndexDamaged(StoreError):
    """The database does not read back as it was written."""


class IndexOutdated(StoreError):
    """Made by another model or by an older version."""


class Busy(StoreError):
    """Another process writes to this index."""


class ReadOnly(StoreError):
    """The folder takes no files."""


class DiskFull(StoreError):
    """There is no room for the index."""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """The FAISS file the database vouches for; no name while there is none."""

    name: str = ""
    size: int = 0
    total: int = 0
    """`vector_file.total` of its bytes."""
    texts: int = 0
    """Texts in it."""
    error: float = 0.0
    """How far at the most a row is from what the file holds for it; 0 where it holds the rows themselves."""


@dataclass(frozen=True, slots=True)
class State:
    """The row that a commit replaces, and so what a reader takes for the truth."""

    generation: int = 0
    change: int = 0
    identity: str = ""
    versions: str = ""
    notes: int = 0
    passages: int = 0
    pending: int = 0
    file: VectorFile = VectorFile()
    previous: str = ""


def text_key(identity: str, text: str) -> str:
    """What a vector is kept under: SHA-256 of encoder and text, hex."""
    return hashlib.sha256(f"{identity}\0{text}".encode()).hexdigest()


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def translated() -> Iterator[None]:
    """Turns what sqlite3 raises into a StoreError that says what can be done about it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise meaning(error) from error


def meaning(error: sqlite3.DatabaseError) -> StoreError:
    """What an error of sqlite3 is for whoever opened the store."""
    full = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    code = sqlite3.SQLITE_CORRUPT if full in _TRUNCATED else full & 0xFF
    return _MEANINGS.get(code, StoreError)(str(error))


_TRUNCATED = (sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)
"""Pages that cannot be read are no lack of room."""
_MEANINGS: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_LOCKED: Busy,
    sqlite3.SQLITE_READONLY: ReadOnly,
    sqlite3.SQLITE_CANTOPEN: ReadOnly,
    sqlite3.SQLITE_PERM: ReadOnly,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_IOERR: DiskFull,
    sqlite3.SQLITE_CORRUPT: IndexDamaged,
    sqlite3.SQLITE_NOTADB: IndexDamaged,
    # A table or column that is not there: our statements are the same for every index of this version.
    sqlite3.SQLITE_ERROR: IndexDamaged,
    sqlite3.SQLITE_CONSTRAINT: IndexDamaged,
}


def connect(folder: Path, *, write: bool = False, immutable: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode; a reader's cannot write, an immutable one neither locks nor makes any file."""
    if write:
        with suppress(OSError):  # SQLite says what is wrong with it, in words we know
            permissions.touch(folder / DATABASE)  # its logs get the modes of the database
    mode = "mode=rwc" if write else "mode=ro&immutable=1" if immutable else "mode=ro"
    connection = sqlite3.connect(
        f"{(folder / DATABASE).absolute().as_uri()}?{mode}",
        uri=True,
        timeout=20,
        isolation_level=None,
        check_same_thread=False,
    )
    if not write:
        connection.execute("PRAGMA query_only = 1")
    return connection


def is_complete(folder: Path) -> bool:
    """Whether all that was committed stands in the database itself, and nothing in a log beside it."""
    log = folder / f"{DATABASE}-wal"
    return not log.exists() or log.stat().st_size == 0


def check_version(connection: sqlite3.Connection, folder: Path) -> bool:
    """Whether the tables are there; raises for a database that is another version's or somebody else's."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
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


def read_state(connection: sqlite3.Connection) -> State:
    row = connection.execute(
        "SELECT generation, change, identity, versions, notes, passages, pending,"
        " file, file_size, file_total, file_texts, file_error, previous, crc FROM state"
    ).fetchone()
    if row is None:
        return State()
    *values, crc = row
    if _sum(values) != crc:
        raise IndexDamaged("the state")
    generation, change, identity, versions, notes, passages, pending, *file, previous = values
    return State(generation, change, identity, versions, notes, passages, pending, VectorFile(*file), previous)


def write_state(connection: sqlite3.Connection, state: State) -> None:
    file = state.file
    values = (
        *(state.generation, state.change, state.identity, state.versions),
        *(state.notes, state.passages, state.pending),
        *(file.name, file.size, file.total, file.texts, file.error, state.previous),
    )
    connection.execute(
        "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, _sum(values))
    )


def _sum(values: Sequence[object]) -> int:
    return zlib.crc32(repr(tuple(values)).encode("utf-8", "replace"))


class Lock:
    """The writer's lock on the folder: the operating system drops it with the process that held it.

    While it is held the file holds a mark, so that the next writer learns that this one was killed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            permissions.folder(folder)
            self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, permissions.FILE)
        except OSError as error:
            raise ReadOnly(f"{folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise Busy("another process is writing to this index") from error
        permissions.tighten(self._descriptor)
        permissions.tighten_folder(folder, _ours)
        self.abandoned = os.pread(self._descriptor, 1, 0) == _HELD
        with suppress(OSError):  # a full disk; then nobody learns of it
            os.pwrite(self._descriptor, _HELD, 0)

    def release(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


_HELD = b"+"


def _ours(name: str) -> bool:
    """Whether an index has files of this name, or a checkout its page about one."""
    return name.startswith((DATABASE, "vectors-", "damaged.sqlite")) or name in (LOCK, *_PAGES)


_PAGES = ("README.md", ".gitignore", "CACHEDIR.TAG", ".DS_Store")


def being_written(folder: Path) -> bool:
    """Whether a process holds the writer's lock at this moment."""
    return _marked(folder) and not _free(folder)


def abandoned(folder: Path) -> bool:
    """Whether the last writer was killed, and none came after it."""
    return _marked(folder) and _free(folder)


def _marked(folder: Path) -> bool:
    """Read without a lock, which would be in the way of a writer."""
    try:
        with (folder / LOCK).open("rb") as file:
            return file.read(1) == _HELD
    except OSError:
        return False


def _free(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
