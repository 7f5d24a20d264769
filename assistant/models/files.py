"""The files of a model, where it comes from and in the cache, and the stamp that says they belong together."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.models.encoder import ModelFiles
from assistant.models.sessions import GRAPH, TOKENIZER, WEIGHTS
from assistant.system import permissions

FORMAT = 1
"""Raised whenever the same model files would give other vectors, or the cache is laid out anew."""
MANIFEST = "manifest.json"

_SOURCE_SUFFIXES = (".safetensors", ".json", ".txt", ".model")
_IGNORED = ("data_config.json", "training_info.json")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)

Stats = dict[str, tuple[int, int]]
"""Size in bytes and mtime_ns by path relative to a folder."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which source, in which state, became which export."""

    source: str
    sources: Stats
    export: str
    exports: Stats
    hub: bool
    """The source was looked up by name; it may be gone from the hub's cache without harm."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job for the child process; paths as text, since it is passed as JSON."""

    name: str
    source: str | None
    """None: look the name up as sentence-transformers does."""
    models: str
    stamp: str


def slug(name: str) -> str:
    """A file name for a model's name, not unique."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", Path(name).name).strip("-.")[:40] or "model"


def digest(text: str) -> str:
    """SHA-256, hex; the text may have the lone surrogates that stand for undecodable bytes of a path."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def is_hub_name(name: str) -> bool:
    """Whether the name can be `model` or `owner/model`; paths cannot."""
    return _HUB_NAME.fullmatch(name) is not None and ".." not in name


def sources(folder: Path) -> list[Path]:
    """The files that decide what a model's vectors are, sorted; its own folder and its modules' folders only."""
    folders = [folder, *(folder / part for part in _modules(folder))]
    paths = {path for each in folders if each.is_dir() for path in each.iterdir() if path.suffix in _SOURCE_SUFFIXES}
    return sorted(path for path in paths if path.name not in _IGNORED and path.is_file())


def stats(folder: Path, paths: list[Path]) -> Stats:
    """Raises OSError for a file that is gone."""
    return {path.relative_to(folder).as_posix(): stat(path) for path in paths}


def hashes(folder: Path, paths: list[Path]) -> dict[str, str]:
    """SHA-256, hex, by path relative to the folder."""
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def up_to_date(stamp: Stamp, source: Path | None) -> bool:
    """Whether the source's files are as they were; a hub model's may also be gone."""
    folder = Path(stamp.source)
    if source is not None and folder != source:
        return False
    if stamp.hub and not folder.is_dir():
        return True
    try:
        return stats(folder, sources(folder)) == stamp.sources
    except OSError:
        return False


def export_stats(folder: Path) -> Stats:
    """Of the four files of an export; OSError where one is missing."""
    return stats(folder, [folder / name for name in (GRAPH, WEIGHTS, TOKENIZER, MANIFEST)])


def export_intact(export: Path) -> bool:
    """Whether the files of an export are, by size and time, those of some stamp beside it."""
    try:
        now = export_stats(export)
    except OSError:
        return False
    return any((stamp := read_stamp(path)) and stamp.exports == now for path in export.parent.glob("*.json"))


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Replaces the file in one step, so that no reader sees half of it; raises OSError."""
    temporary = path.with_suffix(".partial")
    permissions.write(temporary, json.dumps({"format": FORMAT, **asdict(stamp)}))
    temporary.replace(path)


def read_stamp(path: Path) -> Stamp | None:
    """None where there is none, it is of another format, or the export is not as it was written."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            return None
        data["sources"] = {name: (size, mtime) for name, (size, mtime) in data["sources"].items()}
        data["exports"] = {name: (size, mtime) for name, (size, mtime) in data["exports"].items()}
        stamp = Stamp(**data)
        return stamp if export_stats(path.parent / stamp.export) == stamp.exports else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_export(files: ModelFiles) -> None:
    """Writes the manifest into the export's folder."""
    data = {key: value for key, value in asdict(files).items() if key not in ("folder", "name")}
    (files.folder / MANIFEST).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read_export(folder: Path, name: str) -> ModelFiles | None:
    """None where the folder holds no complete export."""
    try:
        return ModelFiles(name=name, folder=folder, **json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _modules(folder: Path) -> list[str]:
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        return [module["path"] for module in modules if module["path"] and ".." not in module["path"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def stat(path: Path) -> tuple[int, int]:
    """Size in bytes and mtime_ns; OSError."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
