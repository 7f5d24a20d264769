"""An answer is mended where it stands: the question becomes a sentence of the user's vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from assistant.topics import vocabulary

from .conftest import QUEUE, STRATEGY, Stage, Staged


async def mend(on: Stage, *keys: str) -> None:
    """The key for it in the answers, then the others."""
    await on.read()
    await on.press("exclamation_mark")
    for key in keys:
        await on.press(key)


async def test_the_picked_name_gets_the_question_as_a_sentence(stage: Staged, folder: Path) -> None:
    """After the change was shown; then the question is asked again."""
    async with stage((100, 40)) as on:
        await on.ask(QUEUE)
        await mend(on)
        entries = [str(option.prompt) for option in on.app.screen.query_one(OptionList).options]
        assert entries[0].startswith("Queue Service   the verdict")
        assert entries[-1] == "Another name …"
        await on.press("enter")
        assert f"+- {QUEUE}" in on.app.export_screenshot().replace("&#160;", " ")
        assert not (folder / vocabulary.USER_FILE).exists()
        await on.press("enter")
        await on.until(lambda: len(list(on.transcript.cards())) == 2 and not on.app.conversation.pending)
        assert (folder / vocabulary.USER_FILE).read_text("utf-8") == f"## Queue Service\n\n- {QUEUE}\n"
        assert "Saved in assistant-vocabulary.md. The question is asked again." in on.toasts


async def test_another_name_is_typed_and_what_stands_in_the_file_stays(stage: Staged, folder: Path) -> None:
    (folder / vocabulary.USER_FILE).write_text("# Mine\n\n## Canary\n- a few users first\n", "utf-8")
    async with stage((100, 40)) as on:
        await on.ask(STRATEGY)
        await mend(on)
        on.app.screen.query_one(Input).value = "another name"
        await on.press("enter")
        on.app.screen.query_one(Input).value = "Rainbow"
        await on.press("enter")
        await on.press("enter")
        await on.until(lambda: "Rainbow" in (folder / vocabulary.USER_FILE).read_text("utf-8"))
        written = (folder / vocabulary.USER_FILE).read_text("utf-8")
        assert written == f"# Mine\n\n## Canary\n- a few users first\n\n## Rainbow\n\n- {STRATEGY}\n"


@pytest.mark.parametrize("keys", [("escape",), ("enter", "escape")], ids=["names", "change"])
async def test_nothing_is_written_that_was_not_confirmed(stage: Staged, folder: Path, keys: tuple[str, ...]) -> None:
    async with stage((100, 40)) as on:
        await on.ask(QUEUE)
        await mend(on, *keys)
        assert len(on.app.screen_stack) == 1
        assert not (folder / vocabulary.USER_FILE).exists()
        assert len(list(on.transcript.cards())) == 1


async def test_a_file_that_is_no_vocabulary_is_left_as_it_is(stage: Staged, folder: Path) -> None:
    (folder / vocabulary.USER_FILE).write_text("## Queue\n\nsome prose\n", "utf-8")
    async with stage((100, 40)) as on:
        await on.ask(QUEUE)
        await mend(on, "enter")
        assert "line 3" in on.toasts[-1]
        assert on.toasts[-1].endswith("Mend the file by hand.")
        assert (folder / vocabulary.USER_FILE).read_text("utf-8") == "## Queue\n\nsome prose\n"


async def test_without_an_answer_there_is_nothing_to_mend(stage: Staged) -> None:
    async with stage() as on:
        await mend(on)
        assert on.toasts == ["There is no answer to mend yet."]
