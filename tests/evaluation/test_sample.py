"""Sixty of our own questions, asked with the real model: answers do not get worse unnoticed.

`scripts/score` asks all of them and says what changed; where a change is meant, the sample's count is renewed with
`--snapshot-update`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
