"""What keeps an index in PostgreSQL quick where it is large; `scripts/bench_team` measures it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from assistant.indexing import build
from assistant.storage import Store
from assistant.storage.postgres import nearest
from assistant.storage.postgres.connection import connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.schema import search_in, serving
from assistant.storage.postgres.snapshot import PostgresSnapshot
from assistant.system.collection import Collection
from tests import postgres_server
from tests.hashing_encoder import HashingEncoder
from tests.postgres_server import Server
from tests.test_scale import Seeded


def rows(place: Collection, sql: str) -> list[tuple[object, ...]]:
    """Of a query among the tables that serve."""
    with closing(PostgresDatabase(connect(place.conninfo, "test", 5))) as database:
        found = serving(database.connection, place)
        assert found is not None
        search_in(database.connection, found.id, local=False)
        return database.rows(sql)


def test_a_topic_of_many_notes_is_counted_once_for_all(tmp_path: Path, collection: Collection) -> None:
    """Each count is a row that whoever looks for the topic has to pass on the way to the last."""
    for number in range(30):
        (tmp_path / f"{number}.md").write_text(f"# Release Train\n\nThing {number} waits.\n")
    build.refresh(tmp_path, collection, HashingEncoder)
    # The second row version says that it was compared with the vocabulary.
    assert rows(collection, "SELECT key, uses, ctid::text FROM keys") == [("releas train", 30, "(0,2)")]
    for number in range(10, 30):
        (tmp_path / f"{number}.md").unlink()
    build.refresh(tmp_path, collection, HashingEncoder)
    assert rows(collection, "SELECT key, uses FROM keys") == [("releas train", 10)]
    (tmp_path / "0.md").write_text("# Release Train\n\nThing 0 waits in the Release Train.\n")
    build.refresh(tmp_path, collection, HashingEncoder)
    with Store.open(collection) as store:
        ((_, uses),) = rows(collection, "SELECT key, uses FROM keys")
        assert uses == len(store.topics())
        assert store.spelled_out("rt") == "Release Train"


def notes_of(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        path.unlink()
    for number in range(count):
        (folder / f"{number}.md").write_text(f"# Thing {number}\n\nIt is in box {number % 7} of row {number}.\n")


def test_an_index_of_vectors_comes_and_goes_with_their_number(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "HNSW_FROM", 150)
    notes = tmp_path / "notes"
    wanted = np.stack([Seeded(64).question(f"query {number}") for number in range(5)])
    for count, has in ((60, False), (90, True), (40, True), (20, False), (90, True)):
        notes_of(notes, count)
        build.refresh(notes, collection, lambda: Seeded(64))
        build.refresh(notes, tmp_path / "index", lambda: Seeded(64))
        indexes = rows(
            collection,
            "SELECT 1 FROM pg_indexes WHERE indexname = 'passages_hnsw' AND schemaname = current_schema()",
        )
        assert bool(indexes) == has
        with Store.open(collection) as store, Store.open(tmp_path / "index") as beside:
            for ours, theirs in zip(*(s.nearest_passages(wanted, 10) for s in (store, beside)), strict=True):
                assert list(ours.values()) == list(theirs.values())


def test_an_index_of_vectors_is_made_where_processes_can_share_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, whose /dev/shm has 64 MB; here it is a small disk that takes its place."""
    programs = postgres_server.binaries()
    if programs is None or os.getuid() or sys.platform != "linux":
        pytest.skip("needs PostgreSQL with pgvector, and root on Linux to mount a small disk")
    monkeypatch.setattr(nearest, "HNSW_FROM", 1)
    notes_of(tmp_path / "notes", 20)
    with small_disk("96m") as disk:
        (disk / "server").mkdir()
        shared = ("dynamic_shared_memory_type=mmap", "min_parallel_table_scan_size=0")
        server = Server(programs, disk / "server", (*shared, "max_wal_size=32MB", "min_wal_size=32MB"))
        try:
            server.start()
            place = Collection.parse(server.address("small"))
            report = build.refresh(tmp_path / "notes", place, lambda: Seeded(64))
            assert report.warnings == []
            assert "could not resize shared memory segment" in (server.folder / "log").read_text()
            assert rows(place, "SELECT passages_indexed, chunks_indexed FROM filing") == [(True, True)]
        finally:
            server.stop()


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """Mounted; the test is skipped where none may be."""
    disk = Path(tempfile.mkdtemp(prefix="pg-"))
    words = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(disk))
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        if not mounted:
            pytest.skip("no small disk can be mounted here")
        yield disk
    finally:
        if mounted:
            subprocess.run(["umount", "-l", disk], check=True)
        disk.rmdir()


def test_a_question_may_sort_in_memory_what_the_address_does_not_forbid(tmp_path: Path, collection: Collection) -> None:
    notes_of(tmp_path, 1)
    build.refresh(tmp_path, collection, HashingEncoder)
    own = Collection.parse(f"{collection.address}&options=-c%20work_mem%3D1MB%20-c%20statement_timeout%3D7s")
    for place, wanted in ((collection, ["32MB", "1min"]), (own, ["1MB", "7s"])):
        with closing(PostgresSnapshot(place, None)) as snapshot:
            got = [snapshot.rows("SELECT current_setting(?)", name) for name in ("work_mem", "statement_timeout")]
        assert got == [[(value,)] for value in wanted]


def test_rows_one_by_one_are_read_on_where_the_connection_was_lost_before(
    tmp_path: Path, collection: Collection, postgres: Server
) -> None:
    notes_of(tmp_path, 1)
    build.refresh(tmp_path, collection, HashingEncoder)
    with closing(PostgresSnapshot(collection, None)) as snapshot:
        assert snapshot.rows("SELECT 1") == [(1,)]
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'assistant'")
        assert list(snapshot.each("SELECT n FROM generate_series(1, 3) AS n")) == [(1,), (2,), (3,)]
