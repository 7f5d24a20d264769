"""The child process that makes an index, kept from it until a test has seen what happens meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waiting import until

HELD = """
import os, signal, sys
if "assistant.indexing.index_process" in sys.orig_argv:
    os.kill(os.getpid(), signal.SIGSTOP)
"""
"""A `sitecustomize.py`: it sits in every Python process that is started, and the one that would make the index stops
before it reads a note."""


def hold(folder: Path) -> str:
    """A folder for the PYTHONPATH of what starts such a child."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HELD)
    return str(folder)


@contextmanager
def held(mark: str) -> Iterator[None]:
    """Waits for the child that is to make the index, and lets it go on in the end."""
    found: list[int] = []

    def stopped() -> bool:
        for one in left(mark):
            with suppress(OSError):
                if Path("/proc", one, "stat").read_text().rpartition(")")[2].split()[0] == "T":
                    found.append(int(one))
        return bool(found)

    until(stopped)
    try:
        yield
    finally:
        os.kill(found[0], signal.SIGCONT)


def left(mark: str) -> list[str]:
    """Processes with this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found
