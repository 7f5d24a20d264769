"""What an index in PostgreSQL alone does, on a real server: roles, locks, lost connections, migrations, HNSW."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
import pytest

from assistant.errors import IndexUnusable
from assistant.indexing import build
from assistant.storage import (
    Busy,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    Store,
    StoreError,
    Superseded,
    Unreachable,
    Writer,
    problems,
)
from assistant.storage.postgres import connection, nearest, schema, snapshot, transaction
from assistant.storage.postgres.connection import connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.status import being_written, health
from assistant.system.collection import Collection, IndexPlace
from tests import postgres_server
from tests.conftest import ROOT, scale
from tests.hashing_encoder import HashingEncoder
from tests.postgres_server import Server
from tests.test_store import ENCODER, NOTES, embed, indexed, rows_of
from tests.test_store import build as write
from tests.waiting import until

NUMBERS = itertools.count()
QUERY = ENCODER.question("canary")[None]
GRANTS = """
    GRANT USAGE ON SCHEMA assistant TO guest;
    GRANT SELECT ON ALL TABLES IN SCHEMA assistant TO guest;
    ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO guest;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO guest;
"""
"""What a role that only reads is granted by the role that writes, before the first index is made: each collection has a
schema of its own, and a full build makes another one."""


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The name of a new database, which is dropped again."""
    name = f"own_{next(NUMBERS)}"
    postgres.sql(f"CREATE DATABASE {name}")
    yield name
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def stopped_at_will() -> Iterator[Server]:
    if postgres_server.binaries() is None:
        pytest.skip("needs PostgreSQL with pgvector")
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def own_server(stopped_at_will: Server) -> Iterator[Server]:
    """A server that a test may stop, and has to start again."""
    yield stopped_at_will
    assert stopped_at_will.sql("SELECT 1") == "1"


def sql(collection: Collection, statement: str) -> list[tuple[object, ...]]:
    """Runs a statement on the collection's tables, without its triggers."""
    with psycopg.connect(collection.conninfo) as connected:
        found = schema.serving(connected, collection)
        assert found is not None
        schema.search_in(connected, found.id, local=False)
        connected.execute("SET session_replication_role = replica")
        done = connected.execute(statement.encode())
        return done.fetchall() if done.description else []


def schemas(collection: Collection) -> int:
    """How many there are of the collection."""
    with psycopg.connect(collection.conninfo) as connected:
        query = (
            "SELECT 1 FROM assistant.schemas JOIN pg_namespace ON nspname = 'assistant_' || id WHERE collection = %s"
        )
        return len(connected.execute(query, (collection.name,)).fetchall())


def passages(collection: IndexPlace) -> set[str]:
    with Store.open(collection) as store:
        return {passage.text for passage in store.passages(store.passage_ids()).values()}


