"""The part of `scripts/fit` that reads questions, each with the features that the models see: those of the question
sets, of the fields kept out of all training, and of the fields that the models are trained on. Of these last only names
and forms are used: what the reader makes of them is better than of any other notes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from training_examples import FIELDS, FOR_THRESHOLDS, training_fields

from assistant.answering import decision_features, naming, topic_features
from assistant.indexing import build
from assistant.models.cross_encoder import ReadText
from assistant.models.encoder import OnnxEncoder
from assistant.question import name_asked
from assistant.question.parser import parse
from assistant.question.understanding import understand
from assistant.reading.reading import Reader, read
from assistant.records import Request
from assistant.retrieval.retriever import HybridRetriever
from assistant.storage import Store
from tests.evaluation import sets

Array = NDArray[np.float64]
_KINDS = {"which": "scenario", "near_miss": "unanswerable", "other": "unanswerable"}
"""Kinds of questions of the fields, as the sets call them; the others are lookups."""
HEADINGS = 30
"""Headings of a set's notes that are asked as they stand."""
FITTED = ("aws", "azure", "brewing", "corpus", "gcp", "kubernetes", "dev", "dev-gcp", "dev-docs", "dev-til")
"""Sets that are fitted on, where they are; the others stay unseen."""
PLAIN = ("dev-docs", "dev-til")
"""Those of them that ask plain questions."""
FORMS = FIELDS.parent / "forms.jsonl"
FORM_ALONE = "forms"
"""The set of the questions that were written for their form alone."""
FIELD = "fields"
"""The set of all questions about the fields that the models are trained on."""


@dataclass(slots=True)
class Item:
    """One question as the models see it."""

    set: str
    notes: Path
    id: str
    group: str
    topics: Array
    right: NDArray[np.bool_]
    outcome: Array
    answerable: bool
    near_miss: bool
    scenario: bool
    heading: bool
    """A heading asked as it stands, which decides nothing about where the threshold is."""
    aside: bool
    """Never fitted on: every other unanswerable question of our own sets."""


class Remembering:
    """A reader that reads no pair twice: constants are fitted with and without the vocabulary."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], ReadText] = {}

    def read(self, question: str, texts: Sequence[str]) -> list[ReadText]:
        """As the reader's own."""
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self._known]
        values = self._reader.read(question, new) if new else ()
        self._known |= {(question, text): value for text, value in zip(new, values, strict=True)}
        return [self._known[question, text] for text in texts]

    def ahead(self) -> None:
        """As the reader's own."""
        self._reader.ahead()

    def load(self) -> object:
        """As the reader's own."""
        return self._reader.load()


@cache
def known() -> dict[str, tuple[Path, Path]]:
    """Name → (questions, notes)."""
    there = sets.known()
    unpacked = Path(tempfile.gettempdir()) / "assistant-fit" / "notes"
    unpacked.mkdir(parents=True, exist_ok=True)
    return {name: (there[name].questions, there[name].notes(unpacked)) for name in FITTED if name in there}


def names_it(name: str, accepted: str) -> bool:
    """Whether the accepted spelling's words stand in the name in order."""

    def split(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())

    ours, theirs = split(name), split(accepted)
    return any(ours[i : i + len(theirs)] == theirs for i in range(len(ours)))


def items(name: str, where: Path, notes: Path, encoder: OnnxEncoder, reader: Reader, vocabulary: bool) -> list[Item]:
    """Every question of a set that stands alone, with its features."""
    index = index_folder(notes)
    build.refresh(notes, index, lambda: encoder)
    found: list[Item] = []
    with Store.open(index) as store:
        retriever = HybridRetriever(store, encoder, vocabulary)
        for kind in ("scenario", "lookup", "snippet", "compare", "unanswerable", "followup"):
            path = where / f"{kind}.jsonl"
            rows = [json.loads(r) for r in path.read_text("utf-8").splitlines() if r.strip()] if path.exists() else []
            own = kind == "unanswerable" and where.is_relative_to(sets.ROOT)
            for n, row in enumerate(rows):
                item = _item(name, notes, kind, row, retriever, reader)
                if item is not None:
                    found.append(replace(item, aside=own and n % 2 == 1))
        for n, question in enumerate(_asked_headings(store)):
            item = _item(name, notes, "lookup", {"id": f"heading-{n}", "question": question}, retriever, reader)
            if item is not None:
                found.append(replace(item, heading=True))
    return found


