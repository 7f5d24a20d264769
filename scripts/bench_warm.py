"""The part of `scripts/bench` that runs in one process: questions one after the other, and an index from nothing."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from assistant.encoder import OnnxEncoder
from assistant.engine import Assistant
from assistant.settings import user_cache

QUESTIONS = (
    "How does a canary release decide to go on?",
    "Messages must not be lost between two services. What do I use?",
    "Show me a pipeline that builds and pushes an image.",
    "What is the difference between the queue and the stream?",
    "We run a few functions a day and pay too much for idle servers.",
    "How do I give a pod a secret?",
    "Which port does the health check call?",
    "A release broke checkout last week; we want one per cent of the users to see the next one first.",
    "Where do I see why a build failed?",
    "Who makes the best espresso in town?",
    "Several teams share a cluster and must not see each other's traffic.",
    "How are old images cleaned up?",
)


def main(notes: str, folder: str) -> int:
    encoded: list[str] = []
    plain: Callable[[OnnxEncoder, str], NDArray[np.float32]] = OnnxEncoder.question

    def noting(self: OnnxEncoder, text: str) -> NDArray[np.float32]:
        encoded.append(text)
        return plain(self, text)

    setattr(OnnxEncoder, "question", noting)  # noqa: B010 - a method is not to be assigned to, says mypy
    cache = user_cache(os.environ)
    assistant = Assistant(Path(notes), Path(folder) / "index", cache, background=False)
    assistant.ask("What is this about?")
    encoder = assistant._encoder()
    whole, texts = [], []
    for question in QUESTIONS:
        encoded.clear()
        whole.append(seconds(assistant.ask, question))
        texts.append(seconds(lambda: [plain(encoder, text) for text in tuple(encoded)]))
    assistant.close()
    ask, alone = 1000 * statistics.median(whole), 1000 * statistics.median(texts)
    print(f"warm question {ask:.1f} ms, {max(whole) * 1000:.1f} ms at the most")
    print(f"  = {ask / alone:.1f} times encoding its texts, {alone:.1f} ms (medians of {len(QUESTIONS)})")
    with TemporaryDirectory(dir=folder) as index:
        builder = Assistant(Path(notes), Path(index), cache, background=False)
        took = seconds(builder.update)
        builder.close()
        size = sum(path.stat().st_size for path in Path(index).rglob("*") if path.is_file())
    print(f"index of corpus/ from nothing {took:.1f} s, {size / 1e6:.1f} MB")
    return 0


def seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
