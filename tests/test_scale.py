"""Many passages: search stays exact, and a note that is edited costs what the note does."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.indexing import build, changes
from assistant.notes import folder as notes_folder
from assistant.storage import Store, Writer
from assistant.storage.sqlite import vector_file
from assistant.storage.sqlite.database import Database
from assistant.storage.sqlite.schema import read_state
from tests.conftest import scale
from tests.hashing_encoder import HashingEncoder

PASSAGES = min(100_000, round(2_500 * scale))
A_NOTE = 100
"""Passages in each note."""


class Seeded(HashingEncoder):
    """Unit vectors drawn with a seed made of the text."""

    def question(self, text: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        row = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


class Counting(Seeded):
    """Counts what it was asked for."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.asked = 0

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            self.asked += 1
            yield self.question(text)[np.newaxis]


def write(folder: Path, passages: int, a_note: int = A_NOTE) -> None:
    for number in range(passages // a_note):
        path = folder / f"{number % 100:02}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"- thing {number} {line} is in box {line % 7}\n" for line in range(a_note)))


def test_search_among_many_is_what_brute_force_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(vector_file, "CODED_FROM", PASSAGES // 10)
    write(tmp_path / "notes", PASSAGES)
    encoder = Seeded(384)
    report = build.refresh(tmp_path / "notes", tmp_path / "index", lambda: encoder)
    queries = np.stack([encoder.question(f"query {n}") for n in range(20)])
    with closing(Database(tmp_path / "index")) as database:
        assert read_state(database).file.error > 0  # it holds codes
    with Store.open(tmp_path / "index") as store:
        assert store.passages_count == PASSAGES
        ids = store.passage_ids()
        every = store.vectors(ids)
        matrix = np.concatenate([every[number] for number in ids])
        began = time.monotonic()
        found = store.nearest_passages(queries, 10)
        took = time.monotonic() - began
    for query, near in zip(queries, found, strict=True):
        scores = matrix @ query
        assert list(near) == [ids[n] for n in np.argsort(-scores, kind="stable")[:10]]
    record_property("exact search", f"{PASSAGES:,} passages, built in {report.seconds:.0f} s")
    record_property("20 searches", f"{took:.2f} s, reading included")


def rows_changed(folder: Path, passages: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Rows that one edited note changes in an index of so many passages, and texts that it embeds."""
    write(folder / "notes", passages, 10)
    build.refresh(folder / "notes", folder / "index", lambda: Seeded(8))
    (folder / "notes" / "00" / "0.md").write_text("- thing 0 0 is in box 0\n- thing 0 1 is in no box\n")
    changed: list[int] = []
    plain = Writer.close

    def close(writer: Writer) -> None:
        assert isinstance(writer.transaction.database, Database)
        changed.append(writer.transaction.database.total_changes)
        plain(writer)

    monkeypatch.setattr(Writer, "close", close)
    encoder = Counting(8)
    report = build.refresh(folder / "notes", folder / "index", lambda: encoder)
    monkeypatch.undo()
    assert (report.changed, report.unchanged) == (1, passages // 10 - 1)
    return sum(changed), encoder.asked


def test_an_edited_note_changes_few_rows_however_large_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = rows_changed(tmp_path / "small", 50, monkeypatch)
    large = rows_changed(tmp_path / "large", PASSAGES // 5, monkeypatch)
    # The full text merges a few of its segments now and then, more of them the more there are.
    assert large[0] < 3 * small[0] + PASSAGES // 25
    assert small[1] == large[1] == 2  # the new line, and the chunk it stands in


def test_a_look_at_many_notes_opens_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    count = min(20_000, round(400 * scale))
    write(tmp_path / "notes", count, 1)
    later = time.time_ns() + 10**10
    build.refresh(tmp_path / "notes", tmp_path / "index", lambda: Seeded(8), clock=lambda: later)

    def opened(*_: object) -> None:
        raise AssertionError("a note was opened")

    monkeypatch.setattr(notes_folder, "read", opened)
    with Store.open(tmp_path / "index") as store:
        began = time.monotonic()
        taken = changes.NotesSnapshot.take(tmp_path / "notes", ())
        assert not changes.diff(taken, store, store.identity).stale
        took = time.monotonic() - began
    assert len(taken.files) == count
    record_property("look at the notes", f"{count:,} notes in {took:.2f} s")
