"""The checkout's own Python in `.venv`, and its stamp, which says whether it has to be made or brought up to date.

An ordinary start runs nothing else, so this imports nothing that Python has not loaded already.
"""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed")
EXTRAS = {"run": ".", "test": ".[test,models,team]"}
"""Set of packages → what pip installs for it."""
CANNOT, INTERRUPTED = 3, 130


class SetUpError(Exception):
    """The environment cannot be made; the text ends with what to do."""


def installed(wanted: str) -> bool:
    """Whether `.venv` is complete: made for this checkout and by these requirements, with at least the wanted set."""
    written = content(STAMP)
    return os.access(PYTHON, os.X_OK) and (written == stamp("test") or (wanted == "run" and written == stamp("run")))


def fits() -> bool:
    """Whether `.venv` was completed for this checkout and its Python is there, whatever the requirements were."""
    return os.access(PYTHON, os.X_OK) and content(STAMP).startswith(tuple(map(place, EXTRAS)))


def stamp(extras: str) -> bytes:
    """What a complete installation was made from, word for word: comparing is cheaper than loading a digest."""
    return place(extras) + content(os.path.join(ROOT, "pyproject.toml")) + b"\n" + content(constraints())


def place(extras: str) -> bytes:
    """How a stamp of this checkout begins: the set of packages, where the checkout lies, which Python is behind it."""
    return b"".join(os.fsencode(part) + b"\n" for part in (extras, ROOT, os.path.realpath(PYTHON)))


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
