"""The first indexing is seen: a bar with its rate and the time that is left, on the welcome and in the status line."""

from __future__ import annotations

from assistant.tui.worker.messages import IndexProgress
from assistant.tui.worker.pace import Pace

from .conftest import Staged


def test_a_pace_is_told_after_a_second_for_a_step_that_counts() -> None:
    now = [10.0]
    pace = Pace(lambda: now[0])
    assert pace.of("Embedding", 100, 1000) == ""
    now[0] = 12.0
    assert pace.of("Embedding", 300, 1000) == "100/s, 7 s left"
    assert pace.of("Reading", 5, 50) == ""
    now[0] = 20.0
    assert pace.of("Looking", 0, 0) == ""
    assert pace.of("Embedding", 0, 100_000) == ""
    now[0] = 40.0
    assert pace.of("Embedding", 1000, 100_000) == "50/s, 33 min left"


async def test_the_welcome_shows_how_far_the_first_index_is(stage: Staged) -> None:
    async with stage((100, 40)) as on:
        await on.until(lambda: on.app.status.index == "index fresh")
        step = IndexProgress("embedding 450 of 900, 90/s, 5 s left", 450, 900, "90/s, 5 s left")
        on.app.post_message(step)
        await on.until(lambda: "░" in on.app.view.welcome.text)
        assert "████████████░░░░░░░░░░░░ 50% · 90/s, 5 s left" in on.app.view.welcome.text
        assert "90/s, 5 s left" in on.app.status.index
        on.app.post_message(IndexProgress(""))
        await on.until(lambda: "░" not in on.app.view.welcome.text)
