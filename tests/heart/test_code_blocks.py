"""Which block of code is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.answering.code_blocks import is_written_in, pick_code_block
from assistant.answering.evidence import rank_evidence
from tests.heart.conftest import Stages


def shown(asked: Stages, heading_path: tuple[str, ...] | None = None) -> str:
    order = rank_evidence(asked.result, None, None)
    sections = ((hit.passage.path, hit.passage.heading_path) for hit in asked.result.hits)
    home = next(s for s in sections if s[1] == heading_path) if heading_path is not None else None
    place = pick_code_block(asked.result, None, order, home)
    return "" if place is None else asked.result.hits[place].passage.text


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Show the code that reads the stream from its beginning", 'stream.cursor(start="oldest")'),
        ("which command switches all traffic to green", "deploy switch --to green"),
        ("Show the yaml that sends one request in ten to the new version", "canary: 10"),
        ("Draw the decision between queue and streaming", "└── no  → Streaming Service"),
    ],
)
def test_the_block_that_does_it_is_shown(stages: Callable[..., Stages], question: str, line: str) -> None:
    assert line in shown(stages(question))


def test_a_language_is_a_filter(stages: Callable[..., Stages]) -> None:
    assert "deploy switch" in shown(stages("Show how traffic goes to the new version", language="bash"))


def test_a_follow_up_prefers_its_own_section(stages: Callable[..., Stages]) -> None:
    asked = stages("show me the code")
    assert "deploy switch" in shown(asked, ("Releases", "Blue-green deployment"))


@pytest.mark.parametrize(
    ("language", "info", "fits"),
    [
        ("", "yaml", True),
        ("bash", "sh", True),
        ("python", "yaml", False),
        ("drawing", "", True),
        ("drawing", "go", False),
    ],
)
def test_a_fence_is_written_in_a_language_or_its_alias(language: str, info: str, fits: bool) -> None:
    assert is_written_in(language, info) == fits


def test_code_that_nobody_asked_for_stands_beside_the_lines_quoted_first(stages: Callable[..., Stages]) -> None:
    asked = stages("How long are events kept in the stream?")
    hits = asked.result.hits
    order = rank_evidence(asked.result, None, None)
    near = {(hits[n].passage.path, hits[n].passage.heading_path) for n in order[:2]}
    place = pick_code_block(asked.result, None, order, None)
    assert place is not None
    assert (hits[place].passage.path, hits[place].passage.heading_path) in near
    elsewhere = [n for n, hit in enumerate(hits) if hit.passage.path != hits[order[0]].passage.path]
    assert pick_code_block(asked.result, None, elsewhere[:2], None) != place
    assert pick_code_block(asked.result, None, [], None) is None
