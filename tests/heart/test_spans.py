"""Words of the texts that were read, by how likely they are what is asked for."""

from __future__ import annotations

import re

import numpy as np
import pytest

from assistant.models.cross_encoder import ReadText
from assistant.reading.spans import NEVER, Spans


def read(text: str, *, begins: str = "", ends: str = "", by: float = 6.0) -> ReadText:
    """A text whose tokens are its words and marks; the reader finds the answer from `begins` to `ends`."""
    found = list(re.finditer(r"\w+|[^\w\s]", text))
    spans = np.zeros((len(found), 2), dtype=np.float32)
    for n, token in enumerate(found):
        spans[n] = by * (token[0] == begins), by * (token[0] == ends)
    places = np.array([token.span() for token in found], dtype=np.int32).reshape(-1, 2)
    return ReadText(text, np.float32(0), places, spans)


def test_a_name_is_as_likely_as_its_first_and_last_word() -> None:
    spans = Spans([read("Use the Queue Service for jobs", begins="Queue", ends="Service")])
    assert spans.likelihood("queue service") > spans.likelihood("Queue") > spans.likelihood("jobs")
    assert spans.likelihood("Queue Service") > np.log(0.9)
    assert spans.likelihood("Stream") == spans.likelihood("") == NEVER


def test_texts_compete() -> None:
    alone = Spans([read("Queue holds jobs", begins="Queue", ends="Queue")])
    beside = Spans([read("Queue holds jobs", begins="Queue", ends="Queue"), read("Stream", begins="Stream", by=6.0)])
    assert beside.likelihood("Queue") < alone.likelihood("Queue")


def test_the_likeliest_words_come_with_their_hit_and_the_marks_before_them() -> None:
    spans = Spans([None, read("Pass --no-wait to go on", begins="no", ends="wait"), read("Nothing here")])
    assert next(spans.likeliest(1)) == (1, "--no-wait")
    assert len(list(spans.likeliest(5))) == 5


def test_words_are_not_joined_over_a_separator() -> None:
    spans = Spans([read("Queue [SEP] Jobs", begins="Queue", ends="Jobs")])
    assert all("[SEP]" not in said for _, said in spans.likeliest(20))


@pytest.mark.parametrize("text", ["Queue [SEP] Jobs", "Queue. Jobs", "Queue: Jobs"])
def test_a_name_does_not_reach_over_what_parts_words(text: str) -> None:
    spans = Spans([read(text, begins="Queue", ends="Jobs")])
    assert spans.likelihood("Queue Jobs") == NEVER
    assert spans.likelihood("Queue") > NEVER


def test_a_name_is_found_whatever_joins_its_words() -> None:
    for text in ("dead-letter queue", "**Dead** letter queue", "Dead letter/queue"):
        assert Spans([read(text, begins="queue", ends="queue")]).likelihood("Dead letter queue") > NEVER


def test_half_a_word_that_marks_join_keeps_no_mark() -> None:
    assert next(Spans([read("a rye-loaf", begins="loaf", ends="loaf")]).likeliest(1)) == (0, "loaf")


@pytest.mark.parametrize("texts", [[], [None], [read("")]])
def test_where_nothing_was_read_nothing_is_likely(texts: list[ReadText | None]) -> None:
    spans = Spans(texts)
    assert spans.likelihood("Queue") == NEVER
    assert list(spans.likeliest(3)) == []
