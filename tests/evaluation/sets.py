"""The question sets by name: where each one's questions and notes are, and the sample that every test run asks."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.evaluation.questions import KINDS, Question, read_kind

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
SETS = Path(__file__).resolve().parent / "sets"
SAMPLED = ("corpus", "kubernetes", "aws", "azure", "brewing")
"""The sets whose questions and notes are both part of the project."""
EACH = 2
"""Questions of the sample for every one of these sets and every kind."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Where a set is."""

    questions: Path
    """A folder with a file a kind, or a file of multiple-choice questions."""
    notes: Callable[[Path], Path]
    """The notes folder; unpacked below the given folder where the notes are an archive."""


def known() -> dict[str, QuestionSet]:
    """Every set that is there: our own, and those in `../shared` where that folder is."""
    gcp, corpus = SHARED / "eval" / "exam" / "notes", ROOT / "corpus"
    found = {name: _folder(SETS / name / "questions", SETS / name / "notes") for name in SAMPLED if name != "corpus"}
    found["corpus"] = _folder(SETS / "corpus" / "questions", corpus)
    if SHARED.is_dir():
        found["gcp"] = _folder(SETS / "gcp" / "questions", gcp)
        found["dev"] = _folder(SHARED / "eval" / "dev", corpus)
        found["dev-gcp"] = _folder(SHARED / "eval" / "dev-gcp", gcp)
        found["dev-docs"] = _archive(SHARED / "eval" / "dev-docs", "knative-docs")
        found["dev-til"] = _archive(SHARED / "eval" / "dev-til", "til")
        found["exam"] = _folder(SHARED / "eval" / "exam" / "questions.jsonl", gcp)
    return found


def sample(name: str) -> list[Question]:
    """A few questions of a set, the same ones each time: of every kind from a third and two thirds down its list; of
    dialogues the first turns of one from the middle."""
    questions = []
    for kind in KINDS:
        of_kind = read_kind(SETS / name / "questions", kind)
        if kind == "followup":
            dialogues = list(dict.fromkeys(one.conversation for one in of_kind))
            turns = [one for one in of_kind if one.conversation == dialogues[len(dialogues) // 2]]
            questions += turns[:EACH]
        else:
            questions += [of_kind[len(of_kind) * part // (EACH + 1)] for part in range(1, EACH + 1)]
    return questions


def _folder(questions: Path, notes: Path) -> QuestionSet:
    return QuestionSet(questions, lambda _: notes)


def _archive(questions: Path, name: str) -> QuestionSet:
    def unpacked(folder: Path) -> Path:
        notes = folder / name
        if not notes.is_dir():
            with tarfile.open(SHARED / "corpora" / f"{name}.tar.gz") as archive:
                archive.extractall(notes.with_suffix(".new"), filter="data")
            notes.with_suffix(".new").rename(notes)
        return notes

    return QuestionSet(questions, unpacked)
