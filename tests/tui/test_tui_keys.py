"""Every key of the help screen does what the help screen says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from textual.command import CommandPalette
from textual.widgets import Input, OptionList, Tree

from assistant.records import Answer, Candidate, Citation
from assistant.tui.answer_text import answer_text
from assistant.tui.conversation import ABOUT
from assistant.tui.keymap import ACTIONS, COMMANDS
from assistant.tui.widgets.browse_tree import BrowseTree
from assistant.tui.widgets.dialogs import Help, Naming, Picker, Reading
from assistant.tui.widgets.heading_tree import HeadingTree
from assistant.tui.widgets.note_view import NoteView
from assistant.tui.widgets.palette import command_label

from .conftest import COMPARE, DECLINED, FOLLOW_UP, QUEUE, RETRY, STRATEGY, TRAP, Stage, Staged

NOTE = "application-deployment-and-integration.md"


def test_every_action_has_a_test_of_its_key() -> None:
    tested = {test.removeprefix("test_key_").replace("_", "-") for test in globals() if test.startswith("test_key_")}
    assert {one.id for one in ACTIONS if not one.id.startswith("cite-")} | {"cite"} == tested


async def test_key_ask(stage: Staged) -> None:
    async with stage() as on:
        await on.press(*RETRY)
        await on.press("enter")
        await on.until(lambda: not on.app.conversation.pending)
        assert on.prompt.text == ""
        assert on.last.startswith(f"▶ {RETRY}\nCommon Scenarios   fair ███░░")


async def test_key_new_line(stage: Staged) -> None:
    async with stage() as on:
        await on.press("a", "ctrl+j", "b", "shift+enter", "c")
        assert on.prompt.text == "a\nb\nc"
        assert not on.app.conversation.pending


async def test_key_earlier(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.press(*"draft", "up")
        assert on.prompt.text == RETRY
        await on.press("up", "up")
        assert on.prompt.text == QUEUE


async def test_key_later(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.press(*"draft", "up")
        assert on.prompt.text == QUEUE
        await on.press("down", "down")
        assert on.prompt.text == "draft"


async def test_key_back(stage: Staged) -> None:
    """Closes what lies over the answers, then cancels, then goes to the prompt; it never clears."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.is_open)
        await on.press("escape")
        await on.until(lambda: not on.pane.is_open)
        on.engine.hold = Event()
        on.app.conversation.ask(RETRY)
        await on.read()
        await on.press("escape")
        assert not on.app.conversation.pending
        assert on.transcript.has_focus
        on.engine.hold.set()
        assert on.prompt.text == RETRY
        await on.press("escape")
        assert on.prompt.has_focus
        await on.press("escape")
        assert on.prompt.text == RETRY


async def test_key_interrupt(stage: Staged) -> None:
    async with stage() as on:
        await on.press("ctrl+c")
        assert on.toasts[-1] == "Press ctrl+q to quit."
        await on.press(*"chosen", "ctrl+shift+left", "ctrl+c")
        await on.until(lambda: on.app.copier.last_copy == "chosen")
        assert on.prompt.text == "chosen"
        on.engine.hold = Event()
        on.app.conversation.ask(RETRY)
        on.prompt.text = ""
        await on.press("ctrl+c")
        on.engine.hold.set()
        assert not on.app.conversation.pending
        assert on.prompt.text == RETRY


