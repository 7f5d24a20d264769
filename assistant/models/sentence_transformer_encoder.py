"""Any model but those that ship: found by its folder or its name on the hub, loaded and run by sentence-transformers.

The only module that imports sentence-transformers, PyTorch and the hub's client; each of them when it is first needed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelUnusable
from assistant.models import files, preparation
from assistant.models.encoder import WindowEncoder, Windows
from assistant.models.sessions import Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

_WANTED = (".safetensors", ".json", ".txt", ".model")
"""How the names of the files end that decide what a model's vectors are."""
_FALLBACK_LIMIT = 512  # tokens, for a model that states none
_ABSURD_LIMIT = 1_000_000  # tokenisers write 10^30 for "none"
_OTHER = "Name another model with --model."


class SentenceTransformerEncoder(WindowEncoder):
    """The `Encoder` of a model in a folder, as `find` gives it. Once it is loaded, PyTorch has one thread in the whole
    process: with more, the bits of a row would depend on their number."""

    def __init__(self, name: str, folder: Path) -> None:
        """Hashes the model's files, 0.1 s for 90 MB; ModelUnusable where one cannot be read."""
        hashes = {}
        try:
            for path in _sources(folder):
                with path.open("rb") as file:
                    hashes[os.path.relpath(path, folder)] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            reason = f"{error.strerror} in {error.filename}"
            raise ModelUnusable(f"The model {name} cannot be read ({reason}).", _OTHER) from error
        identity = files.digest(json.dumps(["sentence-transformers", hashes]))
        super().__init__(identity, lambda: _load(name, folder))


def find(name: str) -> Path | None:
    """The folder of a model on this machine; None for one of the hub that has to be downloaded. ModelUnusable where
    packages are missing, or the folder or the name cannot be used."""
    folder = preparation.source(name)
    if missing := preparation.missing_packages():
        raise ModelUnusable(
            f"To use the model {name}, packages are needed that are not installed ({', '.join(missing)}).",
            f"Run: {preparation.INSTALL_EXTRA}",
        )
    if folder is not None:
        return _checked(name, folder)
    try:
        return _checked(name, _snapshot(name, local=True))
    except Exception:  # noqa: BLE001 - of the client's own classes; or a part of the model is still missing
        return None


def download(name: str, progress: Callable[[str], None]) -> Path:
    """The folder of a model of the hub, brought onto this machine; ModelUnusable with the reason."""
    progress(f"Downloading the model {name}")
    try:
        folder = _snapshot(name, local=False)
    except Exception as error:
        raise ModelUnusable(
            f"The model {name} is not on this machine and cannot be downloaded ({_first_line(error)}).",
            "Check the name and the connection, or name a folder with --model.",
        ) from error
    return _checked(name, folder)


def _checked(name: str, folder: Path) -> Path:
    """The folder; ModelUnusable where its files show that it must not be loaded."""
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelUnusable(f"{folder} holds no sentence-transformers model (no modules.json).", _OTHER)
    sources = _sources(folder)
    safe = {path.parent for path in sources if path.suffix == ".safetensors"}
    pickled = {path.parent for path in sources if (path.parent / "pytorch_model.bin").is_file()} - safe
    if not safe or pickled:
        raise ModelUnusable(
            f"The model {name} has no safetensors weights in {min(pickled, default=folder)}; "
            "other formats can run code when they are read.",
            "Save it again with sentence-transformers, or name another model with --model.",
        )
    return folder


def _sources(folder: Path) -> list[Path]:
    """The files that decide what a model's vectors are, sorted: of its folder and of those of its modules, not of the
    checkpoints that training leaves there."""
    folders = {folder}
    with suppress(OSError, ValueError, KeyError, TypeError):
        folders |= {folder / module["path"] for module in json.loads((folder / "modules.json").read_text("utf-8"))}
    return sorted(path for each in folders if each.is_dir() for path in each.iterdir() if path.suffix in _WANTED)


def _snapshot(name: str, *, local: bool) -> Path:
    """The folder of a model of the hub, where sentence-transformers looks for it too; any exception where there is
    none."""
    _silence()
    from huggingface_hub import snapshot_download

    repository = name if "/" in name else f"sentence-transformers/{name}"
    wanted, unwanted = [f"*{ending}" for ending in _WANTED], ["onnx/*", "openvino/*"]
    return Path(snapshot_download(repository, allow_patterns=wanted, ignore_patterns=unwanted, local_files_only=local))


def _load(name: str, folder: Path) -> Windows:
    """Loads the model and tries it with one text; ModelUnusable."""
    _silence()
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        # One text, unpadded: a mask has nothing to hide.
        tokens = torch.from_numpy(ids)
        with torch.inference_mode():
            made = model({"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})["sentence_embedding"]
        row: NDArray[np.float32] = made.float().numpy()
        return row

    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": "float32"},
        ).eval()
        tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
        if tokenizer is None or not hasattr(model[0], "auto_model"):
            raise ValueError("it does not begin with a transformer and a fast tokeniser")
        prompts = _prompts(model)
        if any(prompts) and any(getattr(module, "include_prompt", True) is False for module in model):
            raise ValueError("it leaves its prompt out of the pooling, which is not supported")
        session = Session(tokenizer, run)
        return Windows(session, session.row(session.ids("a")).shape[1], _limit(model), *prompts)
    except Exception as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise ModelUnusable(f"sentence-transformers cannot use the model {name} ({reason}).", _OTHER) from error


def _silence() -> None:
    """Before the libraries are loaded: no bars, no warnings, no reports of use."""
    os.environ |= {
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_VERBOSITY": "critical",
        "TRANSFORMERS_VERBOSITY": "critical",
    }
    logging.getLogger("sentence_transformers").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"(torch|transformers|sentence_transformers|huggingface_hub)\b")
    if sys.platform == "darwin":  # PyTorch and FAISS each bring an OpenMP there, and the second one ends the process
        os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")


def _limit(model: SentenceTransformer) -> int:
    """Tokens of a text, special ones included: the model's own limit, never over the positions it has."""
    stated = model.max_seq_length or _FALLBACK_LIMIT
    limits = [stated if stated < _ABSURD_LIMIT else _FALLBACK_LIMIT]
    for module in model.modules():
        positions = getattr(module, "position_embeddings", None)
        if positions is not None and hasattr(positions, "num_embeddings"):
            padding = positions.padding_idx  # RoBERTa and its kin count positions from behind it
            limits.append(positions.num_embeddings - (0 if padding is None else padding + 1))
    return int(min(limits))


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """Prompts of queries and of passages, chosen as `encode_query` and `encode_document` choose them."""
    prompts = model.prompts or {}
    fallback = prompts.get(model.default_prompt_name) or ""
    passage = next((prompts[key] for key in ("document", "passage", "corpus") if key in prompts), fallback)
    return prompts.get("query", fallback) or "", passage or ""


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