@contextmanager
def child(program: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the test's own, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


# Roles.


def test_a_role_with_select_alone_reads_and_is_told_that_it_may_not_write(postgres: Server, database: str) -> None:
    owner = Collection.parse(postgres.address("x", database))
    Writer(owner).close()
    postgres.sql("CREATE ROLE guest LOGIN")
    postgres.sql(GRANTS, database)
    reader = Collection.parse(postgres.address("y", database, "guest"))
    write(Collection.parse(postgres.address("y", database)), NOTES)
    with Store.open(reader) as store:
        assert store.passages_count == 6
        assert len(store.nearest_passages(QUERY, 3)[0]) >= 3
        assert store.bm25_candidates(["canari"], 3)
        assert store.current()
    assert problems(reader) == ()
    with pytest.raises(ReadOnly, match="permission denied"):
        write(reader, {"a.md": ["another"]})
    with pytest.raises(ReadOnly, match="permission denied"):
        write(Collection.parse(postgres.address("z", database, "guest")), NOTES)
    build_anew(Collection.parse(postgres.address("y", database)), {"a.md": ["one more"]})
    assert passages(reader) == {"one more"}


def test_a_role_without_a_grant_is_told_so_and_not_that_the_index_is_damaged(postgres: Server, database: str) -> None:
    owner, stranger = (Collection.parse(postgres.address("x", database, user)) for user in ("assistant", "stranger"))
    postgres.sql("CREATE ROLE stranger LOGIN")
    write(owner, NOTES)
    with pytest.raises(Unreachable, match=r"permission denied for schema assistant$"):
        Store.open(stranger)
    postgres.sql("GRANT USAGE ON SCHEMA assistant TO stranger", database)
    postgres.sql("GRANT SELECT ON ALL TABLES IN SCHEMA assistant TO stranger", database)
    with pytest.raises(Unreachable, match=r"permission denied for schema assistant_1$"):
        Store.open(stranger)
    postgres.sql("GRANT USAGE ON SCHEMA assistant_1 TO stranger", database)
    with pytest.raises(Unreachable, match="permission denied for table"):
        Store.open(stranger)


def test_an_extension_that_this_role_may_not_install_is_named_with_the_next_step(
    postgres: Server, database: str
) -> None:
    postgres.sql("CREATE ROLE modest LOGIN")
    with pytest.raises(ReadOnly, match="an administrator runs CREATE EXTENSION vector"):
        Writer(Collection.parse(postgres.address("x", database, "modest")))
    postgres.sql("CREATE EXTENSION vector", database)
    postgres.sql(f"GRANT CREATE ON DATABASE {database} TO modest")
    place = Collection.parse(postgres.address("x", database, "modest"))
    write(place, NOTES)
    assert passages(place) == {line for lines in NOTES.values() for line in lines}


# Writers.


def test_the_second_writer_of_a_collection_is_told_who_is_the_first(collection: Collection) -> None:
    assert not being_written(collection)
    with Writer(collection):
        assert being_written(collection)
        with pytest.raises(Busy, match=rf"process {os.getpid()}\) as assistant"):
            Writer(collection)
    assert not being_written(collection)
    Writer(collection).close()


def test_writers_of_two_collections_do_not_wait_for_each_other(new_collection: Callable[[], Collection]) -> None:
    one, other = new_collection(), new_collection()
    with Writer(one) as first, Writer(other) as second:
        for writer, word in ((first, "one"), (second, "other")):
            writer.begin(ENCODER.identity, "1")
            writer.notes.put(indexed("a.md", [word]))
        second.publish()
        first.publish()
        embed(second)
        first.file_vectors()
        second.file_vectors()
    assert (passages(one), passages(other)) == ({"one"}, {"other"})


KILLED = """
import sys, time
from assistant.storage import Writer
from assistant.system.collection import Collection
from tests.test_store import ENCODER, indexed, rows_of
place, at = Collection.parse(sys.argv[1]), sys.argv[2]
def reached(moment):
    if moment == at:
        print(moment, flush=True)
        time.sleep(60)
with Writer(place) as writer:
    writer.begin(ENCODER.identity, "1")
    if at.startswith("full"):
        writer.start_over()
    writer.notes.put(indexed("a.md", ["canary one", "canary two", "queue three"]))
    reached("put")
    writer.publish()
    reached("published")
    reached("full published")
    waiting = writer.texts.waiting()
    writer.texts.put_vectors([(number, rows_of(text)) for number, text in waiting[:2]])
    reached("two vectors")
    reached("full, two vectors")
    writer.texts.put_vectors([(number, rows_of(text)) for number, text in waiting[2:]])
    writer.transaction.change("DELETE FROM notes")
    reached("within a statement")
    writer.rollback()
    writer.file_vectors()
    reached("done")
"""


@pytest.mark.parametrize(
    ("moment", "kept", "vectors"),
    [
        *(("put", False, 0), ("published", True, 0), ("two vectors", True, 2), ("within a statement", True, 4)),
        *(("full published", False, 0), ("full, two vectors", False, 0)),
    ],
)
def test_a_killed_writer_leaves_the_last_generation_and_its_vectors(
    collection: Collection, moment: str, kept: bool, vectors: int
) -> None:
    write(collection, {"a.md": ["stable"]})
    with child(KILLED, collection.address, moment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == moment
        process.send_signal(signal.SIGKILL)
        process.wait()
    expected = {"canary one", "canary two", "queue three"} if kept else {"stable"}
    assert passages(collection) == expected
    assert problems(collection) == ()
    with after_the_last(collection) as writer:
        assert set(writer.note_files()) == {"a.md"}
        ready = sql(collection, "SELECT count(*) FROM texts WHERE ready = 1 AND uses + chunks > 0")
        assert ready == [(vectors if kept else 1,)]
        assert schemas(collection) == 1
        writer.begin(ENCODER.identity, "1")
        writer.notes.put(indexed("a.md", ["token"]))
        writer.publish()
        embed(writer)
        writer.file_vectors()
    assert passages(collection) == {"token"}
    assert problems(collection) == ()


@contextmanager
def after_the_last(collection: Collection) -> Iterator[Writer]:
    """A writer, once the server has noticed that the last one is gone."""
    until = time.monotonic() + 30
    while True:
        try:
            writer = Writer(collection)
        except Busy:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            break
    with writer:
        yield writer


def build_anew(collection: Collection, notes: Mapping[str, Sequence[str]]) -> None:
    with Writer(collection) as writer:
        writer.begin(ENCODER.identity, "1")
        writer.start_over()
        for path, lines in notes.items():
            writer.notes.put(indexed(path, lines))
        writer.publish()
        embed(writer)
        writer.file_vectors()


def test_a_full_build_is_made_beside_what_serves(collection: Collection) -> None:
    write(collection, NOTES)
    before = passages(collection)
    ids = sql(collection, "SELECT max(id) FROM passages")
    with Writer(collection) as writer:
        writer.begin(ENCODER.identity, "1")
        writer.start_over()
        assert writer.note_files() == {}
        writer.notes.put(indexed("a.md", ["canary"]))
        assert passages(collection) == before
        writer.publish()
        assert passages(collection) == before
        embed(writer)
        with Store.open(collection) as pinned:
            assert pinned.generation == 1
            writer.file_vectors()
            assert passages(collection) == {"canary"}
            assert len(pinned.passage_ids()) == 6
        assert writer.generation == 2
    with Store.open(collection) as store:
        assert (store.generation, store.pending) == (2, 0)
        assert store.passage_ids()[0] > ids[0][0]  # type: ignore[operator]
    Writer(collection).close()
    assert schemas(collection) == 1
    assert problems(collection) == ()


def test_what_is_taken_back_of_a_full_build_is_the_last_generation(collection: Collection) -> None:
    write(collection, NOTES)
    with Writer(collection) as writer:
        writer.start_over()
        writer.rollback()
        assert set(writer.note_files()) == {"a.md", "b.md"}
        writer.begin(ENCODER.identity, "1")
        writer.notes.drop("b.md")
        writer.publish()
    assert passages(collection) == set(NOTES["a.md"])
    assert problems(collection) == ()


def test_a_connection_that_drops_in_the_middle_of_a_generation_leaves_the_last(
    postgres: Server, collection: Collection
) -> None:
    write(collection, NOTES)
    before = passages(collection)
    with Writer(collection) as writer:
        writer.begin(ENCODER.identity, "1")
        writer.notes.put(indexed("a.md", ["another"]))
        pid = writer.transaction.rows("SELECT pg_backend_pid()")[0][0]
        postgres.sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(Unreachable):
            writer.publish()
        with suppress(StoreError):
            writer.rollback()
    assert passages(collection) == before
    write(collection, {"a.md": ["another"]})
    assert problems(collection) == ()


# Readers.


def test_a_reader_keeps_its_state_until_it_rests(collection: Collection) -> None:
    write(collection, NOTES)
    with Store.open(collection) as store:
        ids = store.passage_ids()
        store.rest()
        assert store.passage_ids() == ids
        write(collection, {"a.md": ["another"]})
        assert store.passage_ids() == ids
        assert not store.current()
        assert store.passage_ids() == ids
        store.rest()
        assert not store.current()
        with pytest.raises(Superseded):
            store.passage_ids()
        with pytest.raises(Superseded):
            list(store._snapshot.each("SELECT id FROM passages"))


def test_a_rested_reader_of_tables_that_are_gone_is_superseded(collection: Collection) -> None:
    write(collection, NOTES)
    with Store.open(collection) as store:
        store.rest()
        build_anew(collection, NOTES)
        Writer(collection).close()
        assert not store.current()
        with pytest.raises(Superseded):
            store.passage_ids()


def test_readers_never_see_a_mixture_of_generations(collection: Collection) -> None:
    """Each generation has so many passages as it says, all of one word."""

    def publish(number: int) -> None:
        lines = [f"word{number} line {each}" for each in range(1 + number % 5)]
        (build_anew if number % 6 == 5 else write)(collection, {"a.md": lines, "b.md": lines})

    publish(0)
    ended, faults, seen = threading.Event(), list[str](), set[int]()

    def read() -> None:
        try:
            while not ended.is_set():
                with Store.open(collection) as store:
                    for _ in range(2):
                        with suppress(Superseded):
                            seen.add(check(store))
                        store.rest()
        except Exception as error:  # noqa: BLE001 - any that a reader meets
            faults.append(f"{type(error).__name__}: {error}")

    def check(store: Store) -> int:
        found = store.passages(store.passage_ids())
        words = {passage.text.split()[0] for passage in found.values()}
        assert len(words) == 1, words
        number = int(words.pop().removeprefix("word"))
        assert len(found) == store.passages_count == 2 * (1 + number % 5)
        assert set(store.bm25_candidates([f"word{number}"], 99)) == set(found)
        near = store.nearest_passages(QUERY, 99)[0]
        assert set(near) == (set(found) if store.pending == 0 else set())
        return number

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    numbers = iter(range(1, 100))
    for number in itertools.takewhile(lambda number: number <= 12 or len(seen) <= 3, numbers):  # readers may be slow
        publish(number)
    ended.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert len(seen) > 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_reader_waits_for_a_server_that_comes_back(own_server: Server, how: signal.Signals) -> None:
    collection = Collection.parse(own_server.address(f"restarted by {how}"))
    write(collection, NOTES)
    with Store.open(collection) as store, Store.open(collection) as late:
        ids = store.passage_ids()
        late.rest()
        own_server.stop(how)
        coming = threading.Timer(0.7, own_server.start)
        coming.start()
        assert store.passage_ids() == ids
        assert store.take_notices()[0].startswith("The connection to the index was lost and made again after ")
        assert store.take_notices() == ()
        coming.join()
        store.rest()
        assert store.current()
        write(collection, {"a.md": ["another"]})
        own_server.stop(how)
        own_server.start()
        for reader in (store, late):
            with pytest.raises(Superseded):
                reader.passage_ids()
    assert problems(collection) == ()


def test_a_server_that_is_gone_for_good_is_said_within_the_bound(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (connection, snapshot, transaction):
        monkeypatch.setattr(module, "LOST_SECONDS", 0.5)
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.3)
    collection = Collection.parse(own_server.address("gone").replace("assistant@", "assistant:s3cret@"))
    write(collection, NOTES)
    with Store.open(collection) as store:
        own_server.stop()
        began = time.monotonic()
        for ask in (store.passage_ids, store.current, lambda: Store.open(collection), lambda: Writer(collection)):
            with pytest.raises(Unreachable) as told:
                ask()
            assert "s3cret" not in str(told.value)
        assert problems(collection) != ()
        assert time.monotonic() - began < 30
        own_server.start()
        assert len(store.passage_ids()) == 6


def test_what_another_try_cannot_mend_is_said_at_once(postgres: Server) -> None:
    began = time.monotonic()
    for address, reason in (
        (postgres.address("x", database="absent"), 'database "absent" does not exist'),
        (postgres.address("x", user="nobody_here"), 'role "nobody_here" does not exist'),
        ("postgresql://u:s3cret@no-such-host.invalid/data?collection=x", "no-such-host.invalid"),
        (f"postgresql://u:s3cret@{'x' * 64}.invalid/data?collection=x", "host"),
        (f"{postgres.address('x')}&sslmode=nonsense", "nonsense"),
    ):
        for ask in (Store.open, Writer, being_written):
            with pytest.raises(Unreachable) as told:
                ask(Collection.parse(address))
            assert reason in str(told.value)
            assert "s3cret" not in str(told.value)
    assert time.monotonic() - began < connection.FIRST_SECONDS


def test_a_wrong_password_is_said_at_once_and_not_shown(own_server: Server) -> None:
    own_server.sql("CREATE ROLE careful LOGIN SUPERUSER PASSWORD 'right'")
    settings = own_server.folder / "data" / "pg_hba.conf"
    settings.write_text("local all careful scram-sha-256\n" + settings.read_text())
    own_server.sql("SELECT pg_reload_conf()")
    right = own_server.address("x", user="careful:right")
    with pytest.raises(IndexMissing):
        Store.open(Collection.parse(right))
    began = time.monotonic()
    with pytest.raises(Unreachable, match="password authentication failed") as told:
        Store.open(Collection.parse(right.replace("right", "wr0ng")))
    assert "wr0ng" not in str(told.value)
    assert time.monotonic() - began < connection.FIRST_SECONDS


def test_a_query_that_takes_too_long_is_given_up(postgres: Server) -> None:
    place = Collection.parse(postgres.address("slow") + "&options=-c%20statement_timeout%3D200")
    write(place, NOTES)
    with Store.open(place) as store:
        with pytest.raises(Unreachable, match="statement timeout"):
            store._snapshot.rows("SELECT pg_sleep(20)::text")
        with pytest.raises(Unreachable, match="statement timeout"):
            list(store._snapshot.each("SELECT pg_sleep(20)::text"))
        assert len(store.passage_ids()) == 6


# Text.


def test_any_text_and_path_comes_back(collection: Collection, tmp_path: Path) -> None:
    odd = "NUL \0 and \ue000 and \ue0000 and \ue0001 'quoted' \"twice\" \\ % ? {1,2} NULL"
    name = "".join(chr(97 + (7 * n * n + n) % 26) for n in range(4000))
    path = "/".join([name[n : n + 200] for n in range(0, 3600, 200)]) + ".md"
    lines = [odd, "x" * 8000, name * 2, "\0", "\ue000"]
    with Writer(collection) as writer:
        writer.begin(ENCODER.identity, "1")
        writer.notes.put(indexed(path, lines, [odd], ("T\0", name + "x" * 1000, odd)))
        writer.notes.refuse(indexed(path + "x", [odd]).file, 1, odd)
        keys = writer.concepts.unmatched()
        found = {key: {name: True, odd: False} for key in keys}
        sentences = {name: [odd, name * 2], odd: [name]}
        words = [(key, concept, 1.0, 0.5) for key in keys for concept in sentences]
        writer.concepts.set_concepts(keys, found, sentences, lambda names: words)
        writer.publish()
        embed(writer)
        writer.concepts.gather()
        writer.file_vectors()
    with Store.open(collection) as store:
        assert [p.text for p in store.passages(store.passage_ids()).values()] == lines
        assert store.lines(path, 1, 9) == tuple(lines)
        assert store.headings() == sorted([("T\0", name + "x" * 1000), ("T\0", odd)])
        assert store.refused() == [(path + "x", odd)]
        assert store.tagged(odd) == set(store.passage_ids())
        assert set(store.concepts().names) == {name, odd}
        assert store.frequencies(["x" * 8000])["x" * 8000] == 1
        assert len(store.bm25_candidates(["x" * 8000], 3)) == 1
    assert problems(collection) == ()
    with Writer(collection) as writer:
        writer.notes.put(indexed(path, lines[:1]))
        writer.publish()
    assert passages(collection) == {odd}
    assert problems(collection) == ()


# Damage.


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM vectors WHERE text % 2 = 0",
        "UPDATE vectors SET crc = crc + 1 WHERE text % 2 = 0",
        "UPDATE vectors SET data = data || data",
        "UPDATE passages SET body = replace(body, 'canary', 'Canary')",
        "DROP TABLE notes",
        "DROP TABLE counters",
        "UPDATE counters SET last = 9223372036854775807",
        "UPDATE state SET notes = notes + 1",
    ],
)
def test_a_build_after_damage_computes_again_what_cannot_be_read(
    collection: Collection, tmp_path: Path, harm: str
) -> None:
    notes, encoder = tmp_path / "notes", HashingEncoder()
    notes.mkdir()
    (notes / "a.md").write_text("# Releases\n\n**canary**: a few users first\n\n- a queue keeps order\n")
    build.refresh(notes, collection, lambda: encoder)
    sql(collection, harm)
    assert problems(collection) != () or "counters" in harm
    (notes / "b.md").write_text("# More\n\nThe mesh retries.\n")
    report = build.refresh(notes, collection, lambda: encoder)
    if "body" in harm or "vectors" in harm:  # a build reads neither
        report = build.refresh(notes, collection, lambda: encoder, salvage=True)
    assert report.pending == 0
    build.refresh(notes, tmp_path / "index", lambda: encoder)
    assert passages(collection) == passages(tmp_path / "index")
    assert problems(collection) == ()


