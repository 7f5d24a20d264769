"""Runs one step of the set-up: its output goes to a log; what it is doing, how far and how long, goes to stderr."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from typing import IO

from environment import ROOT, SetUpError, constraints, content, say

LOG = os.path.join(ROOT, ".venv.log")
QUIET_SECONDS = 15.0  # between two lines where stderr is not a terminal


def run(step: str, command: list[str], held: int) -> None:
    """Runs a command to its end; SetUpError with its last words where it fails."""
    began = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(held,),
    )
    assert process.stdout is not None
    say(f"{step} …")
    try:
        text = follow(process.stdout, step, began)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        clear()
        raise
    clear()
    if code:
        raise SetUpError(failure(step, text))
    say(f"{step}: done in {time.monotonic() - began:.0f} s.")


def follow(output: IO[bytes], step: str, began: float) -> str:
    """All that a process writes, while it goes to the log and the status is kept current."""
    text, shown = b"", began
    with open(LOG, "ab", buffering=0) as log:
        while True:
            if select.select([output], [], [], 0.5)[0]:
                read = os.read(output.fileno(), 65536)
                if not read:
                    return text.decode(errors="replace")
                log.write(read)
                text += read
            now = time.monotonic()
            if sys.stderr.isatty() or now - shown >= QUIET_SECONDS:
                show(f"{step}: {status(text.decode(errors='replace'))}{now - began:.0f} s")
                shown = now


def show(status: str) -> None:
    """The status in place of the last one on a terminal, elsewhere as a line."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print("\r\x1b[K" + status[:width], end="", file=sys.stderr, flush=True)
    else:
        say(status)


def clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def status(text: str) -> str:
    """What pip is at and how far, from its own lines; empty for other programs."""
    known = len(set(re.findall(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)", text, re.M)))
    total = sum(1 for line in content(constraints()).splitlines() if b"==" in line)
    downloads = re.findall(r"^ *Downloading ([\w.%+-]+?)(?:-py[\w.-]+|-cp[\w.-]+)? \(([\d.]+ [kMG]?B)\)", text, re.M)
    if "\nInstalling collected packages" in text:
        return f"writing {known} packages, "
    doing = f"downloading {downloads[-1][0]} ({downloads[-1][1]}), " if downloads else ""
    return f"{doing}{known} of at most {max(known, total)} packages seen, " if known else ""


def failure(step: str, text: str) -> str:
    """The sentence for a step that failed: what it said last, where the rest is, what to do."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"ERROR:|[\w.]*Error: ", line)] or lines
    said = "".join(character if character.isprintable() else "?" for character in " ".join(errors[-3:]))
    return f"{step} failed: {said}\nAll of its output is in {LOG}. Put right what it names and run the command again."
