"""Writes the session down as it goes on, in the engine's thread."""

from __future__ import annotations

from assistant.tui.history.session_file import SessionFile
from assistant.tui.history.turn import Turn
from assistant.tui.worker.job_queue import Post
from assistant.tui.worker.messages import SessionForgotten, Trouble


class SessionRecorder:
    """For the engine's thread alone; errors are posted as trouble."""

    def __init__(self, file: SessionFile, post: Post) -> None:
        self._file = file
        self._post = post
        self._writable = True

    def append(self, turn: Turn) -> None:
        """After the first failure nothing more is written, and nothing more is said of it."""
        try:
            if self._writable:
                self._file.append(turn)
        except OSError as error:
            self._writable = False
            self._post(Trouble(f"Session not saved: {self._file.explain(error)}"))

    def forget(self) -> None:
        """Deletes the session file, and posts SessionForgotten where that succeeds."""
        try:
            self._file.forget()
        except OSError as error:
            self._post(Trouble(f"Session file not deleted: {self._file.explain(error)}"))
        else:
            self._post(SessionForgotten())