WRONG = {
    "bigint": ("-1", "3", "4611686018427387904"),
    "integer": ("2",),
    "text": ("'x'", "''", "'[]'"),
    "bytea": (r"'\xff'", "''"),
    "double precision": ("-1", "2.5", "'nan'"),
    "boolean": ("true",),
}
"""By type what is written into columns."""


def test_any_value_in_any_column_is_recognised(
    new_collection: Callable[[], Collection],
) -> None:
    """No failure to decode it is anything but a StoreError, and what doctor finds sound is what was written."""
    collection = new_collection()
    columns: list[tuple[object, ...]] = []
    for place in range(round(24 * scale)):
        if place % 8 == 0:
            collection = new_collection()
            write(collection, NOTES)
            right = passages(collection)
            columns = sql(
                collection,
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns"
                " WHERE table_schema = current_schema() ORDER BY 1, 2",
            )
        table, column, kind = columns[(7 * place) % len(columns)]
        for value in WRONG.get(str(kind), ())[place % 2 : place % 2 + 1]:
            with suppress(psycopg.Error):  # a constraint that refuses it
                sql(collection, f"UPDATE {table} SET {column} = {value}")
        try:
            with Store.open(collection) as store:
                found = {passage.text for passage in store.passages(store.passage_ids()).values()}
                store.nearest_passages(QUERY, 3)
                store.bm25_candidates(["canari", "queue"], 3)
                store.topics(), store.headings(), store.sections(), store.concepts(), store.note_files()
        except (StoreError, IndexUnusable):
            assert problems(collection) != (), (table, column, kind)
            continue
        assert found <= right


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("UPDATE postings SET frequencies[1] = 9 WHERE term = 'queue'", "the full-text index does not fit its text"),
        ("DELETE FROM postings WHERE term = 'queue'", "the full-text index does not fit its text"),
        ("UPDATE totals SET tokens = tokens + 1", "the length of all notes does not fit the text"),
        ("UPDATE lengths SET tokens = tokens + 1", "the lengths of notes do not fit the text"),
        ("DELETE FROM frequencies WHERE term = 'queue'", "the term counts do not fit the text"),
        ("UPDATE frequencies SET n = n + 1", "a row of frequencies is corrupt"),
        ("DELETE FROM vectors WHERE text = 1", "vectors are missing"),
        ("UPDATE passages SET chunk = chunk + 1", "passages stand in other chunks than their lines do"),
        ("UPDATE texts SET uses = uses + 1", "the uses of texts do not fit the passages, chunks and sentences"),
        ("DELETE FROM texts WHERE uses > 0", "texts are missing"),
        ("UPDATE keys SET uses = uses + 1", "the uses of topics do not fit their mentions"),
        ("DELETE FROM passages WHERE id = 1", "notes, sections or passages are missing"),
        ("UPDATE counters SET last = 1", "the counters of ids do not fit"),
        ("UPDATE filing SET passages = passages + 1", "the codes of vectors do not fit them"),
        ("UPDATE filing SET error = -1", "the codes of vectors do not fit them"),
        ("UPDATE filing SET chunks_indexed = true", "the index of vectors is missing or unusable"),
        ("DELETE FROM chunk_codes", "the codes of vectors do not fit them"),
        ("UPDATE passage_codes SET code = -code", "the codes of vectors do not fit them"),
        ("UPDATE texts SET filed = 0", "the codes of vectors are not up to date"),
        ("UPDATE state SET crc = crc + 1", "the state"),
    ],
)
def test_doctor_names_what_does_not_fit(collection: Collection, harm: str, found: str) -> None:
    write(collection, NOTES)
    assert problems(collection) == ()
    sql(collection, harm.replace("-code", "(code::vector * array_fill(-1, ARRAY[16])::vector)::halfvec"))
    assert found in problems(collection)


