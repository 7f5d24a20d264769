"""The files of a prepared model, and the stamp that says which parts they were made of."""

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

Stats = dict[str, tuple[int, int]]
"""Size in bytes and mtime_ns by a file's name."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which parts, in which state, became which prepared model."""

    sources: Stats
    export: str
    """The prepared model's folder, beside the stamp."""
    exports: Stats


def slug(name: str) -> str:
    """A file name for a model's name, not unique."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", Path(name).name).strip("-.")[:40] or "model"


def digest(text: str) -> str:
    """SHA-256, hex; the text may have the lone surrogates that stand for undecodable bytes of a path."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def export_stats(folder: Path) -> Stats:
    """Of the four files of a prepared model; OSError where one is missing."""
    return {name: stat(folder / name) for name in (GRAPH, WEIGHTS, TOKENIZER, MANIFEST)}


def export_intact(export: Path) -> bool:
    """Whether the files of a prepared model are, by size and time, those of some stamp beside it."""
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
    """None where there is none, it is of another format, or the prepared model is not as it was written."""
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
    """Writes the manifest into the prepared model's folder."""
    data = {key: value for key, value in asdict(files).items() if key not in ("folder", "name")}
    (files.folder / MANIFEST).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read_export(folder: Path, name: str) -> ModelFiles | None:
    """None where the folder holds no complete prepared model."""
    try:
        return ModelFiles(name=name, folder=folder, **json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def stat(path: Path) -> tuple[int, int]:
    """Size in bytes and mtime_ns; OSError."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
