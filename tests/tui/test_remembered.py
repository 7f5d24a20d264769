"""What the chat remembers for its next start: the theme and the width of the source."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList

from assistant import tui
from assistant.system.settings import Flags, load
from assistant.tui import remembered
from assistant.tui.remembered import Remembered
from assistant.tui.widgets.theme_picker import ThemePicker
from tests.waiting import comes

from .conftest import QUEUE, Stage, Staged


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "notes-assistant" / "chat.json"


@pytest.fixture
def again(stage: Staged, file: Path) -> Any:
    """Runs a chat that remembers in the file, and begins with what the file has."""

    def run(size: tuple[int, int] = (120, 40), **changes: Any) -> AbstractAsyncContextManager[Stage]:
        return stage(size, remembered=remembered.read(file), remembered_file=file, **changes)

    return run


def test_a_file_is_written_whole_for_its_owner_alone_and_read_back(file: Path) -> None:
    for what in (Remembered("nord", 55), Remembered("textual-light", 0)):
        remembered.write(file, what)
        assert remembered.read(file) == what
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == ["chat.json"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "3", "null", '"x"', "[" * 99_999, "\xff"),
        *('{"theme": 3, "source_width": "50"}', '{"source_width": 500}', '{"source_width": true}'),
        '{"source_width": NaN}',
    ],
)
def test_a_damaged_file_is_ignored(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content.encode("latin-1"))
    assert remembered.read(file) == Remembered()
    assert remembered.read(file.parent) == Remembered()


async def test_a_chosen_theme_comes_back(again: Any, file: Path) -> None:
    async with again() as on:
        await on.press(*"/theme nord", "enter")
        await on.until(file.is_file)
    async with again() as on:
        assert on.app.theme == "nord"
    async with again(theme="textual-light", theme_is_set=True) as on:
        assert on.app.theme == "textual-light"
        await on.press(*"/theme dracula", "enter")
        await on.until(lambda: bool(on.toasts))
        assert on.toasts[-1] == "The next start has textual-light again, the theme of assistant.toml."


async def test_a_choice_takes_the_place_of_the_terminals_theme(again: Any) -> None:
    async with again(theme="ansi-dark") as on:  # the terminal's, which a choice replaces
        await on.press(*"/theme nord", "enter")
        await on.until(lambda: on.app.theme == "nord")
        assert not on.toasts


async def test_a_remembered_theme_that_is_gone_is_no_trouble(again: Any, file: Path) -> None:
    remembered.write(file, Remembered("nocturne"))
    async with again() as on:
        assert on.app.theme == "textual-dark"
        assert not on.toasts


async def test_a_highlighted_theme_is_shown_until_escape(again: Any, file: Path) -> None:
    async with again() as on:
        await on.app.run_action("change_theme")
        await on.pilot.pause()
        assert isinstance(on.app.screen, ThemePicker)
        options = on.app.screen.query_one(OptionList)
        await on.until(lambda: options.option_count > 5)
        assert str(options.get_option_at_index(0).prompt) == on.app.theme == "textual-dark"
        await on.press("down", "down")  # ansi-dark and ansi-light cannot be shown behind a list
        assert on.app.theme == "textual-dark"
        await on.press("down")
        await on.until(lambda: on.app.theme != "textual-dark")
        shown = on.app.theme
        await on.press("down")
        await on.until(lambda: on.app.theme not in (shown, "textual-dark"))
        await on.press("escape")
        await on.until(lambda: on.app.theme == "textual-dark")
        assert not file.exists()


async def test_a_theme_chosen_from_the_list_is_remembered(again: Any, file: Path) -> None:
    async with again() as on:
        await on.app.run_action("change_theme")
        await on.pilot.pause()
        await on.press(*"textual-light")
        await on.until(lambda: on.app.theme == "textual-light")
        assert not file.exists()
        await on.press("enter")
        await on.until(file.is_file)
        assert on.app.theme == "textual-light"
        assert remembered.read(file).theme == "textual-light"


async def test_the_width_of_the_source_stays_within_bounds_and_comes_back(again: Any, file: Path) -> None:
    async with again() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("less_than_sign")
        assert on.toasts[-1] == "The source is closed. Open it with ctrl+o."
        await on.press("1", *["less_than_sign"] * 9)
        await on.until(lambda: on.pane.outer_size.width == 90)
        await on.press(*["greater_than_sign"] * 12)
        await on.until(lambda: on.pane.outer_size.width == 30)
        await on.press("less_than_sign")
        await on.until(lambda: file.is_file() and remembered.read(file).source_width == 30)
    async with again() as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        await on.until(lambda: on.pane.outer_size.width == 36)
        await on.pilot.resize_terminal(80, 24)
        await on.until(lambda: on.pane.outer_size.width == 80)
        await on.press("tab", "less_than_sign")
        assert "whole width" in on.toasts[-1]
    async with again((200, 50)) as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        await on.until(lambda: on.pane.outer_size.width == 60)


async def test_what_another_chat_remembered_stays(again: Any, file: Path) -> None:
    async with again() as on:
        remembered.write(file, Remembered("gruvbox", 30))
        await on.press(*"/theme nord", "enter")
        await on.until(lambda: remembered.read(file) == Remembered("nord", 30))


async def test_a_file_that_cannot_be_written_is_said(again: Any, file: Path) -> None:
    file.parent.parent.mkdir()
    file.parent.write_text("in the way")
    async with again() as on:
        await on.press(*"/theme nord", "enter")
        await on.until(lambda: any("Not remembered: " in toast for toast in on.toasts))
        assert on.app.theme == "nord"


async def test_the_chat_remembers_beside_its_sessions_unless_it_is_told_not_to(
    tmp_path: Path, root: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `assistant chat` starts it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    file = tmp_path / "state" / "notes-assistant" / "chat.json"
    flags = Flags(notes=str(root / "corpus"), index=str(tmp_path / "index"))
    without = tui.chat(load(flags, surroundings, tmp_path), history=False)
    async with without.run_test() as pilot:
        assert without.theme == "ansi-dark"
        without.appearance.choose_theme("nord")
        await pilot.pause()
    assert not file.parent.exists() or not file.exists()
    chosen = tui.chat(load(flags, surroundings, tmp_path))
    async with chosen.run_test() as pilot:
        chosen.appearance.choose_theme("nord")
        await comes(file.is_file, pilot.pause)
    assert json.loads(file.read_text())["theme"] == "nord"
    assert tui.chat(load(flags, surroundings, tmp_path)).chat_settings.first_theme == "nord"
    assert tui.chat(load(flags, surroundings, tmp_path), history=False).chat_settings.first_theme == "ansi-dark"
    (tmp_path / "assistant.toml").write_text('theme = "dracula"\n')
    assert tui.chat(load(flags, surroundings, tmp_path)).chat_settings.first_theme == "dracula"


def test_the_documentation_says_how_to_change_the_theme(tmp_path: Path, documented: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "assistant", "help", *["how", "do", "I", "change", "the", "theme"]],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=documented,
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.replace("│", " ").split())
    assert said.startswith("To change the theme of the chat, type /theme and choose one")
    assert "chat.md" in said
