"""Brings the index up to date: few new vectors in the engine's thread, more in a child process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Timer

from assistant.engine import Engine
from assistant.indexing.index_process import AGAIN_SECONDS, FEW, IndexPaths, IndexProcess
from assistant.tui.worker.job_queue import JobQueue, Post
from assistant.tui.worker.messages import IndexProgress, OverviewRead, Trouble
from assistant.tui.worker.pace import Pace


class IndexUpdater:
    """For the engine's thread alone, but for `stop`."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        paths: IndexPaths | None,
        jobs: JobQueue,
        post: Post,
        look: Callable[[], None],
    ) -> None:
        """Without `paths` nothing is left to a child process; `look` puts another look at the notes in the queue."""
        self._engine = engine
        self._paths = paths
        self._jobs = jobs
        self._post = post
        self._look = look
        self._child: IndexProcess | None = None
        self._pace = Pace()
        self._published = False
        """Whether there was an index to answer from when the overview was last read."""
        self.children = 0
        """How many child processes were started."""
        self.on_readable: Callable[[], None] = lambda: None
        """Called when questions that waited for an index can be answered."""
        self.on_end: Callable[[str], None] = lambda reason: None
        """Called when a child has ended, with the reason why it built no index, "" where it did."""

    @property
    def child_runs(self) -> bool:
        """Whether a child process is building the index."""
        return self._child is not None

    def update(self) -> None:
        """Returns when the index is up to date, or when another process is left to do it."""
        if self._child is not None:
            return
        state = self._engine().catch_up(FEW)
        if state == "more" and self._paths is not None:
            self.children += 1
            self._child = IndexProcess(self._paths, self._child_progress, self._child_end)
        elif state == "busy":
            timer = Timer(AGAIN_SECONDS, self._look)
            timer.daemon = True
            timer.start()

    def read_overview(self) -> None:
        """Posts OverviewRead, with None where no index was published yet."""
        overview = self._engine().overview()
        self._published = overview is not None
        self._post(OverviewRead(overview))

    def report(self, action: str, done: int = 0, total: int = 0, note: str = "") -> None:
        """For the status line; from any thread. A `total` of 0 is one that is not known."""
        pace = self._pace.of(action, done, total)
        counted = f" {done:,} of {total:,}" if total else " …"
        text = action[:1].lower() + action[1:] + counted + (f", {pace}" if pace else "") + note
        self._post(IndexProgress(text, done, total, pace))

    def stop(self) -> None:
        """Ends the child process."""
        if self._child is not None:
            self._child.stop()

    def _child_progress(self, action: str, done: int, total: int) -> None:
        """In the child's listening thread."""
        self.report(action, done, total, "; answers use the last index" if self._published else "")
        if action.startswith("Embedding"):
            self._jobs.put(self.on_readable)  # text is published: questions need not wait for the vectors

    def _child_end(self, reason: str) -> None:
        """In the child's listening thread."""
        self._jobs.put(lambda: self._ended(reason))

    def _ended(self, reason: str) -> None:
        self._child = None
        if reason:
            self._post(Trouble(reason))
            self._post(IndexProgress(""))
        self.on_end(reason)
