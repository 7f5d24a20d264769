"""The chat on the real engine: every state once, the child process that reads many notes, the notes that change."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from assistant import tui
from assistant.system.settings import Flags, load
from assistant.tui.app import ChatApp
from tests.waiting import comes

from .conftest import DECLINED, PARTIAL, QUEUE, RETRY


class Real:
    """A running chat as `assistant chat` starts it."""

    def __init__(self, app: ChatApp, pilot: Pilot[Any], notes: Path) -> None:
        self.app, self.pilot, self.notes = app, pilot, notes

    async def until(self, holds: Callable[[], bool]) -> None:
        await comes(holds, self.pilot.pause, lambda: self.app.status.index)

    async def ask(self, question: str) -> str:
        """The text of the answer's card; a topic of its own."""
        self.app.action_new_topic()
        self.app.conversation.ask(question)
        await self.until(lambda: not self.app.conversation.pending)
        await self.pilot.pause()
        return list(self.app.view.transcript.cards())[-1].text


@pytest.fixture
def real(
    tmp_path: Path, root: Path, surroundings: dict[str, str], corpus_index: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Runs a chat on a copy of the shipped notes, which are indexed unless `indexed` is off."""
    notes = tmp_path / "corpus"
    shutil.copytree(root / "corpus", notes)
    for name in ("PYTHONPATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, surroundings[name])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    @asynccontextmanager
    async def run(*, indexed: bool = True) -> AsyncIterator[Real]:
        if indexed:
            shutil.copytree(corpus_index, tmp_path / "index")
        settings = load(Flags(notes=str(notes), index=str(tmp_path / "index")), surroundings, tmp_path)
        app = tui.chat(settings)
        async with app.run_test(size=(100, 40)) as pilot:
            yield Real(app, pilot, notes)

    return run


async def test_a_first_index_is_built_in_a_child_while_a_question_waits(real: Any) -> None:
    """Then each state comes from the real engine, many new notes are read aside, few at once."""
    async with real(indexed=False) as on:
        on.app.conversation.ask(QUEUE)
        states = set[str]()

        def answered() -> bool:
            states.add(on.app.status.index.split(" ")[0])
            return not on.app.conversation.pending

        await on.until(answered)
        assert states & {"embedding", "reading"}
        assert on.app.engine_thread.children == 1
        assert "Queue Service" in list(on.app.view.transcript.cards())[-1].text
        await on.until(lambda: on.app.status.index == "index fresh")
        assert "1 note · " in on.app.screen.query_one("#status").texts[0]

        assert "does not parse: line 477" in await on.ask(RETRY)
        assert (await on.ask(PARTIAL)).count("PARTIAL   The notes say nothing about: ") == 1
        assert "NOT IN THE NOTES  The notes do not answer this." in await on.ask(DECLINED)

        (on.notes / "fruit.md").write_text("# Fruit\n\n## Apple\n\nAn apple keeps for months in a cool cellar.\n")
        await on.until(lambda: "2 notes · " in on.app.screen.query_one("#status").texts[0])
        await on.until(lambda: on.app.status.index == "index fresh")
        assert on.app.engine_thread.children == 1
        await on.ask("How long does an apple keep in a cool cellar?")
        answer = list(on.app.view.transcript.cards())[-1].turn.answer
        assert answer is not None
        assert "fruit.md" in {cited.path for cited in answer.citations}

        rows = "\n".join(f"- Item {number} of the pantry is thing {number * 7919 % 1009}." for number in range(300))
        (on.notes / "pantry.md").write_text(f"# Pantry\n\n{rows}\n")
        await on.until(lambda: on.app.engine_thread.children == 2)
        assert "Queue Service" in await on.ask(QUEUE)
        await on.until(lambda: on.app.status.index == "index fresh")
        assert "3 notes · " in on.app.screen.query_one("#status").texts[0]

        (on.notes / "fruit.md").unlink()
        card = next(card for card in on.app.view.transcript.cards() if "apple" in card.turn.question)
        await on.until(lambda: "Note changed since this answer" in card.text)


async def test_what_is_typed_says_whether_it_leans_before_it_is_asked(real: Any) -> None:
    """Keywords and complete questions stand alone; backspace before the first letter drops the subject."""
    async with real() as on:
        await on.until(lambda: on.app.status.index == "index fresh")
        await on.ask(QUEUE)
        strip, prompt = on.app.view.context_strip, on.app.view.prompt
        await on.until(lambda: strip.texts == ("↳ follows on: Queue Service", "ctrl+n new topic"))
        prompt.focus()
        prompt.text = "archive logs"
        await on.until(lambda: strip.texts == ("stands alone", ""))
        prompt.text = "and how do I delete it?"
        await on.until(lambda: strip.texts[0] == "↳ follows on: Queue Service")
        await on.pilot.press("home", "backspace")
        await on.until(lambda: on.app.status.subject == "")
        assert prompt.text == "and how do I delete it?"
        assert not strip.display


async def test_an_empty_notes_folder_is_reported_with_its_path(real: Any, tmp_path: Path) -> None:
    for note in (tmp_path / "corpus").glob("*.md"):
        note.unlink()
    async with real() as on:
        await on.until(lambda: "There are no notes in" in on.app.view.welcome.text)
        assert "--notes" in " ".join(on.app.view.welcome.text.split())
