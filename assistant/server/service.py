"""One service for all front ends: several engines over one index and one loaded model, and a follower of the notes."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore, Condition, Lock
from typing import TYPE_CHECKING, Self, TypeVar

from assistant.engine import Cancelled, Engine
from assistant.errors import AssistantError, IndexUnusable, UnreadableNotes
from assistant.exit_codes import Exit
from assistant.indexing.index_process import FEW
from assistant.records import Answer, Note, Request, SearchResult, Stage
from assistant.server.notes_follower import IndexStep, NotesFollower

if TYPE_CHECKING:
    from assistant.indexing.index_process import IndexPaths
    from assistant.indexing.overview import Heading, Overview
    from assistant.indexing.topic_list import NamedTopic
    from assistant.question.follow_up import Subject
    from assistant.system.settings import Settings

ENGINES = min(4, os.cpu_count() or 1)
"""Questions that are answered at once."""
WAITING = 64
"""Questions that wait for an engine; one more is refused."""
_CONVERSATIONS = 1000
"""Of which the subject is kept: those used last."""
_STEP_SECONDS = 0.1
"""Between two looks whether a question that waits is still wanted."""
_UPDATE_SECONDS = 5.0
"""How long a question waits for an update of the index by another thread or program."""
_CONVERSATION = "service"
"""The engines' name of whatever conversation they answer."""
_Made = TypeVar("_Made")


class Overloaded(AssistantError):
    """More questions wait than there is room for."""

    code = "overloaded"
    exit = Exit.CANNOT
    retry_seconds = 1


