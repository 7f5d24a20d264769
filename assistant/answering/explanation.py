"""Why an answer is as it is (`--explain`): the passages, the concepts, the topics and the decision."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.decision import Decision
from assistant.answering.topic import Topic
from assistant.answering.topic_features import FEATURES
from assistant.retrieval.result import RetrievalResult

_PASSAGES, _CONCEPTS, _TOPICS = 10, 5, 5
_CORRECT = (
    "To fix a wrong verdict, write the need, in your own words, under the right name in "
    "assistant-vocabulary.md at the top of the notes."
)


def explanation(result: RetrievalResult, ranked: Sequence[Topic], decision: Decision) -> dict[str, object]:
    """The best passages with their scores, the top-ranked topics, and the features of the decision."""
    return {
        "passages": [
            {
                "at": f"{hit.passage.path}:{hit.passage.start}",
                "kind": hit.passage.kind,
                "dense": hit.dense,
                "lexical": hit.lexical,
                "score": hit.score,
            }
            for hit in result.hits[:_PASSAGES]
        ],
        "concepts": {c: round(v, 4) for c, v in list(result.search.concepts.near.items())[:_CONCEPTS]},
        "topics": [_topic(topic) for topic in ranked[:_TOPICS]],
        "decision": {
            **{name: round(value, 4) for name, value in decision.features.items()},
            "answerable": round(decision.probability, 4),
            "wants_name": decision.wants_name,
        },
        "correct": _CORRECT,
    }


def _topic(topic: Topic) -> dict[str, object]:
    features = zip(FEATURES, topic.features, strict=True)
    return {
        "name": topic.name,
        "score": topic.score,
        "confidence": round(topic.confidence, 4),
        **{name: round(float(value), 4) for name, value in features if value},
    }
