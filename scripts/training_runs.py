"""What both training runs share: base model, LoRA, checkpoints that a killed run goes on from, the adapter file."""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from assistant.models import assembling
from assistant.models import base as base_model

SEED = 20261127
RANK = 24
ALPHA = 48
"""The adapter is added with the factor ALPHA / RANK."""
LAYERS = ("query", "key", "value", "dense")


def base() -> Path:
    """The folder of the base model's files."""
    folder = base_model.folder()
    if folder is None:
        raise SystemExit("The base model is not installed. Run: scripts/test --version")
    return folder


def with_lora(model: nn.Module, kept: Sequence[str] = (), first: int = 0) -> nn.Module:
    """The model with LoRA matrices on the linear layers of its encoder, from layer `first` on; modules called `kept`
    are trained whole."""
    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.05,
        target_modules=rf".*encoder\.layer\.[{first}-9]\..*({'|'.join(LAYERS)})",
        modules_to_save=list(kept) or None,
    )
    adapted: nn.Module = get_peft_model(model, config)
    return adapted


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a model's data one run goes through."""

    begin: Sequence[Path] = ()
    """Checkpoints of other runs, with the mean of whose weights this one begins; one may be there twice."""
    first: int = 0
    """The first epoch; each draws its data anew."""
    steps: int | None = None
    """Instead of the model's own number."""


@dataclass
class Run:
    """One training run in a folder of its own; a second start goes on from the last checkpoint."""

    folder: Path
    model: nn.Module
    steps: int
    rate: float
    every: int = 100
    """Steps between checkpoints."""
    begin: Sequence[Path] = ()
    """As a plan's."""
    step: int = 0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.trained = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(self.trained.values(), lr=self.rate, weight_decay=0.01)
        state = self.folder / "state.pt"
        if state.exists():
            saved = self._load(state)
            self.step = saved["step"]
            self.optimizer.load_state_dict(saved["optimizer"])
            print(f"goes on from step {self.step}", flush=True)
        elif self.begin:
            self._use([torch.load(path, weights_only=True)["weights"] for path in self.begin])
            print(f"begins with the weights of {', '.join(path.parent.name for path in self.begin)}", flush=True)

    def steps_left(self) -> Iterator[int]:
        """The numbers of the steps still to do; a checkpoint is written between them."""
        began, first = time.monotonic(), self.step
        while self.step < self.steps:
            random.seed(SEED + self.step)
            torch.manual_seed(SEED + self.step)
            yield self.step
            self.step += 1
            if self.step % 20 == 0:
                pace = (time.monotonic() - began) / (self.step - first)
                mean = sum(self.losses[-20:]) / len(self.losses[-20:])
                print(f"step {self.step} of {self.steps}: loss {mean:.3f}, {pace:.2f} s a step", flush=True)
            if self.step % self.every == 0 or self.step == self.steps:
                self._save()

    def learn(self, loss: Tensor) -> None:
        """One step down; the rate rises over the first twentieth and then falls as a cosine."""
        warm = max(1, self.steps // 20)
        share = min(1.0, (self.step + 1) / warm) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * share
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(list(self.trained.values()), 1.0)
        self.optimizer.step()
        self.losses.append(loss.item())

    def _load(self, state: Path) -> dict[str, Any]:
        saved: dict[str, Any] = torch.load(state, weights_only=True)
        self._use([saved["weights"]])
        return saved

    def _use(self, weights: Sequence[dict[str, Tensor]]) -> None:
        """Takes the mean of these weights."""
        with torch.no_grad():
            for name, own in self.trained.items():
                own.copy_(torch.stack([each[name] for each in weights]).mean(dim=0))

    def _save(self) -> None:
        state = self.folder / "state.pt"
        partial = state.with_suffix(".partial")
        weights = {name: p.detach().clone() for name, p in self.trained.items()}
        torch.save({"step": self.step, "weights": weights, "optimizer": self.optimizer.state_dict()}, partial)
        partial.replace(state)


def write_adapter(path: Path, model: nn.Module, prefix: str) -> None:
    """The trained matrices, called as the base calls its parameters; `prefix` is what the model puts before them."""
    changes: dict[str, NDArray[np.float32]] = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        plain = name.removeprefix(prefix).removeprefix("base_model.model.").removeprefix(prefix)
        plain = plain.replace(".modules_to_save.default", "").replace(".lora_A.default.weight", ".weight.lora_A")
        plain = plain.replace(".lora_B.default.weight", ".weight.lora_B")
        changes[plain] = p.detach().numpy()
    data = assembling.pack(changes, ALPHA / RANK)
    path.write_bytes(data)
    print(f"{path.name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
