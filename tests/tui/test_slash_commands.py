"""Commands that are typed in the prompt: run, completed, mistyped, and told from questions that begin with a slash."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList

from assistant.engine import Engine
from assistant.indexing.index_manager import IndexManager
from assistant.tui.conversation import ABOUT
from assistant.tui.slash_commands import SLASH_COMMANDS, matching, parse
from assistant.tui.widgets.dialogs import Help, Naming, Reading
from assistant.tui.widgets.theme_picker import ThemePicker
from tests.asking import READER
from tests.hashing_encoder import HashingEncoder

from .conftest import DECLINED, QUEUE, RETRY, Stage, Staged
from .test_tui_real import Real, real  # noqa: F401 - a fixture

QUESTIONS = ["/etc/hosts", "/var/log is full", "// comment", "/tmp", "/home", "/usr", "/opt", "/thme of the notes"]


async def enter(on: Stage, text: str) -> None:
    """Types a text into the prompt and sends it off, with the list hidden as it is by escape."""
    on.prompt.focus()
    on.prompt.text = text
    await on.press("escape", "enter")
    await on.pilot.pause()


@pytest.mark.parametrize("text", [*QUESTIONS, "/new\nline", " /new", "quit now", "/" + "x" * 9999])
def test_a_text_that_only_begins_with_a_slash_is_a_question(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["/quit", "/exit", "exit", "quit", " Quit "])
def test_words_that_quit(text: str) -> None:
    entry = parse(text)
    assert entry is not None
    assert entry.command is not None
    assert entry.command.name == "quit"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("/hlep", "help"),
        ("/them", "theme"),
        ("/opne", "open"),
        ("/fogret", "forget"),
        ("/notse", "notes"),
        ("/s", "save"),
    ],
)
def test_a_mistyped_command_has_a_nearest_one(text: str, nearest: str) -> None:
    entry = parse(text)
    assert entry is not None
    assert (entry.command, entry.nearest) == (None, nearest)


def test_the_list_follows_what_is_typed() -> None:
    assert matching("/") == SLASH_COMMANDS
    assert [one.name for one in matching("/N")] == ["new", "notes"]
    assert not matching("/new ")
    assert not matching("/n\n")
    assert not matching("new")
    assert not matching("/etc")


async def test_a_path_is_asked_as_a_question(stage: Staged) -> None:
    async with stage() as on:
        on.engine.answers["/etc/hosts"] = replace(on.engine.answers[DECLINED], question="/etc/hosts")
        await on.ask("/etc/hosts")
        assert [request.question for request in on.engine.asked] == ["/etc/hosts"]


async def test_a_mistyped_command_is_given_back_with_the_nearest_one(stage: Staged) -> None:
    async with stage() as on:
        await enter(on, "/hlep")
        assert on.toasts[-1] == "/hlep is no command. Did you mean /help?"
        assert on.prompt.text == "/hlep"
        assert not on.engine.asked


async def test_words_behind_a_command_that_takes_none_are_given_back(stage: Staged) -> None:
    async with stage() as on:
        await enter(on, "/copy that file")
        assert "/copy takes no words" in on.toasts[-1]
        assert on.prompt.text == "/copy that file"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16)])
async def test_a_list_of_commands_stands_above_the_prompt(stage: Staged, size: tuple[int, int]) -> None:
    async with stage(size) as on:
        listed = on.app.view.slash_list
        assert not listed.display
        await on.press("/")
        rows = listed.text.split("\n")
        assert rows[0].startswith("▶ /help [words]")
        assert len(rows) == (len(SLASH_COMMANDS) if size[1] > 20 else 5)
        assert listed.region.bottom == on.prompt.region.y
        await on.press("t")
        assert listed.text == "▶ /theme [name]   Choose a theme, or take the one of that name"
        await on.press("space")
        assert not listed.display
        on.prompt.text = "/two\nlines"
        await on.pilot.pause()
        assert not listed.display


async def test_tab_completes_and_the_focus_stays(stage: Staged) -> None:
    async with stage() as on:
        await on.press("/", "o", "tab")
        assert on.prompt.text == "/open "
        assert on.prompt.has_focus
        await on.press("tab")
        assert on.transcript.has_focus


async def test_up_and_down_move_and_enter_runs(stage: Staged) -> None:
    async with stage() as on:
        await on.press("/", "down", "down", "up", "up", "up")
        marked = on.app.view.slash_list.marked
        assert marked is not None
        assert marked.name == "quit"
        await on.press("down", "enter")
        assert isinstance(on.app.screen, Help)
        assert on.prompt.text == ""


async def test_escape_hides_the_list_until_another_command_is_begun(stage: Staged) -> None:
    async with stage() as on:
        await on.press("/", "n", "escape", "o")
        assert on.prompt.text == "/no"
        assert not on.app.view.slash_list.display
        on.prompt.text = ""
        await on.press("/")
        assert on.app.view.slash_list.display


async def test_the_list_goes_with_the_focus_and_a_click_runs(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.press("/")
        await on.read()
        await on.until(lambda: not on.app.view.slash_list.display)
        on.prompt.focus()
        await on.until(lambda: bool(on.app.view.slash_list.display))
        await on.pilot.click(on.app.view.slash_list, offset=(6, 0))
        await on.until(lambda: isinstance(on.app.screen, Help))


async def test_help_lists_the_commands(stage: Staged) -> None:
    async with stage() as on:
        await enter(on, "/help")
        screen = on.app.screen
        assert isinstance(screen, Help)
        assert all(one.usage in screen.text().plain and one.label in screen.text().plain for one in SLASH_COMMANDS)


async def test_new_copy_save_and_quit(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        assert "follows on" in on.context[0]
        await enter(on, "/new")
        await on.until(lambda: on.engine.inherits("chat") is None)
        await enter(on, "/copy")
        await on.until(lambda: "Decouple producers" in on.app.copier.last_copy)
        await enter(on, "/save")
        assert isinstance(on.app.screen, Naming)
        await on.press("escape")
        await enter(on, "/quit")
        await on.until(lambda: not on.app.is_running)


@pytest.mark.parametrize("word", ["exit", "quit"])
async def test_a_plain_word_quits(stage: Staged, word: str) -> None:
    async with stage() as on:
        await on.press(*word, "enter")
        await on.until(lambda: not on.app.is_running)


async def test_open_takes_the_number_of_a_citation(stage: Staged) -> None:
    async with stage() as on:
        await enter(on, "/open 2")
        assert on.toasts[-1] == "There is no citation to open yet."
        await on.ask(QUEUE)
        await enter(on, "/open 2")
        await on.until(lambda: on.pane.view.marks.first == on.engine.answers[QUEUE].citations[1].start_line)
        await enter(on, "/open 99")
        assert on.toasts[-1] == "This answer has no citation 99."
        await enter(on, "/open two")
        assert on.toasts[-1] == "Not a citation's number: two. Type one, such as /open 2."
        assert on.prompt.text == "/open two"


async def test_theme_takes_a_name_or_lists_them(stage: Staged) -> None:
    async with stage() as on:
        await enter(on, "/theme Nord")
        assert on.app.theme == "nord"
        await enter(on, "/theme nocturne")
        assert on.toasts[-1] == "Unknown theme: nocturne. Type /theme for the list."
        assert on.prompt.text == "/theme nocturne"
        await enter(on, "/theme")
        assert isinstance(on.app.screen, ThemePicker)


async def test_forget_removes_the_answers(stage: Staged, tmp_path: Path) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        await enter(on, "/forget")
        await on.until(lambda: "Session deleted." in on.toasts)
        assert not list(on.transcript.cards())


async def test_help_with_words_answers_from_the_documentation(stage: Staged, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "chat.md").write_text("# The chat\n\n## Change the theme\n\nTo change the theme, type `/theme`.\n")

    def documentation() -> Engine:
        encoder = HashingEncoder()
        manager = IndexManager(pages, tmp_path / "help", None, lambda: encoder, None)
        return Engine(pages, encoder=encoder, reader=READER, index=lambda: manager, complete=True)

    async with stage(open_documentation=documentation) as on:
        await enter(on, "/help how do I change the theme?")
        await on.until(lambda: isinstance(on.app.screen, Reading))
        screen = on.app.screen
        assert "To change the theme, type /theme." in " ".join(screen.query_one("TextArea").text.split())  # type: ignore[attr-defined]


async def test_the_palette_begins_with_what_people_look_for(stage: Staged) -> None:
    async with stage() as on:
        await on.press("ctrl+p")
        assert isinstance(on.app.screen, CommandPalette)
        options = on.app.screen.query_one(OptionList)
        await on.until(lambda: options.option_count > 20)
        labels = [str(options.get_option_at_index(at).prompt).split("  (")[0] for at in range(options.option_count)]
        assert labels[:5] == [
            "Choose a theme",
            "Help",
            "New topic: the next question stands alone",
            "Forget this session",
            "Save the session as Markdown",
        ]
        assert labels.index("Close, else cancel, else go to the prompt") > len(labels) - 5
        await on.press(*"/notes")
        await on.until(lambda: str(options.get_option_at_index(0).prompt) == "What the notes are about")


async def test_notes_asks_what_the_notes_are_about(real: Callable[[], AbstractAsyncContextManager[Real]]) -> None:  # noqa: F811
    async with real() as on:
        await on.until(lambda: on.app.status.index == "index fresh")
        on.app.view.prompt.text = "/notes"
        await on.pilot.press("enter")
        await on.until(lambda: bool(list(on.app.view.transcript.cards())) and not on.app.conversation.pending)
        card = next(on.app.view.transcript.cards())
        assert card.turn.question == ABOUT
        assert "Messaging and Streaming" in card.text
