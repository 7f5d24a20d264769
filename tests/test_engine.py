"""`Engine` keeps its promises about the notes on disk: fresh, checked against the file, rebuilt, or called stale."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.engine import Cancelled, Engine
from assistant.errors import BadRequest, EmptyQuestion, IndexUnusable, NoNotes
from assistant.records import Request
from assistant.storage import Busy, Writer
from tests.asking import APPLE, FRUIT, asking, real_engine


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(FRUIT)
    return tmp_path / "notes"


@pytest.fixture
def asked(notes: Path, tmp_path: Path, prepared: Path) -> Iterator[Engine]:
    made = real_engine(notes, tmp_path / "index", prepared)
    yield made
    made.close()


def test_an_answer_says_where_it_comes_from_and_how_long_it_took(notes: Path, tmp_path: Path, prepared: Path) -> None:
    ticks = iter(range(100))
    made = real_engine(notes, tmp_path / "index", prepared, monotonic=lambda: next(ticks))
    answer = made.ask(Request(APPLE, id="7"))
    made.close()
    assert (answer.id, answer.question, answer.notes, answer.elapsed_ms) == ("7", APPLE, str(notes), 1000)
    assert (answer.index.stale, answer.index.pending) == (False, 0)
    assert any("seven months" in cited.quote for cited in answer.citations)


@pytest.mark.parametrize("heading", ["", " ", " > ", "> >", "Nowhere"])
def test_a_heading_that_no_path_ends_with_is_refused(asked: Engine, heading: str) -> None:
    with pytest.raises(BadRequest, match="The nearest are"):
        asked.ask(Request(APPLE, under=heading))


@pytest.mark.parametrize("question", ["", " \n\t", "\x00\x1b", "\u202e\u200b\ufeff"])
def test_nothing_but_blanks_and_controls_is_no_question(asked: Engine, question: str) -> None:
    with pytest.raises(EmptyQuestion):
        asked.ask(question)


def test_a_note_that_changes_while_it_is_answered_is_answered_again(
    asked: Engine, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.ask(APPLE)
    whole, calls = Engine._answer, list[int]()

    def meddling(self: Engine, *arguments: object, **named: object) -> object:
        made = whole(self, *arguments, **named)  # type: ignore[arg-type]  # passed through as they came
        calls.append(1)
        if len(calls) == 1:
            (notes / "fruit.md").write_text(FRUIT.replace("seven", "eleven"))
        return made

    monkeypatch.setattr(Engine, "_answer", meddling)
    answer = asked.ask(APPLE)
    assert len(calls) == 2
    assert any("eleven months" in cited.quote for cited in answer.citations)
    assert not any(cited.stale for cited in answer.citations)


def test_a_cancelled_answer_leaves_the_subject_as_it_was(asked: Engine) -> None:
    asked.ask(Request(APPLE, conversation="a"))
    before = asked.inherits("a")
    calls = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        asked.ask(Request("How long does a pear keep?", conversation="a"), stopped=lambda: next(calls))
    assert before is not None
    assert asked.inherits("a") == before


def test_a_note_that_cannot_be_taken_in_makes_its_citations_stale(asked: Engine, notes: Path, tmp_path: Path) -> None:
    asked.ask(APPLE)
    (notes / "fruit.md").write_text(FRUIT.replace("seven", "eleven"))
    with Writer(tmp_path / "index"):
        answer = asked.ask(APPLE)
    assert answer.index.stale
    assert {cited.stale for cited in answer.citations if "seven" in cited.quote} == {True}
    assert any("Another process" in warning for warning in answer.warnings)
    assert any("fruit.md has changed" in warning for warning in answer.warnings)
    assert not asked.ask(APPLE).index.stale


def test_without_a_refresh_a_changed_note_is_called_stale(notes: Path, tmp_path: Path, prepared: Path) -> None:
    made = real_engine(notes, tmp_path / "index", prepared, refresh="never")
    assert not made.ask(APPLE).index.stale  # with no index at all there is nothing to take as it is
    (notes / "fruit.md").unlink()
    (notes / "other.md").write_text("# Other\n\nSomething else.\n")
    answer = made.ask(APPLE)
    made.close()
    assert answer.index.stale
    assert all(cited.stale for cited in answer.citations)


def test_an_index_that_opens_and_does_not_read_back_is_rebuilt(asked: Engine, tmp_path: Path) -> None:
    asked.ask(APPLE)
    asked.close()
    import sqlite3

    with sqlite3.connect(tmp_path / "index" / "notes.sqlite") as connection:
        connection.execute("UPDATE passages SET body = replace(body, 'seven', 'eight')")
    connection.close()
    answer = asked.ask(APPLE)
    assert any("seven months" in cited.quote for cited in answer.citations)
    assert len([warning for warning in answer.warnings if "corrupt" in warning]) == 1


def test_an_index_folder_that_is_a_file_gives_way_to_the_spare_one(notes: Path, tmp_path: Path, prepared: Path) -> None:
    (tmp_path / "index").touch()
    made = real_engine(notes, tmp_path / "index", prepared, fallback_index=tmp_path / "fallback_index")
    (warning,) = made.ask(APPLE).warnings
    made.close()
    assert str(tmp_path / "fallback_index") in warning
    with pytest.raises(IndexUnusable):
        real_engine(notes, tmp_path / "index", prepared).ask(APPLE)


def test_update_counts_what_it_did(asked: Engine, notes: Path) -> None:
    assert asked.update().added == 1
    (notes / "fruit.md").write_text(FRUIT + "\n## Quince\n\nBoil it.\n")
    report = asked.update()
    assert (report.changed, report.embedded > 0, report.reused > 0) == (1, True, True)
    assert asked.update().unchanged == 1


def test_no_notes_and_no_such_heading_or_tag(asked: Engine, tmp_path: Path, prepared: Path) -> None:
    with pytest.raises(NoNotes):
        real_engine(tmp_path / "nowhere", tmp_path / "index", prepared).ask(APPLE)
    with pytest.raises(BadRequest, match="Apple"):
        asked.ask(Request(APPLE, under="Aple"))
    with pytest.raises(BadRequest, match="front matter"):
        asked.ask(Request(APPLE, tag="none"))
    only = asked.ask(Request(APPLE, under="fruit > PEAR"))
    assert {cited.anchor for cited in only.citations} <= {"pear"}


def test_a_question_that_is_too_long_says_what_was_left_out(asked: Engine) -> None:
    (warning,) = asked.ask(APPLE + " an apple" * 1000).warnings
    assert "8,000" in warning


def test_lines_of_one_conversation_share_context_and_others_do_not(asked: Engine) -> None:
    asked.ask(Request(APPLE, conversation="a"))
    assert asked.ask(Request("And the pear?", conversation="b")).standalone_question is None
    follow = asked.ask(Request("Why does it?", conversation="a"))
    assert follow.question == "Why does it?"
    assert follow.standalone_question is not None


def test_a_second_writer_is_told(tmp_path: Path) -> None:
    with Writer(tmp_path / "index"), pytest.raises(Busy):
        Writer(tmp_path / "index")


@pytest.mark.parametrize(
    "warned", [lambda made: tuple(made.update().warnings), lambda made: made.ask(APPLE).warnings], ids=["update", "ask"]
)
def test_an_index_is_made_elsewhere_where_its_folder_takes_none(
    warned: Callable[[Engine], tuple[str, ...]], notes: Path, tmp_path: Path, prepared: Path
) -> None:
    """By a question and by an update alike; without another place both say what to do."""
    (tmp_path / "file").touch()
    closed = tmp_path / "file" / "index"  # nobody can make a folder in a file, not even root
    made = real_engine(notes, closed, prepared, fallback_index=tmp_path / "fallback_index", background=False)
    assert any(f"{tmp_path / 'fallback_index'} is used instead." in warning for warning in warned(made))
    assert any("seven months" in cited.quote for cited in made.ask(APPLE).citations)
    made.close()
    with pytest.raises(IndexUnusable, match="Name a folder that can be written"):
        warned(real_engine(notes, closed, prepared, background=False))


def test_a_name_is_looked_for_first_where_it_is_given(tmp_path: Path) -> None:
    """A heading over many lines that never write the name does not hide the one line that does."""
    does = "rests proves sits waits cools chills grows ferments relaxes matures sours bubbles lingers stays sleeps"
    does += " lasts keeps stands holds stretches dozes idles ages ripens hardens"
    verbs = does.split()
    night = "slowly overnight inside the cold fridge"
    sections = {
        "Sourdough": [*(f"- The dough {verb} {night} calmly" for verb in verbs), *[f"- The dough acts {night}"] * 3],
        "Kinds": ["- **Sourdoughs**: the dough stays overnight inside a cold fridge by a baker"],
        "Rye": [f"- Some dough {verb} overnight in a fridge {verb}x" for verb in verbs],
    }
    folder = tmp_path / "notes"
    folder.mkdir()
    text = "\n\n".join(f"## {name}\n\n" + "\n".join(lines) for name, lines in sections.items())
    (folder / "bread.md").write_text(f"# Baking\n\n{text}\n", "utf-8")
    with closing(asking(folder, tmp_path / "index")) as made:
        answer = made.ask(f"Which bread should I choose if the dough must rest {night}?")
    assert answer.verdict is not None
    assert answer.verdict.name == "Sourdoughs"