def test_nothing_is_wrong_where_there_is_no_collection(collection: Collection) -> None:
    assert problems(collection) == ()


# Encoders and versions.


def test_another_encoder_takes_the_place_of_the_first(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where an index of vectors of another length is in the way."""
    monkeypatch.setattr(nearest, "HNSW_FROM", 2)
    write(collection, NOTES)
    assert sql(collection, "SELECT dimension, passages_indexed FROM filing") == [(16, True)]
    other = HashingEncoder(32)
    with Writer(collection) as writer:
        writer.begin(other.identity, "1")
        for path, lines in NOTES.items():
            writer.notes.put(indexed(path, lines))
        writer.publish()
        writer.texts.put_vectors([(number, other.question(text)[None]) for number, text in writer.texts.waiting()])
        writer.file_vectors()
    assert sql(collection, "SELECT dimension, passages_indexed FROM filing") == [(32, True)]
    assert problems(collection) == ()
    with pytest.raises(IndexOutdated):
        Store.open(collection, ENCODER.identity)
    with Store.open(collection, other.identity) as store:
        assert next(iter(store.nearest_passages(other.question("canary")[None], 1)[0].values())) == 1.0


def test_an_older_collection_is_migrated_by_its_next_writer(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(collection, NOTES)
    before = passages(collection)
    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 2)
    with pytest.raises(IndexOutdated):
        Store.open(collection)
    with pytest.raises(IndexOutdated):  # no migration leads there
        Writer(collection)
    steps = {
        1: "ALTER TABLE notes ADD colour text NOT NULL DEFAULT 'blue'; CREATE TABLE more(id bigint)",
        2: "INSERT INTO more VALUES (7); ALTER TABLE notes ADD shade text",
    }
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    Writer(collection).close()
    assert sql(collection, "SELECT DISTINCT colour, more.id FROM notes, more") == [("blue", 7)]
    assert passages(collection) == before
    monkeypatch.undo()
    for refused in (Store.open, Writer, lambda place: Writer(place, salvage=True)):
        with pytest.raises(IndexUnusable, match=r"newer version of this program\. Upgrade"):
            refused(collection)
    assert problems(collection) == (f"The index in {collection} was written by a newer version of this program. Upgrade"
        " the program, or choose another collection with --index.",)  # fmt: skip


def test_a_migration_that_fails_changes_nothing(collection: Collection) -> None:
    write(collection, NOTES)
    with closing(PostgresDatabase(connect(collection.conninfo, "test", 1))) as database:
        found = schema.serving(database.connection, collection)
        assert found is not None
        with pytest.raises(IndexDamaged):
            schema.migrated(database, collection, found, {1: "DROP TABLE notes; SELECT absent"})
    assert passages(collection) == {line for lines in NOTES.values() for line in lines}


def test_a_collection_that_no_migration_leads_from_is_built_again_with_its_vectors(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text("# Releases\n\n**canary**: a few users first\n")
    encoder = HashingEncoder()
    build.refresh(tmp_path, collection, lambda: encoder)
    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
    report = build.refresh(tmp_path, collection, lambda: encoder)
    assert (report.embedded, report.pending) == (0, 0)
    assert report.salvaged > 0
    assert problems(collection) == ()


# HNSW.


def test_an_index_of_vectors_is_made_used_and_dropped(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 600 rows in clusters it finds at least 95 of 100 of the ten nearest."""
    monkeypatch.setattr(nearest, "HNSW_FROM", 300)
    chance = np.random.default_rng(3)
    middles = chance.standard_normal((20, 16))
    rows = (middles[np.arange(600) % 20] + 0.3 * chance.standard_normal((600, 16))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    lines = [f"line {number}" for number in range(600)]

    def put(count: int) -> None:
        with Writer(collection) as writer:
            writer.begin(ENCODER.identity, "1")
            writer.notes.put(indexed("a.md", lines[:count]))
            writer.publish()
            waiting = writer.texts.waiting()
            numbered = [(n, text) for n, text in waiting if text in lines]
            writer.texts.put_vectors([(n, rows[lines.index(text)][None]) for n, text in numbered])
            writer.texts.put_vectors([(n, rows_of(text)) for n, text in waiting if text not in lines])
            writer.file_vectors()

    put(600)
    assert sql(collection, "SELECT passages_indexed, chunks_indexed FROM filing") == [(True, False)]
    assert problems(collection) == ()
    queries = rows[chance.integers(0, 600, 30)] + np.float32(0.05)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    # So few rows are read one after the other, unless the planner is kept from it.
    by_index = Collection(f"{collection.conninfo}&options=-c%20enable_seqscan%3Doff", collection.name)
    with Store.open(by_index) as store:
        ids = store.passage_ids()
        found = [list(each)[:10] for each in store.nearest_passages(queries, 10)]
        exact = [list(each)[:10] for each in store.nearest_passages(queries, 10, only=ids)]
        hits = sum(len(set(one) & set(other)) for one, other in zip(found, exact, strict=True))
        assert hits >= 0.95 * 300
        statement = nearest._IN_INDEX["uses"].replace("DIMENSION", "16")
        plan = store._snapshot.rows(f"EXPLAIN {statement}", "40", nearest._literal(queries[0].astype(np.float16)), 20)
        assert any("passages_hnsw" in line for (line,) in plan)
    put(200)
    assert sql(collection, "SELECT passages, passages_indexed FROM filing") == [(200, True)]
    put(100)
    assert sql(collection, "SELECT passages, passages_indexed FROM filing") == [(100, False)]
    assert problems(collection) == ()


def test_a_standby_is_read_and_not_written(own_server: Server) -> None:
    """A reader's address may name a replica, which answers from the generation that it has."""
    primary = Collection.parse(own_server.address("x"))
    write(primary, NOTES)
    with TemporaryDirectory(prefix="pg-") as folder:
        replica = own_server.standby(Path(folder))
        try:
            replica.start()
            reader = Collection.parse(replica.address("x"))
            assert (health(reader).standby, health(reader).may_read, health(reader).may_write) == (True, True, False)
            with Store.open(reader) as store:
                before = store.generation
                assert store.passages_count == len(passages(primary))
                store.rest()
                write(primary, {"new.md": ["one more"]})
                until(lambda: not store.current())
            with Store.open(reader) as store:
                assert store.generation == before + 1
            with pytest.raises(ReadOnly):
                write(reader, {"a.md": ["another"]})
        finally:
            replica.stop()
