"""The welcome's questions are those that the notes answer."""

from __future__ import annotations

from .conftest import COMPARE, DECLINED, QUEUE, Staged


async def test_a_question_that_is_declined_is_not_suggested(stage: Staged) -> None:
    async with stage((100, 40)) as on:
        assert DECLINED in on.engine.suggestions()
        await on.until(lambda: len(on.app.view.welcome.examples) == 2)
        assert on.app.view.welcome.examples == (QUEUE, COMPARE)
        assert DECLINED not in on.app.view.welcome.text
