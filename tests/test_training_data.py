"""The training data is of the form that its readme promises."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parent.parent / "scripts" / "training"
FIELDS = sorted((DATA / "fields").iterdir())
ANSWERED = {"fact", "definition", "howto", "which", "yesno", "symptom", "keyword"}
UNANSWERED = {"near_miss", "other"}
STYLES = {"bullet", "row", "arrow", "tree", "comment"}


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_there_are_thirty_fields() -> None:
    assert len(FIELDS) == 30


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_question_has_its_answer_where_it_says(field: Path) -> None:
    notes = {path.name: path.read_text("utf-8").split("\n") for path in (field / "notes").glob("*.md")}
    questions = records(field / "questions.jsonl")
    assert len(notes) == 6
    assert len(questions) == len({one["id"] for one in questions}) == 204
    for one in questions:
        lines = notes[one["note"]]
        assert one["kind"] in ANSWERED | UNANSWERED
        assert (one["lines"] is None) == (one["kind"] in UNANSWERED), one["id"]
        places = one["lines"] or []
        assert all(1 <= first <= last <= len(lines) for first, last in places), one["id"]
        if places:
            best = flat("\n".join(lines[places[0][0] - 1 : places[0][1]]))
            assert flat(one["answer"]) in best, one["id"]
        if one["kind"] == "which":
            above = " ".join(line for line in lines[: places[0][1]] if line.startswith("#"))
            assert flat(one["name"]) in f"{best} {flat(above)}", one["id"]
            assert "noun" in one


TRAINED = sorted(path.parent for path in DATA.glob("fields/*/near_misses.jsonl"))


def test_each_field_that_is_trained_on_has_near_misses() -> None:
    assert len(TRAINED) == 24


@pytest.mark.parametrize("field", TRAINED, ids=lambda field: field.name)
def test_each_near_miss_has_a_twin_that_its_lines_answer(field: Path) -> None:
    notes = {path.name: path.read_text("utf-8").split("\n") for path in (field / "notes").glob("*.md")}
    rows = records(field / "near_misses.jsonl")
    asked = [text for one in rows for text in (one["twin"], one["question"])]
    assert len(rows) == len({one["id"] for one in rows}) == 108
    assert len(set(asked)) == len(asked)
    for one in rows:
        first, last = one["near"]
        assert 1 <= first <= last <= len(notes[one["note"]]), one["id"]
        assert flat(one["answer"]) in flat("\n".join(notes[one["note"]][first - 1 : last])), one["id"]
        assert one["why"], one["id"]


@pytest.mark.parametrize("field", TRAINED, ids=lambda field: field.name)
def test_each_question_in_other_words_has_its_answer_where_it_says(field: Path) -> None:
    notes = {path.name: path.read_text("utf-8").split("\n") for path in (field / "notes").glob("*.md")}
    rows = records(field / "other_words.jsonl")
    asked = {one["question"] for one in (*rows, *records(field / "questions.jsonl"))}
    assert len(rows) == len({one["id"] for one in rows}) == 96
    assert len(asked) == 96 + 204
    for one in rows:
        lines, places = notes[one["note"]], one["lines"]
        assert one["kind"] in ANSWERED
        assert all(1 <= first <= last <= len(lines) for first, last in places), one["id"]
        first, last = places[0]
        assert flat(one["answer"]) in flat("\n".join(lines[first - 1 : last])), one["id"]
        assert ("name" in one) == (one["kind"] == "which"), one["id"]
        away = one["distractor"]
        if away is not None:
            start, end = away["lines"]
            assert 1 <= start <= end <= len(notes[away["note"]]), one["id"]
            assert away["note"] != one["note"] or all(end < a or b < start for a, b in places), one["id"]


def test_each_question_of_form_says_whether_it_wants_a_name() -> None:
    rows = records(DATA / "forms.jsonl")
    assert len({one["question"].casefold() for one in rows}) == len(rows) == 800
    assert all(one.keys() == {"question", "name", "kind"} for one in rows)
    assert {one["kind"] for one in rows if one["name"]}.isdisjoint({one["kind"] for one in rows if not one["name"]})


def test_each_name_has_five_lines_and_six_needs() -> None:
    names = [one for path in sorted((DATA / "names").glob("*.jsonl")) for one in records(path)]
    assert len({one["name"].casefold() for one in names}) == len(names) >= 1_500
    for one in names:
        assert one.keys() == {"name", "also", "vendor", "concept", "lines", "needs"}
        assert one["lines"].keys() == STYLES, one["name"]
        assert len(one["needs"]) == 6
        assert all(map(str.strip, (*one["lines"].values(), *one["needs"], one["concept"]))), one["name"]
