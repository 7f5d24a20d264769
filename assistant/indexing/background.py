"""Work that goes on after the answer: one `index --quiet` of low priority that outlives the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from assistant.storage import being_written

PRIORITY = 15
"""Of 19: whatever the user does comes first."""
_PROGRAM = "import sys; sys.path.append(sys.argv.pop()); from assistant.cli.app import main; sys.exit(main())"


def start(notes: Path, index: Path, model: str) -> int | None:
    """Has the index finished by a process of its own; its id, or None where another process writes already or none can
    be started."""
    if being_written(index):
        return None
    words = ["--notes", str(notes), "--index", str(index), *(["--model", model] if model else [])]
    home = str(Path(__file__).resolve().parents[2])
    try:
        child = subprocess.Popen(
            # -P keeps the current folder off the path; the package's own folder goes last.
            [sys.executable, "-P", "-c", _PROGRAM, *words, "--quiet", "index", "--no-wait", home],
            cwd="/",  # a folder that is gone or unmounted later is no hindrance
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, child.pid, PRIORITY)
    except OSError:
        return None
    return child.pid
