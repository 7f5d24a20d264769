"""A team's index in PostgreSQL, above its tables: asked without files, followed, written again, lost and found."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.cli.diagnosis import team_index
from assistant.engine import Engine
from assistant.errors import IndexUnusable
from assistant.indexing.index_manager import IndexManager
from assistant.indexing.published_index import PublishedIndex
from assistant.records import Answer, Request
from assistant.rendering import terminal
from assistant.server import notes_follower
from assistant.server.service import Changes, Service
from assistant.storage.postgres import snapshot
from assistant.system.collection import Collection
from tests.asking import APPLE, ENCODER, FRUIT, QUESTIONS, READER, asking, refresh, said, write_notes
from tests.postgres_server import Server
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("prepared")
KILL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'assistant'"


@pytest.fixture
def notes(collection: Collection, tmp_path: Path) -> Path:
    """Two notes that are indexed in it."""
    folder = write_notes(tmp_path / "notes")
    refresh(folder, collection)
    return folder


def reading(collection: Collection, notes: Path | None = None) -> Engine:
    manager = PublishedIndex(notes, collection, None, lambda: ENCODER, None)
    return Engine(notes, encoder=ENCODER, reader=READER, index=lambda: manager, refresh="never")


@pytest.fixture
def reader(notes: Path, collection: Collection) -> Iterator[Engine]:
    """Without files."""
    with closing(reading(collection)) as engine:
        yield engine


def quotes(answer: Answer) -> str:
    return "\n".join(cited.quote for cited in answer.citations)


def test_answers_are_those_of_an_index_folder(reader: Engine, notes: Path, tmp_path: Path) -> None:
    with closing(asking(notes, tmp_path / "index")) as alone:
        for question in (APPLE, *QUESTIONS):
            ours, theirs = said(reader.ask(question)), said(alone.ask(question))
            assert replace(ours, notes="", index=theirs.index) == replace(theirs, notes="")
            found, expected = reader.search(question), alone.search(question)
            assert found.passages == expected.passages
        assert reader.topics() == alone.topics()
        assert reader.headings() == alone.headings()
        assert reader.suggestions() == alone.suggestions()
        assert reader.overview() == alone.overview()
        assert reader.indexed_notes() == alone.indexed_notes()
        assert reader.note("fruit.md") == alone.note("fruit.md")


def test_an_answer_says_of_when_it_is(reader: Engine) -> None:
    answer = reader.ask(APPLE)
    assert answer.index.committed is not None
    assert answer.index.committed.endswith("+00:00")
    day, minute = answer.index.committed[:10], answer.index.committed[11:16]
    assert f"as of generation 1, {day} {minute} UTC\n" in terminal.text(answer)
    assert (answer.warnings, answer.notes) == ((), "")


def test_between_two_questions_no_transaction_is_open(reader: Engine, postgres: Server) -> None:
    for read in (lambda: reader.ask(APPLE), reader.topics, reader.headings, lambda: reader.note("fruit.md")):
        read()
        busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'assistant' AND state <> 'idle'"
        assert postgres.sql(busy) == "0"


def test_a_lost_connection_is_made_again_and_the_answer_says_so(
    reader: Engine, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = quotes(reader.ask(APPLE))
    postgres.sql(KILL)
    assert quotes(reader.ask(APPLE)) == expected

    monkeypatch.setattr(snapshot, "_NOTICE_SECONDS", 0.0)
    answer = meddled(reader, lambda: postgres.sql(KILL))
    assert quotes(answer) == expected
    assert any("was lost and made again" in warning for warning in answer.warnings)
    assert reader.ask(APPLE).warnings == ()


def test_a_generation_that_is_replaced_under_a_question_gives_way_to_the_newer_one(
    reader: Engine, notes: Path, collection: Collection, postgres: Server
) -> None:
    assert "seven months" in quotes(reader.ask(APPLE))

    def replaced() -> None:
        (notes / "fruit.md").write_text(FRUIT.replace("seven", "nine"))
        refresh(notes, collection)
        postgres.sql(KILL)

    answer = meddled(reader, replaced)
    assert answer.index.generation == 2
    assert "nine months" in quotes(answer)


def meddled(reader: Engine, meddle: Callable[[], object]) -> Answer:
    """The answer to a question while which something happens, before anything is read for it."""
    whole, calls = Engine._answer, list[int]()

    def meddling(self: Engine, *arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            meddle()
        self._retriever = None  # what was read before is not read again
        return whole(self, *arguments, **named)  # type: ignore[arg-type]  # passed through as they came

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_answer", meddling)
        return reader.ask(APPLE)


def test_a_server_that_is_not_there_is_an_error_without_a_password(tmp_path: Path) -> None:
    collection = Collection.parse(f"postgresql://ann:secret@/none?host={tmp_path}&collection=team")
    with closing(reading(collection)) as engine, pytest.raises(IndexUnusable, match="cannot be reached") as raised:
        engine.ask(APPLE)
    assert "secret" not in str(raised.value)
    (found,) = team_index.index(collection, None, "assistant")
    assert found.remedy == "assistant doctor"
    assert "secret" not in str(found)


def test_a_collection_that_nobody_wrote_says_how_it_is_written(collection: Collection) -> None:
    with closing(reading(collection)) as engine, pytest.raises(IndexUnusable, match=r"yet\. .*--notes DIR index"):
        engine.ask(APPLE)
    found = list(team_index.index(collection, None, "assistant"))
    assert [one.remedy for one in found if one.remedy] == ["assistant index"]


def test_an_explicit_refresh_writes(notes: Path, collection: Collection) -> None:
    (notes / "fruit.md").write_text(FRUIT.replace("seven", "nine"))
    with closing(reading(collection, notes)) as engine:
        assert any("differ" in warning for warning in engine.ask(APPLE).warnings)
    manager = IndexManager(notes, collection, None, lambda: ENCODER, None)
    made = Engine(notes, encoder=ENCODER, reader=READER, index=lambda: manager, refresh="look")
    with closing(made) as engine:
        assert "nine months" in quotes(engine.ask(APPLE))
        assert engine.finish_later() is None
    with closing(reading(collection, notes)) as engine:
        assert engine.ask(APPLE).warnings == ()


def test_a_server_for_many_follows_the_collection(
    notes: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes_follower, "FOLLOW_SECONDS", 0.1)
    service = Service(lambda models: reading(collection), None, engines=2, follows_index=True)
    told: list[Changes] = []
    service.on_change.append(told.append)
    service.start()
    try:
        assert "seven months" in quotes(service.ask(Request(APPLE)))
        (notes / "medlar.md").write_text("# Medlar\n\nA medlar is eaten when it is rotten.\n")
        refresh(notes, collection)
        until(lambda: told)
        assert told[0].added == ("medlar.md",)
        assert "rotten" in quotes(service.ask(Request("When is a medlar eaten?")))
    finally:
        service.close()


def test_doctor_says_how_server_and_collection_are(notes: Path, collection: Collection, postgres: Server) -> None:
    found = list(team_index.index(collection, notes, "assistant"))
    text = "\n".join(one.says for one in found)
    assert [one.remedy for one in found if one.remedy] == []
    assert "PostgreSQL 1" in text
    assert "pgvector 0." in text
    assert "not encrypted; assistant may read and write" in text
    assert "intact: generation 1, 2 notes, 14 passages, " in text
    assert ", committed 2" in text
    (notes / "new.md").write_text("# New\n")
    assert [one.remedy for one in team_index.index(collection, notes, "assistant") if one.remedy] == ["assistant index"]

    postgres.sql("CREATE ROLE visitor LOGIN")
    stranger = Collection.parse(postgres.address(collection.name, user="visitor"))
    (wrong,) = [one for one in team_index.index(stranger, None, "assistant") if one.remedy]
    assert wrong.remedy == "assistant help team"
    postgres.sql("CREATE DATABASE bare")
    bare = Collection.parse(postgres.address("team", database="bare"))
    (wrong,) = [one for one in team_index.index(bare, None, "assistant") if one.remedy]
    assert shlex.split(wrong.remedy)[0] == "psql"
    assert os.fspath(postgres.folder) not in wrong.remedy
