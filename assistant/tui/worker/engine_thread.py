"""The thread that owns the engine: takes jobs from one queue, posts messages, touches no widget.

A daemon, so that quitting never waits for it.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.message import Message

from assistant.engine import Cancelled, Engine, Request
from assistant.errors import AssistantError
from assistant.records import Answer
from assistant.tui import highlighting
from assistant.tui.worker import messages
from assistant.tui.worker.index_process import Places, Rebuilding

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading


FEW = 64
"""New vectors that are computed in this thread; more are left to a child process."""
_AGAIN_SECONDS = 30.0
"""Between two looks at notes that cannot be watched, or that another process reads."""
_log = logging.getLogger("assistant.chat")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the queue."""

    number: int
    request: Request
    stop: Event
    subject: Any = None
    """What it leans on where it is asked again; `keep` says whether that counts."""
    keep: bool = True
    """Whether it leans on what the conversation is at."""


class EngineThread:
    """Everything slow; each method returns at once and a message brings the result."""

    def __init__(
        self,
        open_engine: Callable[[Callable[..., None]], Engine],
        places: Places | None,
        post: Callable[[Message], object],
        *,
        watch: bool = True,
        ansi: bool = False,
    ) -> None:
        """`open_engine` takes the progress callback; without `places` nothing is left to a child process."""
        self._open = open_engine
        self._places = places
        self._post = post
        self._watched = watch and places is not None
        self._ansi = ansi
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._engine: Engine | None = None
        self._child: Rebuilding | None = None
        self.children = 0
        """How many child processes were started."""
        self._published = False
        """Whether there was an index to answer from when it was last looked at."""
        self._cited: set[str] = set()
        self._line: list[Asked] = []
        self._over = Event()
        self._stop: Event | None = None
        self.before: dict[int, Any] = {}
        """What each question leant on, so that it can be asked again; only this thread writes it."""

    def start(self) -> None:
        Thread(target=self._run, name="engine", daemon=True).start()
        if self._watched:
            Thread(target=self._watch, name="watch", daemon=True).start()

    def ask(self, asked: Asked) -> None:
        self._jobs.put(lambda: self._ask(asked))

    def run(self, job: Callable[[], object]) -> None:
        """Anything else that may take long, such as writing a file."""
        self._jobs.put(job)

    def look(self) -> None:
        """Looks at the notes and brings the index up to date."""
        self._jobs.put(self._look)

    def new_topic(self, conversation: str) -> None:
        def drop() -> None:
            self._opened().resume(conversation, None)
            self._post(messages.Inherits(""))

        self._jobs.put(drop)

    def note(self, path: str) -> None:
        self._jobs.put(lambda: self._note(path))

    def colour(self, digest: str, rows: Sequence[str], fence: highlighting.Fence) -> None:
        """`rows` are all lines of the note."""

        def paint() -> None:
            code = "\n".join(rows[fence.first - 1 : fence.last])
            self._post(
                messages.Coloured(digest, fence.first, highlighting.lines(code, fence.language, ansi=self._ansi))
            )

        self._jobs.put(paint)

    def colour_answer(self, number: int, answer: Answer) -> None:
        self._jobs.put(lambda: self._post(messages.SnippetsColoured(number, self._colours(answer))))

    def digests(self, paths: Iterable[str]) -> None:
        """Whether cited notes are still what they were; asked for again whenever the notes change."""
        wanted = set(paths)

        def compare() -> None:
            self._cited |= wanted
            self._post(messages.Digested(self._opened().digests(sorted(wanted))))

        self._jobs.put(compare)

    def headings(self) -> None:
        self._jobs.put(lambda: self._post(messages.Headings(self._opened().headings())))

    def locate(self, heading_path: Sequence[str]) -> Heading | None:
        """Where that heading stands, now; only for a job that `run` was given."""
        return next((one for one in self._opened().headings() if one.heading_path == tuple(heading_path)), None)

    def close(self) -> None:
        """Ends the child process and the watching; the thread itself ends with the program."""
        self._over.set()
        if self._child is not None:
            self._child.stop()

    def _run(self) -> None:
        self._guard(self._first)
        while not self._over.is_set():
            self._guard(self._jobs.get())

    def _guard(self, job: Callable[[], object]) -> None:
        """No job ends the thread; what went wrong stands in the log file."""
        try:
            job()
        except AssistantError as error:
            self._post(messages.Trouble(str(error)))
        except Exception as error:  # noqa: BLE001 - the chat goes on, whatever it was
            _log.exception("a job of the chat failed")
            self._post(messages.Trouble(f"This is a bug of the program ({type(error).__name__}). The log has more."))

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = self._open(self._progress)
        return self._engine

    def _first(self) -> None:
        self._post(messages.Progressed("loading the model"))
        self._opened().load()
        self._see()
        self._look()

    def _see(self) -> None:
        overview = self._opened().overview()
        self._published = overview is not None
        self._post(messages.Seen(overview))

    def _look(self) -> None:
        self._post(messages.Progressed("looking at the notes"))
        self._bring_up()
        if self._child is None:
            self._post(messages.Progressed(""))
        self._see()
        if self._cited:
            self._post(messages.Digested(self._opened().digests(sorted(self._cited))))

    def _bring_up(self) -> None:
        if self._child is not None:
            return
        state = self._opened().catch_up(FEW)
        if state == "more" and self._places is not None:
            self.children += 1
            self._child = Rebuilding(self._places, self._told, lambda why: self._jobs.put(lambda: self._ended(why)))
        elif state == "busy":
            self._later()

    def _later(self) -> None:
        timer = Timer(_AGAIN_SECONDS, self.look)
        timer.daemon = True
        timer.start()

    def _told(self, what: str, done: int, of: int) -> None:
        """In the child's listening thread."""
        self._progress(what, done, of, "; answers use the last index" if self._published else "")
        if what.startswith("Embedding"):
            self._jobs.put(self._line_up)  # text is published: questions need not wait for the vectors

    def _ended(self, why: str) -> None:
        self._child = None
        if why:
            self._post(messages.Trouble(why))
            self._post(messages.Progressed(""))
            for asked in self._line:
                self._post(messages.Failed(asked.number, why))
            self._line.clear()
            return
        self._line_up()
        self._look()

    def _line_up(self) -> None:
        waiting, self._line = self._line, []
        for asked in waiting:
            self._ask(asked)

    def _progress(self, what: str, done: int = 0, of: int = 0, also: str = "") -> None:
        if self._stop is not None and self._stop.is_set() and of:
            raise Cancelled
        counted = f" {done:,} of {of:,}" if of else " …"
        self._post(messages.Progressed(what[:1].lower() + what[1:] + counted + also))

    def _ask(self, asked: Asked) -> None:
        from assistant.indexing.index_manager import NotYet

        if asked.stop.is_set():
            return
        self._stop = asked.stop
        try:
            self._answer(asked)
        except Cancelled:
            pass
        except NotYet:
            self._line.append(asked)
            self._post(messages.Waiting(asked.number, "Reading the notes for the first time, your question is next"))
        except AssistantError as error:
            self._post(messages.Failed(asked.number, str(error)))
        except Exception as error:  # noqa: BLE001 - an error is the question's own and the chat goes on
            _log.exception("a question failed")
            self._post(messages.Failed(asked.number, f"a bug of the program ({type(error).__name__}). See the log."))
        finally:
            self._stop = None

    def _answer(self, asked: Asked) -> None:
        engine, conversation = self._opened(), asked.request.conversation
        self._post(messages.Started(asked.number))
        self._bring_up()
        if conversation is not None:
            if not asked.keep:
                engine.resume(conversation, asked.subject)
            self.before[asked.number] = engine.inherits(conversation)
        answer = engine.ask(asked.request, rebuilding=self._child is not None, stopped=asked.stop.is_set)
        if asked.stop.is_set():
            if conversation is not None:
                engine.resume(conversation, self.before.get(asked.number))
            return
        digests = engine.digests(sorted({cited.path for cited in answer.citations}))
        self._cited |= digests.keys()
        self._post(messages.Answered(asked.number, answer, digests, self._colours(answer)))
        if conversation is not None:
            subject = engine.inherits(conversation)
            self._post(messages.Inherits(subject.name if subject is not None else ""))
        if self._child is None:
            self._post(messages.Progressed(""))

    def _colours(self, answer: Answer) -> dict[int, list[Content]]:
        return {
            at: highlighting.lines(one.code.rstrip("\n"), one.language, ansi=self._ansi)
            for at, one in enumerate(answer.snippets)
        }

    def _note(self, path: str) -> None:
        try:
            self._post(messages.NoteRead(path, self._opened().note(path)))
        except AssistantError as error:
            self._post(messages.NoteRead(path, None, str(error)))

    def _watch(self) -> None:
        from assistant.indexing import watcher

        assert self._places is not None
        try:
            for _ in watcher.batches(Path(self._places.notes), (), self._over):
                self.look()
        except (OSError, RuntimeError):  # the system cannot tell of changes in this folder
            while not self._over.wait(_AGAIN_SECONDS):
                self.look()
