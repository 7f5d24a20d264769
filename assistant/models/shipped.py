"""The two models that ship: the encoder, which finds, and the reader, which reads a question and a passage together.

Each is a graph without weights and its map (`assistant/data/models`), the weights of the published base, and the
adapter that training made. The first use puts them together into a prepared model in the cache.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelUnusable
from assistant.models import base, cache, files
from assistant.models.encoder import ModelFiles
from assistant.models.sessions import GRAPH, TOKENIZER, optimise

if TYPE_CHECKING:
    from assistant.models.assembling import Layout

DATA = Path(__file__).resolve().parents[1] / "data" / "models"
ENCODER, READER, READER_INT8 = "encoder", "reader", "reader-int8"
"""Kinds of models: the last is the reader with most matrices of 8 bits, in 0.6 of the time."""
_ADAPTERS = {
    ENCODER: "encoder.safetensors",
    READER: "reader.safetensors",
    READER_INT8: "reader.safetensors",
}
_RESTORE = "pip install --force-reinstall --no-deps notes-assistant"


def adapter(kind: str) -> Path | None:
    """The file of the adapter, None where there is none: the encoder then is the base, and the reader cannot be."""
    path = DATA / _ADAPTERS[kind]
    return path if path.is_file() else None


def prepared(kind: str, name: str, source: Path, folder: Path) -> ModelFiles | None:
    """The model where it was prepared before and none of its parts has changed since; `source` holds the base, `folder`
    is the user's cache."""
    stamp = files.read_stamp(_stamp(kind, name, source, folder))
    try:
        if stamp is None or stamp.sources != _stats(kind, source):
            return None
    except OSError:
        return None  # a part is missing, which `prepare` names
    return files.read_export(folder / "models" / stamp.export, name)


def prepare(kind: str, name: str, source: Path, folder: Path, progress: Callable[[str], None]) -> ModelFiles:
    """The model, put together first where it is not there yet; ModelUnusable with the reason."""
    ready = prepared(kind, name, source, folder)
    if ready is not None:
        return ready
    models = cache.make(folder)
    with cache.locked(models, progress):
        ready = prepared(kind, name, source, folder)
        if ready is not None:
            return ready
        try:
            return _prepare(kind, name, source, folder, progress)
        except OSError as error:
            raise cache.failure(name, models, error) from error


def _prepare(kind: str, name: str, source: Path, folder: Path, progress: Callable[[str], None]) -> ModelFiles:
    """Puts a complete model and its stamp into the cache; the lock is held. OSError, ModelUnusable."""
    progress("Preparing the model (done once, takes a few seconds)")
    models = folder / "models"
    cache.forget_partial(models)
    stats, contents = _read(kind, name, source)
    hashes = {part: hashlib.sha256(data).hexdigest() for part, data in contents.items()}
    if hashes[base.WEIGHTS] != base.SHA256:
        raise ModelUnusable(
            f"The weights of {base.NAME} in {source} are corrupt (their SHA-256 is not that of the original).",
            base.REINSTALL,
        )
    identity = files.digest(json.dumps([files.FORMAT, hashes], sort_keys=True))
    target = models / f"{files.slug(name)}-{identity[:12]}"
    if files.read_export(target, name) is None or not files.export_intact(target):
        partial = cache.partial(models)
        _assemble(kind, name, identity, contents, partial)
        cache.publish(partial, target)
    stamp = files.Stamp(stats, target.name, files.export_stats(target))
    files.write_stamp(_stamp(kind, name, source, folder), stamp)
    made = files.read_export(target, name)
    if made is None:
        raise ModelUnusable(f"The model {name} changed while it was prepared.", "Try again.")
    return made


def _read(kind: str, name: str, source: Path) -> tuple[files.Stats, dict[str, bytes]]:
    """Size and time of each part as they were before its content was read; ModelUnusable."""
    try:
        return _stats(kind, source), {part: path.read_bytes() for part, path in _parts(kind, source).items()}
    except OSError as error:
        remedy = base.REINSTALL if source in Path(str(error.filename)).parents else f"Run: {_RESTORE}"
        raise ModelUnusable(
            f"The model {name} cannot be prepared: {error.filename} cannot be read ({error.strerror}).", remedy
        ) from error


def _assemble(kind: str, name: str, identity: str, contents: Mapping[str, bytes], folder: Path) -> None:
    """Fills the folder with graph, weights, tokeniser and manifest; OSError, ModelUnusable where a part is damaged."""
    try:
        layout = _write_raw(kind, contents, folder / "raw")
        optimise(folder / "raw" / GRAPH, folder)
    except (OSError, ImportError):
        raise
    except Exception as error:  # what damaged parts raise is of any class
        reason = next(iter(str(error).splitlines()), "")[:200]
        raise ModelUnusable(
            f"The {kind.partition('-')[0]} cannot be put together ({type(error).__name__}: {reason}).",
            f"Free some space in {folder.parent}. If that is not it, a file in {DATA} is damaged: {_RESTORE}",
        ) from error
    shutil.rmtree(folder / "raw")
    (folder / TOKENIZER).write_bytes(contents[base.TOKENIZER])
    files.write_export(ModelFiles(name, folder, identity, layout.dimension, layout.max_tokens))


def _write_raw(kind: str, contents: Mapping[str, bytes], folder: Path) -> Layout:
    """Makes the folder with the graph as it ships and the weights it asks for."""
    from assistant.models import assembling, tensor_file

    layout = assembling.layout(contents[f"{kind}.json"].decode())
    changes = contents.get(_ADAPTERS[kind])
    weights = assembling.merged(
        tensor_file.parse(contents[base.WEIGHTS]), None if changes is None else tensor_file.parse(changes)
    )
    folder.mkdir()
    (folder / GRAPH).write_bytes(contents[f"{kind}.onnx"])
    assembling.write(weights, layout.weights, folder / assembling.RAW)
    return layout


def _parts(kind: str, source: Path) -> dict[str, Path]:
    """Every file that decides what the model gives, by a name of its own."""
    own = [DATA / f"{kind}.onnx", DATA / f"{kind}.json", adapter(kind)]
    theirs = [source / base.WEIGHTS, source / base.TOKENIZER]
    return {path.name: path for path in (*own, *theirs) if path is not None}


def _stats(kind: str, source: Path) -> files.Stats:
    """OSError where a part is missing."""
    return {part: files.stat(path) for part, path in _parts(kind, source).items()}


def _stamp(kind: str, name: str, source: Path, folder: Path) -> Path:
    """The file that says which prepared model belongs to these parts."""
    return folder / "models" / f"{files.slug(name)}-{files.digest(f'{kind}:{source}:{DATA}')[:12]}.json"
