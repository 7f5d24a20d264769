"""A model's name to the local files that encode with it: checked, prepared once, kept in the user's cache.

What ships is put together here (`shipped`). Any other model is exported in a child process (`exporting`), by packages
that only the extra `models` brings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.models import base, files, shipped
from assistant.models import cache as model_cache
from assistant.models.encoder import ModelFiles
from assistant.system import permissions

DEFAULT_MODEL = base.NAME
DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
READER = "reader"
"""The name of the reader that ships."""
EXTRA = ("sentence-transformers", "torch", "onnx", "onnxscript", "huggingface-hub")
"""The packages of the extra `models`, which prepare every model that does not ship."""
INSTALL_EXTRA = 'pip install "notes-assistant[models]"'


def prepared(name: str, cache: Path) -> ModelFiles | None:
    """The files of a model that was prepared before and whose source has not changed since; else None."""
    folder = source(name)
    if folder is not None and name in DEFAULT_NAMES:
        return shipped.prepared(shipped.ENCODER, name, folder, cache)
    current = files.read_stamp(stamp(cache, name, folder))
    if current is None or not files.up_to_date(current, folder):
        return None
    return files.read_export(cache / "models" / current.export, name)


def prepare(name: str, cache: Path, progress: Callable[[str], None]) -> ModelFiles:
    """The model's files, prepared first where they are not there yet; raises `ModelUnusable` with the reason."""
    folder = source(name)
    if folder is not None and name in DEFAULT_NAMES:
        return shipped.prepare(shipped.ENCODER, name, folder, cache, progress)
    ready = prepared(name, cache)
    if ready is not None:
        return ready
    missing = missing_packages()
    if missing:
        raise ModelUnusable(
            f"To prepare the model {name}, packages are needed that are not installed ({', '.join(missing)}).",
            f"Run: {INSTALL_EXTRA}",
        )
    models = model_cache.make(cache)
    with model_cache.locked(models, progress) as lock:
        ready = prepared(name, cache)
        if ready is None:
            _export(name, cache, lock, progress)
            ready = prepared(name, cache)
    if ready is None:
        raise ModelUnusable(f"The model {name} changed while it was prepared.", "Try again.")
    return ready


def prepared_reader(cache: Path) -> ModelFiles | None:
    """The files of the reader where it was prepared before; else None."""
    folder = base.folder()
    return None if folder is None else shipped.prepared(shipped.READER_INT8, READER, folder, cache)


def prepare_reader(cache: Path, progress: Callable[[str], None], kind: str = shipped.READER_INT8) -> ModelFiles:
    """The files of the reader, prepared first where they are not there yet; ModelUnusable with the reason. The kind
    `shipped.READER` is exact, and takes longer."""
    folder = base.folder()
    if folder is None:
        raise ModelUnusable(f"The package of the base model {base.NAME} is not installed.", base.INSTALL)
    return shipped.prepare(kind, READER, folder, cache, progress)


def missing_packages() -> tuple[str, ...]:
    """Those of the extra `models` that are not installed."""
    return tuple(name for name in EXTRA if find_spec(name.replace("-", "_")) is None)


def source(name: str) -> Path | None:
    """The folder that holds the model, None for a name that sentence-transformers has to look up; ModelUnusable for a
    name that can be neither."""
    if name in DEFAULT_NAMES:
        folder = base.folder()
        if folder is not None:
            return folder
        if name == DEFAULT_MODEL:
            raise ModelUnusable(f"The package of the default model {name} is not installed.", base.INSTALL)
    path = Path(name).expanduser()
    if name.strip() and path.is_dir():
        return path.resolve()
    if not files.is_hub_name(name):
        raise ModelUnusable(f"There is no folder {name}.", "Name a folder with a sentence-transformers model.")
    return None


def stamp(cache: Path, name: str, source: Path | None) -> Path:
    """The file that says which export belongs to the model."""
    return cache / "models" / f"{files.slug(name)}-{files.digest(str(source or name))[:12]}.json"


def _export(name: str, cache: Path, lock: int, progress: Callable[[str], None]) -> None:
    """Runs the child and passes on what it reports; its own output goes to a log beside the stamp."""
    folder = source(name)
    log = stamp(cache, name, folder).with_suffix(".log")
    job = files.Job(
        name,
        str(folder) if folder else None,
        str(cache / "models"),
        str(stamp(cache, name, folder)),
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
