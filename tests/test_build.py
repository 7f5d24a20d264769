"""Notes that change → an index that is as if it had been built from nothing."""

import itertools
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.errors import NoNotes, UnreadableNotes
from assistant.indexing import build, changes, on_demand
from assistant.indexing.report import BuildReport
from assistant.models.encoder import Encoder
from assistant.notes import chunker
from assistant.notes import folder as read_notes
from assistant.records import Note
from assistant.storage import Busy, DiskFull, IndexDamaged, Store, Writer
from assistant.storage.sqlite import vector_file
from assistant.system.collection import IndexPlace
from tests.hashing_encoder import HashingEncoder

SCALE = float(os.environ.get("ASSISTANT_TEST_SCALE", "1"))
KEPT = {".sqlite", ".faiss"}
NOTE = """# Releases

**Canary**: a few users first

## Commands

- `kubectl rollout undo` goes back
- Queue Service: point to point

```yaml
kind: Deployment
```
"""


class CountingEncoder(HashingEncoder):
    """Says which texts it was asked for."""

    def __init__(self, dimension: int = 64) -> None:
        super().__init__(dimension)
        self.asked: list[str] = []

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            self.asked.append(text)
            yield self.question(text)[np.newaxis]


@contextmanager
def workplace() -> Iterator[tuple[Path, Path]]:
    """A folder of notes and one for the index."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "notes").mkdir()
        yield Path(folder) / "notes", Path(folder) / "index"


def refresh(
    notes: Path, index: IndexPlace, encoder: Encoder | None = None, *, full: bool = False, salvage: bool = False
) -> BuildReport:
    made = encoder or HashingEncoder()
    return build.refresh(notes, index, lambda: made, full=full, salvage=salvage)


def counts(report: BuildReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text(NOTE)
    (folder / "b.md").write_text("# Other\n\nThe mesh retries.\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of an index in files."""
    return tmp_path / "index"


@pytest.fixture
def index(place: IndexPlace) -> IndexPlace:
    """In files, then in a database."""
    return place


def shown(index: IndexPlace) -> object:
    """What answers are made of, without the row ids."""
    encoder = HashingEncoder()
    with Store.open(index, encoder.identity) as store:
        found = store.passages(store.passage_ids())

        def named(ids: Sequence[int]) -> list[object]:
            return [found[number] for number in ids]  # type: ignore[index]  # a PassageId is an int here

        queries = np.stack([encoder.question(text) for text in ("canary users", "queue", "mesh retries")])
        near = store.nearest_passages(queries, 3)
        chunk_of = store.chunks(list(found))
        chunks = store.stored_chunks(sorted(set(chunk_of.values())))
        vectors = store.chunk_vectors(list(chunks))
        near_chunks = store.nearest_chunks(queries, 3)
        return (
            list(found.values()),
            [(chunks[chunk_of[number]], vectors[chunk_of[number]].tobytes()) for number in found],
            [[(chunks[number], score) for number, score in each.items()] for each in near_chunks],
            [(named(list(each)), list(each.values())) for each in near],
            [named(store.bm25_candidates([term], 2)) for term in ("canari", "queue", "mesh", "user")],
            store.frequencies(["canari", "queue", "mesh", "user", "a"]),
            [(m.key, m.name, m.kind, found[m.passage]) for m in store.topics()],
            (store.headings(), store.notes_count, store.passages_count, store.pending),
            (store.concepts().names, store.concepts().named.tobytes(), store.concepts().centres.tobytes()),
            {name: rows.tobytes() for name, rows in store.concept_rows(store.concepts().names).items()},
            store.concept_topics(store.concepts().names),
            store.concept_names(store.concepts().names),
            {path: (entry.file.size, entry.digest) for path, entry in store.note_files().items()},
        )


def kept(index: IndexPlace) -> object:
    """What changes with every commit."""
    if isinstance(index, Path):
        return {path.name: path.read_bytes() for path in index.iterdir() if path.suffix in KEPT}
    with Store.open(index) as store:
        return store.committed


