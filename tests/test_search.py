"""Ranked passages without an answer on top."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engine import Cancelled, Engine
from assistant.errors import BadRequest, EmptyQuestion
from assistant.records import Request
from tests.asking import APPLE, asking, write_notes


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes")


@pytest.fixture
def engine(notes: Path, tmp_path: Path, prepared: Path) -> Iterator[Engine]:
    made = asking(notes, tmp_path / "index")
    yield made
    made.close()


def test_the_best_passage_comes_first_with_its_lines(engine: Engine, notes: Path) -> None:
    found = engine.search(APPLE)
    first = found.passages[0]
    assert (first.path, first.heading_path, first.start_line) == ("fruit.md", ("Fruit", "Apple"), 5)
    lines = (notes / "fruit.md").read_text("utf-8").split("\n")
    assert first.quote == "\n".join(lines[first.start_line - 1 : first.end_line])
    scores = [passage.score for passage in found.passages]
    assert scores == sorted(scores, reverse=True)


def test_no_lines_are_given_twice(engine: Engine) -> None:
    given = [(one.path, line) for one in engine.search("rollout", limit=50).passages
             for line in range(one.start_line, one.end_line + 1)]  # fmt: skip
    assert len(given) == len(set(given))


def test_as_many_as_asked_for_and_only_where_asked_for(engine: Engine) -> None:
    assert len(engine.search("rolled back", limit=2).passages) == 2
    below = engine.search(Request("rolled back", under="Going back"), limit=50)
    assert {passage.heading_path[-1] for passage in below.passages} == {"Going back"}
    with pytest.raises(BadRequest):
        engine.search(Request("rolled back", under="Nowhere"))


def test_nothing_asked_and_nothing_wanted(engine: Engine) -> None:
    with pytest.raises(EmptyQuestion):
        engine.search(" \n")
    with pytest.raises(Cancelled):
        engine.search("apple", stopped=lambda: True)


def test_a_search_follows_the_notes(engine: Engine, notes: Path) -> None:
    engine.search(APPLE)
    (notes / "quince.md").write_text("# Quince\n\nA quince keeps for three months.\n", "utf-8")
    assert engine.search("How long does a quince keep?").passages[0].path == "quince.md"


def test_what_an_answer_cites_is_found(engine: Engine) -> None:
    cited = engine.ask(APPLE).citations[0]
    found = {(one.path, one.start_line) for one in engine.search(APPLE).passages}
    assert (cited.path, cited.start_line) in found
