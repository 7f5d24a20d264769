"""Checks that a model is what it should be: the weights by their hash, an export by its vectors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import ModelUnusable
from assistant.models import base, files, preparation
from assistant.models.encoder import ModelFiles, OnnxEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Encode = Callable[[list[str], str], NDArray[np.float32]]
    """Texts and a prompt → unit rows (texts, d) of each text's first window."""

_LEAST_COSINE = 0.9999
TEXTS = (
    "a",
    "Kubernetes",
    "Which strategy gives zero downtime and instant rollback?",
    "**Traffic Switch**: all traffic moves at once; the old environment stays for a rollback.",
    "kubectl set image deployment/web web=registry.example/web:1.4.2 --record",
    "apiVersion: v1\nkind: Service\nspec:\n  ports:\n  - port: 8080\n",
    'resource "queue" "main" {\n  visibility_in_seconds = 30\n}',
    "Müller grüßt naïve Façade – “quoted” … 100 % ✓",
    "日本語のテキスト и немного русского",
    "    indented   and \t spaced   out    ",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "0 1 2 3 10 100 1000 3.14 2026-01-31 10.0.0.0/16",
)
_REPEATS = (("queues deliver each message at least once ", 6), ("canary ", 40), ("rolling updates replace pods; ", 400))


def weights_verified(name: str) -> bool | None:
    """Whether the weights of the default model's base are byte for byte the published ones; None for another model, of
    which no hash is known. ModelUnusable where the base is not installed.
    """
    folder = preparation.source(name)
    if folder is None or name not in preparation.DEFAULT_NAMES:
        return None
    return files.hashes(folder, [folder / base.WEIGHTS]) == {base.WEIGHTS: base.SHA256}


def compare(export: ModelFiles, reference: Encode) -> None:
    """ModelUnusable where the export, under the session options it will run with, gives other vectors than
    `reference`: a cosine under 0.9999."""
    texts = [*TEXTS, *(text * times for text, times in _REPEATS)]
    short = texts[:3]  # an over-long question is a mean of windows, which the reference would cut
    encoder = OnnxEncoder(export)
    ours = np.concatenate([rows[:1] for rows in encoder.passages(texts)])
    ours = np.concatenate([ours, [encoder.question(text) for text in short]])
    theirs = np.concatenate([reference(texts, export.passage_prompt), reference(short, export.query_prompt)])
    cosine = float(np.sum(ours * theirs, axis=1).min()) if ours.shape == theirs.shape else 0.0
    sys.stderr.write(f"least cosine with sentence-transformers: {cosine:.7f}\n")
    if not cosine >= _LEAST_COSINE:
        raise ModelUnusable(
            f"The export of {export.name} does not give the vectors sentence-transformers gives (cosine {cosine:.4f}).",
            "Name another model with --model.",
        )
