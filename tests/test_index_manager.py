"""Text first: a folder that was never indexed answers at once, and what is missing follows without being asked for."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.engine import Engine
from assistant.indexing import background, changes, on_demand
from assistant.indexing.changes import Embed
from assistant.models.encoder import OnnxEncoder
from assistant.records import Request
from assistant.storage import Store, Writer, being_written
from tests.asking import real_engine

PEAR = "When is a pear ripe?"
SAID = "found by words only"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """More passages than a question waits for."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "pear.md").write_text("# Pears\n\nA pear is ripe when its neck gives to the thumb.\n")
    for number in range(4):
        items = "".join(f"- Tree {number} {row} stands in row {row} and bears fruit.\n" for row in range(60))
        (folder / f"{number}.md").write_text(f"# Orchard {number}\n\n{items}")
    return folder


@pytest.fixture
def opened(notes: Path, tmp_path: Path, prepared: Path) -> Callable[..., Engine]:
    return lambda **more: real_engine(notes, tmp_path / "index", prepared, **{"background": False, **more})


def waiting(index: Path) -> int:
    with Store.open(index) as store:
        return store.waiting()


def test_a_question_to_notes_never_indexed_embeds_its_own_candidates_only(
    opened: Callable[..., Engine], tmp_path: Path
) -> None:
    asking = opened()
    answer = asking.ask(PEAR)
    assert "neck gives to the thumb" in answer.citations[0].quote
    assert answer.index.generation == 1
    assert not answer.index.stale
    with Store.open(tmp_path / "index") as store:
        assert 0 < store.passages_count - answer.index.pending <= on_demand.PASSAGES
    (said,) = [warning for warning in answer.warnings if SAID in warning]
    assert said.startswith(f"{answer.index.pending} of 2")
    assert "assistant index" in said
    asking.close()


def test_what_a_question_embedded_is_kept_and_not_embedded_again(
    opened: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = opened()
    first = asking.ask("Which tree stands in row 7?")
    before = waiting(tmp_path / "index")
    assert asking.finish_later() is None  # switched off
    after = waiting(tmp_path / "index")
    assert 1 <= before - after <= on_demand.PASSAGES + 13 * on_demand.CONCEPTS
    asking.close()
    texts: list[str] = []
    plain = OnnxEncoder.passages

    def noting(self: OnnxEncoder, asked: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        texts.extend(asked)
        return plain(self, asked)

    monkeypatch.setattr(OnnxEncoder, "passages", noting)
    again = opened()
    second = again.ask("Which tree stands in row 7?")
    again.close()
    assert texts == []
    assert second.citations == first.citations
    assert second.index.pending == first.index.pending


def test_the_rest_is_finished_by_one_process_of_low_priority(opened: Callable[..., Engine], tmp_path: Path) -> None:
    asking = opened(background=True)
    assert any("follows in the background" in warning for warning in asking.ask(PEAR).warnings)
    child = asking.finish_later()
    assert child is not None
    assert os.getpriority(os.PRIO_PROCESS, child) == background.PRIORITY
    until = time.monotonic() + 120
    while not being_written(tmp_path / "index") and waiting(tmp_path / "index") and time.monotonic() < until:
        time.sleep(0.01)
    if waiting(tmp_path / "index"):
        answer = asking.ask(PEAR)
        assert not answer.index.stale
        assert all(SAID in warning for warning in answer.warnings)
        assert asking.finish_later() is None  # that process is at it
    os.waitpid(child, 0)
    assert waiting(tmp_path / "index") == 0
    answer = asking.ask(PEAR)
    assert (answer.index.pending, answer.warnings) == (0, ())
    assert asking.finish_later() is None
    asking.close()


def test_whoever_wants_it_whole_gets_it_whole(opened: Callable[..., Engine]) -> None:
    for more in ({"complete": True}, {"refresh": "insist"}):
        asking = opened(**more)
        answer = asking.ask(PEAR)
        assert (answer.index.pending, answer.warnings) == (0, ())
        asking.close()


def test_a_reader_beside_a_writer_answers_from_what_is_published(
    opened: Callable[..., Engine], notes: Path, tmp_path: Path
) -> None:
    asking = opened()
    asking.ask(PEAR)
    with Writer(tmp_path / "index"):
        answer = asking.ask("Which tree stands in row 9?")
        assert not answer.index.stale
        assert all(SAID in warning for warning in answer.warnings)
        (notes / "new.md").write_text("# New\n\nA medlar is eaten when it is rotten.\n")
        answer = asking.ask(Request("When is a medlar eaten?"))
        assert answer.index.stale
        assert any("Another process" in warning for warning in answer.warnings)
    assert "medlar" in asking.ask("When is a medlar eaten?").citations[0].quote
    asking.close()


def test_a_few_missing_vectors_are_computed_before_the_answer(
    opened: Callable[..., Engine], notes: Path, prepared: Path
) -> None:
    asking = opened(complete=True)
    asking.ask(PEAR)
    asking.close()
    asking = opened()
    (notes / "pear.md").write_text("# Pears\n\nA pear is ripe when its neck gives a little.\n")
    answer = asking.ask(PEAR)
    asking.close()
    assert "a little" in answer.citations[0].quote
    assert (answer.index.pending, answer.warnings) == (0, ())


@pytest.mark.parametrize(
    ("missing", "embed", "due"),
    [(0, "all", False), (1, "all", True), (1, "few", True), (changes.AT_ONCE + 1, "few", False), (1, "none", False)],
)
def test_which_missing_vectors_a_build_computes(missing: int, embed: Embed, due: bool) -> None:
    assert changes.due(missing, embed) is due
