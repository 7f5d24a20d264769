"""The index, in a folder or a database: what a reader gets back, whatever happened to it in between.

Tests with a `place` are the contract of `Store` and `Writer`, and run on both.
"""

import hashlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.errors import IndexUnusable
from assistant.records import (
    Chunk,
    LineNumber,
    Mention,
    Note,
    NoteFile,
    Outline,
    Passage,
    PassageId,
    Problem,
    Section,
)
from assistant.storage import (
    Busy,
    IndexDamaged,
    IndexedNote,
    IndexMissing,
    IndexOutdated,
    Store,
    StoreError,
    Writer,
)
from assistant.storage import text_writer as store_texts
from assistant.storage.sqlite import transaction as store_transaction
from assistant.storage.sqlite import vector_file
from assistant.system.collection import Collection, IndexPlace
from assistant.text.tokenizer import terms
from tests.hashing_encoder import HashingEncoder

ENCODER = HashingEncoder(16)
WORDS = ("canary", "queue", "rollback", "weight", "traffic", "stable", "token")


def indexed(
    path: str,
    lines: Sequence[str],
    tags: Sequence[str] = (),
    headings: tuple[str, str, str] = ("Title", "First part", "Second part"),
) -> IndexedNote:
    """A note of one passage a line, below a title and two headings, each line's first word a topic."""
    half = len(lines) // 2
    data = "\n".join(lines).encode()
    title, first, second = headings
    sections = (
        Section((title, first), "first-part", 2, LineNumber(1), LineNumber(half), ()),
        Section((title, second), "second-part", 2, LineNumber(half + 1), LineNumber(len(lines)), ()),
    )
    passages = tuple(
        Passage(
            *(path, sections[number >= half].heading_path, sections[number >= half].anchor, "fence", "label"),
            *(LineNumber(number + 1), LineNumber(number + 1), line),
            problems=(Problem(LineNumber(number + 1), "no"),),
        )
        for number, line in enumerate(lines)
    )
    mentions = tuple(Mention(p.text.split()[0], "label", p.start, p.end) for p in passages if p.text)
    note = Note(path, tuple(lines), hashlib.sha256(data).hexdigest())
    outline = Outline(path, title, True, tuple(tags), sections)
    embedded = tuple(passage.text for passage in passages)
    file, chunks = NoteFile(path, len(data), 1, 2), tuple(chunks_of(path, sections, lines))
    around = tuple(chunk.text for chunk in chunks)
    return IndexedNote(file, 9 * 10**18, note, outline, passages, embedded, mentions, chunks, around)


def chunks_of(path: str, sections: Sequence[Section], lines: Sequence[str]) -> Iterator[Chunk]:
    """One for each section that has lines."""
    for section in sections:
        if section.start <= section.end:
            text = "\n".join(lines[section.start - 1 : section.end])
            yield Chunk(path, section.heading_path, section.anchor, section.start, section.end, text)


def rows_of(text: str) -> NDArray[np.float32]:
    """As many vectors as a text has words at most three, as an over-long text has windows."""
    return np.concatenate([ENCODER.question(word)[None] for word in (text.split() or [""])[:3]])


def embed(writer: Writer) -> None:
    writer.texts.put_vectors([(number, rows_of(text)) for number, text in writer.texts.waiting()])


def build(folder: IndexPlace, notes: Mapping[str, Sequence[str]], *, file: bool = True) -> None:
    with Writer(folder) as writer:
        writer.begin(ENCODER.identity, "1")
        for path, lines in notes.items():
            writer.notes.put(indexed(path, lines))
        writer.publish()
        embed(writer)
        if file:
            writer.file_vectors()


NOTES = {
    "a.md": ["canary weight traffic", "queue token", "", "canary"],
    "b.md": ["rollback stable queue", "traffic traffic"],
}


