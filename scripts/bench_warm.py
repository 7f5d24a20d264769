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

from recording_encoder import RecordingEncoder

from assistant.engine import Engine
from assistant.indexing.index_manager import IndexManager
from assistant.models.lazy import LazyEncoder, LazyReader
from assistant.system.process_tuning import GC_THRESHOLDS
from assistant.system.settings import user_cache

DEV = Path(__file__).resolve().parent.parent.parent / "shared" / "eval" / "dev"
EVERY = 3
"""Every how many of the questions are asked."""


def questions() -> list[str]:
    """Of the development set; a few of our own where there is none."""
    lines = [line for path in sorted(DEV.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    texts = [record["question"] for record in map(json.loads, lines) if record.get("question", "").strip()]
    return texts[::EVERY] or ["How does a canary release decide to go on?", "Which queue keeps the order?"]


def main(notes: str, index: str, bound: str, name: str) -> int:
    gc.set_threshold(*GC_THRESHOLDS)  # as the program does; `scripts/bench` sets what must be set before NumPy loads
    encoder = RecordingEncoder(LazyEncoder("", user_cache(os.environ)))
    reader = LazyReader(user_cache(os.environ))
    manager = IndexManager(Path(notes), Path(index), None, lambda: encoder, None)
    engine = Engine(Path(notes), encoder=encoder, reader=reader, index=lambda: manager, complete=True)
    engine.ask("What is this about?")
    answering, encoding = list[float](), list[float]()
    for question in questions():
        encoder.texts.clear()
        answering.append(seconds(engine.ask, question))
        encoding.append(seconds(lambda: [encoder.inner.question(text) for text in tuple(encoder.texts)]))
    engine.close()
    ask, alone = 1000 * statistics.median(answering), 1000 * statistics.median(encoding)
    most, ratio = max(answering) * 1000, ask / alone
    how = f"{most:.0f} at the most; {ratio:.1f} of encoding its texts, {alone:.1f} ms; medians of {len(answering)}"
    print(f"warm question of {name}\t{bound}\t{ask:.0f} ms\t{how}")
    return 0


def seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
