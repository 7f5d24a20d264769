"""Trains the encoder's adapter: contrastive, each text against the others of its batch and one chosen to be hard.

Multiple negatives ranking loss (Henderson et al., 2017), both ways, at a temperature of 0.05.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import training_examples as examples
from sentence_transformers import SentenceTransformer
from torch import Tensor
from training_runs import SEED, Plan, Run, base, with_lora, write_adapter

from assistant.notes import chunker

BATCH = 64
EPOCHS = 1
RATE = 4e-4
SCALE = 20.0
TOGETHER = 16
"""Texts that go through the model together."""
TOKENS = 80
"""Longer texts are cut: the middle of a chunk says what it is about."""


def train(folder: Path, public: Path | None, out: Path, plan: Plan) -> None:
    """Trains, or goes on with, the run in `folder` and writes `out`."""
    model = SentenceTransformer(str(base()), device="cpu")
    model.max_seq_length = TOKENS
    found = list(examples.pairs(public))
    batches = [b for epoch in range(plan.first, plan.first + EPOCHS) for b in _batches(found, epoch)]
    batches = batches[: plan.steps]
    print(f"{len(found)} pairs, {len(batches)} steps", flush=True)
    before = evaluate(model, examples.FOR_THRESHOLDS)
    print(f"before: {before}", flush=True)
    with_lora(model[0].auto_model)  # in place
    run = Run(folder, model, len(batches), RATE, begin=plan.begin)
    model.train()
    for step in run.steps_left():
        run.learn(_loss(model, batches[step]))
    figures = {"before": before, "after": evaluate(model, examples.FOR_THRESHOLDS), "pairs": len(found)}
    print(figures, flush=True)
    write_adapter(out, model, prefix="0.model.")


def _batches(found: Sequence[examples.Pair], epoch: int) -> Iterator[list[examples.Pair]]:
    """Whole batches in which no two pairs share a group."""
    rng = random.Random(SEED + epoch)
    waiting = list(found)
    rng.shuffle(waiting)
    while len(waiting) >= BATCH:
        batch: list[examples.Pair] = []
        used: set[str] = set()
        rest = []
        for n, pair in enumerate(waiting):
            if len(batch) == BATCH:
                rest += waiting[n:]
                break
            if used & pair.groups:
                rest.append(pair)
            else:
                batch.append(pair)
                used |= pair.groups
        if len(batch) < BATCH:
            return
        waiting = rest
        yield batch


def _loss(model: SentenceTransformer, batch: Sequence[examples.Pair]) -> Tensor:
    texts = _rows(model, [pair.text for pair in batch])
    near = _rows(model, [pair.near for pair in batch])
    hard = [pair.far for pair in batch if pair.far]
    targets = torch.cat([near, _rows(model, hard)]) if hard else near
    scores = texts @ targets.T * SCALE
    right = torch.arange(len(batch))
    cross = torch.nn.functional.cross_entropy
    return cross(scores, right) + 0.5 * cross(scores[:, : len(batch)].T, right)


def _rows(model: SentenceTransformer, texts: Sequence[str]) -> Tensor:
    """(texts, d): unit rows; texts of like length go through the model together, which pads less."""
    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    rows = []
    for start in range(0, len(order), TOGETHER):
        given: dict[str, Any] = model.preprocess([texts[n] for n in order[start : start + TOGETHER]])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows.append(model(given)["sentence_embedding"].float())
    places = torch.empty(len(order), dtype=torch.long)
    places[torch.tensor(order)] = torch.arange(len(order))
    return torch.nn.functional.normalize(torch.cat(rows)[places], dim=1)


def evaluate(model: SentenceTransformer, fields: frozenset[str]) -> dict[str, float]:
    """By cosine alone: share of questions whose right line is first among their note's, and mean reciprocal rank."""
    model.eval()
    first, reciprocal, asked = 0, 0.0, 0
    for field in sorted(fields):
        by_note: dict[str, list[examples.Question]] = {}
        for question in examples.questions(field):
            if question.gold:
                by_note.setdefault(question.row["note"], []).append(question)
        for of_note in by_note.values():
            told = [n for n, p in enumerate(of_note[0].passages) if p.kind not in ("heading", "label")]
            rows = model.encode([chunker.embedded(of_note[0].passages[n]) for n in told], normalize_embeddings=True)
            for question in of_note:
                row = model.encode([question.text], normalize_embeddings=True)[0]
                order = [told[n] for n in np.argsort(-(rows @ row), kind="stable")]
                rank = min(order.index(n) for n in question.gold if n in order) + 1
                first += rank == 1
                reciprocal += 1 / rank
                asked += 1
    model.train()
    return {"first": round(first / asked, 3), "mrr": round(reciprocal / asked, 3), "questions": asked}
