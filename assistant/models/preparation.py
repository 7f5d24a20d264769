"""The names of models, and the files of those that ship: put together once (`shipped`), kept in the user's cache.

Any other model is loaded from its own folder, by packages that only the extra `models` brings
(`sentence_transformer_encoder`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.models import base, shipped
from assistant.models.encoder import ModelFiles

DEFAULT_MODEL = base.NAME
_DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
READER = "reader"
"""The name of the reader that ships."""
EXTRA = ("sentence-transformers", "torch", "huggingface-hub")
"""The packages of the extra `models`, which run every model that does not ship."""
INSTALL_EXTRA = 'pip install "notes-assistant[models]"'
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)


def ships(name: str) -> bool:
    """Whether this is a name of the default model."""
    return name == DEFAULT_MODEL or (name in _DEFAULT_NAMES and base.folder() is not None)


def prepared(name: str, cache: Path) -> ModelFiles | None:
    """The files of the default model, by one of its names, where it was prepared before and nothing has changed since;
    else None. ModelUnusable where its base is not installed."""
    return shipped.prepared(shipped.ENCODER, name, _base(), cache)


def prepare(name: str, cache: Path, progress: Callable[[str], None]) -> ModelFiles:
    """The files of the default model, by one of its names, prepared first where they are not there yet; ModelUnusable
    with the reason."""
    return shipped.prepare(shipped.ENCODER, name, _base(), cache, progress)


def prepared_reader(cache: Path) -> ModelFiles | None:
    """The files of the reader where it was prepared before; else None."""
    folder = base.folder()
    return None if folder is None else shipped.prepared(shipped.READER_INT8, READER, folder, cache)


def prepare_reader(cache: Path, progress: Callable[[str], None], kind: str = shipped.READER_INT8) -> ModelFiles:
    """The files of the reader, prepared first where they are not there yet; ModelUnusable with the reason. The kind
    `shipped.READER` is exact, and takes longer."""
    return shipped.prepare(kind, READER, _base(), cache, progress)


def weights_verified() -> bool:
    """Whether the weights of the default model's base are byte for byte the published ones; ModelUnusable where it is
    not installed, OSError where they cannot be read."""
    with (_base() / base.WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == base.SHA256


def missing_packages() -> tuple[str, ...]:
    """Those of the extra `models` that are not installed."""
    return tuple(name for name in EXTRA if find_spec(name.replace("-", "_")) is None)


def source(name: str) -> Path | None:
    """The folder that holds the model, None for a name that sentence-transformers has to look up; ModelUnusable for a
    name that can be neither."""
    if ships(name):
        return _base()
    path = Path(name).expanduser()
    if name.strip() and path.is_dir():
        return path.resolve()
    if _HUB_NAME.fullmatch(name) is None or ".." in name:
        raise ModelUnusable(f"There is no folder {name}.", "Name a folder with a sentence-transformers model.")
    return None


def _base() -> Path:
    folder = base.folder()
    if folder is None:
        raise ModelUnusable(f"The package of the default model {base.NAME} is not installed.", base.INSTALL)
    return folder
