"""The part of `scripts/fit` that reports: items judged by numbers that were fitted without them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fit_models import Constants, confidence, probability
from fit_questions import FIELD, Form, Item, index_folder, known
from training_examples import FOR_THRESHOLDS

from assistant.answering import decision_features, topic_features
from assistant.question import name_asked
from assistant.question.name_asked import WANTED
from tests.evaluation.sets import ROOT, SHARED


class Pool:
    """Items judged by numbers that were fitted without them."""

    def __init__(self) -> None:
        self.rows: list[tuple[Item, bool, bool, float]] = []
        self.forms: list[tuple[Form, bool]] = []

    def add(self, items_left_out: Sequence[Item], fitted: Constants) -> None:
        weights, heat = np.array([fitted["names"][f] for f in topic_features.FEATURES]), fitted["names_temperature"]
        model = np.array([fitted["outcome"][f] for f in decision_features.FEATURES]), fitted["outcome"]["bias"]
        for item in items_left_out:
            right = bool(len(item.topics)) and bool(item.right[int(np.argmax(item.topics @ weights))])
            sure = confidence(item, weights, heat)
            self.rows.append((item, probability(item, model) < fitted["threshold"], right, sure))

    def add_forms(self, forms_left_out: Sequence[Form], fitted: Constants) -> None:
        meaning = fitted["meaning"]
        asked = np.array([meaning["asked"][f] for f in name_asked.FEATURES])
        for form in forms_left_out:
            total = float(form.features @ asked + form.vector @ np.array(meaning["vector"])) + meaning["asked"]["bias"]
            self.forms.append((form, total >= math.log(WANTED / (1 - WANTED))))

    def show(self, title: str) -> None:
        print(title)
        for wants in (True, False):
            taken = [was for form, was in self.forms if form.wants_name is wants]
            if taken:
                print(f"  taken to want a name, of those that {'do' if wants else 'do not'}: {np.mean(taken):.3f}")
        for name in (*known(), *sorted(FOR_THRESHOLDS), FIELD, ""):
            rows = [r for r in self.rows if name in ("", r[0].set)]
            if not rows:
                continue

            def share(values: list[float]) -> str:
                return f"{np.mean(values):.3f}" if values else "  -  "

            print(
                f"  {name or 'all':10}",
                "verdict", share([right for i, _, right, _ in rows if i.scenario]),
                "Brier", share([(sure - right) ** 2 for i, _, right, sure in rows if i.scenario]),
                "| wrongly declined", share([no for i, no, _, _ in rows if i.answerable]),
                "| declined", share([no for i, no, _, _ in rows if not i.answerable]),
                "near misses", share([no for i, no, _, _ in rows if i.near_miss]),
            )  # fmt: skip


def score(out: Path, folds: int) -> None:
    """Runs score.py on every fold of the sets beside the project, and prints figures of its pooled rows."""
    for name in ("dev", "dev-gcp"):
        if name in known():
            rows = [row for fold in range(folds) for row in _judged(name, fold, out)]
            print(f"{name}: {len(rows)} rows pooled over {folds} folds, {sum(bool(r['faults']) for r in rows)} faults")
            _show(rows)


def _judged(name: str, fold: int, out: Path) -> list[dict[str, Any]]:
    """The rows of score.py for the questions left out of a fold, asked with the constants of that fold."""
    questions, notes = known()[name]
    output = out / f"rows-{name}-{fold}.json"
    judge: list[str | Path] = [sys.executable, SHARED / "eval" / "score.py", "--questions", questions, "--notes", notes]
    judge += ["--ids", out / f"ids-{name}-{fold}.txt", "--json", output, "--"]
    command: list[str | Path] = [ROOT / "scripts" / "assistant", "--notes", notes, "--index", index_folder(notes)]
    environment = {**os.environ, "ASSISTANT_CONSTANTS": str(out / f"constants-{fold}.json")}
    subprocess.run([*judge, *command], check=True, stdout=subprocess.DEVNULL, env=environment)
    rows: list[dict[str, Any]] = json.loads(output.read_text("utf-8"))
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    answerable = [r for r in rows if "declined" not in r["marks"]]
    rest = [r for r in rows if "declined" in r["marks"]]
    print(f"  right, of the answerable {np.mean([r['right'] for r in answerable]):.3f}")
    print(f"  answerable declined {np.mean([r['answer']['outcome'] != 'answered' for r in answerable]):.3f}")
    near = [r["marks"]["declined"] for r in rest if r["group"].endswith("near_miss")]
    declined = np.mean([r["marks"]["declined"] for r in rest])
    print(f"  unanswerable declined {declined:.3f}; near misses {np.mean(near):.3f}")
    for kind in sorted({r["group"] for r in answerable}):
        of_kind = [r for r in answerable if r["group"] == kind]
        named = [r["marks"]["verdict"] for r in of_kind if "verdict" in r["marks"]]
        more = f", verdict {np.mean(named):.3f}" if named else ""
        print(f"  {kind} right {np.mean([r['right'] for r in of_kind]):.3f}{more}")
