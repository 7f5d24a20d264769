"""Scores answers against question sets and holds the figures against the committed ones; see `scripts/score`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from assistant import Assistant
from assistant.system.settings import user_cache
from tests.evaluation import choices, questions, scoring, sets
from tests.evaluation.scoring import Figures

BASELINE = Path(__file__).with_name("baseline.json")


def main() -> int:
    arguments = _arguments()
    cache = user_cache(os.environ) / "evaluation"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    baseline = json.loads(BASELINE.read_text("utf-8"))
    for name, chosen in _chosen(arguments).items():
        notes = chosen.notes(cache)
        # Named for the notes: sets that ask about the same ones share an index.
        with Assistant(notes, index=cache / "-".join(("index", *notes.parts[-2:]))) as assistant:
            figures, results = _scored(assistant, chosen.questions)
        if arguments.misses:
            print(*results, sep="\n")
        print(f"{name}:", *_compared(figures, baseline["sets"].get(name)), sep="\n  ")
        if arguments.write:
            baseline["sets"][name] = {"commit": _commit(), **figures}
            BASELINE.write_text(json.dumps(baseline, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/score", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"one of {', '.join(sets.known())}; all by default")
    parser.add_argument("--questions", type=Path, help="a folder of questions of your own, with --notes")
    parser.add_argument("--notes", type=Path, help="the notes that they are about")
    parser.add_argument("--misses", action="store_true", help="list what was not right")
    parser.add_argument("--write", action="store_true", help="renew the committed figures of these sets")
    arguments = parser.parse_args()
    if (arguments.questions is None) != (arguments.notes is None):
        parser.error("--questions and --notes go together")
    if unknown := set(arguments.sets) - set(sets.known()):
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    if arguments.write and arguments.questions:
        parser.error("--write is for the named sets")
    return arguments


def _chosen(arguments: argparse.Namespace) -> dict[str, sets.QuestionSet]:
    if arguments.questions:
        notes = arguments.notes.resolve()
        return {"own": sets.QuestionSet(arguments.questions, lambda _: notes)}
    known = sets.known()
    return {name: known[name] for name in arguments.sets or known}


def _scored(assistant: Assistant, source: Path) -> tuple[Figures, list[str]]:
    """Figures, and a line for everything that was not right."""
    if source.is_file():
        picked = choices.ask(assistant, choices.read(source))
        return choices.figures(picked), [str(one) for one in picked if one.share < 1]
    results = scoring.ask(assistant, questions.read(source))
    return scoring.figures(results), [f"{one}\n    {one.question.text[:160]}" for one in results if not one.right]


def _compared(figures: Figures, before: Figures | None) -> list[str]:
    """A line a figure, with the committed one beside it where they differ."""
    lines = []
    for name, value in figures.items():
        old = before.get(name) if before else value
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {line}" for line in _compared(value, old if isinstance(old, dict) else None))]
        else:
            lines.append(f"{name}: {value}" + (f" (committed: {old})" if old != value else ""))
    return lines


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=sets.ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
