"""The chat over an index that somebody else writes, on a machine without the files of the notes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from assistant.tui.chat_settings import ChatSettings
from assistant.tui.history.session_file import SessionFile
from assistant.tui.worker import engine_thread
from assistant.tui.worker.engine_thread import EngineThread
from tests.asking import APPLE, FRUIT, reading, refresh, write_notes
from tests.waiting import comes

from .conftest import RecordingChat


class Read:
    """A running chat and the notes that are indexed, which it does not have."""

    def __init__(self, app: RecordingChat, pilot: Pilot[Any], notes: Path, index: Path) -> None:
        self.app, self.pilot, self.notes, self.index = app, pilot, notes, index

    async def until(self, holds: Callable[[], bool]) -> None:
        await comes(holds, self.pilot.pause, lambda: f"{self.app.status.index}; {self.app.toasts}")

    async def ask(self, question: str) -> str:
        """What the answer quotes."""
        self.app.conversation.ask(question)
        await self.until(lambda: not self.app.conversation.pending)
        await self.pilot.pause()
        answer = list(self.app.view.transcript.cards())[-1].turn.answer
        assert answer is not None
        return "\n".join(cited.quote for cited in answer.citations)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


@pytest.fixture
def read(tmp_path: Path, here: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    notes = write_notes(tmp_path / "elsewhere")
    (notes / "release.md").write_text("# Release\n\nSee [the apple](fruit.md#apple).\n")
    refresh(notes, tmp_path / "index")
    monkeypatch.setattr(engine_thread, "FOLLOW_SECONDS", 0.05)

    @asynccontextmanager
    async def run() -> Any:
        settings = ChatSettings(None, "hashing", here, name="team", mends=False, quiet_seconds=0)
        session = SessionFile(None)

        def thread(post: Any) -> EngineThread:
            return EngineThread(lambda progress: reading(tmp_path / "index"), None, post, follows_index=True)

        app = RecordingChat(settings, session, session.read(), thread)
        async with app.run_test(size=(120, 40)) as pilot:
            on = Read(app, pilot, notes, tmp_path / "index")
            await on.until(lambda: app.status.index == "index fresh" and app.status.has_overview)
            yield on

    return run


async def test_a_source_is_shown_as_it_was_indexed(read: Any) -> None:
    async with read() as on:
        assert "team" in on.app.screen.query_one("#status").texts[0]
        assert "seven months" in await on.ask(APPLE)
        pane = on.app.view.source_pane
        on.app.action_source()
        await on.until(lambda: pane.note is not None)
        assert (pane.path, list(pane.note.lines)) == ("fruit.md", FRUIT.removesuffix("\n").split("\n"))
        on.app.action_editor()
        assert "fruit.md was read from the index" in on.app.toasts[-1]
        assert "--notes" in on.app.toasts[-1]
        on.app.action_mend()
        assert "`assistant index`" in on.app.toasts[-1]
        on.app.action_backlinks()
        await on.until(lambda: on.app.screen is not on.app.view.screen)
        await on.press("enter")
        await on.until(lambda: pane.path == "release.md")
        on.app.link_follower.follow("fruit.md#apple")
        await on.until(lambda: pane.path == "fruit.md")


async def test_a_newer_generation_is_noticed_by_itself(read: Any) -> None:
    async with read() as on:
        await on.ask(APPLE)
        (on.notes / "fruit.md").write_text(FRUIT.replace("seven", "nine"))
        refresh(on.notes, on.index)
        card = list(on.app.view.transcript.cards())[-1]
        assert "nine months" in await on.ask(APPLE)
        await on.until(lambda: "Note changed since this answer" in card.text)
        (on.notes / "new.md").write_text("# New\n")
        refresh(on.notes, on.index)
        await on.until(lambda: "3 notes" in on.app.screen.query_one("#status").texts[0])


async def test_answers_are_saved_under_the_name_of_the_collection(read: Any, here: Path) -> None:
    async with read() as on:
        await on.ask(APPLE)
        on.app.action_save()
        await on.pilot.pause()
        await on.press("enter")
        await on.until(lambda: bool(list(here.glob("*.md"))))
        (saved,) = here.glob("*.md")
        assert saved.name == "team-answers.md"
        assert saved.read_text().startswith("# Questions about team\n")
