"""The two models that ship: the encoder, which finds, and the reader, which reads a question and a passage together.

Each is a graph without weights and its map (`assistant/data/models`), the weights of the published base, and the
adapter that training made. The first use puts them together into a prepared model in the cache.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.models import base, cache, files
from assistant.models.encoder import ModelFiles
from assistant.models.sessions import GRAPH, TOKENIZER, optimise

DATA = Path(__file__).resolve().parents[1] / "data" / "models"
ENCODER, READER = "encoder", "reader"
_BROKEN = "Run: pip install --force-reinstall --no-deps notes-assistant"


def adapter(kind: str) -> Path | None:
    """The file of the adapter, None where this version has none: the encoder then is the base, and the reader is
    nothing."""
    path = DATA / f"{kind}.safetensors"
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
    try:
        stats = _stats(kind, source)
        contents = {part: path.read_bytes() for part, path in _parts(kind, source).items()}
    except OSError as error:
        remedy = base.REINSTALL if source in Path(str(error.filename)).parents else _BROKEN
        raise ModelUnusable(
            f"The model {name} cannot be prepared: {error.filename} cannot be read ({error.strerror}).", remedy
        ) from error
    hashes = {part: hashlib.sha256(data).hexdigest() for part, data in contents.items()}
    if hashes[base.WEIGHTS] != base.SHA256:
        raise ModelUnusable(
            f"The weights of {base.NAME} in {source} are corrupt (their SHA-256 is not that of the original).",
            base.REINSTALL,
        )
    identity = files.digest(json.dumps([files.FORMAT, hashes], sort_keys=True))
    target = models / f"{files.slug(name)}-{identity[:12]}"
    made = files.read_export(target, name) if files.export_intact(target) else None
    if made is None:
        partial = cache.partial(models)
        try:
            _assemble(kind, name, identity, contents, partial)
        except OSError:
            raise
        except Exception as error:
            raise ModelUnusable(
                f"The {kind} cannot be put together: a file in {DATA} is damaged ({type(error).__name__}: {error}).",
                _BROKEN,
            ) from error
        cache.publish(partial, target)
        made = files.read_export(target, name)
    stamp = files.Stamp(str(source), stats, target.name, files.export_stats(target), hub=False)
    files.write_stamp(_stamp(kind, name, source, folder), stamp)
    if made is None:
        raise ModelUnusable(f"The model {name} changed while it was prepared.", "Try again.")
    return made


def _assemble(kind: str, name: str, identity: str, contents: dict[str, bytes], folder: Path) -> None:
    """Fills the folder with graph, weights, tokeniser and manifest. What damaged parts raise is of any class."""
    from assistant.models import assembling, tensor_file

    layout = assembling.layout(contents[f"{kind}.json"].decode())
    changes = contents.get(f"{kind}.safetensors")
    weights = assembling.merged(
        tensor_file.parse(contents[base.WEIGHTS]), None if changes is None else tensor_file.parse(changes)
    )
    raw = folder / "raw"
    raw.mkdir()
    (raw / GRAPH).write_bytes(contents[f"{kind}.onnx"])
    assembling.write(weights, layout.weights, raw / assembling.RAW)
    optimise(raw / GRAPH, folder)
    shutil.rmtree(raw)
    (folder / TOKENIZER).write_bytes(contents[base.TOKENIZER])
    files.write_export(ModelFiles(name, folder, identity, layout.dimension, layout.max_tokens))


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
