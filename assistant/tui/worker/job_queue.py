"""Jobs, one after the other, in a thread of their own: a daemon, so that quitting never waits for it."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from threading import Event, Thread

from textual.message import Message

from assistant.errors import AssistantError
from assistant.tui.worker.messages import Trouble

Job = Callable[[], object]
Post = Callable[[Message], object]
"""Hands a message to the app, from any thread."""
_log = logging.getLogger("assistant.chat")


class JobQueue:
    """A job that fails is reported as trouble and ends nothing."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.closed = Event()

    def start(self, first: Job) -> None:
        """`first` comes before what is in the queue already."""
        Thread(target=self._run, args=(first,), name="engine", daemon=True).start()

    def put(self, job: Job) -> None:
        """To be run after those in the queue; from any thread."""
        self._jobs.put(job)

    def close(self) -> None:
        """No further job is begun; the thread itself ends with the program."""
        self.closed.set()

    def _run(self, first: Job) -> None:
        self._guard(first)
        while not self.closed.is_set():
            self._guard(self._jobs.get())

    def _guard(self, job: Job) -> None:
        try:
            job()
        except AssistantError as error:
            self._post(Trouble(str(error)))
        except Exception as error:  # noqa: BLE001 - the chat goes on; the log file has the traceback
            _log.exception("a job of the chat failed")
            self._post(Trouble(f"Internal error ({type(error).__name__}). See the log."))
