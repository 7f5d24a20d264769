"""The mouse in answers: what a selection copies and marks, what a click opens, what the wheel scrolls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Offset
from textual.selection import Selection

from assistant.records import Answer, Citation, Side, Statement
from assistant.tui.cards.answer_rows import answer_rows
from assistant.tui.cards.card_view import View
from assistant.tui.cards.copied_rows import copied_text
from assistant.tui.history.turn import Turn

from .conftest import COMPARE, QUEUE, RETRY, STRATEGY, Replay, Stage, Staged, recorded

FIRST = (
    "A queue hands each message to exactly one of its consumers, and keeps the message until one has acknowledged it."
)
SECOND = (
    "A stream keeps what was written for as long as it is set to, so that each consumer reads it anew from any place."
)
LINK = "see https://example.org/" + "very-long-" * 20


def wrapped() -> Answer:
    """Statements that no card has room for in one row, one for each side."""
    texts = (FIRST, SECOND, LINK)
    cited = tuple(Citation(n, "n.md", ("T",), "t", n, n, text) for n, text in enumerate(texts, 1))
    statements = tuple(Statement(one.quote, (one.number,)) for one in cited)
    return Answer(COMPARE, "answered", statements=statements, citations=cited)


def compared() -> Answer:
    return replace(wrapped(), sides=(Side("Queue", (1,)), Side("Stream", (2,))))


def with_long_statements(engine: Replay) -> None:
    engine.answers[COMPARE] = compared()


def copied(answer: Answer, columns: int) -> str:
    """What a selection of the whole card copies."""
    rows = answer_rows(Turn(1, answer.question, (), "answered", answer, {}), View(), columns, {}, 3)
    return copied_text((row, (0, -1)) for row in rows)


def place(on: Stage, text: str, behind: bool = False) -> Offset:
    """Where a text stands in the transcript, its first character or the one behind its last."""
    for y in range(on.transcript.size.height):
        row = on.transcript.render_line(y).text
        if text in row:
            return Offset(row.index(text) + (len(text) if behind else 0), y)
    pytest.fail(f"{text} is not in view")


async def drag(on: Stage, first: Offset, last: Offset) -> str:
    """From the first place to the last; what is selected then."""
    await on.pilot.mouse_down(on.transcript, offset=first)
    await on.pilot.hover(on.transcript, offset=last)
    await on.pilot.mouse_up(on.transcript, offset=last)
    await on.pilot.pause()
    return on.app.screen.get_selected_text() or ""


def marked(on: Stage) -> Iterator[str]:
    """The parts of the rows in view that are reversed."""
    for y in range(on.transcript.size.height):
        parts = [
            segment.text
            for segment in on.transcript.render_line(y)
            if segment.style is not None and segment.style.reverse
        ]
        if parts:
            yield "".join(parts)


@pytest.mark.parametrize("columns", [40, 78, 100])
@pytest.mark.parametrize("answer", [wrapped(), compared()], ids=["one", "two sides"])
def test_a_wrapped_statement_is_copied_as_one_line(answer: Answer, columns: int) -> None:
    """Also where a word was too long for a row: it is put together without a blank."""
    lines = copied(answer, columns).split("\n")
    for statement in answer.statements:
        assert lines.count(statement.text) == 1
    assert lines[0] == COMPARE


@pytest.mark.parametrize("question", list(recorded()))
def test_a_copy_has_no_bars_numbers_and_padding(question: str) -> None:
    for columns in (40, 78, 100):
        text = copied(recorded()[question], columns)
        assert not re.search(r"[│▶❯█░✓✗]|\[\d\]", text)
        assert not any(row.endswith(" ") for row in text.split("\n"))


def test_indentation_of_code_is_copied_and_the_card_s_is_not() -> None:
    lines = copied(recorded()[RETRY], 100).split("\n")
    at = lines.index("kind:VirtualService")
    assert lines[at - 1 : at + 2] == ["apiVersion: networking.istio.io/v1beta1", "kind:VirtualService", "metadata:"]


async def test_a_drag_over_a_quote_copies_and_marks_the_text_alone(stage: Staged) -> None:
    async with stage((80, 24), prepare=with_long_statements) as on:
        await on.ask(COMPARE)
        taken = await drag(on, place(on, "hands each"), place(on, "Stream"))
        assert taken.split("\n")[0] == FIRST[FIRST.index("hands each") :]
        assert "[1]" not in "".join(marked(on))
        assert "│" not in "".join(marked(on))
        assert next(iter(marked(on))).startswith("hands each")
        await on.press("ctrl+c")
        await on.until(lambda: on.app.copier.last_copy == taken)


async def test_a_drag_that_keeps_to_a_column_copies_that_column(stage: Staged) -> None:
    async with stage((120, 40), prepare=with_long_statements) as on:
        await on.ask(COMPARE)
        for text, other in ((FIRST, "stream"), (SECOND, "queue")):
            words = text.split()
            begin, end = place(on, " ".join(words[:4])), place(on, words[-1], behind=True)
            assert await drag(on, begin, end) == text
            assert other not in "".join(marked(on))
            on.app.screen.clear_selection()
        both = await drag(on, place(on, "A queue"), place(on, SECOND.split()[-1], behind=True))
        assert both == f"{FIRST}\n{SECOND}", "the first column, then the second one"


async def test_a_selection_without_ends_takes_every_answer(stage: Staged) -> None:
    async with stage((120, 40), prepare=with_long_statements) as on:
        await on.ask(COMPARE)
        whole = on.transcript.get_selection(Selection(None, None))
        assert whole is not None
        assert f"Queue\n{FIRST}\nStream\n{SECOND}\n" in whole[0]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Queue Service   strong", 226),
        ("Messaging and Streaming ›", 226),
        ("Streaming Service weak", 317),
        ("[3]", 822),
    ],
    ids=["verdict", "heading path", "also", "number"],
)
async def test_a_click_opens(stage: Staged, size: tuple[int, int], text: str, line: int) -> None:
    async with stage(size) as on:
        await on.ask(QUEUE)
        await on.pilot.click(on.transcript, offset=place(on, text) + Offset(1, 0))
        await on.until(lambda: on.pane.view.marks.first == line)


@pytest.mark.parametrize("text", ["[4] …", ".md:317", "Messaging and Streaming › Strea"])
async def test_a_click_on_any_part_of_a_source_opens_it(stage: Staged, text: str) -> None:
    async with stage((80, 24)) as on:
        await on.ask(QUEUE)
        on.transcript.scroll_end(animate=False)
        await on.pilot.pause()
        await on.pilot.click(on.transcript, offset=place(on, text) + Offset(1, 0))
        await on.until(lambda: on.pane.view.marks.first == 317)


async def test_a_click_on_a_caption_unfolds_its_code(stage: Staged) -> None:
    async with stage((80, 24)) as on:
        await on.ask(RETRY)
        before = on.last.count("\n")
        at = place(on, "Retry Policy · yaml")
        await on.pilot.click(on.transcript, offset=(at.x + 2, at.y))
        assert on.last.count("\n") > before
        await on.pilot.click(on.transcript, offset=(at.x + 2, at.y))
        assert on.last.count("\n") == before


async def test_the_wheel_scrolls_what_is_under_it(stage: Staged) -> None:
    """Whatever has the focus."""
    async with stage((160, 30)) as on:
        for question in (RETRY, QUEUE, STRATEGY):
            await on.ask(question)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.view.marks.first > 0)
        for focus in (on.prompt, on.transcript, on.pane.view):
            focus.focus()
            await on.pilot.pause()
            answers, source = on.transcript.scroll_y, on.pane.view.scroll_y
            await on.pilot._post_mouse_events([MouseScrollUp], on.transcript, button=0)
            await on.until(lambda answers=answers: on.transcript.scroll_y < answers)  # type: ignore[misc]
            assert on.pane.view.scroll_y == source
            answers = on.transcript.scroll_y
            await on.pilot._post_mouse_events([MouseScrollDown], on.pane.view, button=0)
            await on.until(lambda source=source: on.pane.view.scroll_y > source)  # type: ignore[misc]
            assert on.transcript.scroll_y == answers
            assert on.app.focused is focus