def test_a_record_comes_back_as_it_was_put(place: IndexPlace) -> None:
    build(place, NOTES)
    with Store.open(place, ENCODER.identity) as store:
        ids = store.passage_ids()
        put = [p for path, lines in NOTES.items() for p in indexed(path, lines).passages]
        assert list(store.passages(ids).values()) == put
        assert (store.generation, store.notes_count, store.passages_count, store.pending) == (1, 2, 6, 0)
        chunk_of = store.chunks(ids)
        chunks = store.stored_chunks(sorted(set(chunk_of.values())))
        expected = [chunk for path, lines in NOTES.items() for chunk in indexed(path, lines).chunks]
        assert [each.chunk for each in chunks.values()] == expected
        assert chunks[chunk_of[ids[0]]].terms == ("canari", "weight", "traffic", "queue", "token")
        assert store.chunk_passages(sorted(chunks), 9) == ids
        assert store.chunk_passages([chunk_of[ids[0]]], 1) == ids[:1]
        assert [chunk_of[i] for i in ids] == [c for c, n in zip(chunks, (2, 2, 1, 1), strict=True) for _ in range(n)]
        assert np.array_equal(store.chunk_vectors(list(chunks))[chunk_of[ids[4]]], rows_of(NOTES["b.md"][0]))
        assert store.lines("a.md", 2, 9) == ("queue token", "", "canary")
        assert store.lines("absent.md", 1, 1) == ()
        assert store.note_files()["a.md"].file == NoteFile("a.md", len("\n".join(NOTES["a.md"])), 1, 2)
        assert store.section_passages("a.md", "second-part") == ids[2:4]
        assert store.headings() == [("Title", "First part"), ("Title", "Second part")]
        assert store.under(["title"]) == set(ids)
        assert store.under(["Title", "first  PART"]) == store.under(["first part"]) == {*ids[:2], ids[4]}
        assert store.under(["part"]) == set(ids)
        assert store.under(["art"]) == set()
        assert [m.name for m in store.topics()] == ["canary", "queue", "canary", "rollback", "traffic"]
        assert [m.passage for m in store.topic(["canari", "absent"])["canari"]] == [ids[0], ids[3]]
        assert [m.passage for m in store.topic(["canari", "absent"], 1)["canari"]] == [ids[0]]
        assert store.topic(["absent"]) == {}
        assert [m.name for m in store.mentions(ids[:1])] == ["canary"]
        assert np.array_equal(store.vectors(ids)[ids[0]], rows_of("canary weight traffic"))


def test_tags_choose_notes(place: IndexPlace) -> None:
    with Writer(place) as writer:
        writer.notes.put(indexed("a.md", ["one"], ["Blue", "x"]))
        writer.notes.put(indexed("b.md", ["two"]))
        writer.publish()
    with Store.open(place) as store:
        assert store.tagged("blue") == {store.passage_ids()[0]}
        assert store.tagged("lue") == set()


def test_words_propose_the_best_passages_and_all_that_tie(place: IndexPlace) -> None:
    build(place, {"b.md": ["canary queue", "queue", "queue"], "a.md": ["queue", "x y", 'a "quoted" OR* ^word']})
    with Store.open(place) as store:
        places = {number: (p.path, p.start) for number, p in store.passages(store.passage_ids()).items()}
        assert [places[n] for n in store.bm25_candidates(["canari", "queue"], 1)] == [("b.md", 1)]
        assert [places[n] for n in store.bm25_candidates(["queue"], 1)] == [("a.md", 1), ("b.md", 2), ("b.md", 3)]
        assert [places[n] for n in store.bm25_candidates(["queue"], 9)][3:] == [("b.md", 1)]
        assert store.bm25_candidates(["queue"], 9, only=store.passage_ids()[:1]) == store.passage_ids()[:1]
        assert store.bm25_candidates(['"', "NEAR(", "*", "title"], 9) == []
        assert store.frequencies(["queue", "part", "titl", "absent"]) == {"queue": 4, "part": 6, "titl": 0, "absent": 0}


