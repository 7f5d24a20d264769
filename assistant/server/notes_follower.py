"""Keeps the index as new as the notes: few new vectors in a thread of its own, more in a child process. An index that
somebody else writes is looked at for newer generations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread

from assistant.engine import Engine
from assistant.errors import AssistantError
from assistant.indexing.index_process import AGAIN_SECONDS, FEW, FOLLOW_SECONDS, IndexPaths, IndexProcess
from assistant.system.collection import is_address

_log = logging.getLogger("assistant.server")


@dataclass(frozen=True, slots=True)
class IndexStep:
    """What is being done to the index."""

    action: str
    """Such as "Embedding passages"."""
    done: int
    total: int
    """0 where it is not known."""


class NotesFollower:
    """Watches the notes and updates the index, or follows it; its methods may be called in any thread."""

    def __init__(
        self, engine: Engine, paths: IndexPaths | None, on_update: Callable[[], None], *, follows_index: bool = False
    ) -> None:
        """`engine` is for the follower's thread alone; without `paths` it does all by itself. `on_update`
        is called in that thread after each look, and when a child has published something. `follows_index`: nothing is
        updated, and a look opens the newest generation."""
        self._engine = engine
        self._paths = paths
        self._on_update = on_update
        self._follows_index = follows_index
        self._seen = 0
        """What `Engine.newest` gave at the last look at an index that is followed."""
        self._changed = Condition()
        self._child: IndexProcess | None = None
        self._step: IndexStep | None = None
        self._trouble = ""
        self._wake = Event()
        self._stop = Event()

    @property
    def builds(self) -> bool:
        """Whether a child process is updating the index."""
        return self._child is not None

    @property
    def step(self) -> IndexStep | None:
        """What the child does now; None where there is none."""
        return self._step

    @property
    def trouble(self) -> str:
        """Why the last update failed; "" where it did not."""
        return self._trouble

    def start(self) -> None:
        """Begins to watch; the first look comes at once."""
        Thread(target=self._watch, name="watch", daemon=True).start()
        Thread(target=self._run, name="follow", daemon=True).start()

    def stop(self) -> None:
        """Ends the watching and the child."""
        self._stop.set()
        self._wake.set()
        with self._changed:
            if self._child is not None:
                self._child.stop()
                self._child = self._step = None
            self._changed.notify_all()

    def build(self) -> None:
        """Leaves the update to a child process, unless there is one."""
        with self._changed:
            if self._child is None and self._paths is not None and not self._stop.is_set():
                self._step = IndexStep("Reading the notes", 0, 0)
                self._child = IndexProcess(self._paths, self._on_progress, self._on_end)

    def wait(self, seconds: float) -> None:
        """Until the child has something new, at most so long."""
        with self._changed:
            self._changed.wait(seconds)

    def _on_progress(self, action: str, done: int, total: int) -> None:
        """In the child's listening thread."""
        with self._changed:
            self._step = IndexStep(action, done, total)
            self._changed.notify_all()

    def _on_end(self, reason: str) -> None:
        """In the child's listening thread."""
        with self._changed:
            self._child = self._step = None
            self._trouble = reason
            self._changed.notify_all()
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            again = self._look()
            self._wake.wait(AGAIN_SECONDS if again else None)

    def _look(self) -> bool:
        """Updates the index; whether to look again by oneself, since another process is at it."""
        again = False
        try:
            newest = self._engine.newest() if self._follows_index else 0
            if newest and newest == self._seen:
                return False
            if not self.builds:
                state = self._engine.catch_up(FEW)
                again = state == "busy"
                if state == "more" and self._paths is None:
                    self._engine.update()
                elif state == "more":
                    self.build()
                elif state == "done":
                    self._trouble = ""
            self._on_update()
            self._seen = newest
        except AssistantError as error:
            self._trouble = str(error)
        except Exception:  # noqa: BLE001 - the next look may do better, and answers go on meanwhile
            _log.exception("the index could not be updated")
            self._trouble = "The index could not be updated. See the log."
        return again

    def _watch(self) -> None:
        if self._follows_index:
            self._wake_every(FOLLOW_SECONDS)
            return
        from assistant.indexing import watcher

        with suppress(OSError, RuntimeError):  # the system cannot tell of changes in this folder
            paths = self._paths
            places = (paths.index, paths.fallback_index) if paths is not None else ()
            own = [Path(one) for one in places if one and not is_address(one)]
            for _ in watcher.batches(self._engine.notes, own, self._stop):
                self._wake.set()
        self._wake_every(AGAIN_SECONDS)

    def _wake_every(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self._wake.set()