async def test_key_next_part(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        seen = []
        for _ in range(3):
            await on.press("tab")
            assert on.app.focused is not None
            seen.append(on.app.focused.id)
        assert seen == ["transcript", "note", "prompt"]
        assert "enter asks" in str(on.prompt.border_subtitle)


async def test_key_previous_part(stage: Staged) -> None:
    async with stage() as on:
        await on.press("shift+tab")
        assert on.transcript.has_focus
        assert "comes back" in str(on.prompt.border_subtitle)


async def test_key_new_topic(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        strip = on.app.screen.query_one("#context")
        assert "follows on: Queue Service" in on.context[0]
        assert strip.display
        await on.press("ctrl+n")
        await on.until(lambda: on.engine.inherits("chat") is None)
        assert not strip.display


async def test_key_source(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        for key in ("ctrl+o", "f3"):
            await on.press(key)
            assert on.pane.is_open
            await on.press(key)
            assert not on.pane.is_open


@pytest.mark.parametrize("key", ["f4", "e"])
async def test_key_editor(stage: Staged, here: Path, key: str) -> None:
    """The editor gets the note and the line; where the screen cannot be left, the place is said."""
    async with stage(editor="sh -c true") as on:
        await on.ask(QUEUE)
        if key == "e":
            await on.read()
        await on.press(key)
        assert "application-deployment-and-integration.md:840" in on.toasts[-1]


test_key_edit = test_key_editor


async def test_key_save(stage: Staged, here: Path) -> None:
    async with stage() as on:
        await on.press("ctrl+s")
        assert on.toasts[-1] == "There is no answer to save yet."
        await on.ask(QUEUE)
        await on.press("ctrl+s")
        assert isinstance(on.app.screen, Naming)
        await on.press("enter")
        await on.until(lambda: (here / "corpus-answers.md").is_file())
        assert f"## {QUEUE}" in (here / "corpus-answers.md").read_text("utf-8")


async def test_key_search_history(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.press("ctrl+r")
        assert isinstance(on.app.screen, Picker)
        await on.press(*"decouples", "enter")
        assert on.prompt.text == QUEUE


async def test_key_look(stage: Staged) -> None:
    async with stage() as on:
        before = on.engine.looks
        await on.press("f5")
        await on.until(lambda: on.engine.looks > before)


async def test_key_page_up(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        was = on.transcript.scroll_y
        await on.press("pageup")
        assert on.transcript.scroll_y < was
        assert on.prompt.has_focus


async def test_key_page_down(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        on.transcript.scroll_home(animate=False)
        await on.press("pagedown")
        assert on.transcript.scroll_y > 0
        assert on.prompt.has_focus


def chosen_question(on: Stage) -> str:
    """The question of the answer that keys act on."""
    card = on.transcript.chosen
    assert card is not None
    return card.turn.question


async def test_key_next(stage: Staged) -> None:
    await check_stepping(stage, "alt+up", "alt+down", focus=False)


async def test_key_previous(stage: Staged) -> None:
    await check_stepping(stage, "alt+up", "alt+down", focus=False)


async def test_key_next_answer(stage: Staged) -> None:
    await check_stepping(stage, "k", "j", focus=True)


async def test_key_previous_answer(stage: Staged) -> None:
    await check_stepping(stage, "k", "j", focus=True)


async def check_stepping(stage: Staged, back: str, forth: str, *, focus: bool) -> None:
    async with stage() as on:
        for question in (QUEUE, RETRY, STRATEGY):
            await on.ask(question)
        if focus:
            await on.read()
        await on.press(back, back)
        assert chosen_question(on) == QUEUE
        card = on.transcript.chosen
        assert card is not None
        assert on.transcript.scroll_y == card.top
        assert "chosen: answer 1 of 3" in on.context[0]
        await on.press(forth)
        assert chosen_question(on) == RETRY
        await on.press(forth)
        assert "chosen: " not in on.context[0]


async def test_key_commands(stage: Staged) -> None:
    """The palette lists the actions of the help screen, and runs them."""
    async with stage(keys={"save": "f2"}) as on:
        await on.press("ctrl+p")
        assert isinstance(on.app.screen, CommandPalette)
        options = on.app.screen.query_one(OptionList)
        await on.until(lambda: options.option_count == len(COMMANDS))
        listed = {str(options.get_option_at_index(at).prompt) for at in range(options.option_count)}
        assert listed == {command_label(one, {"save": "f2"}) for one in COMMANDS}
        assert "Save the session as Markdown  (f2)" in listed
        await on.press(*"forget this")
        await on.until(lambda: options.option_count == 1)
        await on.press("down", "enter")
        await on.until(lambda: "Session deleted." in on.toasts)


async def test_key_help(stage: Staged) -> None:
    async with stage() as on:
        await on.press("f1")
        screen = on.app.screen
        assert isinstance(screen, Help)
        text = screen.text().plain
        assert all(one.label in text for one in ACTIONS if not one.id.startswith("cite-"))
        assert text.startswith("In the prompt")
        await on.press("escape")
        await on.read()
        await on.press("f1")
        screen = on.app.screen
        assert isinstance(screen, Help)
        assert screen.text().plain.startswith("In answers")


async def test_key_help_reading(stage: Staged) -> None:
    async with stage() as on:
        await on.read()
        await on.press("question_mark")
        assert isinstance(on.app.screen, Help)


async def test_key_quit(stage: Staged) -> None:
    async with stage() as on:
        await on.press("ctrl+q")
        assert not on.app.is_running


async def test_key_cite(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        answer = on.engine.answers[QUEUE]
        for cited in answer.citations:
            await on.press(str(cited.number))
            await on.until(lambda cited=cited: on.pane.view.marks.first == cited.start_line)  # type: ignore[misc]
            assert on.pane.view.marks.last == cited.end_line
            assert f"▶[{cited.number}]" in on.last
        await on.press("8")
        assert on.toasts[-1] == "This answer has no citation 8."


async def test_key_open(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("enter")
        await on.until(lambda: on.pane.view.marks.first == on.engine.answers[QUEUE].citations[0].start_line)


async def test_key_copy_answer(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("y")
        await on.until(lambda: on.toasts[-1:] == ["Copied the answer by the terminal (OSC 52)"])
        assert on.app.copier.last_copy == answer_text(on.engine.answers[QUEUE])
        assert on.app.clipboard == on.app.copier.last_copy
        assert "│" not in on.app.copier.last_copy.replace("├── ", "")


async def test_key_copy_snippet(stage: Staged) -> None:
    """As it is in the note; control characters are left out and counted."""
    async with stage() as on:
        await on.ask(RETRY)
        await on.read()
        await on.press("c")
        code = on.engine.answers[RETRY].snippets[0].code
        await on.until(lambda: on.app.copier.last_copy == code)
        await on.ask(TRAP)
        await on.read()
        await on.press("c")
        await on.until(lambda: "control characters left out" in on.toasts[-1])
        assert "\x1b" not in on.app.copier.last_copy
        await on.ask(COMPARE)
        await on.read()
        await on.press("c")
        assert on.toasts[-1] == "Nothing to copy: this answer has no snippet. Press y to copy the answer."


async def test_key_fold(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        await on.read()
        assert "more lines" in on.last
        await on.press("space")
        assert "retryOn: 5xx" in on.last
        await on.press("space")
        assert "Folded" in on.last
        await on.press("space")
        assert "more lines" in on.last


async def test_key_first(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.read()
        for key in ("g", "home"):
            await on.press("j", key)
            assert chosen_question(on) == QUEUE


async def test_key_last(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.read()
        for key in ("G", "end"):
            await on.press("k", key)
            assert chosen_question(on) == RETRY
            assert on.transcript.at_end()


async def test_key_again(stage: Staged) -> None:
    """A follow-up leans on what it leant on, whatever was talked about since."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(FOLLOW_UP)
        await on.ask(STRATEGY)
        await on.read()
        await on.press("k", "r")
        await on.until(lambda: len(on.engine.asked) == 4 and not on.app.conversation.pending)
        assert on.engine.asked[3].question == FOLLOW_UP
        subject = on.app.engine_thread.subjects[4]
        assert subject is not None
        assert subject.name == "Queue Service"


async def test_key_under(stage: Staged) -> None:
    """A tree of the notes, narrowed by what is typed, walked and folded by the arrows."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("u")
        await on.until(lambda: isinstance(on.app.screen, HeadingTree))
        tree = on.app.screen.query_one(Tree)
        await on.until(lambda: bool(tree.root.children) and str(tree.root.children[0].label) == NOTE)
        title = tree.root.children[0].children[0]
        below = title.children[0].data
        assert title.data is not None
        assert below is not None
        assert below.heading_path[:-1] == title.data.heading_path
        states = []
        for key in ("down", "left", "right"):
            await on.press(key)
            states.append(title.is_expanded)
        assert states == [True, False, True]
        await on.press(*"streaming service")
        await on.until(lambda: tree.cursor_node is not None and str(tree.cursor_node.label) == "Streaming Service")
        await on.press("enter")
        await on.until(lambda: len(on.engine.asked) == 2)
        assert on.engine.asked[1].question == QUEUE
        under = on.engine.asked[1].under
        assert under is not None
        assert under.endswith("Messaging and Streaming > Streaming Service")
        await on.until(lambda: not on.app.conversation.pending)
        assert "under: " in on.last


async def test_key_browse(stage: Staged) -> None:
    """Opens the tree of the notes over the prompt, by either key."""
    async with stage() as on:
        for key in ("ctrl+b", "f2"):
            await on.press(key)
            await on.until(lambda: isinstance(on.app.screen, BrowseTree))
            tree = on.app.screen.query_one(Tree)
            await on.until(lambda tree=tree: str(tree.root.children[0].label) == NOTE)  # type: ignore[misc]
            await on.press("escape")
            assert on.prompt.has_focus


async def test_key_back_link(stage: Staged) -> None:
    async with stage() as on:
        await on.read()
        await on.press("alt+left")
        assert on.toasts == ["Nothing to go back to: no link was followed."]


async def test_key_backlinks(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        (on.engine.notes / "linking.md").write_text(f"See [the note]({NOTE}).\n", "utf-8")
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.note is not None)
        await on.press("b")
        await on.until(lambda: isinstance(on.app.screen, Picker))
        await on.press("enter")
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == "linking.md")


async def test_key_names(stage: Staged) -> None:
    """Lists verdict and runners-up; each opens where it stands, with a citation or without one."""
    async with stage() as on:
        await on.ask(DECLINED)
        await on.read()
        await on.press("a")
        assert on.toasts[-1] == "This answer has no names to open."
        await on.ask(QUEUE)
        await on.read()
        answer = on.engine.answers[QUEUE]
        assert answer.verdict is not None
        for at, one in enumerate((answer.verdict, *answer.alternatives)):
            await on.press("a")
            await on.until(lambda: isinstance(on.app.screen, Picker))
            await on.press(*["down"] * at, "enter")
            await on.until(lambda: on.pane.is_open and on.pane.note is not None)
            await on.until(lambda one=one: shows_name(on.pane.citation, one, answer))  # type: ignore[misc]
            await on.press("escape")
            await on.read()


def shows_name(shown: Citation | None, name: Candidate, answer: Answer) -> bool:
    """Whether the source pane shows the name in its own section: a citation of it, or else the section."""
    if shown is None or shown.heading_path[: len(name.heading_path)] != name.heading_path:
        return False
    cited = any(answer.citations[one - 1].heading_path == shown.heading_path for one in name.citations)
    return shown.number in name.citations if cited else shown.number == 0


async def test_key_mend(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("exclamation_mark")
        assert isinstance(on.app.screen, Picker)


async def test_key_find(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: isinstance(on.app.focused, NoteView) and on.pane.view.marks.first > 0)
        await on.press("slash")
        await on.until(lambda: isinstance(on.app.screen, Naming))
        await on.press(*"VirtualService", "enter")
        await on.until(lambda: isinstance(on.app.focused, NoteView))
        view = on.pane.view
        assert "virtualservice" in view.line(view.match_line).casefold()
        assert view.marks.first == 840


async def test_key_find_next(stage: Staged) -> None:
    await check_finding(stage)


async def test_key_find_previous(stage: Staged) -> None:
    await check_finding(stage)


async def check_finding(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: isinstance(on.app.focused, NoteView) and on.pane.view.marks.first > 0)
        await on.press("slash", *"queue", "enter")
        view = on.pane.view
        await on.until(lambda: view.search_text == "queue")
        first = view.match_line
        assert first > view.marks.first
        await on.press("n")
        assert view.match_line != first
        await on.press("N")
        assert view.match_line == first


async def test_key_raw_lines(stage: Staged) -> None:
    async with stage() as on:
        await on.press("tab", "m")
        assert on.pane.view.raw
        await on.press("m")
        assert on.toasts == ["The source opens as numbered lines.", "The source opens rendered."]


async def test_key_previous_citation(stage: Staged) -> None:
    await check_stepping_citations(stage)


async def test_key_next_citation(stage: Staged) -> None:
    await check_stepping_citations(stage)


async def check_stepping_citations(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("2", "right_square_bracket")
        lines = [cited.start_line for cited in on.engine.answers[QUEUE].citations]
        await on.until(lambda: on.pane.view.marks.first == lines[2])
        await on.press("left_square_bracket", "left_square_bracket")
        await on.until(lambda: on.pane.view.marks.first == lines[0])


async def test_key_to_prompt(stage: Staged) -> None:
    async with stage() as on:
        await on.read()
        await on.press("i")
        assert on.prompt.has_focus
        assert on.prompt.text == ""


async def test_key_wider_source(stage: Staged) -> None:
    await check_resizing_the_source(stage)


async def test_key_narrower_source(stage: Staged) -> None:
    await check_resizing_the_source(stage)


async def check_resizing_the_source(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1", "less_than_sign")
        await on.until(lambda: on.pane.outer_size.width == 60)
        await on.press("greater_than_sign", "greater_than_sign")
        await on.until(lambda: on.pane.outer_size.width == 48)


async def test_key_row_up(stage: Staged) -> None:
    await check_scrolling_rows(stage)


async def test_key_row_down(stage: Staged) -> None:
    await check_scrolling_rows(stage)


async def check_scrolling_rows(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        on.transcript.scroll_to(y=3, animate=False)
        await on.press("down")
        assert on.transcript.scroll_y == 4
        await on.press("up", "up")
        assert on.transcript.scroll_y == 2


async def test_key_left(stage: Staged) -> None:
    await check_scrolling_sideways(stage)


async def test_key_right(stage: Staged) -> None:
    await check_scrolling_sideways(stage)


async def check_scrolling_sideways(stage: Staged) -> None:
    async with stage((60, 16)) as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.view.marks.first > 0)
        await on.press("right", "right", "left")
        assert on.pane.view.scroll_x == 8


async def test_key_last_copy(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        await on.read()
        await on.press("c")
        await on.until(lambda: bool(on.app.copier.last_copy))
        await on.app.run_action("last_copy")
        await on.pilot.pause()
        assert isinstance(on.app.screen, Reading)


async def test_key_theme(stage: Staged) -> None:
    async with stage() as on:
        await on.app.run_action("change_theme")
        await on.pilot.pause()
        assert isinstance(on.app.screen, CommandPalette)
        await on.press(*"textual-light")
        await on.until(lambda: on.app.screen.query_one(OptionList).option_count == 1)
        await on.press("down", "enter")
        await on.until(lambda: on.app.theme == "textual-light")


async def test_key_about(stage: Staged) -> None:
    async with stage() as on:
        on.engine.answers[ABOUT] = replace(on.engine.answers[DECLINED], question=ABOUT)
        await on.app.run_action("about")
        await on.until(lambda: len(on.engine.asked) == 1 and not on.app.conversation.pending)
        assert on.engine.asked[0].question == ABOUT


async def test_key_forget(stage: Staged, tmp_path: Path) -> None:
    """The file goes, the answers go, and what the next question would lean on."""
    async with stage() as on:
        await on.ask(QUEUE)
        path = tmp_path / "state" / "session.jsonl"
        await on.until(path.is_file)
        await on.app.run_action("forget")
        await on.until(lambda: not path.exists())
        await on.until(lambda: on.engine.inherits("chat") is None)
        assert not list(on.transcript.cards())
        assert not on.prompt.questions


async def test_letters_with_a_key_are_typed_in_the_prompt(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        keys = [key for one in ACTIONS if one.where == "reading" for key in one.keys.split(",")]
        await on.press(*[key for key in keys if len(key) == 1])
        assert on.prompt.text == "".join(key for key in keys if len(key) == 1)


async def test_settings_change_keys(stage: Staged) -> None:
    async with stage(keys={"copy-answer": "f2"}) as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("f2")
        await on.until(lambda: bool(on.app.copier.last_copy))
        await on.press("f1")
        assert isinstance(on.app.screen, Help)
        assert "  f2          Copy the answer" in on.app.screen.text().plain


async def test_settings_change_the_prompts_keys(stage: Staged) -> None:
    """The old key does what a text area does with it, and the prompt says the new ones."""
    keys = {"ask": "ctrl+k", "new-line": "f8", "earlier": "ctrl+up", "later": "ctrl+down", "save": "ctrl+e"}
    async with stage(keys=keys) as on:
        assert str(on.prompt.border_subtitle) == "ctrl+k asks · f8 new line"
        await on.press(*"one", "f8", *"two", "enter")
        assert on.prompt.text == "one\ntwo"
        on.prompt.text = QUEUE
        await on.press("ctrl+k")
        await on.until(lambda: len(on.engine.asked) == 1 and not on.app.conversation.pending)
        await on.press("up")
        assert on.prompt.text == ""
        await on.press("ctrl+up")
        assert on.prompt.text == QUEUE
        await on.press("ctrl+down")
        assert on.prompt.text == ""
        await on.press("ctrl+e")
        assert isinstance(on.app.screen, Naming)


async def test_up_and_down_move_inside_the_text(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.press("a", "ctrl+j", "b", "up")
        assert on.prompt.text == "a\nb"
        assert on.prompt.cursor_location[0] == 0
        await on.press("down")
        assert on.prompt.cursor_location[0] == 1
        await on.press("up", "up")
        assert on.prompt.text == QUEUE


async def test_an_open_list_keeps_the_chats_keys_from_acting(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(DECLINED)
        await on.press("ctrl+r", "ctrl+s")
        assert isinstance(on.app.screen, Picker)
        assert on.app.screen.query_one(Input).has_focus
        await on.press("escape")
        assert on.prompt.has_focus
