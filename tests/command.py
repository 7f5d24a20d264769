"""`python -m assistant` as a process: how the tests start the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = (sys.executable, "-P", "-m", "assistant")
SECONDS = 300
"""After which a command that does not end fails its test."""

Ran = subprocess.CompletedProcess[str]


def run(
    words: Sequence[str | bytes],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    stdin: str | bytes = "",
    umask: int = -1,
) -> Ran:
    """Runs a whole command line to its end in that folder; what it printed has to be UTF-8."""
    done = subprocess.run(
        words,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=SECONDS,
        umask=umask,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class Command:
    """The command on the notes and the index of one folder, which is its current folder too."""

    folder: Path
    environment: Mapping[str, str]
    prefix: Sequence[str] = field(default=())
    """Words that start the program in a surrounding of its own, such as `unshare --net`."""

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    @property
    def index(self) -> Path:
        return self.folder / "index"

    def words(self, *words: str) -> list[str]:
        """The whole command line."""
        places = ("--notes", str(self.notes), "--index", str(self.index))
        return [*self.prefix, *PROGRAM, *places, *words]

    def run(self, *words: str, stdin: str | bytes = "", **environment: str) -> Ran:
        """Runs it to its end; keywords are variables of its environment."""
        return run(self.words(*words), {**self.environment, **environment}, folder=self.folder, stdin=stdin)
