"""A chat over answers that were recorded from the real engine, with the real notes behind them."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest
from textual.pilot import Pilot

from assistant import records
from assistant.engine import Cancelled, Engine
from assistant.errors import AssistantError, IndexUnusable
from assistant.indexing.index_manager import IndexManager
from assistant.indexing.overview import Heading, Overview
from assistant.notes import folder as notes_folder
from assistant.notes import markdown
from assistant.question import follow_up
from assistant.records import Answer, Request
from assistant.tui.app import ChatApp
from assistant.tui.chat_settings import ChatSettings
from assistant.tui.history.session_file import SessionFile
from assistant.tui.history.turn_json import answer_from_json
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.job_queue import Post
from tests.asking import READER
from tests.hashing_encoder import HashingEncoder
from tests.waiting import PATIENCE, comes

HERE = Path(__file__).resolve().parent
HOSTILE = "tr[b]ap \x1b]0;owned\x07.md"
QUEUE = "Which service decouples producers and consumers, with guaranteed delivery?"
FOLLOW_UP = "What if I don't want to lose messages?"
RETRY = "Retry policy for failed calls to a service"
STRATEGY = "Which strategy gives zero downtime and instant rollback?"
PARTIAL = "How does a canary release send one percent of the traffic to Kafka?"
DECLINED = "How do I rotate database passwords?"
COMPARE = "What is the difference between the queue and the stream?"
UNMET = "Which service needs mutual TLS, circuit breaking and a coffee machine?"
CHOICE = "Which service fits one consumer and guaranteed delivery?"
BRACKET = "What does the [/x] bracket setting do?"
TRAP = "Show the trap in python"


def recorded() -> dict[str, Answer]:
    """The answers by question."""
    lines = (HERE / "recorded.jsonl").read_text("ascii").splitlines()
    return {answer.question: answer for answer in (answer_from_json(json.loads(line)) for line in lines)}


class Replay(Engine):
    """Answers what was recorded, from real notes; `hold` keeps it from answering until it is set."""

    def __init__(self, folder: Path, answers: Mapping[str, Answer]) -> None:
        encoder = HashingEncoder()
        manager = IndexManager(folder, folder / "index", None, lambda: encoder, None)
        super().__init__(folder, encoder=encoder, reader=READER, index=lambda: manager)
        self.answers = dict(answers)
        self.hold: Event | None = None
        self.loading: Event | None = None
        self.began = Event()
        self.error: AssistantError | None = None
        self.asked: list[Request] = []
        self.looks = 0

    def load(self) -> None:
        if self.loading is not None:
            self.loading.wait(PATIENCE)

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        self.looks += 1
        return "done"

    def overview(self) -> Overview:
        return Overview(1, 236, 0, ())

    def suggestions(self) -> tuple[str, ...]:
        return (QUEUE, DECLINED, COMPARE)

    def is_answered(self, question: str) -> bool:
        return self.answers[question].outcome == "answered"

    def headings(self) -> tuple[Heading, ...]:
        headings = []
        for file in notes_folder.scan(self.notes).files:
            for section in markdown.outline(notes_folder.read(self.notes, file.path)).sections:
                headings.append(Heading(file.path, section.start, section.heading_path))
        return tuple(headings)

    def ask(
        self,
        request: Request | str,
        *,
        rebuilding: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        reached: Callable[[records.Stage], None] = lambda stage: None,
    ) -> Answer:
        assert isinstance(request, Request)
        self.asked.append(request)
        self.began.set()
        if self.hold is not None:
            self.hold.wait(PATIENCE)
        if stopped():
            raise Cancelled
        if self.error is not None:
            raise self.error
        answer = replace(self.answers[request.question], notes=str(self.notes))
        if request.conversation is not None:
            before = self.inherits(request.conversation)
            turn = follow_up.Turn(request.question, subject=before)
            self.resume(request.conversation, follow_up.next_subject(answer, turn) or before)
        return answer


class RecordingChat(ChatApp):
    """Keeps its toasts."""

    toasts: tuple[str, ...] = ()

    def notify(self, message: str, **details: Any) -> None:
        self.toasts = (*self.toasts, message)
        super().notify(message, **details)


class Stage:
    """A running chat with what a test looks at."""

    def __init__(self, app: RecordingChat, engine: Replay, pilot: Pilot[Any]) -> None:
        self.app, self.engine, self.pilot = app, engine, pilot
        self.prompt, self.transcript, self.pane = app.view.prompt, app.view.transcript, app.view.source_pane

    async def until(self, holds: Callable[[], bool]) -> None:
        """Lets the app and its thread go on until it holds; fails where it never does."""
        await comes(holds, self.pilot.pause, lambda: "the screen never came to it")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def ask(self, question: str) -> None:
        """Types it, sends it off and waits for the answer."""
        self.prompt.focus()
        self.prompt.text = question
        await self.press("enter")
        await self.until(lambda: not self.app.conversation.pending)
        await self.pilot.pause()

    async def read(self) -> None:
        """The focus goes to the answers."""
        self.transcript.focus()
        await self.pilot.pause()

    @property
    def last(self) -> str:
        """The text of the newest card."""
        card = list(self.transcript.cards())[-1]
        return card.text

    @property
    def toasts(self) -> list[str]:
        """Oldest first."""
        return list(self.app.toasts)

    @property
    def context(self) -> tuple[str, str]:
        """What the strip above the prompt says, left and right."""
        return self.app.view.context_strip.texts


Staged = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """A copy of the shipped note and the hostile one."""
    notes = tmp_path / "corpus"
    shutil.copytree(root / "corpus", notes)
    (notes / HOSTILE).write_bytes((HERE / "hostile.txt").read_bytes())
    return notes


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def chat_app(folder: Path, here: Path, tmp_path: Path) -> Callable[..., tuple[RecordingChat, Replay]]:
    """Makes an app and its engine; keywords change the surroundings."""

    def make(**changes: Any) -> tuple[RecordingChat, Replay]:
        engine = Replay(folder, recorded())
        session = SessionFile(tmp_path / "state" / "session.jsonl")
        settings = replace(ChatSettings(folder, "all-MiniLM-L6-v2", here, quiet_seconds=0), **changes)

        def engine_thread(post: Post) -> EngineThread:
            return EngineThread(lambda progress: engine, None, post, ansi=settings.ansi)

        return RecordingChat(settings, session, session.read(), engine_thread), engine

    return make


@pytest.fixture
def stage(chat_app: Callable[..., tuple[RecordingChat, Replay]]) -> Staged:
    """Runs a chat: `async with stage() as on:`."""

    @asynccontextmanager
    async def run(size: tuple[int, int] = (80, 24), *, ready: bool = True, **changes: Any) -> AsyncIterator[Stage]:
        prepare = changes.pop("prepare", None)
        app, engine = chat_app(**changes)
        if prepare is not None:
            prepare(engine)
        async with app.run_test(size=size) as pilot:
            on = Stage(app, engine, pilot)
            app.view.prompt.cursor_blink = False
            if ready:
                await on.until(lambda: app.status.index == "index fresh" and len(app.view.welcome.examples) == 2)
            yield on

    return run


@pytest.fixture
def unusable() -> AssistantError:
    return IndexUnusable("The index in x cannot be read.", "Name another folder with --index.")
