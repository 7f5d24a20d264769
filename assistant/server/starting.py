"""A service whose models load in a thread while its client is greeted."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread

from assistant.engine import Cancelled
from assistant.server.service import Service

_STEP_SECONDS = 0.1
"""Between two looks whether a call that waits is still wanted."""


class Starting:
    """Starts the service once, or again after it has failed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._lock = Lock()
        self._done: Event | None = None
        self._error: Exception | None = None

    def begin(self) -> Event:
        """Starts the service in a thread, unless it has been or is being started; what is set at the end of that."""
        with self._lock:
            if self._done is None or (self._done.is_set() and self._error is not None):
                self._done, self._error = Event(), None
                Thread(target=self._start, args=(self._done,), name="start", daemon=True).start()
            return self._done

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Until the service has started; raises why it cannot, and Cancelled."""
        done = self.begin()
        while not done.wait(_STEP_SECONDS):
            if stopped():
                raise Cancelled
        if self._error is not None:
            raise self._error

    def _start(self, done: Event) -> None:
        try:
            self.service.start()
        except Exception as error:  # noqa: BLE001 - it is raised by whoever waits
            self._error = error
        done.set()
