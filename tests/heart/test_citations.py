"""Excerpts become numbered citations."""

from __future__ import annotations

import pytest

from assistant.answering.citations import CitationBuilder
from assistant.answering.verification import check_quotes, mark_stale, stale_warnings
from assistant.records import Answer, Citation, Passage, Statement
from assistant.retrieval.retriever import HybridRetriever


def passage(retriever: HybridRetriever, text: str) -> Passage:
    """The first whose text begins so."""
    passages = retriever.store.passages(retriever.store.passage_ids())
    return next(p for p in passages.values() if p.text.startswith(text))


@pytest.fixture
def builder(retriever: HybridRetriever) -> CitationBuilder:
    return CitationBuilder(retriever.reader, {}, limit=2)


def test_the_same_lines_get_one_number(retriever: HybridRetriever, builder: CitationBuilder) -> None:
    excerpt = builder.excerpt(passage(retriever, "Messages are kept"))
    assert excerpt is not None
    assert [builder.cite(excerpt), builder.cite(excerpt)] == [1, 1]
    (cited,) = builder.citations
    assert (cited.path, cited.heading_path[-1], cited.quote) == (
        "messaging.md",
        "Queue Service",
        "- Messages are kept for 7 days",
    )


def test_beyond_the_limit_nothing_is_cited(retriever: HybridRetriever, builder: CitationBuilder) -> None:
    texts = ("Messages are kept", "Events are kept", "Partitions")
    excerpts = [builder.excerpt(passage(retriever, text)) for text in texts]
    assert [builder.cite(e) for e in excerpts if e is not None] == [1, 2, None]
    assert builder.full


def test_a_branch_of_a_small_drawing_is_quoted_with_the_whole(
    retriever: HybridRetriever, builder: CitationBuilder
) -> None:
    excerpt = builder.whole_drawing(passage(retriever, "yes → Queue Service"))
    assert excerpt is not None
    assert excerpt.quote.startswith("Need each job done once?")
    assert excerpt.text in excerpt.quote


def test_a_code_block_is_a_snippet_of_its_lines(retriever: HybridRetriever, builder: CitationBuilder) -> None:
    snippet = builder.code_block(passage(retriever, "# read the stream"))
    assert snippet is not None
    assert (snippet.language, snippet.citation) == ("python", 1)
    assert snippet.code == builder.citations[0].quote


def test_a_quote_that_is_not_in_its_lines_is_an_internal_error(retriever: HybridRetriever) -> None:
    invented = Citation(1, "messaging.md", ("Messaging",), "", 5, 5, "Messages are kept for ever")
    with pytest.raises(AssertionError, match=r"messaging\.md:5"):
        check_quotes(Answer("q", "answered", citations=(invented,)), retriever.reader)


def test_a_statement_stands_in_its_quote(retriever: HybridRetriever, builder: CitationBuilder) -> None:
    excerpt = builder.excerpt(passage(retriever, "Messages are kept"))
    assert excerpt is not None
    builder.cite(excerpt)
    invented = Statement("Messages are kept for ever", (1,))
    answer = Answer("q", "answered", statements=(invented,), citations=tuple(builder.citations))
    with pytest.raises(AssertionError, match="statement"):
        check_quotes(answer, retriever.reader)


def test_citations_of_a_changed_note_are_stale() -> None:
    cited = Citation(1, "a.md", ("A",), "a", 1, 1, "text")
    (marked,) = mark_stale((cited,), {"a.md"})
    assert marked.stale
    assert "a.md has changed" in stale_warnings({"a.md"})[0]