@dataclass(frozen=True, slots=True)
class Changes:
    """What the last update of the index took in, by path of the notes."""

    at: float
    """Seconds since the epoch; 0 where nothing has changed since the start."""
    generation: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Service:
    """Answers many clients at once; every method may be called in any thread and takes as long as it takes.

    Errors are those of the engine, and Overloaded.
    """

    def __init__(
        self,
        open_engine: Callable[[Engine | None], Engine],
        paths: IndexPaths | None,
        *,
        engines: int = ENGINES,
        waiting: int = WAITING,
        follows_index: bool = False,
    ) -> None:
        """`open_engine` is given the engine whose models it is to use, None for the first one. Without `paths` nothing
        is left to a child process; `follows_index`: nothing is indexed here, and newer generations are looked for."""
        self._first = open_engine(None)
        others = [open_engine(self._first) for _ in range(engines)]
        for engine in (self._first, *others):
            engine.confine()
        self.folder = self._first.folder
        """That of the notes; None where they are read from the index."""
        self.follower = NotesFollower(self._first, paths, self._updated, follows_index=follows_index)
        self.on_change: list[Callable[[Changes], None]] = []
        """Called in a thread of the service when notes were added, changed or removed."""
        self.changes = Changes(0.0, 0)
        self._engines = others
        self._free = list(reversed(others))
        self._waiting: deque[object] = deque()
        self._turn = Condition()
        self.room = engines + waiting
        """Questions at once, those that wait included."""
        self._room = BoundedSemaphore(self.room)
        self._subjects: OrderedDict[str, Subject | None] = OrderedDict()
        self._lock = Lock()
        self._indexed: dict[str, str] | None = None
        self._has_index = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The service for these settings; opens nothing before `start`."""
        from assistant.indexing.index_process import IndexPaths

        def open_engine(models: Engine | None) -> Engine:
            return Engine.from_settings(settings, models=models)

        paths = None if settings.follows_index else IndexPaths.of(settings)
        return cls(open_engine, paths, follows_index=settings.follows_index)

    @property
    def place(self) -> str:
        """As `Engine.place`."""
        return self._first.place

    def start(self) -> None:
        """Loads the models and begins to follow the notes; the errors of `Engine.load`."""
        self._first.load()
        self.follower.start()

    def close(self) -> None:
        """Ends the following; for when no question is being answered any more."""
        self.follower.stop()
        for engine in self._engines:
            engine.close()

    def ask(
        self,
        request: Request,
        *,
        stopped: Callable[[], bool] = lambda: False,
        reached: Callable[[Stage], None] = lambda stage: None,
        indexing: Callable[[IndexStep], None] = lambda step: None,
    ) -> Answer:
        """As `Engine.ask`; a question waits for the first index, of which `indexing` is told meanwhile."""
        name = request.conversation

        def ask(engine: Engine, building: bool) -> Answer:
            if name is None:
                return engine.ask(request, rebuilding=building, stopped=stopped, reached=reached)
            engine.resume(_CONVERSATION, self._subject(name))
            named = replace(request, conversation=_CONVERSATION)
            answer = engine.ask(named, rebuilding=building, stopped=stopped, reached=reached)
            self._keep_subject(name, engine.inherits(_CONVERSATION))
            return answer

        answer = self._with_engine(ask, stopped, indexing)
        return replace(answer, warnings=self._warnings(answer))

    def search(
        self,
        request: Request,
        limit: int,
        *,
        stopped: Callable[[], bool] = lambda: False,
        indexing: Callable[[IndexStep], None] = lambda step: None,
    ) -> SearchResult:
        """As `Engine.search`; waits as `ask` does."""

        def search(engine: Engine, building: bool) -> SearchResult:
            return engine.search(request, limit=limit, rebuilding=building, stopped=stopped)

        found = self._with_engine(search, stopped, indexing)
        return replace(found, warnings=self._warnings(found))

    def await_index(
        self, *, stopped: Callable[[], bool] = lambda: False, indexing: Callable[[IndexStep], None] = lambda step: None
    ) -> None:
        """Waits for the first index as `ask` does; returns at once where there was one."""
        from assistant.indexing.index_manager import NotYet

        def look(engine: Engine, building: bool) -> bool:
            if not engine.generation():
                raise NotYet
            return True

        self._has_index = self._has_index or self._with_engine(look, stopped, indexing)

    def topics(self) -> tuple[NamedTopic, ...]:
        """As `Engine.topics`."""
        return self._with_engine(lambda engine, building: engine.topics())

    def headings(self) -> tuple[Heading, ...]:
        """As `Engine.headings`, of the index as it is."""
        with self._engine() as engine:
            return engine.headings()

    def overview(self) -> Overview | None:
        """As `Engine.overview`, of the index as it is."""
        with self._engine() as engine:
            return engine.overview()

    def paths(self) -> tuple[str, ...]:
        """Paths of the indexed notes, sorted, without links that lead out of the notes folder."""
        return tuple(self._with_engine(lambda engine, building: engine.indexed_notes()))

    def note(self, path: str) -> Note:
        """The indexed note as `Engine.note` reads it; UnreadableNotes, also for a path that is no indexed note's and
        for a link that leads out of the notes folder."""
        return self._with_engine(lambda engine, building: _note(engine, path))

    def _with_engine(
        self,
        make: Callable[[Engine, bool], _Made],
        stopped: Callable[[], bool] = lambda: False,
        indexing: Callable[[IndexStep], None] = lambda step: None,
    ) -> _Made:
        """What `make` makes with an engine, told whether a child process updates the index."""
        from assistant.indexing.index_manager import NotYet

        with self._engine(stopped) as engine:
            while True:
                if not self.follower.builds and self._caught_up(engine, stopped) == "more":
                    self.follower.build()
                building = self.follower.builds
                try:
                    return make(engine, building)
                except NotYet:
                    self._await_index(stopped, indexing)

    def _warnings(self, made: Answer | SearchResult) -> tuple[str, ...]:
        """Its own, and that it may be another one soon, where they do not say so."""
        if not self.follower.builds or made.index.pending or made.index.stale:
            return made.warnings
        return (*made.warnings, "The index is being finished; the same question may get a better answer in a moment.")

    def _caught_up(self, engine: Engine, stopped: Callable[[], bool]) -> str:
        """As `Engine.catch_up`, after a short update that another thread is at: what was saved before the question is
        what it is answered from."""
        end = time.monotonic() + _UPDATE_SECONDS
        while (state := engine.catch_up(FEW)) == "busy" and time.monotonic() < end:
            if stopped():
                raise Cancelled
            self.follower.wait(_STEP_SECONDS)
        return state

    def _await_index(self, stopped: Callable[[], bool], indexing: Callable[[IndexStep], None]) -> None:
        if stopped():
            raise Cancelled
        step = self.follower.step
        if step is not None:
            indexing(step)
        elif self.follower.trouble:
            raise IndexUnusable(self.follower.trouble, "")
        self.follower.wait(_STEP_SECONDS)

    @contextmanager
    def _engine(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[Engine]:
        """A free engine, after those that wait already; Overloaded, Cancelled."""
        if not self._room.acquire(blocking=False):
            raise Overloaded("Too many questions are waiting.", "Ask again in a moment.")
        try:
            engine = self._next(stopped)
            try:
                yield engine
            finally:
                with self._turn:
                    self._free.append(engine)
                    self._turn.notify_all()
        finally:
            self._room.release()

    def _next(self, stopped: Callable[[], bool]) -> Engine:
        """In the order of the calls: whoever waits looks up now and then, and must not lose its place by that."""
        ticket = object()
        with self._turn:
            self._waiting.append(ticket)
            try:
                while not self._free or self._waiting[0] is not ticket:
                    self._turn.wait(_STEP_SECONDS)
                    if stopped():
                        raise Cancelled
                return self._free.pop()
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()

    def _subject(self, conversation: str) -> Subject | None:
        with self._lock:
            return self._subjects.get(conversation)

    def _keep_subject(self, conversation: str, subject: Subject | None) -> None:
        with self._lock:
            self._subjects[conversation] = subject
            self._subjects.move_to_end(conversation)
            while len(self._subjects) > _CONVERSATIONS:
                self._subjects.popitem(last=False)

    def _updated(self) -> None:
        """In the follower's thread: compares what is indexed with what was."""
        before, now = self._indexed, self._first.indexed_notes()
        self._indexed = now
        if before is None or before == now:
            return
        self.changes = Changes(
            time.time(),
            self._first.generation(),
            tuple(path for path in now if path not in before),
            tuple(path for path in now if path in before and before[path] != now[path]),
            tuple(path for path in before if path not in now),
        )
        for tell in self.on_change:
            tell(self.changes)


def _note(engine: Engine, path: str) -> Note:
    is_inside = engine.folder is None or _is_inside(engine.folder, path)
    if path not in engine.indexed_notes() or not is_inside:
        raise UnreadableNotes(f"There is no note {path}.", "The paths of notes are those of citations.")
    return engine.note(path)


def _is_inside(folder: Path, path: str) -> bool:
    """Whether no link leads out of the folder; for a path that the system can have."""
    return Path(os.path.realpath(folder / path)).is_relative_to(os.path.realpath(folder))
