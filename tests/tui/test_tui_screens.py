"""Golden screens: every state at 80x24, three of them wide, one in each theme. Looked at as pictures when renewed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot

from assistant.errors import AssistantError

from .conftest import (
    BRACKET,
    CHOICE,
    COMPARE,
    DECLINED,
    FOLLOW_UP,
    PARTIAL,
    QUEUE,
    RETRY,
    TRAP,
    UNMET,
    RecordingChat,
    Replay,
    Stage,
)

Act = Callable[[Stage], Awaitable[None]]
Golden = Callable[..., None]


@pytest.fixture
def golden_screen(snap_compare: Callable[..., bool], chat_app: Callable[..., tuple[RecordingChat, Replay]]) -> Golden:
    """Runs a chat, does something and compares the screen with the committed one."""

    def compare(act: Act, size: tuple[int, int] = (80, 24), *, ready: bool = True, **changes: Any) -> None:
        prepare = changes.pop("prepare", None)
        app, engine = chat_app(**changes)
        if prepare is not None:
            prepare(engine)

        async def before(pilot: Pilot[Any]) -> None:
            on = Stage(app, engine, pilot)
            app.view.prompt.cursor_blink = False
            if ready:
                await on.until(lambda: app.status.index == "index fresh")
            await act(on)
            await pilot.pause()
            if app.view.source_pane.is_open:
                await on.until(lambda: app.view.source_pane.view.settled)

        assert snap_compare(app, terminal_size=size, run_before=before)
        if engine.hold is not None:
            engine.hold.set()

    return compare


def asking(*questions: str) -> Act:
    async def act(on: Stage) -> None:
        for question in questions:
            await on.ask(question)

    return act


def reading(question: str, *keys: str) -> Act:
    async def act(on: Stage) -> None:
        await on.ask(question)
        await on.read()
        await on.press(*keys)
        await on.until(lambda: on.pane.view.marks.first > 0)

    return act


async def nothing(on: Stage) -> None:
    pass


async def running(on: Stage) -> None:
    on.engine.hold = Event()
    on.app.conversation.ask(QUEUE)
    await on.until(lambda: "Searching…" in on.last)


STATES: dict[str, Act] = {
    "welcome": nothing,
    "answer": asking(QUEUE),
    "follow_up": asking(QUEUE, FOLLOW_UP),
    "snippet": asking(RETRY),
    "partial": asking(PARTIAL),
    "not_in_notes": asking(DECLINED),
    "comparison": asking(COMPARE),
    "unmet": asking(UNMET),
    "choice": asking(CHOICE),
    "hostile": asking(BRACKET, TRAP),
    "running": running,
    "source": reading(RETRY, "5"),
}


@pytest.mark.parametrize("state", STATES)
def test_state(golden_screen: Golden, state: str) -> None:
    golden_screen(STATES[state])


@pytest.mark.parametrize("size", [(120, 40), (160, 50)])
@pytest.mark.parametrize("state", ["answer", "snippet", "source"])
def test_wide(golden_screen: Golden, state: str, size: tuple[int, int]) -> None:
    act = reading(RETRY, "5") if state == "source" else STATES[state]
    golden_screen(act, size)


def test_short(golden_screen: Golden) -> None:
    golden_screen(asking(RETRY), (60, 16))


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light"])
def test_theme(golden_screen: Golden, theme: str) -> None:
    golden_screen(reading(RETRY, "5"), (120, 40), theme=theme)


def test_no_color(golden_screen: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    golden_screen(reading(RETRY, "5"), (120, 40), no_color=True)


def test_error(golden_screen: Golden, unusable: AssistantError) -> None:
    async def act(on: Stage) -> None:
        on.engine.error = unusable
        await on.ask(QUEUE)

    golden_screen(act)


def test_waiting(golden_screen: Golden) -> None:
    """A question that is asked while the model loads."""

    def loading(engine: Replay) -> None:
        engine.loading = Event()

    async def act(on: Stage) -> None:
        on.app.conversation.ask(QUEUE)
        await on.until(lambda: "Loading the model" in on.last)

    golden_screen(act, ready=False, prepare=loading)


def test_changed(golden_screen: Golden) -> None:
    async def act(on: Stage) -> None:
        await on.ask(QUEUE)
        note = on.engine.notes / "application-deployment-and-integration.md"
        note.write_text(note.read_text("utf-8").replace("Decouple producers", "Separate producers"), "utf-8")
        await on.press("f5")
        await on.until(lambda: "Note changed since this answer" in on.last)
        await on.press("pagedown")

    golden_screen(act)


@pytest.mark.parametrize("key", ["f1", "ctrl+r", "ctrl+s"])
def test_over(golden_screen: Golden, key: str) -> None:
    async def act(on: Stage) -> None:
        await on.ask(QUEUE)
        await on.press(key)

    golden_screen(act)


def test_earlier_answer_chosen(golden_screen: Golden) -> None:
    """The strip says in words which answer is chosen."""

    async def act(on: Stage) -> None:
        await on.ask(RETRY)
        await on.ask(DECLINED)
        await on.ask(QUEUE)
        await on.read()
        await on.press("k", "k")

    golden_screen(act)


def test_names(golden_screen: Golden) -> None:
    async def act(on: Stage) -> None:
        await on.ask(QUEUE)
        await on.read()
        await on.press("a")
        await on.until(lambda: len(on.app.screen_stack) > 1)

    golden_screen(act)


def test_tree(golden_screen: Golden) -> None:
    async def act(on: Stage) -> None:
        await on.ask(QUEUE)
        await on.read()
        await on.press("u")
        await on.until(lambda: len(on.app.screen_stack) > 1)

    golden_screen(act)
