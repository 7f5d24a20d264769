"""The part of `scripts/bench` that asks one question after another in one process; prints a row of its table."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scale
from numpy.typing import NDArray

from assistant.engine import Engine
from assistant.models.encoder import OnnxEncoder
from assistant.system.process_tuning import RARELY
from assistant.system.settings import user_cache

DEV = Path(__file__).resolve().parent.parent.parent / "shared" / "eval" / "dev"
EVERY = 3
"""Every how many of the questions are asked."""


def questions() -> list[str]:
    """Of the development set; a few of our own where there is none."""
    lines = [line for path in sorted(DEV.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    found = [record["question"] for record in map(json.loads, lines) if record.get("question", "").strip()]
    return found[::EVERY] or ["How does a canary release decide to go on?", "Which queue keeps the order?"]


def main(notes: str, index: str, bar: str, name: str) -> int:
    encoded: list[str] = []
    plain: Callable[[OnnxEncoder, str], NDArray[np.float32]] = OnnxEncoder.question

    def noting(self: OnnxEncoder, text: str) -> NDArray[np.float32]:
        encoded.append(text)
        return plain(self, text)

    gc.set_threshold(*RARELY)  # as the program does; what must be said before NumPy is there, `scripts/bench` says
    setattr(OnnxEncoder, "question", noting)  # noqa: B010 - a method is not to be assigned to, says mypy
    assistant = Engine(Path(notes), Path(index), user_cache(os.environ), background=False, complete=True)
    assistant.ask("What is this about?")
    encoder = scale.default_encoder()
    whole, texts = [], []
    asked = questions()
    for question in asked:
        encoded.clear()
        whole.append(seconds(assistant.ask, question))
        texts.append(seconds(lambda: [plain(encoder, text) for text in tuple(encoded)]))
    assistant.close()
    ask, alone = 1000 * statistics.median(whole), 1000 * statistics.median(texts)
    how = f"{ask:.1f} ms ({max(whole) * 1000:.0f} at the most) / {alone:.1f} ms, medians of {len(asked)}"
    print(f"warm question of {name}, against encoding its texts\t{bar}\t{ask / alone:.1f}\t{how}")
    return 0


def seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
