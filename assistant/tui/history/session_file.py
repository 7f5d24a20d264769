"""The session file: the answered turns about one folder of notes, a JSON line each, in the user's state folder."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.system import permissions
from assistant.tui.history.turn import Turn
from assistant.tui.history.turn_json import DamagedTurn, decode, encode

KEPT = 50
"""Turns that come back at a start."""
_TAIL = 4_000_000
"""Bytes of the end of the file that are read for them."""


@dataclass(frozen=True, slots=True)
class EarlierSession:
    """The turns that were read back."""

    turns: tuple[Turn, ...] = ()
    """Oldest first, numbered from -1 downwards from the newest."""
    damaged: int = 0
    """Lines that could not be read."""
    trouble: str = ""
    """Why the file could not be read, with the next step."""


class SessionFile:
    """With no path nothing is read or written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> EarlierSession:
        """The last KEPT turns; never fails."""
        if self._path is None:
            return EarlierSession()
        try:
            lines = list(self._lines())[-KEPT:]
        except FileNotFoundError:
            return EarlierSession()
        except OSError as error:
            return EarlierSession(trouble=f"The earlier session was not read: {self.explain(error)}")
        turns: list[Turn] = []
        damaged = 0
        for at, line in enumerate(lines):
            try:
                turns.append(decode(line, at - len(lines)))
            except DamagedTurn:
                damaged += 1
        return EarlierSession(tuple(turns), damaged)

    def append(self, turn: Turn) -> None:
        """OSError where the file takes no more."""
        if self._path is not None:
            permissions.folder(self._path.parent)
            with open(self._path, "a", encoding="ascii", opener=permissions.opener) as stream:
                stream.write(encode(turn) + "\n")

    def forget(self) -> None:
        """OSError where it cannot be removed."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def explain(self, error: OSError) -> str:
        """Why the file cannot be used, and the next step."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        step = "Free some space there" if full else "Make it readable and writable for you"
        return f"{self._path}: {error.strerror}. {step}, or start the chat with --no-history."

    def _lines(self) -> Iterator[str]:
        assert self._path is not None
        with self._path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(size - _TAIL, 0))
            if size > _TAIL:
                stream.readline()
            for line in stream:
                if line.strip():
                    yield line.decode("utf-8", "replace")
