"""The shipped schema of the JSON answer: it fits what is printed, and accepts what the shared contract accepts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assistant.errors import AssistantError
from assistant.rendering.answer_json import error_json

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = sorted((ROOT / "tests" / "golden" / "render").glob("*.json"))
ERROR = json.loads(error_json(AssistantError("Nothing was asked.", "Ask a question."), "7"))
VALUES: tuple[Any, ...] = (None, "", "answered", 0, 1, 2, -1, 0.5, 1.5, True, [], [{}], {}, {"x": 1}, ["x"], [1])
"""What each part of an object is replaced with."""


@pytest.fixture(scope="module")
def contract(shared: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads((shared / "contract" / "answer.schema.json").read_text("utf-8")))


def documents() -> Iterator[Any]:
    """Every golden answer, and an error."""
    yield ERROR
    for path in GOLDEN:
        yield json.loads(path.read_text("utf-8"))


def changed(document: Any) -> Iterator[Any]:
    """The document with one part removed, replaced or (a list) made too long; one change each."""
    for *above, last in places(document):
        for change in ("remove", "repeat", *VALUES):
            made = copy.deepcopy(document)
            parent = made
            for key in above:
                parent = parent[key]
            if change == "remove":
                del parent[last]
            elif change != "repeat":
                parent[last] = change
            elif isinstance(parent[last], list):
                parent[last] *= 9
            else:
                continue
            yield made


def places(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every part; of a list only the first entry's, since its entries are alike."""
    parts = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*above, key)
        yield from places(part, (*above, key))


def test_it_is_a_schema_and_every_golden_answer_fits_it(schema: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(schema.schema)
    for document in documents():
        schema.validate(document)


def test_it_accepts_what_the_contract_accepts(schema: Draft202012Validator, contract: Draft202012Validator) -> None:
    """On golden answers, and on them with anything broken."""
    accepted = refused = 0
    for document in documents():
        for broken in (document, *changed(document)):
            fits = schema.is_valid(broken)
            assert fits == contract.is_valid(broken), broken
            accepted, refused = accepted + fits, refused + (not fits)
    assert min(accepted, refused) > 100


def test_a_batch_line_is_described_as_in_the_contract(
    schema: Draft202012Validator, contract: Draft202012Validator
) -> None:
    lines = [{"question": "a", "id": "7", "conversation": "c", "options": {"A": "x"}}, {"question": "a"}]
    ours, theirs = (
        validator.evolve(schema=part) for validator, part in ((schema, request(schema)), (contract, request(contract)))
    )
    for line in lines:
        for broken in (line, *changed(line)):
            assert ours.is_valid(broken) == theirs.is_valid(broken), broken


def request(validator: Draft202012Validator) -> Any:
    """The definition of a batch line."""
    assert isinstance(validator.schema, dict)
    return validator.schema["$defs"]["request"]


def test_an_answer_has_no_key_that_the_schema_does_not_name(schema: Draft202012Validator) -> None:
    assert isinstance(schema.schema, dict)
    named = schema.schema["$defs"]["answer"]["properties"]
    for path in GOLDEN:
        assert set(json.loads(path.read_text("utf-8"))) <= set(named)
