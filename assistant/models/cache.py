"""The folder of prepared models in the user's cache: made, locked, and filled so that nothing half-made is seen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import mkdtemp

from assistant.errors import ModelUnusable
from assistant.system import permissions

_PARTIAL = ".partial-"
_CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Prepared models of notes-assistant; safe to delete.\n"


def make(cache: Path) -> Path:
    """The folder in which prepared models lie; ModelUnusable where it cannot be made."""
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
def locked(models: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of the cache."""
    descriptor = os.open(models / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another process to prepare a model")
            flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def forget_partial(models: Path) -> None:
    """Removes what interrupted preparations left; the lock is held, so nobody works there."""
    for left in models.glob(f"{_PARTIAL}*"):
        shutil.rmtree(left, ignore_errors=True)


def partial(models: Path) -> Path:
    """A new folder to prepare a model in, which nobody else may enter; OSError."""
    return Path(mkdtemp(prefix=_PARTIAL, dir=models))


def publish(folder: Path, target: Path) -> None:
    """Puts a complete folder in its place, written through to the disk and for its owner alone; OSError."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            permissions.tighten(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)


def failure(name: str, models: Path, error: OSError) -> ModelUnusable:
    """What to raise where the folder takes no more files."""
    where = f" in {error.filename}" if error.filename else ""
    return ModelUnusable(
        f"The model {name} cannot be prepared ({error.strerror or error}{where}).",
        f"Free some space or fix the permissions of {models}, then try again.",
    )
