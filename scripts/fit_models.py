"""The part of `scripts/fit` that fits: listwise softmaxes over topics, and logistic models of whether a name is asked
for and whether the notes answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from fit_questions import FIELD, FORM_ALONE, PLAIN, Array, Form, Item
from scipy.optimize import minimize

from assistant.answering import decision_features, topic_features
from assistant.question import name_asked

VERDICT_PENALTY, OUTCOME_PENALTY, ASKED_PENALTY, VECTOR_PENALTY = 8.0, 10.0, 5.0, 250.0
SETS, FIELDS = 4.0, 0.3
"""What a question for a name counts, of a question set, and of a field that the reader was trained on."""
FORM = 2.5
"""What a question of a set counts beside one of a field, where only its form matters."""
WRONGLY_DECLINED = 0.06
"""Share of the answerable that the threshold may decline, over all sets."""


class Meaning(TypedDict):
    """What decides from form and vector together whether a name is asked for."""

    encoder: str
    asked: dict[str, float]
    vector: list[float]


class Constants(TypedDict):
    """What assistant/data/constants.json holds."""

    names: dict[str, float]
    """Weight by feature of `topic_features`."""
    names_temperature: float
    asked: dict[str, float]
    """Weight by feature of `name_asked`, and `bias`."""
    meaning: Meaning
    """The same, beside the question's vector."""
    outcome: dict[str, float]
    """Weight by feature of `decision_features`, and `bias`."""
    threshold: float
    """Probability below which a question is declined."""


def fit_verdict(chosen: Sequence[Item]) -> Array:
    """Weights of the listwise softmax, for features as they are."""
    rows = [i for i in chosen if i.right.any()]
    spread = np.concatenate([i.topics for i in rows]).std(axis=0) + 1e-6
    scaled = [(i.topics / spread, i.right, _counts(i)) for i in rows]

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = VERDICT_PENALTY * float(w @ w) / 2, VERDICT_PENALTY * w
        for table, right, counts in scaled:
            z = table @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            of_right = p * right
            total -= counts * float(np.log(of_right.sum() + 1e-12))
            slope = slope - counts * (of_right / (of_right.sum() + 1e-12) - p) @ table
        return total, slope

    weights: Array = minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x / spread
    return weights


def _counts(item: Item) -> float:
    """What a question for a name counts; plain ones count more, since there are few."""
    if item.set == FIELD:
        return FIELDS
    return 1.5 * SETS if item.set in PLAIN else SETS


def confidence(item: Item, weights: Array, heat: float) -> float:
    """Probability of the best topic; 0 without topics."""
    if not len(item.topics):
        return 0.0
    z = item.topics @ weights
    p = np.exp((z - z.max()) / heat)
    return float(p.max() / p.sum())


def fit_outcome(chosen: Sequence[Item]) -> tuple[Array, float]:
    """Weights and bias of the logistic model; answerable and unanswerable weigh the same in each set."""
    weights = np.array([1 / sum(j.set == i.set and j.answerable == i.answerable for j in chosen) for i in chosen])
    truth = np.array([i.answerable for i in chosen], dtype=np.float64)
    return _logistic(np.stack([i.outcome for i in chosen]), truth, weights, OUTCOME_PENALTY)


def fit_asked(chosen: Sequence[Form], *, vectors: bool) -> tuple[Array, float]:
    """Weights and bias of the logistic model, those of the features first, then, with `vectors`, those of the vector;
    questions that want a name weigh as much as the others."""
    # What was written to be hard to tell by form alone teaches nothing of the form.
    chosen = [f for f in chosen if vectors or f.set != FORM_ALONE]
    truth = np.array([f.wants_name for f in chosen], dtype=np.float64)
    weights = np.array([1.0 if f.set == FIELD else FORM for f in chosen])
    weights *= np.where(truth > 0, 1 / (weights @ truth), 1 / (weights @ (1 - truth)))
    table = np.stack([f.features for f in chosen])
    penalty = np.full(table.shape[1], ASKED_PENALTY)
    if vectors:
        of_meaning = np.stack([f.vector for f in chosen]).astype(np.float64)
        table = np.hstack([table, of_meaning])
        penalty = np.append(penalty, np.full(of_meaning.shape[1], VECTOR_PENALTY))
    return _logistic(table, truth, weights, penalty)


