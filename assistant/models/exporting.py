"""Runs in a child process: a sentence-transformers model to an ONNX graph that gives the same vectors.

The whole pipeline becomes one graph (transformer, pooling, whatever follows), from token ids to a row.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelUnusable
from assistant.models import cache, files, verification
from assistant.models.encoder import ModelFiles
from assistant.models.sessions import GRAPH, TOKENIZER, disable_telemetry, optimise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_FALLBACK_LIMIT = 512  # tokens, for a model that states none
_ABSURD_LIMIT = 1_000_000  # tokenisers write 10^30 for "none"
_OTHER = "Name another model with --model."


def main(argument: str, descriptor: str) -> None:
    """Does one job, given as JSON, and reports on the open descriptor; exits with 1 after a failure it reported."""
    disable_telemetry()
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.umask(0o077)  # a process of our own: all that it and its libraries write is for its owner alone
    job = files.Job(**json.loads(argument))

    def report(**fields: str) -> None:
        with suppress(BrokenPipeError):  # the parent is gone; the job is finished all the same
            os.write(int(descriptor), json.dumps(fields).encode() + b"\n")

    try:
        run(job, lambda text: report(progress=text))
    except ModelUnusable as error:
        report(message=error.message, hint=error.hint)
        sys.exit(1)
    except OSError as error:
        failure = cache.failure(job.name, Path(job.models), error)
        report(message=failure.message, hint=failure.hint)
        sys.exit(1)


def run(job: files.Job, progress: Callable[[str], None]) -> None:
    """Puts a complete export and its stamp into the cache; the caller holds the cache's lock."""
    name, models = job.name, Path(job.models)
    cache.forget_partial(models)
    source = Path(job.source) if job.source else _from_hub(name, progress)
    progress("Checking the model's files")
    paths = files.sources(source)
    _need_safetensors(name, source, paths)
    stats, hashes = files.stats(source, paths), files.hashes(source, paths)
    identity = files.digest(json.dumps([files.FORMAT, hashes], sort_keys=True))
    target = models / f"{files.slug(name)}-{identity[:12]}"
    if files.read_export(target, name) is None or not files.export_intact(target):
        _export(name, source, identity, target, progress)
    stamp = files.Stamp(str(source), stats, target.name, files.export_stats(target), job.source is None)
    files.write_stamp(Path(job.stamp), stamp)


def _from_hub(name: str, progress: Callable[[str], None]) -> Path:
    """The snapshot of a named model: the one on this machine, else downloaded."""
    from huggingface_hub import snapshot_download

    repository = name if "/" in name else f"sentence-transformers/{name}"
    wanted = ["*.safetensors", "*.json", "*.txt", "*.model"]
    unwanted = ["onnx/*", "openvino/*"]
    with suppress(Exception):  # the download says what is missing
        snapshot = Path(
            snapshot_download(repository, allow_patterns=wanted, ignore_patterns=unwanted, local_files_only=True)
        )
        if (snapshot / "config.json").is_file():
            return snapshot
    progress(f"Downloading the model {repository}")
    try:
        return Path(snapshot_download(repository, allow_patterns=wanted, ignore_patterns=unwanted))
    except Exception as error:
        raise ModelUnusable(
            f"The model {name} is not on this machine and cannot be downloaded ({_first_line(error)}).",
            "Check the name and the connection, or name a folder with --model.",
        ) from error


def _need_safetensors(name: str, source: Path, paths: Iterable[Path]) -> None:
    if not (source / "config.json").is_file() and not (source / "modules.json").is_file():
        raise ModelUnusable(f"{source} holds no sentence-transformers model (no modules.json).", _OTHER)
    safe = {path.parent for path in paths if path.suffix == ".safetensors"}
    folders = {source, *(path.parent for path in paths)}
    pickled = [each for each in folders - safe if (each / "pytorch_model.bin").is_file()]
    if pickled or not safe:
        raise ModelUnusable(
            f"The model {name} has no safetensors weights in {sorted(pickled)[0] if pickled else source}; "
            "other formats can run code when they are read.",
            "Save it again with sentence-transformers, or name another model with --model.",
        )


