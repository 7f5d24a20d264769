"""What the reader makes of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.models.cross_encoder import ReadText
from assistant.models.lazy import LazyReader
from assistant.question.understanding import understand
from assistant.reading import layout, reading, spans
from assistant.records import LineNumber, Passage, Request
from assistant.retrieval.result import RetrievalResult
from assistant.retrieval.retriever import HybridRetriever


def passage(text: str, line: int, **more: object) -> Passage:
    place = {"path": "a.md", "heading_path": ("Fruit", "Apple"), "anchor": "apple", "kind": "item", "label": ""}
    return Passage(**{**place, "start": LineNumber(line), "end": LineNumber(line), "text": text, **more})  # type: ignore[arg-type]


def retrieved(retriever: HybridRetriever, question: str) -> RetrievalResult:
    return retriever.retrieve(understand(Request(question), None, retriever.store).query)


class Counting:
    """The shipped reader, and how many texts it was given."""

    def __init__(self, cache: Path) -> None:
        self.reader = LazyReader(cache)
        self.texts: list[str] = []

    def read(self, question: str, texts: Sequence[str]) -> list[ReadText]:
        self.texts += texts
        return self.reader.read(question, texts)

    def ahead(self) -> None:
        self.reader.ahead()

    def load(self) -> object:
        return self.reader.load()


def test_the_same_candidates_come_back_in_an_order_of_their_scores(retriever: HybridRetriever, prepared: Path) -> None:
    before = retrieved(retriever, "How long are events kept in the stream?")
    after = reading.read(before, LazyReader(prepared), retriever.reader)
    assert {hit.id for hit in after.hits} == {hit.id for hit in before.hits}
    assert [hit.score for hit in after.hits] == sorted((hit.score for hit in after.hits), reverse=True)
    assert [p.passage for p in after.passages] == [hit.passage for hit in after.hits]
    lexical = dict(zip((hit.id for hit in before.hits), before.scores.lexical[:, 0].tolist(), strict=True))
    assert [lexical[hit.id] for hit in after.hits] == after.scores.lexical[:, 0].tolist()


def test_the_line_that_answers_is_found_to_answer(retriever: HybridRetriever, prepared: Path) -> None:
    before = retrieved(retriever, "How long are events kept in the stream?")
    after = reading.read(before, LazyReader(prepared), retriever.reader)
    assert after.answers is not None
    assert after.hits[0].passage.text == "Events are kept for 24 hours"
    assert after.answers[0] == after.answers.max() > 0


def test_only_the_first_candidates_are_read_and_no_heading(retriever: HybridRetriever, prepared: Path) -> None:
    counting = Counting(prepared)
    before = retrieved(retriever, "Which strategy shows the new version to a few users first?")
    after = reading.read(before, counting, retriever.reader)
    assert after.answers is not None
    read = np.isfinite(after.answers)
    assert read.sum() == len(counting.texts) == reading.CANDIDATES
    kinds = {hit.passage.kind for hit, was_read in zip(after.hits, read, strict=True) if was_read}
    assert not kinds & {"heading", "label"}


def test_reading_twice_gives_the_same(retriever: HybridRetriever, prepared: Path) -> None:
    before = retrieved(retriever, "How is a release rolled back?")
    one, two = (reading.read(before, LazyReader(prepared), retriever.reader) for _ in range(2))
    assert one.hits == two.hits
    assert one.answers is not None
    assert two.answers is not None
    assert one.answers.tobytes() == two.answers.tobytes()


def test_words_are_told_of_the_passages_that_were_read(retriever: HybridRetriever, prepared: Path) -> None:
    before = retrieved(retriever, "Which strategy shows the new version to a few users first?")
    after = reading.read(before, LazyReader(prepared), retriever.reader)
    assert before.spans is None
    assert after.spans is not None
    assert after.answers is not None
    likeliest = list(after.spans.likeliest(3))
    assert len(likeliest) == 3
    for n, said in likeliest:
        assert np.isfinite(after.answers[n])
        assert said
    assert after.spans.likelihood("Canary") > after.spans.likelihood("Xylophone") == spans.NEVER


def test_nothing_is_read_where_nothing_was_found(retriever: HybridRetriever, prepared: Path) -> None:
    found = retrieved(retriever, "How is a release rolled back?")
    nothing = RetrievalResult(found.search, (), (), found.scores.take([]))
    assert reading.read(nothing, LazyReader(prepared), retriever.reader) is nothing


def test_a_passage_is_read_with_its_headings_and_neighbours() -> None:
    section = [passage("Apples keep.", 4), passage("Seven months.", 5), passage("Pears do not.", 6)]
    assert (
        layout.of_passage(section[1], section) == "Seven months. [SEP] Fruit > Apple [SEP] Apples keep. | Pears do not."
    )


def test_of_a_long_passage_the_part_with_the_wanted_words_is_read() -> None:
    text = " ".join([*(f"Word {n}." for n in range(40)), "Pears rot in May.", *(f"Last {n}." for n in range(10))])
    long = passage(text, 5)
    assert "Pears" not in layout.of_passage(long, ())
    read = layout.of_passage(long, (), frozenset(("pear", "may"))).split(layout.SEPARATOR)[0]
    assert "Pears rot in May." in read
    assert len(read.split()) == len(layout.of_passage(long, ()).split(layout.SEPARATOR)[0].split())


def test_headings_labels_and_what_overlaps_are_no_neighbours() -> None:
    whole = passage("a\nb", 4, end=LineNumber(5), kind="fence")
    section = [passage("Apple", 3, kind="heading"), whole, passage("b", 5, kind="step"), passage("Rest", 7)]
    assert layout.of_passage(section[2], section) == "b [SEP] Fruit > Apple [SEP]  | Rest"


def test_a_line_is_read_without_neighbours() -> None:
    assert layout.of_line("Cellar: seven months", "Apple") == "Cellar: seven months [SEP] Apple [SEP] |"


def test_a_file_name_that_stands_for_a_title_is_not_read() -> None:
    assert "Fruit" not in layout.of_passage(passage("Seven months.", 4, titled=False), ())
