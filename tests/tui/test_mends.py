"""Small promises of the chat: nothing to copy, notes that are gone, paths to save to, marks on old answers, borders."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from threading import Event

import pytest

from assistant.tui import export
from assistant.tui.cards.card import Card
from assistant.tui.widgets.dialogs import Naming, Picker
from assistant.tui.widgets.transcript import Transcript
from assistant.tui.worker.quote_check import stands

from .conftest import COMPARE, QUEUE, RETRY, Stage, Staged
from .test_tui_real import Real, real  # noqa: F401 - a fixture

NOTE = "application-deployment-and-integration.md"
CHANGED, HOLDS = "Note changed since this answer.", "Still holds: a note changed since this answer"


# Copying.


@pytest.mark.parametrize("key", ["y", "c"])
async def test_nothing_to_copy_is_said_in_the_same_words(stage: Staged, key: str) -> None:
    async with stage() as on:
        await on.read()
        await on.press(key)
        assert on.toasts[-1] == "Nothing to copy: there is no answer yet. Ask a question first."
        on.engine.hold = Event()
        on.app.conversation.ask(RETRY)
        await on.press(key)
        assert on.toasts[-1].startswith("Nothing to copy: this question has no answer yet.")
        on.engine.hold.set()
        await on.ask(COMPARE)
        await on.read()
        await on.press(key)
        copied = "Copied the answer by the terminal (OSC 52)"
        lacking = "Nothing to copy: this answer has no snippet. Press y to copy the answer."
        await on.until(lambda: on.toasts[-1] == (copied if key == "y" else lacking))


# The editor.


@pytest.mark.parametrize("key", ["e", "f4"])
async def test_a_note_that_is_gone_is_not_opened(stage: Staged, tmp_path: Path, key: str) -> None:
    opened = tmp_path / "opened"
    async with stage(editor=f"touch {opened}") as on:
        await on.ask(QUEUE)
        await on.read()
        note = on.engine.notes / NOTE
        note.unlink()
        await on.press(key)
        assert on.toasts[-1] == f"Note not found: {note}. Nothing was opened. Press r to ask again."
        assert not note.exists()
        assert not opened.exists()


# Saving.


async def proposed(on: Stage) -> Path:
    """The path that ctrl+s proposes, as it would be saved."""
    await on.ask(QUEUE)
    await on.press("ctrl+s")
    assert isinstance(on.app.screen, Naming)
    value = on.app.screen.query_one("Input").value  # type: ignore[attr-defined]
    await on.press("enter")
    path: Path = on.app.chat_settings.working_folder / value
    await on.until(lambda: any("Saved as" in toast for toast in on.toasts))
    return path


async def test_a_chat_started_in_the_notes_proposes_a_path_outside(
    stage: Staged, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "link").symlink_to(folder)
    for inside in (folder, tmp_path / "link"):
        async with stage(working_folder=inside) as on:
            path = await proposed(on)
            assert path.parent == tmp_path / "home"
            assert path.is_file()
    assert not list(folder.glob("*answers*"))


async def test_a_working_folder_that_takes_no_files_is_not_proposed(
    stage: Staged, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the home where the notes are kept in it as a whole."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with stage(working_folder=tmp_path / "gone") as on:
        path = await proposed(on)
        assert path.parent == tmp_path
        assert path.is_file()


def test_a_name_that_a_dead_link_has_is_not_free(here: Path) -> None:
    (here / "x.md").symlink_to(here / "nowhere")
    assert export.free_path(here, "x") == here / "x-2.md"


# Old answers.


async def edit(on: Stage, *changes: tuple[str, str]) -> Card:
    """The newest card, after the note was edited and looked at."""
    note = on.engine.notes / NOTE
    text = note.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    note.write_text(text, "utf-8")
    await on.press("f5")
    return list(on.transcript.cards())[-1]


async def test_an_answer_whose_quotes_still_stand_says_so(stage: Staged) -> None:
    """Wherever they stand by now; not where a line was changed or went on."""
    async with stage() as on:
        await on.ask(QUEUE)
        card = await edit(on, ("# OCI Developer", "One line more.\n\n# OCI Developer"))
        await on.until(lambda: HOLDS in card.text)
        assert CHANGED not in card.text
        await edit(on, ("One line more.\n\n", ""))
        await on.until(lambda: HOLDS not in card.text)
        await edit(on, ("A: Queue or Streaming service", "A: Queue or Streaming service, but not both"))
        await on.until(lambda: CHANGED in card.text)
        assert HOLDS not in card.text
        await edit(on, ("A: Queue or Streaming service, but not both", "A: Queue or Streaming service"))
        await on.until(lambda: CHANGED not in card.text)


async def test_only_the_answer_whose_lines_changed_is_marked(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await edit(on, ("Decouple producers", "Separate producers"))
        first, second = list(on.transcript.cards())
        await on.until(lambda: CHANGED in first.text and HOLDS in second.text)


async def test_changed_code_and_a_note_that_is_gone_are_changes(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        card = await edit(on, ("      retryOn: 5xx", "      retryOn: 4xx"))
        await on.until(lambda: CHANGED in card.text)
        await edit(on, ("      retryOn: 4xx", "      retryOn: 5xx"))
        await on.until(lambda: CHANGED not in card.text)
        (on.engine.notes / NOTE).unlink()
        await on.press("f5")
        await on.until(lambda: CHANGED in card.text)


async def test_an_earlier_session_is_marked_at_the_start(stage: Staged, tmp_path: Path) -> None:
    session = tmp_path / "state" / "session.jsonl"
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.until(lambda: session.is_file() and session.read_text().count("\n") == 2)
        note = on.engine.notes / NOTE
        note.write_text(note.read_text("utf-8").replace("Decouple producers", "Separate producers"), "utf-8")
    async with stage() as on:
        first, second = list(on.transcript.cards())
        await on.until(lambda: CHANGED in first.text and HOLDS in second.text)


@pytest.mark.parametrize(
    ("text", "note", "does"),
    [
        ("- a b", "x\n- a b\ny", True),
        ("  - a b\n  - c", "- a b\n- c", True),
        ("a b", "- a b", True),
        ("a b", "a b c", False),
        ("a b", "z a b", False),
        ("One. Two.", "Zero. One. Two. Three.", True),
        ("a\nb", "a\nx\nb", False),
        ("a b", "a b c\na b", True),
        ("", "x", True),
    ],
)
def test_what_counts_as_standing(text: str, note: str, does: bool) -> None:
    assert stands(text, note) is does


# Names.


async def test_a_name_opens_in_its_own_section(stage: Staged) -> None:
    """The runner-up is cited first elsewhere; the third name is cited nowhere and stands in its section."""
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.read()
        note = (on.engine.notes / NOTE).read_text("utf-8").split("\n")
        for at, line in ((1, 317), (3, 243)):
            await on.press("a")
            await on.until(lambda: isinstance(on.app.screen, Picker))
            await on.press(*["down"] * at, "enter")
            await on.until(lambda line=line: on.pane.view.marks.first == line)  # type: ignore[misc]
            await on.read()
        assert "dead letter queue" in note[243 - 1].casefold()


# The header.


async def test_the_header_follows_notes_that_are_deleted(
    real: Callable[[], AbstractAsyncContextManager[Real]],  # noqa: F811
) -> None:
    """One after the other, to the last one; and a note that comes back."""
    async with real() as on:
        (on.notes / "fruit.md").write_text("# Fruit\n\nAn apple keeps for months in a cool cellar.\n")

        def header() -> str:
            return " ".join(on.app.view.status_line.texts)

        await on.until(lambda: "2 notes · " in header() and "index fresh" in header())
        (on.notes / NOTE).unlink()
        await on.until(lambda: "1 note · " in header() and "index fresh" in header())
        (on.notes / "fruit.md").unlink()
        await on.until(lambda: "0 notes · 0 passages" in header() and "no notes" in header())
        assert "There are no notes in" in on.app.view.welcome.text
        (on.notes / "fruit.md").write_text("# Fruit\n\nA pear keeps for weeks in a cool cellar.\n")
        await on.until(lambda: "1 note · " in header() and "index fresh" in header())
        assert "There are no notes in" not in on.app.view.welcome.text


# The pane that has the focus.


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_the_pane_with_the_focus_has_a_border_of_its_own(stage: Staged, size: tuple[int, int]) -> None:
    async with stage(size) as on:
        await on.ask(QUEUE)
        answers, prompt = on.app.screen.query_one("#answers"), on.prompt

        def heavy() -> list[str]:
            panes = {"answers": answers, "source": on.pane, "prompt": prompt}
            return [name for name, pane in panes.items() if pane.styles.border_left[0] == "heavy"]

        short = size[1] < 20  # the prompt has no border there, and its cursor is on the screen
        await on.until(lambda: heavy() == ([] if short else ["prompt"]))
        await on.read()
        await on.until(lambda: heavy() == ["answers"])
        await on.press("1")
        on.pane.view.focus()
        await on.until(lambda: heavy() == ["source"])


async def test_the_footer_lists_the_keys_of_the_part_with_the_focus(stage: Staged) -> None:
    async with stage((120, 40), keys={"copy-answer": "f2"}) as on:
        await on.ask(QUEUE)
        bar = on.app.view.key_bar
        assert bar.texts[0].startswith("^o Source")
        await on.read()
        assert bar.texts[0] == "k j Answer  1 to 8 Source  f2 Copy  c Snippet  space Fold  r Again  ? Help"
        await on.press("1")
        on.pane.view.focus()
        await on.pilot.pause()
        assert bar.texts[0] == "[ ] Citation  / Find  e Editor  < > Width  escape Back  i Prompt  ? Help"
        await on.pilot.click(bar, offset=(1 + bar.texts[0].index("Prompt"), 0))
        await on.until(lambda: on.prompt.has_focus)
        assert bar.texts[0].startswith("^o Source")


async def test_the_footer_follows_the_focus_after_a_dialog_is_closed(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.read()
        shown = on.app.view.key_bar.texts
        await on.press("slash")
        await on.press("escape")
        await on.until(lambda: on.app.view.key_bar.texts == shown)
        assert isinstance(on.app.focused, Transcript)