def _export(name: str, source: Path, identity: str, target: Path, progress: Callable[[str], None]) -> None:
    """Builds the export beside its place and moves it there when it is complete."""
    partial = cache.partial(target.parent)
    progress("Loading the model with sentence-transformers (step 1 of 3; done once, takes about half a minute)")
    model = load(name, source)
    made = ModelFiles(name, partial, identity, 0, model.max_seq_length or 0, *_prompts(model))
    (partial / TOKENIZER).write_text(model[0].tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
    progress("Exporting the model to ONNX (step 2 of 3)")
    try:
        made = replace(made, dimension=trace(model, partial))
    except Exception as error:
        raise ModelUnusable(
            f"The model {name} cannot be exported to ONNX ({type(error).__name__}: {_first_line(error)}).", _OTHER
        ) from error
    progress("Comparing the export with sentence-transformers (step 3 of 3)")
    verification.compare(
        made,
        lambda texts, prompt: model.encode(texts, prompt=prompt, batch_size=1, normalize_embeddings=True),
    )
    files.write_export(made)
    cache.publish(partial, target)


def load(name: str, source: Path) -> SentenceTransformer:
    """The model of a folder, its limit and prompts checked; ModelUnusable."""
    # The folder is complete whatever the model is: nothing is downloaded, and nothing is reported to anyone.
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules.transformer import Transformer

    try:
        model = SentenceTransformer(
            str(source),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "attn_implementation": "eager", "dtype": "float32"},
        ).eval()
    except Exception as error:
        raise ModelUnusable(
            f"sentence-transformers cannot load the model {name} ({type(error).__name__}: {_first_line(error)}).",
            _OTHER,
        ) from error
    first = model[0]
    if not isinstance(first, Transformer) or not getattr(first.tokenizer, "is_fast", False):
        raise ModelUnusable(f"The model {name} does not begin with a transformer and a fast tokeniser.", _OTHER)
    model.max_seq_length = _limit(model)
    if any(_prompts(model)) and any(getattr(module, "include_prompt", True) is False for module in model):
        raise ModelUnusable(f"The model {name} leaves its prompt out of the pooling, which is not supported.", _OTHER)
    return model


def _limit(model: SentenceTransformer) -> int:
    """Tokens of a text, special ones included: the model's own limit, never over the positions it has."""
    limits = [model.max_seq_length] if model.max_seq_length else []
    for module in model[0].auto_model.modules():
        positions = getattr(module, "position_embeddings", None)
        if positions is not None and hasattr(positions, "num_embeddings"):
            padding = getattr(positions, "padding_idx", None)
            # RoBERTa and its kin count positions from behind the padding id.
            limits.append(positions.num_embeddings - (0 if padding is None else padding + 1))
    limit = min(limits, default=_FALLBACK_LIMIT)
    return int(limit) if limit < _ABSURD_LIMIT else _FALLBACK_LIMIT


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """Prompts of queries and of passages, chosen as `encode_query` and `encode_document` choose them."""
    prompts = model.prompts or {}
    fallback = prompts.get(model.default_prompt_name) or ""
    query = prompts.get("query", fallback)
    passage = next((prompts[key] for key in ("document", "passage", "corpus") if key in prompts), fallback)
    return query or "", passage or ""


def trace(model: SentenceTransformer, folder: Path) -> int:
    """Exports the model as an optimised graph into the folder; the length of a row."""
    raw = folder / "raw"
    raw.mkdir()
    width = export(model, raw)
    optimise(raw / GRAPH, folder)
    shutil.rmtree(raw)
    return width


def export(model: SentenceTransformer, folder: Path) -> int:
    """Writes GRAPH, from token ids (1, n) to a row (1, d), as the exporter makes it, with its weights beside it; the
    length of a row."""
    import torch

    def forward(input_ids: torch.Tensor) -> torch.Tensor:
        # One text, unpadded: a mask has nothing to hide.
        row: torch.Tensor = model({"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)})[
            "sentence_embedding"
        ]
        return row

    pipeline = torch.nn.Module()
    pipeline.add_module("model", model)
    pipeline.forward = forward
    ids = [model[0].tokenizer(text)["input_ids"][:8] for text in verification.TEXTS[2:4]]
    sample = torch.tensor([row[: min(map(len, ids))] for row in ids])
    with torch.no_grad():
        torch.onnx.export(
            pipeline.eval(),
            (sample,),
            str(folder / GRAPH),
            input_names=["input_ids"],
            output_names=["row"],
            dynamic_shapes=({0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},),
            external_data=True,
            dynamo=True,
        )
        return int(forward(sample).shape[1])


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
