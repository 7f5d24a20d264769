"""A complete `.venv`, from whatever was there: nothing, half an installation, an older one, one that was moved here."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from environment import EXTRAS, PYTHON, ROOT, STAMP, VENV, SetUpError, constraints, content, installed, say, stamp
from pip_progress import LOG, run

OLDEST = (3, 11)
ADVICE = (
    "On Linux pip's default PyTorch brings CUDA, gigabytes more to download: to avoid that, stop (Ctrl-C), set "
    "PIP_EXTRA_INDEX_URL to the CPU index that PyTorch's own install page names, and start again."
)
USABLE = """
import os, pip, sys
sys.exit(not (sys.version_info >= (3, 11) and os.path.samefile(sys.prefix, sys.argv[1])))
"""
# Prints the names of distributions that an interrupted pip left half written; it trusts any that has its metadata.
HALF_WRITTEN = """
import os
from importlib.metadata import distributions
for found in distributions():
    inside = [file for file in found.files or () if file.size is not None and file.parts[0] != ".."]
    whole = all(os.path.isfile(path) and os.path.getsize(path) == file.size
                for file in inside for path in [os.fspath(file.locate())])
    if found.metadata["Name"] and not (inside and whole):
        print(found.metadata["Name"])
"""


def set_up(wanted: str) -> None:
    """Installs a set of packages and writes the stamp last; one process at a time, others wait and find it done."""
    with lock() as held:
        if installed(wanted):
            return
        extras = "test" if wanted == "test" or content(STAMP).startswith(b"test\n") else "run"
        if os.path.exists(STAMP):
            os.remove(STAMP)
        open(LOG, "wb").close()
        fresh = not usable()
        if fresh:
            require_venv()
        announce(extras, fresh)
        if fresh:
            run("making the environment", [sys.executable, "-m", "venv", "--clear", VENV], held)
        else:
            repair()
        install(extras, () if fresh else half_written(), held)
        write_stamp(extras)


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


def announce(extras: str, fresh: bool) -> None:
    """Says what is about to happen and what it may cost, before anything does."""
    if not fresh:
        say(f"bringing {VENV} up to date with pyproject.toml and constraints.txt; only what changed is downloaded.")
        return
    checks = ", with the packages that the checks need" if extras == "test" else ""
    say(f"first start: making {VENV}{checks}. This downloads about 500 MB, takes minutes and 1.7 GB of disk, once.")
    if sys.platform == "linux" and not os.environ.get("PIP_EXTRA_INDEX_URL"):
        say(ADVICE)


def usable() -> bool:
    """Whether `.venv` has a Python that starts, is new enough, knows that it lives here and has pip."""
    try:
        return subprocess.run([PYTHON, "-I", "-c", USABLE, VENV], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def require_venv() -> None:
    """SetUpError where the Python that runs this cannot make an environment that will do."""
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:2]))
        raise SetUpError(f"Python 3.11 or newer is needed, this is {have}. Run it with one: python3.12 {sys.argv[0]} …")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetUpError("this Python cannot make environments. Install its venv package (Debian: python3-venv).")


def repair() -> None:
    """Points the commands of an environment that was moved or copied here to its Python."""
    folder = os.path.join(VENV, "bin")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not os.path.islink(path) and os.path.isfile(path):
            before = content(path)
            after = readdressed(before)
            if after != before:
                with open(path, "wb") as file:
                    file.write(after)


def readdressed(command: bytes) -> bytes:
    """A command of the environment with this environment's path; anything else as it is."""
    python = os.fsencode(PYTHON)
    # The two headers that pip writes: the second where the first would be too long or has blanks.
    short, long = (
        rb"#![^\n]*/\.venv/bin/python[0-9.]*\n",
        rb"#!/bin/sh\n'''exec' [^\n]*/\.venv/bin/python[^\n]*\n' '''\n",
    )
    plain = b"#!" + python + b"\n"
    if b" " in python or len(plain) > 127:
        plain = b"#!/bin/sh\n'''exec' \"" + python + b'" "$0" "$@"\n\' \'\'\'\n'
    if command.startswith(b"# This file must be used with"):  # the activate scripts
        return re.sub(rb"/[^\n\"']*/\.venv(?=[\"'\n])", lambda _: os.fsencode(VENV), command)
    return re.sub(rb"\A(?:%b|%b)" % (short, long), lambda _: plain, command)


def half_written() -> tuple[str, ...]:
    """The distributions to install anew, whatever pip believes."""
    found = subprocess.run([PYTHON, "-I", "-c", HALF_WRITTEN], capture_output=True, check=False, text=True)
    return tuple(found.stdout.split())


def install(extras: str, again: tuple[str, ...], held: int) -> None:
    """The packages, by pip as the user configured it; the build backend is one, so that repairs need no network."""
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)
    pip = [PYTHON, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-user", "-c", constraints()]
    again = tuple(name for name in again if name != project["project"]["name"])
    if again:
        run("completing what was interrupted", [*pip, "--ignore-installed", "--no-deps", *again], held)
    backend = project["build-system"]["requires"]
    if backend:
        run("getting the build backend", [*pip, *backend], held)
    run("installing the packages", [*pip, "--no-build-isolation", "-e", EXTRAS[extras]], held)
    # pip compiles what it copies, not what it links to: without this, each start does where Python may not write.
    compiling = [PYTHON, "-I", "-m", "compileall", "-q", os.path.join(ROOT, "assistant")]
    subprocess.run(compiling, capture_output=True, check=False)


def write_stamp(extras: str) -> None:
    with open(STAMP + ".new", "wb") as file:
        file.write(stamp(extras))
    os.replace(STAMP + ".new", STAMP)
