"""What keeps an index in PostgreSQL quick where it is large; `scripts/bench_team` measures it."""

from contextlib import closing
from pathlib import Path

from assistant.indexing import build
from assistant.storage import Store
from assistant.storage.postgres.connection import connect
from assistant.storage.postgres.database import PostgresDatabase
from assistant.storage.postgres.schema import search_in, serving
from assistant.system.collection import Collection
from tests.hashing_encoder import HashingEncoder


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