def test_a_first_build_indexes_everything_and_a_second_does_nothing(notes: Path, index: IndexPlace) -> None:
    for path in notes.iterdir():
        os.utime(path, (1, 1))  # on a busy machine, the second build would come late enough to settle newer ones
    report = refresh(notes, index)
    assert counts(report) == (2, 0, 0, 0)
    assert report.pending == 0
    assert report.embedded > 5
    assert report.warnings == []
    before = kept(index)
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder)
    assert counts(report) == (0, 0, 0, 2)
    assert (report.embedded, report.generation, encoder.asked) == (0, 1, [])
    assert kept(index) == before


def test_only_what_changed_is_embedded(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    (notes / "a.md").write_text(NOTE.replace("goes back", "rolls back"))
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder)
    assert counts(report) == (0, 1, 0, 1)
    assert report.embedded == 1
    assert "rolls back" in encoder.asked[0]
    assert report.reused > 4


def test_a_renamed_note_embeds_nothing(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    (notes / "sub").mkdir()
    (notes / "a.md").rename(notes / "sub" / "c.md")
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder)
    assert counts(report) == (1, 0, 1, 1)
    assert encoder.asked == []


def test_an_edit_of_the_same_size_in_the_same_moment_is_seen(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    before = (notes / "b.md").stat()
    (notes / "b.md").write_text("# Other\n\nThe mesh RETRIES.\n")
    os.utime(notes / "b.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(refresh(notes, index)) == (0, 1, 0, 1)


def test_a_touched_note_is_read_once_and_leaves_the_generation(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    os.utime(notes / "b.md", (1, 1))
    os.utime(notes / "a.md", (1, 1))
    report = refresh(notes, index)
    assert (counts(report), report.generation) == ((0, 0, 0, 2), 1)
    with Store.open(index) as store:
        assert all(entry.same(entry.file) for entry in store.note_files().values())


def test_a_note_that_cannot_be_read_is_named_and_the_others_are_indexed(notes: Path, index: IndexPlace) -> None:
    (notes / "bad.md").write_bytes(b"caf\xe9")
    for _ in range(2):
        report = refresh(notes, index)
        assert len(report.warnings) == 1
        assert "bad.md" in report.warnings[0]
    assert counts(report) == (0, 0, 0, 2)
    assert report.generation == 1
    (notes / "a.md").write_bytes(b"\xff")
    assert counts(refresh(notes, index)) == (0, 0, 1, 1)
    (notes / "bad.md").write_text("# Good\n")
    assert counts(refresh(notes, index)) == (1, 0, 0, 1)


def test_a_note_that_goes_away_while_it_is_looked_at_is_no_note_that_cannot_be_read(
    notes: Path, index: IndexPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(notes, index)
    (notes / "b.md").write_text("# Changed\n")
    plain = read_notes.read

    def gone(folder: Path, path: str) -> Note:
        (notes / "b.md").unlink(missing_ok=True)
        return plain(folder, path)

    monkeypatch.setattr(read_notes, "read", gone)
    report = refresh(notes, index)
    assert (report.removed, report.warnings) == (1, [])
    assert refresh(notes, index).unchanged == 1


def test_no_notes_and_none_to_read_leave_the_index_alone(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    before = shown(index)
    for path in notes.iterdir():
        path.write_bytes(b"\xff")
    with pytest.raises(UnreadableNotes):
        refresh(notes, index)
    for path in notes.iterdir():
        path.unlink()
    with pytest.raises(NoNotes):
        refresh(notes, index)
    assert shown(index) == before


def test_text_is_there_before_any_vector(notes: Path, index: IndexPlace) -> None:
    encoder = HashingEncoder()
    report = build.refresh(notes, index, lambda: encoder, embed="none")
    with Store.open(index) as store:
        assert store.pending == store.passages_count == report.pending
        assert store.nearest_passages(encoder.question("canary")[None], 3) == [{}]
        ids = store.bm25_candidates(["canari"], 5)
        assert ids
        computed = on_demand.prefetch(store, encoder, ["canari"], None, {})
        store.lend({number: matrix for number, (_, matrix) in computed.items()})
        assert set(ids) <= set(store.nearest_passages(encoder.question("canary")[None], 3)[0])
        assert list(store.vectors(ids)) == ids
        assert store.pending == store.passages_count - len(ids)
    assert on_demand.keep(index, encoder.identity, dict(computed.values()))
    with Store.open(index) as store:
        assert set(store.nearest_passages(encoder.question("canary")[None], 3)[0]) <= set(ids)
        assert store.pending == store.passages_count - len(ids)
    assert refresh(notes, index).pending == 0


def test_what_is_told_of_the_vectors_counts_on_when_the_notes_are_looked_at_again(
    notes: Path, index: IndexPlace
) -> None:
    """Here a text takes three seconds, and after ten the notes are looked at."""
    for number in range(12):
        (notes / f"{number}.md").write_text(f"Note {number} says one thing.\n")
    ticks = itertools.count(step=3)
    told: dict[str, list[tuple[int, int]]] = {}

    def progress(what: str, done: int = 0, of: int = 0) -> None:
        told.setdefault(what, []).append((done, of))

    encoder = HashingEncoder()
    report = build.refresh(notes, index, lambda: encoder, progress=progress, monotonic=lambda: next(ticks))
    assert (report.changed, report.unchanged) == (0, 0)
    for what in ("Embedding passages", "Embedding the vocabulary"):
        (of,) = {of for _, of in told[what]}
        assert [done for done, _ in told[what]] == list(range(1, of + 1))


def test_an_interrupted_build_keeps_what_is_embedded(notes: Path, index: IndexPlace) -> None:
    class Interrupted(CountingEncoder):
        def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
            yield from super().passages(texts[:4])
            raise KeyboardInterrupt

    first, second = Interrupted(), CountingEncoder()
    with pytest.raises(KeyboardInterrupt):
        refresh(notes, index, first)
    report = refresh(notes, index, second)
    assert report.pending == 0
    assert not set(first.asked) & set(second.asked)


def test_another_model_embeds_everything_again_and_the_first_one_nothing(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    before = shown(index)
    other = CountingEncoder(32)
    assert "another model" in refresh(notes, index, other).reason
    with Store.open(index, other.identity) as store:
        assert store.nearest_passages(other.question("canary")[None], 1)[0]
    first = CountingEncoder()
    refresh(notes, index, first)
    assert first.asked == []
    assert shown(index) == before


def test_another_version_of_the_chunking_builds_everything_again(
    notes: Path, index: IndexPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(notes, index)
    monkeypatch.setattr(chunker, "VERSION", chunker.VERSION + 1)
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder)
    assert "another version" in report.reason
    assert (counts(report), encoder.asked) == ((0, 0, 0, 2), [])
    assert refresh(notes, index).reason == ""


def test_a_vocabulary_of_ones_own_is_used_and_embeds_no_passage_again(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    (notes / "assistant-vocabulary.md").write_text("## Queue Service\n\n- wait your turn please\n")
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder)
    assert (counts(report), report.embedded) == ((0, 0, 0, 2), 0)
    assert "vocabulary" in report.reason
    assert sorted(encoder.asked) == ["Queue Service", "wait your turn please"]
    with Store.open(index) as store:
        assert "Queue Service" in store.concepts().names
        assert store.concept_weights(["turn"]).keys() >= {"Queue Service"}


def test_full_starts_over(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    before = shown(index)
    encoder = CountingEncoder()
    report = refresh(notes, index, encoder, full=True)
    assert counts(report) == (0, 0, 0, 2)
    assert report.reused == 0
    assert report.embedded > 5
    assert shown(index) == before


def test_a_second_builder_is_told(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    with Writer(index):
        assert refresh(notes, index).generation == 1  # nothing to do needs no lock
        (notes / "b.md").unlink()
        with pytest.raises(Busy):
            refresh(notes, index)


@pytest.mark.parametrize("harm", ["gone", "flipped"])
def test_a_lost_vector_file_is_written_anew(notes: Path, folder: Path, harm: str) -> None:
    refresh(notes, folder)
    before = shown(folder)
    (path,) = folder.glob("*.faiss")
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.unlink() if harm == "gone" else path.write_bytes(data)
    encoder = CountingEncoder()
    report = refresh(notes, folder, encoder)
    assert len(report.warnings) == 1
    assert encoder.asked == []
    assert shown(folder) == before
    assert refresh(notes, folder).warnings == []


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_truncated_database_is_built_again_with_one_warning(notes: Path, folder: Path, keep: float) -> None:
    refresh(notes, folder)
    before = shown(folder)
    data = (folder / "notes.sqlite").read_bytes()
    (folder / "notes.sqlite").write_bytes(data[: int(len(data) * keep)])
    report = refresh(notes, folder)
    assert len(report.warnings) == (1 if keep else 0)
    assert report.reason
    assert shown(folder) == before
    assert not list(folder.glob("damaged*"))


def test_a_database_that_is_found_damaged_later_is_rebuilt_with_its_vectors(notes: Path, index: IndexPlace) -> None:
    refresh(notes, index)
    before = shown(index)
    encoder = CountingEncoder()
    assert refresh(notes, index, encoder, salvage=True).salvaged > 5
    assert encoder.asked == []
    assert shown(index) == before


def test_no_room_for_the_vector_file_is_a_warning(notes: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vector_file, "write", full)
    report = refresh(notes, folder)
    assert len(report.warnings) == 1
    assert report.pending == 0
    monkeypatch.undo()
    with Store.open(folder) as store:
        assert store.nearest_passages(HashingEncoder().question("canary")[None], 1)[0]


LINES = [
    "# Canary",
    "## Queue",
    "text of users",
    "- mesh item",
    "**Label**: queue",
    "```",
    "canary: 1",
    "",
    "| a | b |",
]
edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "drop", "rename", "touch"]),
        st.sampled_from(["a.md", "b.md", "d/c.md"]),
        st.lists(st.sampled_from(LINES), max_size=8).map("\n".join),
        st.sampled_from(["all", "none", "later"]),
    ),
    min_size=1,
    max_size=6,
)


def edit(notes: Path, what: str, name: str, text: str) -> None:
    path = notes / name
    path.parent.mkdir(exist_ok=True)
    if what == "put" or not path.exists():
        path.write_text(text)
    elif what == "drop":
        path.unlink()
    elif what == "touch":
        os.utime(path, (1, 1))
    else:
        path.rename(notes / "renamed.md")


@given(edits)
def test_any_series_of_edits_ends_as_a_build_from_nothing(changes: list[tuple[str, str, str, str]]) -> None:
    with workplace() as (notes, index):
        encoder = HashingEncoder()
        (notes / "first.md").write_text(NOTE)
        for what, name, text, when in changes:
            edit(notes, what, name, text)
            if when != "later":
                build.refresh(notes, index, lambda: encoder, embed="all" if when == "all" else "none")
        refresh(notes, index)
        refresh(notes, index.with_name("anew"))
        assert shown(index) == shown(index.with_name("anew"))


def test_disk_full_leaves_the_last_generation(notes: Path, index: IndexPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(notes, index)
    before = shown(index)

    def full(*_: object) -> int:
        raise DiskFull("database or disk is full")

    monkeypatch.setattr(Writer, "publish", full)
    (notes / "a.md").write_text("# Another\n")
    with pytest.raises(DiskFull):
        refresh(notes, index)
    monkeypatch.undo()
    assert shown(index) == before


def test_damage_that_comes_back_is_raised(notes: Path, index: IndexPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> int:
        raise IndexDamaged("as before")

    monkeypatch.setattr(Writer, "publish", damaged)
    with pytest.raises(IndexDamaged):
        refresh(notes, index)


def test_an_index_of_an_older_version_is_built_again_with_its_vectors(notes: Path, folder: Path) -> None:
    refresh(notes, folder)
    before = shown(folder)
    connection = sqlite3.connect(folder / "notes.sqlite")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    encoder = CountingEncoder()
    report = refresh(notes, folder, encoder)
    assert (report.warnings, encoder.asked) == ([], [])
    assert report.reason == changes.ANOTHER_VERSION
    assert shown(folder) == before
