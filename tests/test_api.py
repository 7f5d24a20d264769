"""The stable import: three names, what they take, and that nobody pays for them who does not ask."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import assistant
from assistant import Answer, Assistant, Citation
from tests.asking import APPLE, FRUIT


@pytest.fixture
def notes(tmp_path: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of notes, in the environment of somebody who set nothing."""
    for name in ("ASSISTANT_NOTES", "ASSISTANT_INDEX", "ASSISTANT_MODEL", "ASSISTANT_CONSTANTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", surroundings["XDG_CACHE_HOME"])
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "index").mkdir()
    (folder / "fruit.md").write_text(FRUIT)
    (folder / "tools.md").write_text(
        "---\ntags: [garden]\n---\n# Tools\n\nA ladder of four metres reaches the crown.\n"
    )
    return folder


def test_there_are_three_names() -> None:
    assert assistant.__all__ == ["Answer", "Assistant", "Citation"]
    assert set(assistant.__all__) <= set(dir(assistant))
    with pytest.raises(AttributeError):
        assistant.__getattr__("Nothing")


def test_importing_the_package_loads_nothing() -> None:
    """`assistant --help` imports it too."""
    program = "import sys, typing; before = set(sys.modules); import assistant; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"assistant", "__future__"}


def test_an_answer_is_cited(notes: Path) -> None:
    with Assistant(notes) as asked:
        answer = asked.ask(APPLE)
        assert asked.notes == notes
    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.index.pending, answer.warnings) == ("answered", 0, ())
    assert all(isinstance(one, Citation) for one in answer.citations)
    assert "seven months" in answer.citations[0].quote
    assert dataclasses.asdict(answer)["citations"][0]["path"] == "fruit.md"
    assert (notes.parent / "index" / "notes.sqlite").is_file()


def test_it_follows_the_notes_and_stops_when_told_to(notes: Path) -> None:
    with Assistant(str(notes)) as asked, Assistant(notes, refresh=False) as kept:
        asked.update()
        kept.ask(APPLE)
        (notes / "fruit.md").write_text(FRUIT.replace("seven months", "nine weeks"))
        stale = kept.ask(APPLE)
        assert stale.index.stale
        assert "nine weeks" in asked.ask(APPLE).citations[0].quote


def test_options_filters_and_dialogues_are_those_of_the_command(notes: Path) -> None:
    with Assistant(notes, index=notes.parent / "own") as asked:
        assert {one.path for one in asked.ask("How tall is the ladder?", tag="garden").citations} <= {"tools.md"}
        assert len(asked.ask(APPLE, limit=1).citations) == 1
        choice = asked.ask(APPLE, options={"A": "four metres", "B": "seven months"})
        assert [one.label for one in choice.options] == ["A", "B"]
        asked.ask(APPLE, conversation="c")
        assert asked.ask("And why?", conversation="c").standalone_question
        with pytest.raises(Assistant.Error) as wrong:
            asked.ask(APPLE, under="Nowhere at all")
    assert (wrong.value.code, bool(wrong.value.hint)) == ("bad_request", True)
    assert (notes.parent / "own" / "notes.sqlite").is_file()


@pytest.mark.parametrize("limit", [0, 9])
def test_a_limit_that_cannot_be_is_refused(notes: Path, limit: int) -> None:
    with pytest.raises(Assistant.Error, match="Choose 1 to 8"):
        Assistant(notes).ask(APPLE, limit=limit)


def test_where_no_notes_are_the_error_says_what_to_do(notes: Path) -> None:
    with pytest.raises(Assistant.Error) as none:
        Assistant()
    assert none.value.code == "no_notes"
    with pytest.raises(Assistant.Error) as gone:
        Assistant(notes / "gone").ask(APPLE)
    assert (gone.value.code, gone.value.message.endswith(".")) == ("no_notes", True)


def test_everything_public_says_what_it_does() -> None:
    """`help(assistant.Assistant)` is documentation too."""
    public = [member for name, member in inspect.getmembers(Assistant, callable) if name[0] != "_" and name != "Error"]
    assert [member.__name__ for member in public] == ["ask", "close", "search", "update"]
    assert all(member.__doc__ for member in (Assistant, *public))