def brute_force(
    store: Store, query: NDArray[np.float32], limit: int, only: set[PassageId] | None
) -> dict[PassageId, float]:
    """What `near` should say, from the vectors alone."""
    scored = [
        (-round(max(float(row @ query) for row in rows), 6), store.passages([number])[number], number)
        for number, rows in store.vectors(store.passage_ids()).items()
        if only is None or number in only
    ]
    scored.sort(key=lambda entry: (entry[0], entry[1].path, entry[1].start))
    cut = scored[limit - 1][0] if len(scored) >= limit else 1.0
    return {number: -score for score, _, number in scored if score <= cut}


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
edits = st.lists(
    st.tuples(st.sampled_from(["a.md", "b.md", "c.md"]), st.lists(texts, max_size=6), st.booleans()),
    min_size=1,
    max_size=6,
)


@given(edits, st.integers(1, 6), texts, st.booleans(), st.booleans())
def test_near_is_brute_force_whatever_stands_in_file_and_tail(
    new_place: Callable[[], IndexPlace],
    changes: list[tuple[str, list[str], bool]],
    limit: int,
    question: str,
    some: bool,
    coded: bool,
) -> None:
    folder = new_place()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "CODED_FROM", 1 if coded else 10_000)
        for path, lines, file in changes:
            with Writer(folder) as writer:
                writer.begin(ENCODER.identity, "1")
                writer.notes.put(indexed(path, lines)) if lines else writer.notes.drop(path)
                writer.publish()
                embed(writer)
                writer.file_vectors(insist=file)
        with Store.open(folder) as store:
            only = set(store.passage_ids()[::2]) if some else None
            queries = np.stack([ENCODER.question(question), ENCODER.question("canary")])
            found = store.nearest_passages(queries, limit, only)
            expected = [brute_force(store, query, limit, only) for query in queries]
            assert [list(each) for each in found] == [list(each) for each in expected]
            for each, other in zip(found, expected, strict=True):
                assert list(each.values()) == pytest.approx(list(other.values()), abs=2e-6)


@given(edits, st.integers(1, 3), texts, st.booleans(), st.booleans())
def test_near_chunks_are_brute_force_whatever_stands_in_file_and_tail(
    new_place: Callable[[], IndexPlace],
    changes: list[tuple[str, list[str], bool]],
    limit: int,
    question: str,
    some: bool,
    coded: bool,
) -> None:
    folder = new_place()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "CODED_FROM", 1 if coded else 10_000)
        for path, lines, file in changes:
            with Writer(folder) as writer:
                writer.begin(ENCODER.identity, "1")
                writer.notes.put(indexed(path, lines)) if lines else writer.notes.drop(path)
                writer.publish()
                embed(writer)
                writer.file_vectors(insist=file)
        with Store.open(folder) as store:
            only = set(store.passage_ids()[::2]) if some else None
            query = ENCODER.question(question)
            ids = sorted(set(store.chunks(store.passage_ids() if only is None else sorted(only)).values()))
            chunks, rows = store.stored_chunks(ids), store.chunk_vectors(ids)
            scored = [
                (-round(max(float(row @ query) for row in rows[i]), 6), chunks[i].chunk.path, chunks[i].chunk.start, i)
                for i in ids
            ]
            scored.sort()
            cut = scored[limit - 1][0] if len(scored) >= limit else 1.0
            expected = [(i, -score) for score, _, _, i in scored if score <= cut]
            (found,) = store.nearest_chunks(query[None], limit, only)
            assert list(found) == [i for i, _ in expected]
            assert list(found.values()) == pytest.approx([score for _, score in expected], abs=2e-6)


@given(edits)
def test_frequencies_count_the_passages_that_bm25_candidates_finds(
    new_place: Callable[[], IndexPlace], changes: list[tuple[str, list[str], bool]]
) -> None:
    folder = new_place()
    for path, lines, _ in changes:
        with Writer(folder) as writer:
            writer.notes.put(indexed(path, lines)) if lines else writer.notes.drop(path)
            writer.publish()
    with Store.open(folder) as store:
        for term in {stem for word in WORDS for stem in terms(word)}:
            found = store.bm25_candidates([term], 10_000)
            assert store.frequencies([term]) == {term: len(found)}
            texts = [p.text for p in store.passages(store.passage_ids()).values()]
            assert len(found) == sum(term in terms(text) for text in texts)


