"""One service for many clients: several engines over one index and one loaded model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from assistant.engine import Cancelled, Engine
from assistant.errors import BadRequest, UnreadableNotes
from assistant.indexing.index_process import IndexPaths
from assistant.records import Answer, Request, Stage
from assistant.server.notes_follower import IndexStep
from assistant.server.service import Changes, Overloaded, Service
from assistant.storage import Busy, Writer
from tests.asking import APPLE, asking, real_engine, write_notes
from tests.waiting import PATIENCE, until


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes")


@pytest.fixture
def service(notes: Path, tmp_path: Path, prepared: Path) -> Iterator[Service]:
    """With hashed words for vectors, and no child process."""
    made = Service(lambda models: asking(notes, tmp_path / "index"), None, engines=2, waiting=2)
    made.start()
    yield made
    made.close()


def test_clients_at_once_get_the_answers_that_one_gets(service: Service) -> None:
    questions = [APPLE, "Which service is point to point?", "How is a release rolled back?"] * 4
    alone = {question: service.ask(Request(question)) for question in set(questions)}
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda question: service.ask(Request(question)), questions))
    for question, answer in zip(questions, together, strict=True):
        assert answer.citations == alone[question].citations
        assert answer.statements == alone[question].statements


def test_a_conversation_goes_on_whichever_engine_answers(service: Service) -> None:
    service.ask(Request("What is the Apple?", conversation="one"))
    service.ask(Request("What is the Pear?", conversation="other"))
    answer = service.ask(Request("How long does it keep?", conversation="one"))
    assert answer.standalone_question is not None
    assert "Apple" in answer.standalone_question
    alone = service.ask(Request("How long does it keep?"))
    assert alone.standalone_question is None


def test_one_too_many_is_refused_and_those_before_are_answered(service: Service) -> None:
    go = Event()

    def hold(stage: Stage) -> None:
        go.wait(PATIENCE)

    with ThreadPoolExecutor(5) as pool:
        held = [pool.submit(service.ask, Request(APPLE), reached=hold) for _ in range(4)]
        until(lambda: service._room._value == 0)
        with pytest.raises(Overloaded):
            service.ask(Request(APPLE))
        go.set()
        assert all(one.result(PATIENCE).citations for one in held)
    assert service.ask(Request(APPLE)).citations


def test_questions_are_answered_in_the_order_in_which_they_were_asked(
    notes: Path, tmp_path: Path, prepared: Path
) -> None:
    service = Service(lambda models: asking(notes, tmp_path / "index"), None, engines=1, waiting=9)
    service.start()
    go, order = Event(), list[int]()

    def ask(number: int) -> Answer:
        return service.ask(Request(APPLE), reached=lambda stage: order.append(number) if stage == "found" else None)

    def waits(count: int) -> bool:
        return len(service._waiting) == count

    def hold(stage: Stage) -> None:
        go.wait(PATIENCE)

    with ThreadPoolExecutor(10) as pool:
        held = [pool.submit(service.ask, Request(APPLE), reached=hold)]
        until(lambda: not service._free)
        for number in range(9):
            held.append(pool.submit(ask, number))
            until(partial(waits, number + 1))
        time.sleep(0.5)  # they look up several times meanwhile
        go.set()
        for one in held:
            one.result(PATIENCE)
    service.close()
    assert order == list(range(9))


def test_a_question_that_waits_can_be_taken_back(service: Service) -> None:
    go = Event()

    def hold(stage: Stage) -> None:
        go.wait(PATIENCE)

    with ThreadPoolExecutor(3) as pool:
        held = [pool.submit(service.ask, Request(APPLE), reached=hold) for _ in range(2)]
        with pytest.raises(Cancelled):
            service.ask(Request(APPLE), stopped=lambda: True)
        go.set()
        assert all(one.result(PATIENCE) for one in held)


def test_stages_are_told_in_order(service: Service) -> None:
    stages: list[Stage] = []
    service.ask(Request(APPLE), reached=stages.append)
    assert stages == ["found", "read"]


def test_the_notes_are_followed(service: Service, notes: Path) -> None:
    told: list[Changes] = []
    service.on_change.append(told.append)
    until(lambda: service.paths() == ("fruit.md", "release.md"))
    time.sleep(0.3)
    (notes / "quince.md").write_text("# Quince\n\nA quince keeps for three months.\n", "utf-8")
    (notes / "release.md").unlink()
    until(lambda: service.paths() == ("fruit.md", "quince.md"))
    until(lambda: bool(told))
    assert {path for changes in told for path in changes.added} == {"quince.md"}
    assert {path for changes in told for path in changes.removed} == {"release.md"}
    assert service.changes.generation > 0


def test_only_indexed_notes_inside_the_folder_are_read(service: Service, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n\nA secret.\n", "utf-8")
    (notes / "link.md").symlink_to(tmp_path / "secret.md")
    (notes / "plain.txt").write_text("text", "utf-8")
    service.ask(Request(APPLE))
    assert service.note("fruit.md").lines[0] == "# Fruit"
    for path in ("../secret.md", str(tmp_path / "secret.md"), "link.md", "plain.txt", "fruit.md/", "./fruit.md", ""):
        with pytest.raises(UnreadableNotes):
            service.note(path)


def test_a_first_index_is_built_in_a_child_and_the_question_waits(notes: Path, tmp_path: Path, prepared: Path) -> None:
    (notes / "long.md").write_text(
        "# Pantry\n\n" + "\n".join(f"- Item {n} holds thing {n * 7919 % 10007}." for n in range(300)), "utf-8"
    )
    paths = IndexPaths(str(notes), str(tmp_path / "index"), str(prepared), "", None)
    first: list[Engine] = []

    def open_engine(models: Engine | None) -> Engine:
        engine = real_engine(notes, tmp_path / "index", prepared)
        first.append(engine)
        return engine

    service = Service(open_engine, paths, engines=1)
    steps: list[IndexStep] = []
    try:
        service.start()
        answer = service.ask(Request(APPLE), indexing=steps.append)
        assert answer.citations
        assert steps
        until(lambda: not service.follower.builds)
        overview = service.overview()
        assert overview is not None
        assert overview.pending == 0
    finally:
        service.close()


def test_nothing_is_said_of_notes_that_a_link_leads_out_to(notes: Path, tmp_path: Path, prepared: Path) -> None:
    """Neither by a link to a file nor by one to a folder; a link inside the folder is a note like any other."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "vault.md").write_text("# Vault\n\nThe vault opens with the word quetzal.\n", "utf-8")
    (notes / "out.md").symlink_to(secrets / "vault.md")
    (notes / "more").symlink_to(secrets)
    (notes / "again.md").symlink_to(notes / "fruit.md")
    service = Service(lambda models: asking(notes, tmp_path / "index"), None, engines=1)
    service.start()
    try:
        service.await_index()
        question = Request("Which word opens the vault?")
        assert "quetzal" not in repr(service.ask(question))
        assert "quetzal" not in repr(service.search(question, 100))
        assert "vault" not in repr((service.topics(), service.headings(), service.paths())).lower()
        with pytest.raises(BadRequest) as refused:
            service.ask(Request("Which word?", under="Vaultt"))
        assert "Vault;" not in refused.value.hint
        assert "again.md" in service.paths() or "fruit.md" in service.paths()
        assert service.ask(Request(APPLE)).citations
    finally:
        service.close()
    alone = asking(notes, tmp_path / "index")
    assert "quetzal" in repr(alone.ask(question))
    alone.close()


def only_writer(index: Path) -> Writer:
    """Once the follower's last update is done."""
    while True:
        try:
            return Writer(index)
        except Busy:
            time.sleep(0.02)


def test_a_question_after_an_edit_waits_for_the_update_that_is_under_way(service: Service, notes: Path) -> None:
    """It is not answered from the index of before, though another thread holds the writer's lock."""
    service.await_index()
    service.follower.stop()
    with ThreadPoolExecutor(1) as pool:
        with only_writer(notes.parent / "index"):
            (notes / "medlar.md").write_text("# Medlar\n\nA medlar keeps for five weeks.\n", "utf-8")
            asked = pool.submit(service.ask, Request("How long does a medlar keep?"))
            time.sleep(0.3)
            assert not asked.done()
        answer = asked.result(PATIENCE)
    assert answer.citations[0].path == "medlar.md"
    assert not answer.index.stale
