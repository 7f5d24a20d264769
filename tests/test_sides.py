"""The two sides of a comparison: in the answer, its JSON, the terminal's text, and what is copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assistant.answering.comparison import Comparison, _Side
from assistant.engine import Engine
from assistant.records import Answer, Citation, LineNumber, Passage, Request, Side, Statement
from assistant.rendering import terminal
from assistant.rendering.answer_json import answer_json
from assistant.rendering.blocks import Statements
from assistant.rendering.display import display_blocks
from assistant.rendering.quickfix import quickfix
from assistant.text.tokenizer import key
from assistant.tui.answer_text import answer_text
from assistant.tui.export import markdown
from assistant.tui.history.turn import Turn
from assistant.tui.history.turn_json import answer_from_json, decode, encode
from tests.asking import real_engine

PLAIN = Answer(
    "What is the difference between tea and coffee?",
    "answered",
    statements=(
        Statement("Tea and coffee: both are hot", (1,)),
        Statement("Tea: leaves", (2,)),
        Statement("Coffee: beans", (3,)),
        Statement("Tea: from Assam", (4,)),
        Statement("Leaves or beans", (2, 3)),
    ),
    citations=tuple(
        Citation(number, "hot.md", ("Hot", head), head.lower(), number, number, quote)
        for number, head, quote in (
            (1, "Drinks", "Tea and coffee: both are hot"),
            (2, "Tea", "Tea: leaves"),
            (3, "Coffee", "Coffee: beans"),
            (4, "Tea", "Tea: from Assam"),
        )
    ),
)
COMPARED = replace(PLAIN, sides=(Side("Tea", (2, 4)), Side("Coffee", (3,))))


@pytest.fixture(scope="module")
def engine(
    root: Path, prepared: Path, corpus_index: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    index = tmp_path_factory.mktemp("sides") / "index"
    shutil.copytree(corpus_index, index)
    with closing(real_engine(root / "corpus", index, prepared, background=False)) as made:
        yield made


def test_a_comparison_says_which_citations_are_of_which_side(
    engine: Engine, valid: Callable[[str], dict[str, Any]]
) -> None:
    answer = engine.ask(Request("When should I use Queue Service or Streaming Service?"))
    assert answer.sides is not None
    queue, stream = answer.sides
    assert (queue.name, stream.name) == ("Queue Service", "Streaming Service")
    texts = {number: one.text for one in answer.statements for number in one.citations}
    assert queue.citations
    assert stream.citations
    assert all("ueue" in texts[number] and "tream" not in texts[number] for number in queue.citations)
    assert all("tream" in texts[number] and "ueue" not in texts[number] for number in stream.citations)
    assert set(texts) - {*queue.citations, *stream.citations}, "a line of both is of neither"
    record = valid(answer_json(answer))
    assert record["schema"] == 1
    assert record["sides"] == [
        {"name": "Queue Service", "citations": list(queue.citations)},
        {"name": "Streaming Service", "citations": list(stream.citations)},
    ]


def test_other_answers_have_no_sides(engine: Engine) -> None:
    for question in ("Which service keeps messages in order?", "Who won the football world cup in 1974?"):
        answer = engine.ask(Request(question))
        assert answer.sides is None
        assert "sides" not in json.loads(answer_json(answer))


def test_the_contract_and_the_schema_accept_sides(schema: Draft202012Validator, shared: Path) -> None:
    contract = Draft202012Validator(json.loads((shared / "contract" / "answer.schema.json").read_text("utf-8")))
    contract.validate(json.loads(answer_json(COMPARED)))


def test_the_schema_says_what_sides_are(schema: Draft202012Validator) -> None:
    record = json.loads(answer_json(COMPARED))
    schema.validate(record)
    schema.validate({**record, "sides": None})
    one = {"name": "Tea", "citations": [1]}
    broken: tuple[Any, ...] = ([], [one], [one] * 3, [one, {"name": "Tea"}], [one, {**one, "name": 1}], "Tea", {})
    for wrong in broken:
        assert not schema.is_valid({**record, "sides": wrong}), wrong


def test_a_passage_that_names_both_is_of_no_side() -> None:
    def passage(line: int, text: str) -> Passage:
        return Passage("hot.md", ("Hot",), "hot", "item", "", LineNumber(line), LineNumber(line), text)

    tea, coffee, both = passage(1, "Tea: leaves"), passage(2, "Beans"), passage(3, "Tea keeps longer than coffee")
    shared = passage(4, "Hot")
    told = Comparison((), (tea, both, shared), (coffee, shared), (_Side((key("tea"),)), _Side((key("coffee"),))))
    assert [told.side_of(one) for one in (tea, coffee, both, shared)] == [0, 1, None, None]


def test_sides_survive_the_session_file() -> None:
    assert answer_from_json(json.loads(answer_json(COMPARED))) == COMPARED
    turn = decode(encode(Turn(1, COMPARED.question, (), "answered", COMPARED, {})), 1)
    assert turn.answer == COMPARED
    assert answer_from_json({**json.loads(answer_json(PLAIN)), "sides": None}) == PLAIN


def test_statements_know_their_side() -> None:
    (block,) = (block for block in display_blocks(COMPARED) if isinstance(block, Statements))
    assert block.sides == ("Tea", "Coffee")
    assert [item.side for item in block.items] == [None, 0, 1, 0, None]
    lonely = replace(COMPARED, sides=(Side("Tea", (2, 4)), Side("Coffee", ())))
    (block,) = (block for block in display_blocks(lonely) if isinstance(block, Statements))
    assert block.sides is None, "nothing to set against it"


def test_the_terminal_groups_by_side() -> None:
    shown = terminal.text(COMPARED).split("\n\n")[0]
    assert [row.rstrip("[]1234, ") for row in shown.split("\n")] == [
        "  │ Tea and coffee: both are hot",
        "  │ Leaves or beans",
        "Tea",
        "  │ Tea: leaves",
        "  │ Tea: from Assam",
        "Coffee",
        "  │ Coffee: beans",
    ]
    shown = terminal.text(PLAIN).split("\n\n")[0]
    assert [row[4:8] for row in shown.split("\n")] == ["Tea ", "Tea:", "Coff", "Tea:", "Leav"]


def test_copies_files_and_quickfix_hold_each_statement_once(tmp_path: Path) -> None:
    assert answer_text(COMPARED) == answer_text(PLAIN)
    turns = [Turn(1, one.question, (), "answered", one, {}) for one in (COMPARED, PLAIN)]
    compared, plain = (markdown([turn], tmp_path, "Saved") for turn in turns)
    assert compared == plain
    assert quickfix(COMPARED) == quickfix(PLAIN)
    for statement in COMPARED.statements:
        assert compared.count(f"> {statement.text} ") == 1
