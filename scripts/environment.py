"""The checkout's own Python in `.venv`: made, completed or repaired only where its stamp says that it must be.

The first half is all that an ordinary start runs, so it imports nothing that Python has not loaded already.
"""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed")
EXTRAS = {"run": ".", "test": ".[test]"}
CANNOT, INTERRUPTED = 3, 130


class SetUpError(Exception):
    """The environment cannot be made; the text ends with what to do."""


def ready(wanted: str) -> str:
    """The path of a Python that has the packages of a set ("run" or "test"); leaves the process where it cannot."""
    try:
        if not installed(wanted):
            from setting_up import set_up

            set_up(wanted)
    except KeyboardInterrupt:
        leave("Interrupted. The same command goes on from here.", INTERRUPTED)
    except SetUpError as error:
        leave(str(error), CANNOT)
    except OSError as error:
        leave(f"{error.filename or ROOT}: {error.strerror}. Put that right and run the command again.", CANNOT)
    return PYTHON


def installed(wanted: str) -> bool:
    """Whether the stamp stands for this checkout, these requirements and this Python, with at least the wanted set."""
    if not os.access(PYTHON, os.X_OK):
        return False
    found = content(STAMP)
    return bool(found) and (found == stamp("test") or (wanted == "run" and found == stamp("run")))


def stamp(extras: str) -> bytes:
    """What a complete installation was made from, word for word: comparing is cheaper than loading a digest."""
    parts = [os.fsencode(part) for part in (extras, ROOT, os.path.realpath(PYTHON))]
    return b"\n".join([*parts, content(os.path.join(ROOT, "pyproject.toml")), content(constraints())])


def constraints() -> str:
    return os.path.join(ROOT, "constraints.txt")


def content(path: str) -> bytes:
    """The bytes of a file, none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def say(text: str) -> None:
    """One line on stderr: stdout belongs to the program."""
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr, flush=True)


def leave(text: str, code: int) -> None:
    say(text)
    sys.exit(code)
