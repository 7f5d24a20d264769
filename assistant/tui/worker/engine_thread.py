"""The thread that owns the engine: takes jobs from one queue, posts messages, touches no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from assistant.engine import Cancelled, Engine
from assistant.errors import AssistantError, NoNotes
from assistant.indexing.index_process import AGAIN_SECONDS, FOLLOW_SECONDS, IndexPaths
from assistant.records import Answer, Candidate, LineNumber, Note
from assistant.tui import highlighting
from assistant.tui.outline import Outline
from assistant.tui.source.note_text import NoteText
from assistant.tui.worker.answerer import Answerer, PendingQuestion
from assistant.tui.worker.index_updater import IndexUpdater
from assistant.tui.worker.job_queue import Job, JobQueue, Post
from assistant.tui.worker.link_resolver import LinkResolver
from assistant.tui.worker.messages import (
    CandidateLocated,
    ChunkParsed,
    DigestsRead,
    FenceColoured,
    FollowUpChecked,
    FollowUpSubject,
    IndexProgress,
    NoteRead,
    NotesGone,
    OutlineRead,
    QuotesChecked,
    SnippetsColoured,
)
from assistant.tui.worker.quote_check import CitedText, all_stand
from assistant.tui.worker.suggester import Suggester

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading
    from assistant.question.follow_up import Subject


class EngineThread:
    """Everything slow; each method returns at once and a message brings the result."""

    def __init__(
        self,
        open_engine: Callable[[Callable[..., None]], Engine],
        paths: IndexPaths | None,
        post: Post,
        *,
        watch: bool = True,
        ansi: bool = False,
        follows_index: bool = False,
    ) -> None:
        """`open_engine` takes the progress callback; without `paths` nothing is left to a child process.

        `ansi` colours code in the terminal's own sixteen colours. `follows_index`: nothing is indexed here, and newer
        generations are looked for.
        """
        self._open = open_engine
        self._engine: Engine | None = None
        self._post = post
        self._ansi = ansi
        self._watched = Path(paths.notes) if watch and paths is not None else None
        self._follows_index = follows_index
        self._follows = False
        """Whether a look at the index is in the queue."""
        self._seen = 0
        """What `Engine.newest` gave at the last of these looks."""
        self._cited: set[str] = set()
        """Paths of the notes that answers on the screen cite."""
        self._headings: tuple[Heading, ...] | None = None
        """As they were read last; None before that."""
        self._jobs = JobQueue(post)
        self._updater = IndexUpdater(self._opened, paths, self._jobs, post, self.look)
        self._answerer = Answerer(self._opened, self._updater, post, self._cite, ansi=ansi)
        self._suggester = Suggester(self._opened, post)
        self.links = LinkResolver(self._opened, self._jobs, post)
        """Follows the links of notes; its methods return at once."""
        self._updater.on_readable = self._answerer.answer_waiting
        self._updater.on_end = self._child_ended

    @property
    def children(self) -> int:
        """How many child processes were started to build an index."""
        return self._updater.children

    @property
    def subjects(self) -> Mapping[int, Subject | None]:
        """What each question leant on, by number; only this thread writes it."""
        return self._answerer.subjects

    def start(self) -> None:
        """Loads the engine and begins to watch the notes; jobs put in before wait for that."""
        self._jobs.start(self._load)
        if self._watched is not None:
            Thread(target=self._watch, args=(self._watched,), name="watch", daemon=True).start()
        if self._follows_index:
            Thread(target=self._follow, name="follow", daemon=True).start()

    def close(self) -> None:
        """Ends the child process and the watching; the thread itself ends with the program."""
        self._jobs.close()
        self._updater.stop()

    def ask(self, question: PendingQuestion) -> None:
        """After the jobs before it; brings QuestionStarted, then what came of it, or nothing where it was cancelled."""
        self._jobs.put(lambda: self._answerer.answer(question))

    def run(self, job: Job) -> None:
        """Anything else that may take long, such as writing a file."""
        self._jobs.put(job)

    def look(self) -> None:
        """Checks the notes and updates the index."""
        self._jobs.put(self._look)

    def new_topic(self, conversation: str) -> None:
        """Its next question leans on nothing; brings FollowUpSubject."""

        def drop() -> None:
            self._opened().resume(conversation, None)
            self._post(FollowUpSubject(""))

        self._jobs.put(drop)

    def suggest(self) -> None:
        """One more question to begin with; brings SuggestionsRead."""
        self._jobs.put(self._suggester.next)

    def check_follow_up(self, conversation: str, text: str, wanted: Callable[[], bool]) -> None:
        """Whether a text would lean on the subject; brings FollowUpChecked, nothing where it is not wanted any more."""

        def check() -> None:
            if wanted():
                self._post(FollowUpChecked(text, self._opened().leans(conversation, text)))

        self._jobs.put(check)

    def read_note(self, path: str, line: int = 1) -> None:
        """Brings NoteRead, parsed near that line (1-based), with the trouble where the note cannot be read."""

        def read() -> None:
            try:
                text = NoteText(self._opened().note(path))
                self._post(NoteRead(path, text, "", text.blocks_around(line)))
            except AssistantError as error:
                self._post(NoteRead(path, None, str(error)))

        self._jobs.put(read)

    def parse_chunk(self, text: NoteText, chunk: int) -> None:
        """Brings ChunkParsed; `chunk` is the position of the chunk."""
        self._jobs.put(lambda: self._post(ChunkParsed(text, chunk, text.blocks(chunk))))

    def colour_fence(self, digest: str, rows: Sequence[str], fence: highlighting.Fence) -> None:
        """`rows` are all lines of the note with that digest."""

        def colour() -> None:
            code = "\n".join(rows[fence.first - 1 : fence.last])
            self._post(FenceColoured(digest, fence.first, highlighting.lines(code, fence.language, ansi=self._ansi)))

        self._jobs.put(colour)

    def colour_answer(self, number: int, answer: Answer) -> None:
        """For an answer of an earlier session; brings SnippetsColoured. `number` is its turn's."""
        self._jobs.put(lambda: self._post(SnippetsColoured(number, highlighting.snippets(answer, ansi=self._ansi))))

    def read_digests(self, paths: Iterable[str]) -> None:
        """Of cited notes, to tell whether they have changed; read again whenever the notes change."""
        wanted = set(paths)

        def read() -> None:
            self._cited |= wanted
            self._post(DigestsRead(self._opened().digests(sorted(wanted))))

        self._jobs.put(read)

    def check_quotes(self, answers: Mapping[int, Iterable[CitedText]]) -> None:
        """What each answer quotes, by the number of its turn; brings QuotesChecked."""

        def check() -> None:
            read = lru_cache(self._opened().note)
            standing = {number: all_stand(texts, read) for number, texts in answers.items()}
            self._post(QuotesChecked(standing))

        self._jobs.put(check)

    def read_outline(self) -> None:
        """Brings OutlineRead, where the headings are others than the last time."""
        self._jobs.put(self._outline)

    def locate(self, candidate: Candidate) -> None:
        """Where the candidate's section stands now, at the first line of it that has the name."""

        def search() -> None:
            headings = self._opened().headings()
            at = next((at for at, one in enumerate(headings) if one.heading_path == candidate.heading_path), None)
            self._post(CandidateLocated(candidate, None if at is None else self._named(candidate.name, headings[at:])))

        self._jobs.put(search)

    def _named(self, name: str, headings: Sequence[Heading]) -> Heading:
        """The first heading, moved to the line of its section that has the name; `headings` go on to the next ones."""
        first = headings[0]
        end = headings[1].line - 1 if len(headings) > 1 and headings[1].path == first.path else None
        try:
            rows = self._opened().note(first.path).lines[first.line - 1 : end]
        except AssistantError:
            return first
        at = next((at for at, row in enumerate(rows) if name.casefold() in row.casefold()), 0)
        return replace(first, line=LineNumber(first.line + at))

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = self._open(self._progress)
        return self._engine

    def _progress(self, what: str, done: int = 0, of: int = 0) -> None:
        """The engine's own, in this thread: Cancelled where the question it works for is not wanted any more."""
        if self._answerer.cancelled and of:
            raise Cancelled
        self._updater.report(what, done, of)

    def _load(self) -> None:
        self._post(IndexProgress("loading the model"))
        self._opened().load()
        self._updater.read_overview()
        self._look()
        from assistant.tui.cards import answer_rows  # noqa: F401 - ahead: no key waits for it when an answer comes

        NoteText(Note("", ("",), "")).blocks(0)  # the first citation that is opened need not wait for the parser
        self.read_outline()  # ahead, behind the questions that wait already

    def _outline(self) -> None:
        headings = self._opened().headings()
        if headings != self._headings:
            self._headings = headings
            self._post(OutlineRead(Outline(headings)))

    def _look(self) -> None:
        self._post(IndexProgress("looking at the notes"))
        try:
            self._updater.update()
        except NoNotes as error:
            self._post(NotesGone(str(error)))
        else:
            if not self._updater.child_runs:
                self._post(IndexProgress(""))
            self._updater.read_overview()
        if self._cited:
            self._post(DigestsRead(self._opened().digests(sorted(self._cited))))

    def _child_ended(self, reason: str) -> None:
        """`reason` says why it built no index; "" where it did."""
        if reason:
            self._answerer.fail_waiting(reason)
        else:
            self._answerer.answer_waiting()
            self._look()

    def _cite(self, digests: Mapping[str, str]) -> None:
        self._cited |= digests.keys()

    def _watch(self, notes: Path) -> None:
        from assistant.indexing import watcher

        try:
            for _ in watcher.batches(notes, (), self._jobs.closed):
                self.look()
        except (OSError, RuntimeError):  # the system cannot tell of changes in this folder
            while not self._jobs.closed.wait(AGAIN_SECONDS):
                self.look()

    def _follow(self) -> None:
        while not self._jobs.closed.wait(FOLLOW_SECONDS):
            if not self._follows:  # where a server is waited for, questions wait behind one look and not behind many
                self._follows = True
                self._jobs.put(self._look_if_newer)

    def _look_if_newer(self) -> None:
        """A look, which the status line shows, only where somebody has committed something since the last one, whether
        or not a question was answered from it meanwhile."""
        try:
            newest = self._opened().newest()
            if not newest or newest != self._seen:
                self._look()
                self._seen = newest
        finally:
            self._follows = False
