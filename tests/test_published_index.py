"""An index that somebody else writes: read without files and without ever writing, and followed as it grows."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.engine import Engine
from assistant.errors import IndexUnusable, NoNotes, UnreadableNotes
from assistant.indexing.published_index import PublishedIndex
from assistant.records import Request
from assistant.server import notes_follower
from assistant.server.service import Changes, Service
from assistant.storage import Superseded, Unreachable
from tests.asking import APPLE, FRUIT, reading, refresh, write_notes
from tests.hashing_encoder import HashingEncoder
from tests.waiting import until

DIFFER = "The notes here differ"


@pytest.fixture
def notes(tmp_path: Path, prepared: Path) -> Path:
    """Two notes that are indexed."""
    folder = write_notes(tmp_path / "notes")
    refresh(folder, tmp_path / "index")
    return folder


@pytest.fixture
def reader(notes: Path, tmp_path: Path) -> Iterator[Engine]:
    """Without the files of the notes."""
    notes.rename(tmp_path / "elsewhere")
    with closing(reading(tmp_path / "index")) as engine:
        yield engine


def content(index: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in index.iterdir() if path.suffix in (".sqlite", ".f32")}


def test_without_files_an_answer_quotes_the_lines_that_were_indexed(reader: Engine, tmp_path: Path) -> None:
    before = content(tmp_path / "index")
    answer = reader.ask(APPLE)
    assert any("seven months" in cited.quote for cited in answer.citations)
    assert (answer.notes, answer.warnings, answer.index.stale) == ("", (), False)
    assert not any(cited.stale for cited in answer.citations)
    assert reader.search(APPLE).passages[0].path == "fruit.md"
    assert reader.finish_later() is None
    assert content(tmp_path / "index") == before


def test_without_files_notes_are_read_as_they_were_indexed(reader: Engine) -> None:
    note = reader.note("fruit.md")
    assert "\n".join(note.lines) + "\n" == FRUIT
    assert reader.lines("fruit.md") == note.lines
    assert [file.path for file in reader.files()] == ["fruit.md", "release.md"]
    assert reader.digests(["fruit.md", "none.md"]) == {"fruit.md": note.digest, "none.md": ""}
    assert reader.indexed_notes()["fruit.md"] == note.digest
    reader.confine()
    assert len(reader.headings()) == 6
    assert reader.lines("none.md") == ()
    with pytest.raises(UnreadableNotes, match="is not in the index"):
        reader.note("none.md")


def test_what_needs_the_files_says_that_none_are_named(reader: Engine) -> None:
    with pytest.raises(NoNotes, match="--notes"):
        reader.update()
    with pytest.raises(NoNotes, match="--notes"):
        reader.changes()


def test_a_newer_generation_is_answered_from(notes: Path, tmp_path: Path) -> None:
    with closing(reading(tmp_path / "index")) as engine:
        assert engine.ask(APPLE).index.generation == 1
        first = engine.newest()
        assert first == engine.newest() > 0
        (notes / "fruit.md").write_text(FRUIT.replace("seven", "nine"))
        refresh(notes, tmp_path / "index")
        answer = engine.ask(APPLE)
        assert engine.newest() not in (0, first)
    assert answer.index.generation == 2
    assert any("nine months" in cited.quote for cited in answer.citations)


def test_named_notes_are_compared_by_content(notes: Path, tmp_path: Path) -> None:
    """A checkout on another machine has other stats."""
    os.utime(notes / "fruit.md", (1, 1))
    before = content(tmp_path / "index")
    with closing(reading(tmp_path / "index", notes)) as engine:
        assert engine.ask(APPLE).warnings == ()
        (notes / "fruit.md").write_text(FRUIT.replace("seven", "eight"))
        answer = engine.ask(APPLE)
        assert any(DIFFER in warning and "`assistant index`" in warning for warning in answer.warnings)
        assert answer.index.stale
        assert all(cited.stale for cited in answer.citations if cited.path == "fruit.md")
        (notes / "fruit.md").write_text(FRUIT)
        assert engine.ask(APPLE).warnings == ()
        (notes / "new.md").write_text("# New\n")
        assert any(DIFFER in warning for warning in engine.ask(APPLE).warnings)
        assert content(tmp_path / "index") == before
        assert engine.update().added == 1
        assert engine.ask(APPLE).warnings == ()


def test_an_index_that_cannot_be_read_is_an_error_with_the_next_step(notes: Path, tmp_path: Path) -> None:
    with closing(reading(tmp_path / "none", notes)) as engine, pytest.raises(IndexUnusable, match=r"yet\. .* index"):
        engine.ask(APPLE)
    assert not (tmp_path / "none").exists()
    with closing(reading(tmp_path / "none")) as engine:
        assert engine.newest() == 0
    other = HashingEncoder(32)
    manager = PublishedIndex(None, tmp_path / "index", None, lambda: other, None)
    with pytest.raises(IndexUnusable, match=r"another model or version.*--model"):
        manager.catch_up(1)
    (tmp_path / "index" / "notes.sqlite").write_bytes(b"no database" * 1000)
    with closing(reading(tmp_path / "index")) as engine, pytest.raises(IndexUnusable, match=r"corrupt.*--full"):
        engine.catch_up(1)


def test_a_generation_that_is_replaced_while_it_is_read_is_left_for_the_newer_one(
    reader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = Engine._answer, list[int]()

    def meddling(self: Engine, *arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) < 3:
            raise Superseded("replaced")
        return whole(self, *arguments, **named)  # type: ignore[arg-type]  # passed through as they came

    monkeypatch.setattr(Engine, "_answer", meddling)
    assert any("seven months" in cited.quote for cited in reader.ask(APPLE).citations)
    assert len(calls) == 3


def test_a_generation_that_is_replaced_again_and_again_is_an_error_with_the_next_step(
    reader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(self: Engine, *arguments: object, **named: object) -> object:
        raise Superseded("replaced")

    monkeypatch.setattr(Engine, "_answer", replaced)
    with pytest.raises(IndexUnusable, match="Ask again"):
        reader.ask(APPLE)


def test_a_server_that_cannot_be_reached_is_an_error_with_the_next_step(
    reader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Engine, *arguments: object, **named: object) -> object:
        raise Unreachable("connection refused")

    monkeypatch.setattr(Engine, "_answer", gone)
    with pytest.raises(IndexUnusable, match=r"cannot be reached: connection refused\. .*try again"):
        reader.ask(APPLE)


def test_a_service_follows_the_index(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_follower, "FOLLOW_SECONDS", 0.05)
    service = Service(lambda models: reading(tmp_path / "index"), None, engines=1, follows_index=True)
    told: list[Changes] = []
    service.on_change.append(told.append)
    service.start()
    try:
        assert service.place == str(tmp_path / "index")
        service.await_index()
        assert service.ask(Request(APPLE)).citations[0].path == "fruit.md"
        assert service.paths() == ("fruit.md", "release.md")
        assert "\n".join(service.note("fruit.md").lines) + "\n" == FRUIT
        with pytest.raises(UnreadableNotes):
            service.note("../notes/fruit.md")
        (notes / "medlar.md").write_text("# Medlar\n\nA medlar is eaten when it is rotten.\n")
        refresh(notes, tmp_path / "index")
        until(lambda: told)
        assert (told[0].added, told[0].generation) == (("medlar.md",), 2)
        assert "rotten" in service.ask(Request("When is a medlar eaten?")).citations[0].quote
    finally:
        service.close()


def test_a_service_without_an_index_says_so_and_does_not_wait(tmp_path: Path, prepared: Path) -> None:
    service = Service(lambda models: reading(tmp_path / "none"), None, engines=1, follows_index=True)
    service.start()
    try:
        with pytest.raises(IndexUnusable, match="yet"):
            service.ask(Request(APPLE))
        with pytest.raises(IndexUnusable, match="yet"):
            service.await_index()
    finally:
        service.close()