def _logistic(table: Array, truth: Array, weights: Array, penalty: Array | float) -> tuple[Array, float]:
    """Weights for features as they are, and bias; the penalty is of features scaled to a spread of 1."""
    weights = weights * len(table) / weights.sum()
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    scaled = np.hstack([(table - middle) / spread, np.ones((len(table), 1))])

    def loss(w: Array) -> tuple[float, Array]:
        z = scaled @ w
        p = 1 / (1 + np.exp(-z))
        total = float((weights * (np.logaddexp(0, z) - truth * z)).sum()) + float((penalty * w[:-1]) @ w[:-1]) / 2
        return total, scaled.T @ (weights * (p - truth)) + np.append(penalty * w[:-1], 0)

    w = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    own: Array = w[:-1] / spread
    return own, float(w[-1] - own @ middle)


def probability(item: Item, fitted: tuple[Array, float]) -> float:
    """That the notes answer the question."""
    return float(1 / (1 + np.exp(-(item.outcome @ fitted[0] + fitted[1]))))


def threshold(chosen: Sequence[Item], fitted: tuple[Array, float]) -> float:
    """The probability below which `WRONGLY_DECLINED` of the answerable lie, each set counting the same."""
    asked = [i for i in chosen if i.answerable and not i.heading]
    rows = sorted((probability(i, fitted), 1 / sum(j.set == i.set for j in asked)) for i in asked)
    whole, passed = sum(w for _, w in rows), 0.0
    for p, w in rows:
        passed += w
        if passed > WRONGLY_DECLINED * whole:
            return p
    return 0.5


def as_constants(chosen: Sequence[Item], forms: Sequence[Form], encoder: str) -> Constants:
    """Everything fitted, but not on the items kept aside; `encoder` is the identity of the one of their vectors."""
    chosen = [i for i in chosen if not i.aside]
    named = [i for i in chosen if i.scenario]
    of_names, asked = fit_verdict(named), fit_asked(forms, vectors=False)
    meaning = fit_asked(forms, vectors=True)
    form = len(name_asked.FEATURES)
    chosen = [i for i in chosen if i.set != FIELD]
    fitted = fit_outcome(chosen)
    return {
        "names": _by_name(topic_features.FEATURES, of_names),
        "names_temperature": temperature(named, of_names),
        "asked": {"bias": round(asked[1], 4), **_by_name(name_asked.FEATURES, asked[0])},
        "meaning": {
            "encoder": encoder,
            "asked": {"bias": round(meaning[1], 4), **_by_name(name_asked.FEATURES, meaning[0][:form])},
            "vector": meaning[0][form:].round(3).tolist(),
        },
        "outcome": {
            "bias": round(fitted[1], 4),
            **_by_name(decision_features.FEATURES, fitted[0]),
        },
        "threshold": round(threshold(chosen, fitted), 4),
    }


def _by_name(names: Sequence[str], weights: Array) -> dict[str, float]:
    return {name: round(float(w), 4) for name, w in zip(names, weights, strict=True)}


def temperature(chosen: Sequence[Item], weights: Array) -> float:
    """The one that makes the confidences' Brier score best."""

    def brier(t: float) -> float:
        total = 0.0
        for i in chosen:
            if len(i.topics):
                right = float(i.right[int(np.argmax(i.topics @ weights))])
                total += _counts(i) * (confidence(i, weights, t) - right) ** 2
        return total

    return float(min(np.arange(0.6, 2.6, 0.1).round(1), key=brier))
