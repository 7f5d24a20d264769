"""The part of `scripts/fit` that reads question sets: every question with the features that the models see."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.answering import decision_features, naming, topic_features
from assistant.answering import weights as answering_weights
from assistant.indexing import build
from assistant.models.encoder import OnnxEncoder
from assistant.question.understanding import understand
from assistant.records import Request
from assistant.retrieval.retriever import HybridRetriever
from assistant.storage import Store
from tests.evaluation import sets

Array = NDArray[np.float64]
FITTED = ("aws", "azure", "brewing", "corpus", "gcp", "kubernetes", "dev", "dev-gcp")
"""Sets that are fitted on, where they are; the others stay unseen."""


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
    aside: bool
    """Never fitted on: every other unanswerable question of our own sets."""


def known() -> dict[str, tuple[Path, Path]]:
    """Name → (questions, notes)."""
    there = sets.known()
    return {name: (there[name].questions, there[name].notes(Path())) for name in FITTED if name in there}


def names_it(name: str, accepted: str) -> bool:
    """Whether the accepted spelling's words stand in the name in order."""

    def split(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())

    ours, theirs = split(name), split(accepted)
    return any(ours[i : i + len(theirs)] == theirs for i in range(len(ours)))


def items(name: str, where: Path, notes: Path, encoder: OnnxEncoder, vocabulary: bool) -> list[Item]:
    """Every question of a set that stands alone, with its features."""
    index = index_folder(notes)
    build.refresh(notes, index, lambda: encoder)
    read: list[Item | None] = []
    with Store.open(index) as store:
        retriever = HybridRetriever(store, encoder, vocabulary)
        for kind in ("scenario", "lookup", "snippet", "compare", "unanswerable", "followup"):
            path = where / f"{kind}.jsonl"
            rows = [json.loads(r) for r in path.read_text("utf-8").splitlines() if r.strip()] if path.exists() else []
            own = kind == "unanswerable" and where.is_relative_to(sets.ROOT)
            read += [_item(name, notes, kind, row, retriever, own and n % 2 == 1) for n, row in enumerate(rows)]
    return [item for item in read if item is not None]


def index_folder(notes: Path) -> Path:
    """Where the index of these notes is kept from one run to the next."""
    return Path(tempfile.gettempdir()) / "assistant-fit" / "-".join(notes.parts[-2:])


def _item(
    name: str, notes: Path, kind: str, row: dict[str, Any], retriever: HybridRetriever, aside: bool
) -> Item | None:
    """The features of one question, of a dialogue's first one; None for what is declined without them."""
    turn = row["turns"][0] if kind == "followup" else row
    store = retriever.store
    understanding = understand(Request(turn["question"]), None, store)
    if not understanding.query.terms or understanding.expectations.is_order:
        return None
    hits = retriever.retrieve(understanding.query)
    if not hits.hits:
        return None
    topics = [t for t in naming.speaking_topics(hits, retriever.reader) if t.speakers]
    ranked = naming.rank(topics, answering_weights.load().verdict, answering_weights.load().temperature)
    values = decision_features.describe(understanding, hits, ranked, retriever.reader).features
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
        aside,
    )
