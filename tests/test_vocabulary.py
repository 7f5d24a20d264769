"""The shipped vocabulary is well formed and its own; a user's file is added to it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.tokenizer import key
from assistant.topics import vocabulary
from assistant.topics.concept_matcher import ConceptMatcher
from assistant.topics.vocabulary import Concept, VocabularyError

FILES = sorted((Path(vocabulary.__file__).parents[1] / "data" / "vocabulary").glob("*.md"))
RUN = 7  # words; shorter runs are common turns of speech


def concepts() -> Iterator[tuple[Path, Concept]]:
    return ((path, concept) for path in FILES for concept in vocabulary.parse(path.read_text("utf-8"), path.name))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs(text: str) -> set[tuple[str, ...]]:
    spoken = words(text)
    return {tuple(spoken[at : at + RUN]) for at in range(len(spoken) - RUN + 1)}


def repeated(values: Iterator[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def test_every_file_is_of_the_form() -> None:
    """One title, concepts with a name, other names and sentences; nothing else."""
    assert FILES
    for path in FILES:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        assert lines[0].startswith("# ")
        assert all(re.match(r"## \S|Also: \S|- \S", line) for line in lines[1:]), path.name
    for path, concept in concepts():
        assert len(concept.sentences) >= 5, (path.name, concept.name)
        assert all(3 <= len(words(sentence)) <= 40 for sentence in concept.sentences), (path.name, concept.name)


def test_no_concept_appears_twice() -> None:
    assert repeated(key(concept.name) for _, concept in concepts()) == []


def test_no_concept_has_a_name_twice() -> None:
    for path, concept in concepts():
        names = [concept.name, *concept.names]
        assert repeated(name.casefold() for name in names) == [], (path.name, concept.name)


def test_no_sentence_appears_twice() -> None:
    sentences = (" ".join(words(sentence)) for _, concept in concepts() for sentence in concept.sentences)
    assert repeated(sentences) == []


def test_no_sentence_is_taken_from_a_question(shared: Path, root: Path) -> None:
    """Else the development questions would measure how well the vocabulary remembers them."""
    files = [*(shared / "eval").rglob("*.jsonl"), *(root / "tests" / "evaluation" / "sets").rglob("*.jsonl")]
    records = [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines() if line]
    asked = [turn["question"] for record in records for turn in record.get("turns", [record])]
    assert asked
    known = {run: question for question in asked for run in runs(question)}
    shared_runs = [
        (sentence, known[run])
        for _, concept in concepts()
        for sentence in concept.sentences
        for run in runs(sentence) & known.keys()
    ]
    assert shared_runs == []


def test_a_users_concept_is_added_or_replaces(tmp_path: Path) -> None:
    first = next(concepts())[1]
    (tmp_path / vocabulary.USER_FILE).write_text(
        f"# Mine\n\n## {first.name}\n\n- In my own words.\n\n## Zymurgy\nAlso: brewing\n\n- I want beer.\n"
    )
    found = {concept.name: concept for concept in vocabulary.concepts(tmp_path)}
    assert found[first.name].sentences == ("In my own words.",)
    assert found["Zymurgy"] == Concept("Zymurgy", ("brewing",), ("I want beer.",))
    assert set(found) - {"Zymurgy"} == {concept.name for concept in vocabulary.concepts()}


def test_a_malformed_line_is_named() -> None:
    with pytest.raises(VocabularyError, match=r"mine\.md, line 3"):
        vocabulary.parse("## Queue\n\nA queue is a line.\n", "mine.md")


def test_a_word_shared_by_several_names_names_none() -> None:
    known = (
        Concept("API gateway", ("API proxy",), ("One door for all calls.",)),
        Concept("Sidecar proxy", ("service proxy",), ("A helper beside each process.",)),
        Concept("Message queue", ("queue service",), ("Jobs wait in line.",)),
    )
    matcher = ConceptMatcher(known)
    assert matcher.matches(key("Proxy")) == {}
    assert matcher.matches(key("Queue")) == {"Message queue": True}
    assert matcher.matches(key("API proxy")) == {"API gateway": True}


def test_a_sentence_is_added_where_its_name_has_a_section_and_else_at_the_end() -> None:
    text = "# Mine\n\n## Queue\n\nAlso: line\n\n- wait your turn\n\n## Stream\n- all at once\n"
    added = vocabulary.with_sentence(text, "queue", "who is\nnext?")
    assert added == text.replace("- wait your turn\n", "- wait your turn\n- who is next?\n")
    assert vocabulary.with_sentence(added, "Queue", "who is next?") == added
    assert vocabulary.with_sentence("", "Topic", "one for all") == "## Topic\n\n- one for all\n"
    assert vocabulary.with_sentence("## Topic\n", "Topic", "one for all") == "## Topic\n\n- one for all\n"


@given(
    st.lists(st.tuples(st.sampled_from(["Queue", "Stream", "Topic"]), st.sampled_from("abcdef")), max_size=8),
)
def test_what_is_added_can_be_read_again(added: list[tuple[str, str]]) -> None:
    text = ""
    for name, sentence in added:
        text = vocabulary.with_sentence(text, name, sentence)
    found = {concept.name: concept.sentences for concept in vocabulary.parse(text, "mine")}
    assert found == {name: tuple(dict.fromkeys(s for n, s in added if n == name)) for name, _ in added}
