"""Sixty of our own questions, asked with the real model: answers do not get worse unnoticed.

The scorer judges them as the shared judge does. `scripts/score` asks all of our questions and says what changed; where
a change is meant, the sample's count is renewed with `--snapshot-update`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.records import Answer, Statement
from assistant.rendering.answer_json import answer_json
from tests.evaluation import questions, sets
from tests.evaluation.checks import checks, is_right, to_the_point
from tests.evaluation.faults import faults
from tests.evaluation.scoring import Result

SAMPLE = Path(__file__).with_name("sample.json")
NOISE = 3
"""Questions by which the count may fall."""


def test_the_sample_has_all_sets_and_kinds_evenly(results: list[Result]) -> None:
    kinds = [one.question.kind for one in results]
    assert len(results) == 60
    assert {kinds.count(kind) for kind in kinds} == {10}


def test_no_answer_claims_what_the_notes_do_not_hold(results: list[Result]) -> None:
    assert [str(one) for one in results if one.faults] == []


def test_no_fewer_are_right_than_before(results: list[Result], request: pytest.FixtureRequest) -> None:
    wrong = [one.question.id for one in results if not one.right]
    if request.config.getoption("update_snapshots", default=False):
        SAMPLE.write_text(json.dumps({"wrong": wrong}, indent=1) + "\n", "utf-8")
    before = json.loads(SAMPLE.read_text("utf-8"))["wrong"]
    now_wrong = [str(one) for one in results if one.question.id in set(wrong) - set(before)]
    assert len(wrong) <= len(before) + NOISE, now_wrong


def broken(answer: Answer) -> Iterator[Answer]:
    """The answer, and with one claim made untrue each."""
    yield answer
    yield replace(answer, missing=())
    yield replace(answer, outcome="not_in_notes")
    yield replace(answer, citations=answer.citations[:1])
    for number, cited in enumerate(answer.citations):
        for wrong in (
            replace(cited, quote=cited.quote + " indeed"),
            replace(cited, start_line=cited.start_line + 1, end_line=cited.end_line + 1),
            replace(cited, heading_path=(*cited.heading_path, "Elsewhere")),
            replace(cited, path="nowhere.md"),
        ):
            yield replace(answer, citations=(*answer.citations[:number], wrong, *answer.citations[number + 1 :]))
    if answer.statements:
        yield replace(answer, statements=(Statement(answer.statements[0].text + " always", (1,)),))
    if answer.snippets:
        yield replace(answer, snippets=(replace(answer.snippets[0], code="rm -rf /"),))
        yield replace(answer, snippets=(replace(answer.snippets[0], language="cobol"),))
    if answer.verdict:
        yield replace(answer, verdict=replace(answer.verdict, name=f"{answer.verdict.name} or none"))


def test_it_judges_as_the_shared_judge(results: list[Result], judge: Any) -> None:
    """The sample's answers, as they are and broken: the same checks, and a fault where that one finds one."""
    gold: dict[str, Any] = {}
    for name in sets.SAMPLED:
        for kind in questions.KINDS:
            for record in judge.load(sets.SETS / name / "questions", kind):
                turns = record.get("turns")
                gold |= {f"{record['id']}.{n}": {"kind": kind, **turn} for n, turn in enumerate(turns or (), 1)}
                gold |= {} if turns else {record["id"]: record}
    for one in results:
        notes = Path(one.answer.notes)
        judged_notes, record = judge.Notes(notes), gold[one.question.id]
        for answer in broken(one.answer):
            printed = json.loads(answer_json(answer))
            passed, wrong = judge.judge(record, printed), judged_notes.faults(printed)
            assert passed == checks(one.question, answer)
            assert bool(wrong) == bool(faults(answer, notes)), wrong
            assert judge.right(passed, wrong) == is_right(passed, wrong)
        assert judge.to_the_point(record, json.loads(answer_json(one.answer))) == to_the_point(one.question, one.answer)