def test_a_reader_keeps_its_state_while_a_writer_publishes(place: IndexPlace) -> None:
    build(place, NOTES)
    with Store.open(place) as store:
        ids = store.passage_ids()
        assert store.current()
        build(place, {"a.md": ["another"], "c.md": ["more"]})
        assert not store.current()
        assert store.passage_ids() == ids
        assert len(store.nearest_passages(ENCODER.question("canary")[None], 3)[0]) >= 3
        assert store.lines("a.md", 1, 1) == ("canary weight traffic",)


def test_a_reader_sees_that_another_database_has_taken_the_place_of_its_own(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    with Store.open(tmp_path) as store:
        ids = store.passage_ids()
        assert store.current()
        with Writer(tmp_path, salvage=True):
            assert not store.current()
        build(tmp_path, NOTES)
        assert not store.current()
        assert store.passage_ids() == ids


def test_the_vector_file_may_go_while_a_reader_has_it_open(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    with Store.open(tmp_path) as store:
        for path in tmp_path.glob("*.faiss"):
            path.unlink()
        assert list(store.nearest_passages(ENCODER.question("canary")[None], 1)[0].values()) == [1.0, 1.0]
        assert store.warnings == ()


@pytest.mark.parametrize("harm", ["gone", "short", "flipped", "empty"])
def test_a_lost_or_damaged_vector_file_is_replaced_by_the_stored_vectors(tmp_path: Path, harm: str) -> None:
    build(tmp_path, NOTES)
    (path,) = tmp_path.glob("*.faiss")
    with Store.open(tmp_path) as store:
        whole = store.nearest_passages(ENCODER.question("canary queue")[None], 3)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    harmed = {"short": bytes(data[:-1]), "flipped": bytes(data), "empty": b""}
    path.unlink()
    if harm != "gone":
        path.write_bytes(harmed[harm])
    with Store.open(tmp_path) as store:
        assert store.nearest_passages(ENCODER.question("canary queue")[None], 3) == whole
        assert len(store.warnings) == 1
        assert not store.sound()
    with Writer(tmp_path) as writer:
        assert writer.file_vectors(insist=not writer.sound())
    with Store.open(tmp_path) as store:
        assert store.nearest_passages(ENCODER.question("canary queue")[None], 3) == whole
        assert store.warnings == ()
        assert store.sound()


def test_a_second_writer_is_told_that_there_is_one(place: IndexPlace) -> None:
    with Writer(place):
        with pytest.raises(Busy):
            Writer(place)
        code = "import sys, pathlib\nfrom assistant.storage import Busy, Writer\n"
        code += "from assistant.system.collection import Collection, is_address\n"
        code += "place = Collection.parse(sys.argv[1]) if is_address(sys.argv[1]) else pathlib.Path(sys.argv[1])\n"
        code += "try:\n    Writer(place)\nexcept Busy:\n    sys.exit(7)\n"
        named = place.address if isinstance(place, Collection) else place
        assert subprocess.run([sys.executable, "-P", "-c", code, named], check=False).returncode == 7
    Writer(place).close()


def test_what_was_not_published_is_gone(place: IndexPlace) -> None:
    build(place, NOTES)
    with Writer(place) as writer:
        writer.notes.drop("a.md")
    with Store.open(place) as store:
        assert set(store.note_files()) == {"a.md", "b.md"}
        assert store.frequencies(["canari"]) == {"canari": 2}


def test_there_is_no_index_before_the_first_generation(place: IndexPlace) -> None:
    with pytest.raises(IndexMissing):
        Store.open(place)
    Writer(place).close()
    with pytest.raises(IndexMissing):
        Store.open(place)


def test_another_model_is_told_apart(place: IndexPlace) -> None:
    build(place, NOTES)
    with pytest.raises(IndexOutdated):
        Store.open(place, "another")


def test_another_version_is_told_apart(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    connection = sqlite3.connect(tmp_path / "notes.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(IndexUnusable, match="newer version"):
        Store.open(tmp_path)
    with pytest.raises(IndexUnusable, match="newer version"):
        Writer(tmp_path)


def test_a_folder_that_takes_no_files_is_read_and_nothing_is_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, NOTES)
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with Store.open(tmp_path) as store:
        assert store.passages_count == 6
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_vector_that_nothing_uses_is_kept_for_three_generations(
    place: IndexPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_texts, "KEPT_IDLE", 3)
    build(place, {"a.md": ["canary"]}, file=False)
    kept = []
    for number in range(5):
        with Writer(place) as writer:
            kept.append(writer.notes.put(indexed("a.md", ["canary"])) == 1)
            writer.rollback()
            writer.notes.put(indexed("a.md", [f"queue {number}"]))
            writer.publish()
    assert kept == [True, True, True, True, False]


def test_the_vector_file_is_written_anew_when_too_much_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_transaction, "TAIL_AT_MOST", 3)
    written = []
    for number in range(12):
        with Writer(tmp_path) as writer:
            note = indexed("a.md", [f"canary {one}" for one in range(number + 1)])
            writer.notes.put(replace(note, chunks=(), embedded_chunks=()))
            writer.publish()
            embed(writer)
            written.append(writer.file_vectors())
    assert written == [True, False, False, False] * 3
    assert len(list(tmp_path.glob("*.faiss"))) <= 2


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    (tmp_path / "vectors-77.tmp").write_bytes(b"x")
    (tmp_path / "vectors-0123456789abcdef.faiss").write_bytes(b"x")
    (tmp_path / "README.md").write_bytes(b"x")
    Writer(tmp_path).close()
    assert not list(tmp_path.glob("*.tmp"))
    assert len(list(tmp_path.glob("*.faiss"))) == 1
    assert (tmp_path / "README.md").exists()


def everything(folder: Path) -> object:
    """All that a store can be asked, in comparable form."""
    with Store.open(folder, ENCODER.identity) as store:
        ids = store.passage_ids()
        return (
            *(store.passages(ids), store.note_files(), store.topics(), store.headings(), store.lines("a.md", 1, 9)),
            *(
                store.nearest_passages(ENCODER.question("canary queue")[None], 3),
                store.bm25_candidates(["canari", "queue"], 9),
            ),
            {number: rows.tobytes() for number, rows in store.vectors(ids).items()},
            store.stored_chunks(sorted(set(store.chunks(ids).values()))),
            store.frequencies(["canari", "queue", "part"]),
        )


def test_a_truncated_or_overwritten_database_is_told_as_damage(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    path = tmp_path / "notes.sqlite"
    data = path.read_bytes()
    for harm in (b"", data[:50], data[: len(data) // 2], b"\0" * len(data), b"# a note\n" * 99):
        path.write_bytes(harm)
        with pytest.raises((IndexDamaged, IndexMissing)):
            everything(tmp_path)


def test_a_flipped_byte_never_changes_what_is_quoted(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    path = tmp_path / "notes.sqlite"
    data = path.read_bytes()
    with Store.open(tmp_path) as store:
        passages, lines = store.passages(store.passage_ids()), store.lines("a.md", 1, 9)
    chance = random.Random(5)  # the same bytes in every run
    for _ in range(60):
        harmed = bytearray(data)
        harmed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(harmed)
        try:
            with Store.open(tmp_path) as store:
                for number, passage in store.passages(store.passage_ids()).items():
                    assert passages.get(number, passage) == passage
                assert store.lines("a.md", 1, 9) in (lines, ())
        except (StoreError, IndexUnusable):
            continue


def test_vectors_survive_a_damaged_database(place: IndexPlace) -> None:
    build(place, NOTES)
    with Writer(place, salvage=True) as writer:
        writer.begin(ENCODER.identity, "1")
        assert writer.texts.salvage() == 8  # six passages, two chunks of other texts
        assert writer.notes.put(indexed("a.md", NOTES["a.md"])) == 4
        writer.publish()
        assert not writer.texts.waiting()


def test_nothing_else_is_left_of_a_damaged_database(tmp_path: Path) -> None:
    build(tmp_path, NOTES)
    with Writer(tmp_path, salvage=True) as writer:
        writer.begin(ENCODER.identity, "1")
        writer.publish()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".sqlite"]
