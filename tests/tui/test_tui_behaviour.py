"""What the chat promises in use: nothing typed is lost, the reader is never moved, answers say when they age."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from textual import events
from textual.events import Key

from assistant.errors import AssistantError, BadRequest
from assistant.records import Citation
from assistant.system.settings import Flags, load
from assistant.tui.cards.card_view import View
from assistant.tui.highlighting import fences
from assistant.tui.history.turn import Turn
from assistant.tui.widgets.dialogs import Help
from assistant.tui.widgets.quote_place import heading_line, quote_lines
from assistant.tui.widgets.status_bars import StatusLine

from .conftest import DECLINED, FOLLOW_UP, QUEUE, RETRY, STRATEGY, RecordingChat, Replay, Staged, recorded

NOTE = "application-deployment-and-integration.md"


async def test_a_question_asked_while_the_model_loads_waits_in_line(stage: Staged) -> None:
    def loading(engine: Replay) -> None:
        engine.loading = Event()

    async with stage(ready=False, prepare=loading) as on:
        await on.press(*"retry", "ctrl+j")
        assert on.prompt.text == "retry\n"
        on.prompt.text = ""
        on.app.conversation.ask(RETRY)
        await on.until(lambda: "Loading the model; your question is queued" in on.last)
        assert on.engine.loading is not None
        on.engine.loading.set()
        await on.until(lambda: "Common Scenarios   fair ███░░" in on.last)


@pytest.mark.parametrize("stage_of", ["waiting", "running"])
async def test_escape_cancels_at_every_stage(stage: Staged, stage_of: str) -> None:
    """The card goes, the question is back in the prompt, the late answer is dropped and leaves no context."""

    def prepare(engine: Replay) -> None:
        engine.loading = Event()
        engine.hold = Event()

    async with stage(ready=False, prepare=prepare) as on:
        assert on.engine.loading is not None
        assert on.engine.hold is not None
        if stage_of == "running":
            on.engine.loading.set()
        await on.press(*"x", "backspace")
        on.app.conversation.ask(QUEUE)
        if stage_of == "running":
            await on.until(on.engine.began.is_set)
        await on.press("escape")
        assert not list(on.transcript.cards())
        assert on.prompt.text == QUEUE
        on.engine.loading.set()
        on.engine.hold.set()
        on.engine.hold = None
        await on.ask(RETRY)
        assert [card.turn.question for card in on.transcript.cards()] == [RETRY]
        assert on.app.engine_thread.subjects[list(on.app.engine_thread.subjects)[-1]] is None


async def test_a_cancelled_question_does_not_replace_what_was_typed_meanwhile(stage: Staged) -> None:
    async with stage() as on:
        on.engine.hold = Event()
        on.app.conversation.ask(QUEUE)
        await on.press(*"next")
        await on.press("escape")
        on.engine.hold.set()
        assert on.prompt.text == "next"
        await on.press("up")
        assert on.prompt.text == QUEUE
        await on.press("down")
        assert on.prompt.text == "next"


async def test_text_typed_during_a_question_survives_its_answer(stage: Staged) -> None:
    async with stage() as on:
        on.engine.hold = Event()
        on.app.conversation.ask(QUEUE)
        await on.press(*"draft")
        on.engine.hold.set()
        await on.until(lambda: not on.app.conversation.pending)
        assert on.prompt.text == "draft"


async def test_a_failed_question_shows_its_error_and_returns(stage: Staged, unusable: AssistantError) -> None:
    async with stage() as on:
        on.engine.error = unusable
        await on.ask(QUEUE)
        assert f"Could not answer: {unusable}" in " ".join(on.last.split())
        assert on.prompt.text == QUEUE
        on.engine.error = None
        on.prompt.text = ""
        await on.read()
        await on.press("r")
        await on.until(lambda: "Queue Service   strong █████" in on.last)


async def test_a_new_answer_does_not_move_a_reader_who_scrolled_up(stage: Staged) -> None:
    async with stage() as on:
        for question in (QUEUE, RETRY, STRATEGY):
            await on.ask(question)
        await on.press("pageup", "pageup")
        was = on.transcript.scroll_y
        await on.ask(DECLINED)
        assert on.transcript.scroll_y == was
        assert "New answer below (end)" in on.context[0]
        await on.read()
        await on.press("end")
        await on.until(lambda: "New answer below" not in on.context[0])


async def test_a_new_answer_comes_to_the_top_for_a_reader_at_the_end(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        card = list(on.transcript.cards())[-1]
        assert on.transcript.scroll_y == card.top


async def test_an_edited_note_marks_its_answers_as_changed_without_scrolling(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        was = on.transcript.scroll_y
        note = on.engine.notes / NOTE
        quoted = ("Decouple producers", "Automatic retry")
        text = note.read_text("utf-8")
        note.write_text(text.replace(quoted[0], "Separate them").replace(quoted[1], "Retry by itself"), "utf-8")
        await on.press("f5")
        await on.until(lambda: "Note changed since this answer. Press r to ask again." in on.last)
        assert on.transcript.scroll_y - was == 1  # the card above has one row more, and what is read stays in view
        assert all(card.turn.changed for card in on.transcript.cards())


async def test_an_open_note_reloads_in_place_after_an_edit(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        view = on.pane.view
        await on.until(lambda: view.marks.first == 840)
        was = view.scroll_y
        note = on.engine.notes / NOTE
        note.write_text("One line more.\n" + note.read_text("utf-8"), "utf-8")
        await on.press("f5")
        await on.until(lambda: view.marks.first == 841)
        assert view.scroll_y == was
        assert on.pane.remark == "moved from line 840"
        note.unlink()
        await on.press("f5")
        await on.until(lambda: "cannot be read" in on.pane.remark)
        assert view.line(1).startswith("**Q: Decouple")


async def test_a_paste_with_line_breaks_never_asks(stage: Staged) -> None:
    async with stage() as on:
        on.prompt.post_message(events.Paste("one\r\ntwo\x1b[31m\u202e\n"))
        await on.pilot.pause()
        assert on.prompt.text == "one\ntwo␛[31m<U+202E>\n"
        assert not on.app.conversation.pending


async def test_enter_waits_for_the_letters_before_it(stage: Staged) -> None:
    async with stage() as on:
        for letter in RETRY:
            on.app.post_message(events.Key(letter, letter))
        on.app.post_message(events.Key("enter", "\r"))
        await on.until(lambda: bool(on.engine.asked) and not on.app.conversation.pending)
        assert on.engine.asked[0].question == RETRY
        assert on.prompt.text == ""


async def test_the_status_line_keeps_its_name_at_80_columns(stage: Staged) -> None:
    async with stage() as on:
        bar = on.app.screen.query_one(StatusLine)
        long = "embedding the vocabulary 1,229 of 1,625; answers use the last index"
        bar.state("corpus", (2, 251), long)
        shown = bar.render().content(78).plain
        assert shown.startswith("assistant  corpus")
        assert shown.endswith("embedding the vocabulary 1,229 of 1,625")
        assert bar.render().content(150).plain.endswith(long)


async def test_an_example_is_asked_by_down_and_enter(stage: Staged) -> None:
    async with stage() as on:
        await on.press("down", "down", "up", "enter")
        await on.until(lambda: len(on.engine.asked) == 1 and not on.app.conversation.pending)
        assert on.engine.asked[0].question == QUEUE


async def test_a_follow_up_shows_its_subject_and_how_it_was_understood(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        assert on.context == ("↳ follows on: Queue Service", "ctrl+n new topic")
        await on.ask(FOLLOW_UP)
        assert "understood as: Queue Service, What if" in on.last


async def test_two_hundred_answers_stay_where_they_are(stage: Staged) -> None:
    answer = recorded()[RETRY]
    async with stage() as on:
        turns = [Turn(-number, f"{number}", state="answered", answer=answer) for number in range(200, 0, -1)]
        on.transcript.add(turns, View())
        await on.pilot.pause()
        await on.read()
        await on.press("end")
        await on.ask(QUEUE)
        cards = list(on.transcript.cards())
        assert len(cards) == 201
        assert on.transcript.scroll_y == cards[-1].top


@pytest.mark.parametrize("size", [(60, 16), (120, 40), (160, 50)])
async def test_a_resize_keeps_the_answer_and_the_cited_line_in_view(stage: Staged, size: tuple[int, int]) -> None:
    async with stage() as on:
        for question in (QUEUE, RETRY, STRATEGY):
            await on.ask(question)
        await on.read()
        await on.press("k", "5", "m")  # a line is a row; tests/tui/test_source_rendered.py has the other view
        view = on.pane.view
        await on.until(lambda: view.marks.first == 476)
        await on.pilot.resize_terminal(*size)
        await on.pilot.pause()
        await on.until(lambda: view.scroll_y < 476 <= view.scroll_y + view.size.height)
        await on.press("ctrl+o")
        card = list(on.transcript.cards())[1]
        await on.until(lambda: card.top <= on.transcript.scroll_y < card.bottom)


async def test_a_click_opens_a_citation_and_a_runner_up(stage: Staged) -> None:
    async with stage((160, 50)) as on:
        await on.ask(QUEUE)
        card = list(on.transcript.cards())[-1]
        rows = card.text.split("\n")
        at = next(y for y, row in enumerate(rows) if row.endswith("[3]"))
        transcript = on.transcript
        top = card.top - transcript.scroll_offset.y
        await on.pilot.click(transcript, offset=(rows[at].index("[3]") + 2, top + at))
        await on.until(lambda: on.pane.view.marks.first == 822)
        also = next(y for y, row in enumerate(rows) if row.startswith("Also"))
        await on.pilot.click(transcript, offset=(10, card.top - transcript.scroll_offset.y + also))
        await on.until(lambda: on.pane.view.marks.first == 317)


async def test_the_mouse_selects_text_across_answers(stage: Staged) -> None:
    """Dragging takes the text of the rows, without margin and numbers; a double click takes the answer under the
    mouse."""
    async with stage((160, 50)) as on:
        await on.ask(DECLINED)
        await on.ask(RETRY)
        transcript = on.transcript
        transcript.scroll_home(animate=False)
        await on.pilot.pause()
        first, second = list(transcript.cards())
        await on.pilot.mouse_down(transcript, offset=(3, first.top))
        await on.pilot.hover(transcript, offset=(3, second.top))
        await on.pilot.mouse_up(transcript, offset=(3, second.top))
        taken = on.app.screen.get_selected_text()
        assert taken is not None
        assert taken.startswith(f"{DECLINED}\nNOT IN THE NOTES")
        shown = re.sub(r"(?m)^ *\[\d\] |\[\d\] ", "", first.text).removeprefix("❯ ")
        assert taken.split("\n")[1:-2] == shown.split("\n")[1:]
        await on.press("ctrl+c")
        await on.until(lambda: on.app.copier.last_copy == taken)
        await on.pilot.click(transcript, offset=(8, first.top + 1), times=2)
        assert on.app.screen.get_selected_text() == shown


async def test_a_new_theme_redraws_the_answers(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        before = [segment.style for segment in on.transcript.render_line(3)]
        on.app.theme = "textual-light"
        await on.pilot.pause()
        assert [segment.style for segment in on.transcript.render_line(3)] != before


async def test_the_footer_has_the_keys_in_one_row_and_a_click_does_what_they_do(stage: Staged) -> None:
    async with stage(keys={"save": "f2"}) as on:
        bar = on.app.screen.query_one("#keys")
        row = bar.texts[0]  # type: ignore[attr-defined]
        assert row == "^o Source  f4 Editor  f2 Save  ^p Commands  f1 Help  ^q Quit"
        await on.pilot.click(bar, offset=(1 + row.index("Help"), 0))
        assert isinstance(on.app.screen, Help)


def test_a_quote_is_found_where_it_moved() -> None:
    rows = ["a", "b", "quote one", "two lines", "c"]
    cited = Citation(1, "n.md", ("T",), "t", 1, 2, "one\ntwo")
    assert quote_lines(rows, cited) == (3, 4)
    assert quote_lines(rows, replace(cited, start_line=3, end_line=4)) == (3, 4)
    assert quote_lines(rows, replace(cited, quote="three")) == (0, 0)


async def test_a_long_path_keeps_its_end_in_the_title(stage: Staged) -> None:
    async with stage() as on:
        pane = on.pane
        path = "infrastructure/" + "/".join(["deep"] * 20) + "/note.md"
        on.app.view.show_source()
        pane.open(Citation(1, path, ("T",), "t", 1, 1, "x"))
        for size in ((80, 24), (60, 16)):
            await on.pilot.resize_terminal(*size)
            await on.pilot.pause()
            title = str(pane.border_title)
            assert title.startswith("infrastructure/…")
            assert title.endswith("/deep/note.md")
            assert len(title) <= size[0] - 6


def test_a_comment_in_a_fence_is_no_heading() -> None:
    rows = ["# Title", "## `Service` Security", "", "```yaml", "# Only services, for security", "kind: X", "```", "end"]
    assert heading_line(rows, 6, "Service Security", fences(rows)) == 2
    assert heading_line(rows, 8, "Service Security", fences(rows)) == 2
    assert heading_line(rows, 2, "Service Security", fences(rows)) == 2
    assert heading_line(rows, 8, "Setext", fences(rows)) == 0


async def test_a_missing_editor_is_reported_with_the_place_to_open(stage: Staged) -> None:
    async with stage(editor="no-such-editor-here") as on:
        await on.ask(QUEUE)
        await on.press("f4")
        assert "was not found" in on.toasts[-1]
        assert f"{NOTE}:840" in on.toasts[-1]


async def test_a_saved_file_never_overwrites(stage: Staged, here: Path) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        (here / "mine.md").write_text("mine")
        await on.press("ctrl+s", *["backspace"] * 30, *"mine.md", "enter")
        await on.until(lambda: on.toasts[-1:] == ["mine.md exists already. Choose another name."])
        assert (here / "mine.md").read_text() == "mine"
        path = on.engine.notes / "x.md"
        await on.press("ctrl+s", *["backspace"] * 30)
        on.app.screen.query_one("Input").value = str(path)  # type: ignore[attr-defined]
        await on.press("enter")
        await on.until(lambda: "would become a note" in on.toasts[-1])
        assert not path.exists()


async def test_an_unknown_theme_is_reported(chat_app: Callable[..., tuple[RecordingChat, Replay]]) -> None:
    app, _ = chat_app(theme="nocturne")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert any("nocturne" in toast for toast in app.toasts)


async def test_asking_on_a_narrow_screen_closes_the_source_over_the_answers(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        assert not on.transcript.size
        await on.ask(RETRY)
        assert not on.pane.is_open
        card = list(on.transcript.cards())[-1]
        await on.until(lambda: on.transcript.scroll_y == card.top)


async def test_an_unknown_action_in_the_settings_is_reported(stage: Staged) -> None:
    async with stage(keys={"fly": "f9"}) as on:
        assert "Unknown action in [keys]: fly." in on.toasts


def test_theme_and_keys_come_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "assistant.toml").write_text('notes = "."\ntheme = "nord"\n[keys]\ncopy-answer = "f2"\n')
    settings = load(Flags(), {"HOME": str(tmp_path)}, tmp_path)
    assert (settings.theme, settings.keys) == ("nord", {"copy-answer": "f2"})
    (tmp_path / "assistant.toml").write_text("keys = 3\n")
    with pytest.raises(BadRequest, match="Write a table"):
        load(Flags(), {"HOME": str(tmp_path)}, tmp_path)


def test_the_first_frame_needs_nothing_heavy() -> None:
    """What the app imports before it paints is Textual and the records."""
    code = "import sys, assistant.tui.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"numpy", "faiss", "sqlite3", "onnxruntime", "tokenizers", "torch", "markdown_it", "yaml", "watchfiles"}
    assert "textual.app" in loaded
    assert not heavy & set(loaded)


async def test_keys_of_the_text_area_act_in_the_order_in_which_they_are_typed(stage: Staged) -> None:
    """Also where they come faster than they are handled: backspace does not wait for the letters behind it."""
    async with stage() as on:
        on.prompt.focus()
        for key in ("x", "backspace", *"one worker", "left", "backspace", "e", "home", "a"):
            character = key if len(key) == 1 else None
            on.prompt.post_message(Key("space" if key == " " else key, character))
        await on.until(lambda: on.prompt.text == "aone worker")
