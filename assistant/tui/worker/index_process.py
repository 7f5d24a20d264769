"""A child process that brings the index up to date at low priority, so that typing has the interpreter for itself.

It is started as a module and speaks JSON lines on stdout; it ends when its stdin does, so that none outlives the chat.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread

_NICE = 10


@dataclass(frozen=True, slots=True)
class Places:
    """What a build has to know; paths as text, since they travel as JSON."""

    notes: str
    index: str
    cache: str
    model: str
    fallback_index: str | None


class Rebuilding:
    """A build in a child process; `said` and `ended` are called in a thread of its own."""

    def __init__(self, places: Places, said: Callable[[str, int, int], None], ended: Callable[[str], None]) -> None:
        """`said` is told what is done and how far it is, `ended` why it failed ("" where it did not)."""
        self._said = said
        self._ended = ended
        self._stopped = False
        package = Path(__file__).resolve().parents[3]
        words = [sys.executable, "-P", "-m", "assistant.tui.worker.index_process"]
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
            self._child.stdin.write(json.dumps(asdict(places)).encode() + b"\n")
            self._child.stdin.flush()
        Thread(target=self._listen, name="rebuilding", daemon=True).start()

    def stop(self) -> None:
        """Ends the child; what it embedded is kept, the next build goes on from there."""
        self._stopped = True
        with suppress(OSError):
            self._child.terminate()

    def _listen(self) -> None:
        why = "The process that reads the notes ended early. Look again with f5."
        assert self._child.stdout is not None
        for line in self._child.stdout:
            with suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                if "done" in told:
                    why = str(told["done"])
                else:
                    self._said(str(told["what"]), int(told["at"]), int(told["of"]))
        self._child.wait()
        if not self._stopped:
            self._ended(why)


def main() -> None:
    """The child's side."""
    with suppress(OSError):
        os.nice(_NICE)
    places = Places(**json.loads(sys.stdin.buffer.readline()))
    Thread(target=_end_with_stdin, daemon=True).start()
    from assistant.engine import Engine
    from assistant.errors import AssistantError

    assistant = Engine(
        Path(places.notes),
        Path(places.index),
        Path(places.cache),
        model=places.model,
        fallback_index=Path(places.fallback_index) if places.fallback_index is not None else None,
        progress=lambda what, done=0, of=0: _tell(what=what, at=done, of=of),
    )
    try:
        assistant.update()
        why = ""
    except AssistantError as error:
        why = str(error)
    _tell(done=why)
    assistant.close()


def _tell(**told: str | int) -> None:
    with suppress(OSError):
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