def _asked_headings(store: Store) -> list[str]:
    """A few headings of the notes, evenly spread: asked as they stand, each has an answer."""
    paths = [path for path in store.headings() if len(path) > 1]
    return [path[-1] for path in paths[:: max(1, len(paths) // HEADINGS)]][:HEADINGS]


def index_folder(notes: Path) -> Path:
    """Where the index of these notes is kept from one run to the next."""
    return Path(tempfile.gettempdir()) / "assistant-fit" / "-".join(notes.parts[-2:])


def fields(encoder: OnnxEncoder, reader: Reader, vocabulary: bool) -> list[Item]:
    """The questions for a name of the fields that the models are trained on, and every question, in a set of its own,
    of those that are kept out for this."""
    found: list[Item] = []
    for field in (*training_fields(), *sorted(FOR_THRESHOLDS)):
        notes = FIELDS / field / "notes"
        build.refresh(notes, index_folder(notes), lambda: encoder)
        with Store.open(index_folder(notes)) as store:
            retriever = HybridRetriever(store, encoder, vocabulary)
            for row in _rows(field):
                kind = _KINDS.get(row["kind"], "lookup")
                if field not in FOR_THRESHOLDS and kind != "scenario":
                    continue
                name = field if field in FOR_THRESHOLDS else FIELD
                asked = {**row, "category": row["kind"], "verdict": [row.get("name")]}
                item = _item(name, notes, kind, asked, retriever, reader)
                if item is not None:
                    found.append(replace(item, group=field))
    return found


@dataclass(frozen=True, slots=True)
class Form:
    """How a question is asked, and whether it wants a name."""

    set: str
    group: str
    features: Array
    vector: NDArray[np.float32]
    wants_name: bool


def forms(encoder: OnnxEncoder) -> list[Form]:
    """Of the answerable questions of the sets and the fields, and of questions written for their form alone."""
    asked: list[tuple[str, str, str, bool]] = []
    for name, (where, notes) in known().items():
        for kind in ("scenario", "lookup", "snippet", "compare"):
            path = where / f"{kind}.jsonl"
            for line in path.read_text("utf-8").splitlines() if path.exists() else ():
                row = json.loads(line)
                gold = row.get("gold_headings") or [row["id"]]
                asked.append((name, f"{notes}/{gold[0]}", row["question"], kind == "scenario"))
    for field in training_fields():
        for row in _rows(field):
            if row["kind"] not in ("near_miss", "other"):
                asked.append((FIELD, field, row["question"], row["kind"] == "which"))
    for n, line in enumerate(FORMS.read_text("utf-8").splitlines()):
        row = json.loads(line)
        asked.append((FORM_ALONE, f"{FORM_ALONE}/{n % 40}", row["question"], row["name"]))
    found = []
    for name, group, question, wants_name in asked:
        query = parse(question)
        features = np.array(list(name_asked.describe(query).values()))
        found.append(Form(name, group, features, encoder.question(query.text), wants_name))
    return found


def _rows(field: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIELDS / field / "questions.jsonl").read_text("utf-8").splitlines()]


def _item(
    name: str, notes: Path, kind: str, row: dict[str, Any], retriever: HybridRetriever, reader: Reader
) -> Item | None:
    """The features of one question, of a dialogue's first one; None for what is declined without them."""
    turn = row["turns"][0] if kind == "followup" else row
    store = retriever.store
    understanding = understand(Request(turn["question"]), None, store)
    if not understanding.query.terms or understanding.expectations.is_order:
        return None
    hits = read(retriever.retrieve(understanding.query), reader, retriever.reader)
    if not hits.hits:
        return None
    topics = [t for t in naming.askable(naming.speaking_topics(hits, retriever.reader), hits) if t.speakers]
    values = decision_features.describe(understanding, hits, retriever.reader).features
    accepted = [s for v in turn.get("verdict") or [] for s in v.split("|")] if kind == "scenario" else []
    gold = turn.get("gold_headings") or [row["id"]]
    return Item(
        name,
        notes,
        row["id"],
        f"{notes}/{gold[0]}" if kind != "unanswerable" else f"{name}/{row['id']}",
        np.array([t.features for t in topics], dtype=np.float64).reshape(len(topics), len(topic_features.FEATURES)),
        np.array([any(names_it(t.name, s) for s in accepted) for t in topics], dtype=bool),
        np.array([values[f] for f in decision_features.FEATURES]),
        kind != "unanswerable",
        row.get("category") == "near_miss",
        kind == "scenario",
        heading=False,
        aside=False,
    )
