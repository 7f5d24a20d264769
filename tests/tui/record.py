"""Writes `recorded.jsonl`: answers of the real engine, so that screens do not change with how answers are found.

.venv/bin/python tests/tui/record.py
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.records import Request
from assistant.rendering.answer_json import answer_json
from assistant.system.settings import user_cache
from tests.asking import real_engine

HERE = Path(__file__).resolve().parent
HOSTILE = "tr[b]ap \x1b]0;owned\x07.md"
"""The name under which `hostile.txt` becomes a note."""
REQUESTS: tuple[Request, ...] = (
    Request("Which service decouples producers and consumers, with guaranteed delivery?", conversation="queue"),
    Request("What if I don't want to lose messages?", conversation="queue"),
    Request("Retry policy for failed calls to a service"),
    Request("Which strategy gives zero downtime and instant rollback?"),
    Request("How does a canary release send one percent of the traffic to Kafka?"),
    Request("How do I rotate database passwords?"),
    Request("What is the difference between the queue and the stream?"),
    Request("Which service needs mutual TLS, circuit breaking and a coffee machine?"),
    Request(
        "Which service fits one consumer and guaranteed delivery?",
        options={"A": "Queue Service", "B": "Streaming Service", "C": "Service Mesh", "D": "Object storage"},
    ),
)
HOSTILE_REQUESTS = (Request("What does the [/x] bracket setting do?"), Request("Show the trap in python"))


def main() -> int:
    """Each question once, in order; paths of this machine are left out."""
    lines: list[str] = []
    with TemporaryDirectory() as folder:
        hostile = Path(folder, "hostile")
        hostile.mkdir()
        (hostile / HOSTILE).write_bytes((HERE / "hostile.txt").read_bytes())
        for notes, requests in ((HERE.parent.parent / "corpus", REQUESTS), (hostile, HOSTILE_REQUESTS)):
            engine = real_engine(notes, Path(folder, "index", notes.name), user_cache(os.environ), background=False)
            answers = (engine.ask(request) for request in requests)
            lines += [answer_json(replace(one, notes=notes.name, elapsed_ms=12.3)) for one in answers]
            engine.close()
    (HERE / "recorded.jsonl").write_text("\n".join(lines) + "\n", "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
