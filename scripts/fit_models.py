"""The part of `scripts/fit` that fits: a listwise softmax over topics, and a logistic model of whether notes answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from fit_questions import Array, Item
from scipy.optimize import minimize

from assistant.answering import decision_features, topic_features

VERDICT_PENALTY, OUTCOME_PENALTY = 8.0, 10.0
WRONGLY_DECLINED = 0.06
"""Share of the answerable that the threshold may decline, over all sets."""


class Constants(TypedDict):
    """What assistant/data/constants.json holds."""

    verdict: dict[str, float]
    """Weight by feature of `topic_features`."""
    temperature: float
    outcome: dict[str, float]
    """Weight by feature of `decision_features`, and `bias`."""
    threshold: float
    """Probability below which a question is declined."""


def fit_verdict(chosen: Sequence[Item]) -> Array:
    """Weights of the listwise softmax, for features as they are."""
    rows = [i for i in chosen if i.scenario and i.right.any()]
    spread = np.concatenate([i.topics for i in rows]).std(axis=0) + 1e-6
    scaled = [(i.topics / spread, i.right) for i in rows]

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = VERDICT_PENALTY * float(w @ w) / 2, VERDICT_PENALTY * w
        for table, right in scaled:
            z = table @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            of_right = p * right
            total -= float(np.log(of_right.sum() + 1e-12))
            slope = slope - (of_right / of_right.sum() - p) @ table
        return total, slope

    weights: Array = minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x / spread
    return weights


def confidence(item: Item, weights: Array, heat: float) -> float:
    """Probability of the best topic; 0 without topics."""
    if not len(item.topics):
        return 0.0
    z = item.topics @ weights
    p = np.exp((z - z.max()) / heat)
    return float(p.max() / p.sum())


def fit_outcome(chosen: Sequence[Item]) -> tuple[Array, float]:
    """Weights and bias of the logistic model; answerable and unanswerable weigh the same in each set."""
    table = np.stack([i.outcome for i in chosen])
    truth = np.array([i.answerable for i in chosen], dtype=np.float64)
    weights = np.array([1 / sum(j.set == i.set and j.answerable == i.answerable for j in chosen) for i in chosen])
    weights *= len(chosen) / weights.sum()
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    scaled = np.hstack([(table - middle) / spread, np.ones((len(table), 1))])

    def loss(w: Array) -> tuple[float, Array]:
        z = scaled @ w
        p = 1 / (1 + np.exp(-z))
        total = float((weights * (np.logaddexp(0, z) - truth * z)).sum()) + OUTCOME_PENALTY * float(w[:-1] @ w[:-1]) / 2
        return total, scaled.T @ (weights * (p - truth)) + OUTCOME_PENALTY * np.append(w[:-1], 0)

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


def as_constants(chosen: Sequence[Item]) -> Constants:
    """Everything fitted, but not on the items kept aside."""
    chosen = [i for i in chosen if not i.aside]
    weights = fit_verdict(chosen)
    heat = temperature(chosen, weights)
    fitted = fit_outcome(chosen)
    return {
        "verdict": {f: round(float(w), 4) for f, w in zip(topic_features.FEATURES, weights, strict=True)},
        "temperature": heat,
        "outcome": {
            "bias": round(fitted[1], 4),
            **{f: round(float(w), 4) for f, w in zip(decision_features.FEATURES, fitted[0], strict=True)},
        },
        "threshold": round(threshold(chosen, fitted), 4),
    }


def temperature(chosen: Sequence[Item], weights: Array) -> float:
    """The one that makes the confidences' Brier score best."""
    rows = [i for i in chosen if i.scenario]

    def brier(t: float) -> float:
        total = 0.0
        for i in rows:
            if len(i.topics):
                total += (confidence(i, weights, t) - float(i.right[int(np.argmax(i.topics @ weights))])) ** 2
        return total / len(rows)

    return float(min(np.arange(0.6, 2.6, 0.1).round(1), key=brier))
