"""A child process that updates the index at low priority, so that the program that starts it has its interpreter for
itself.

It is started as a module and speaks JSON lines on stdout; it ends when its stdin does, so that it never outlives that
program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Self

from assistant.system.collection import Collection, is_address

if TYPE_CHECKING:
    from assistant.system.settings import Settings

FEW = 64
"""New vectors that are computed in the process itself; more are left to a child."""
AGAIN_SECONDS = 30.0
"""Between two looks at notes that cannot be watched, or that another process reads."""
FOLLOW_SECONDS = 5.0
"""Between two looks whether somebody else has committed a newer generation."""
_NICE = 10


@dataclass(frozen=True, slots=True)
class IndexPaths:
    """What a build has to know; paths as text, since they travel as JSON."""

    notes: str
    index: str = field(repr=False)
    """A folder, or the address of a database, which may hold a password."""
    cache: str
    model: str
    """Name of the model; "" for the default."""
    fallback_index: str | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The paths that these settings name; NoNotes where they name no folder of notes."""
        return cls(
            notes=str(settings.notes),
            index=settings.index.address if isinstance(settings.index, Collection) else str(settings.index),
            cache=str(settings.cache),
            model=settings.model,
            fallback_index=str(settings.fallback_index) if settings.fallback_index is not None else None,
        )


class IndexProcess:
    """A build in a child process; the callbacks are called in a thread that listens to it."""

    def __init__(
        self, paths: IndexPaths, on_progress: Callable[[str, int, int], None], on_end: Callable[[str], None]
    ) -> None:
        """`on_progress` gets the step, how much of it is done and of how much; `on_end` why it failed, "" where it did
        not, and is not called after `stop`."""
        self._on_progress = on_progress
        self._on_end = on_end
        self._stopped = False
        package = Path(__file__).resolve().parents[2]
        words = [sys.executable, "-P", "-m", "assistant.indexing.index_process"]
        path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH", "")])])
        self._child = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        assert self._child.stdin is not None
        with suppress(OSError):
            self._child.stdin.write(json.dumps(asdict(paths)).encode() + b"\n")
            self._child.stdin.flush()
        Thread(target=self._listen, name="index", daemon=True).start()

    def stop(self) -> None:
        """Ends the child; what it embedded is kept, the next build goes on from there."""
        self._stopped = True
        with suppress(OSError):
            self._child.terminate()

    def _listen(self) -> None:
        reason = "Indexing stopped unexpectedly. Run `assistant index` to see why."
        assert self._child.stdout is not None
        for line in self._child.stdout:
            with suppress(ValueError, KeyError, TypeError):
                message = json.loads(line)
                if "reason" in message:
                    reason = str(message["reason"])
                else:
                    self._on_progress(str(message["action"]), int(message["done"]), int(message["total"]))
        self._child.wait()
        if not self._stopped:
            self._on_end(reason)


def main() -> None:
    """The child's side."""
    with suppress(OSError):
        os.nice(_NICE)
    paths = IndexPaths(**json.loads(sys.stdin.buffer.readline()))
    Thread(target=_end_with_stdin, daemon=True).start()
    from assistant.errors import AssistantError
    from assistant.indexing.index_manager import IndexManager
    from assistant.models.lazy import LazyEncoder

    def progress(what: str, done: int = 0, of: int = 0) -> None:
        _send(action=what, done=done, total=of)

    encoder = LazyEncoder(paths.model, Path(paths.cache), progress)
    fallback = Path(paths.fallback_index) if paths.fallback_index is not None else None
    index = Collection.parse(paths.index) if is_address(paths.index) else Path(paths.index)
    manager = IndexManager(Path(paths.notes), index, fallback, lambda: encoder, progress)
    try:
        manager.update(full=False)
        reason = ""
    except AssistantError as error:
        reason = str(error)
    _send(reason=reason)
    manager.close()


def _send(**message: str | int) -> None:
    with suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
