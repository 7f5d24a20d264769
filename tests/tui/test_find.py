"""Finding a text in the pane that has the focus, and the counts of matches."""

from __future__ import annotations

import pytest
from textual.containers import Vertical
from textual.widgets import Input

from assistant.tui.cards.card import Card
from assistant.tui.cards.card_view import View
from assistant.tui.cards.item import Label, TranscriptItem
from assistant.tui.cards.rows import Piece, Row
from assistant.tui.history.turn import Turn
from assistant.tui.widgets.answer_search import AnswerSearch
from assistant.tui.widgets.dialogs import Naming, Picker
from assistant.tui.widgets.find_bar import FindBar
from assistant.tui.widgets.note_view import NoteView
from assistant.tui.widgets.row_search import RowSearch

from .conftest import DECLINED, QUEUE, RETRY, STRATEGY, Stage, Staged


def bar(on: Stage) -> str:
    """What the row below the panes says at its left; "" where it is hidden."""
    row = on.app.view.find_bar
    return row.texts[0] if row.display else ""


def reversed_texts(on: Stage, row: int) -> list[str]:
    """What is drawn in reverse in a row of the answers, in view."""
    strip = on.transcript.render_line(row - round(on.transcript.scroll_y))
    return [segment.text for segment in strip if segment.style is not None and segment.style.reverse]


def count(on: Stage, text: str) -> int:
    """How often the answers say it, as they are shown."""
    return sum(item.text.casefold().count(text) for item in on.transcript.items())


async def find(on: Stage, text: str) -> None:
    await on.press("slash")
    await on.until(lambda: isinstance(on.app.screen, Naming))
    await on.press(*text, "enter")
    await on.until(lambda: not isinstance(on.app.screen, Naming))


async def open_source(on: Stage) -> NoteView:
    """The focus goes to the note of the first citation."""
    await on.ask(QUEUE)
    await on.read()
    await on.press("1")
    await on.until(lambda: on.pane.note is not None and on.pane.view.marks.first > 0)
    on.pane.view.focus()
    await on.pilot.pause()
    return on.pane.view


# In the answers.


async def test_the_answers_are_searched_where_they_have_the_focus(stage: Staged) -> None:
    """With a count that n and N move, round and round, case aside."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.read()
        await find(on, "QUEUE")
        of = count(on, "queue")
        assert of > 5
        assert not on.pane.is_open
        assert on.transcript.has_focus
        at = AnswerSearch(on.transcript).find_place()[0]
        assert bar(on) == f"{at} of {of} in the answers: QUEUE"
        await on.press("n")
        following = at % of + 1
        assert bar(on).startswith(f"{following} of {of} ")
        await on.press("N", "N")
        before = (at - 2) % of + 1
        assert bar(on).startswith(f"{before} of {of} ")
        await on.press(*["n"] * of)
        assert bar(on).startswith(f"{before} of {of} ")


@pytest.mark.parametrize("no_color", [False, True])
async def test_a_match_is_in_view_and_reversed(stage: Staged, no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """And `>` stands beside it; its answer is the chosen one."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    async with stage(no_color=no_color) as on:
        for question in (STRATEGY, QUEUE, RETRY):
            await on.ask(question)
        await on.read()
        await on.press("g")
        await find(on, "virtualservice")
        cards = list(on.transcript.cards())
        assert on.transcript.chosen is cards[2]
        rows = list(range(round(on.transcript.scroll_y), round(on.transcript.scroll_y) + 20))
        marked = [row for row in rows if reversed_texts(on, row)]
        assert marked
        assert all("virtualservice" in text.casefold() for row in marked for text in reversed_texts(on, row))
        here = [row for row in marked if on.transcript.render_line(row - rows[0]).text.startswith(">")]
        assert len(here) == 1


async def test_escape_ends_the_search(stage: Staged) -> None:
    """First, before it leaves the pane; the marks and the count are gone."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "queue")
        assert any(reversed_texts(on, row) for row in range(round(on.transcript.scroll_y), on.transcript.size.height))
        await on.press("escape")
        assert bar(on) == ""
        assert on.transcript.search.text == ""
        assert not any(reversed_texts(on, row) for row in range(on.transcript.size.height))
        assert on.transcript.has_focus
        await on.press("n")
        assert on.toasts[-1] == "Nothing is looked for. Press / to find a text."
        await on.press("escape")
        assert on.prompt.has_focus


async def test_escape_in_the_prompt_ends_it_too(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "queue")
        await on.press("i", *"draft", "escape")
        assert bar(on) == ""
        assert on.prompt.text == "draft"


@pytest.mark.parametrize("text", ["zebra [/x]", "que(ue", "ser.ice"])
async def test_no_match_is_said(stage: Staged, text: str) -> None:
    """Plain text: no sign of it has a meaning of its own."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        top = on.transcript.scroll_y
        on.app.finder.ask()
        await on.until(lambda: isinstance(on.app.screen, Naming))
        on.app.screen.query_one(Input).value = text
        await on.press("enter")
        await on.until(lambda: bar(on) == f"No match in the answers: {text}")
        await on.press("n")
        assert bar(on).startswith("No match")
        assert on.transcript.scroll_y == top
        await on.press("escape")
        assert bar(on) == ""


async def test_the_count_follows_a_new_answer(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "service")
        before = AnswerSearch(on.transcript).find_place()
        on.app.conversation.ask(RETRY)
        await on.until(lambda: not on.app.conversation.pending)
        await on.until(lambda: bar(on).startswith(f"{before[0]} of {count(on, 'service')} "))
        assert AnswerSearch(on.transcript).find_place()[1] > before[1]


async def test_a_resize_keeps_the_match(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "guaranteed delivery")
        await on.press("n")
        at = AnswerSearch(on.transcript).find_place()
        assert at[1] > 2
        await on.pilot.resize_terminal(60, 30)
        await on.pilot.pause()
        assert AnswerSearch(on.transcript).find_place() == at


async def test_the_last_text_is_offered_again(stage: Staged) -> None:
    """Typing replaces it; nothing typed ends the search."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "queue")
        await find(on, "stream")
        assert on.transcript.search.text == "stream"
        await find(on, "")
        assert on.transcript.search.text == "stream"
        await on.press("slash", "backspace", "enter")
        assert bar(on) == ""


class Rows(TranscriptItem):
    """Fixed rows."""

    def __init__(self, *rows: str) -> None:
        super().__init__()
        self._fixed: list[Row] = [[Piece(row)] for row in rows]
        self.fit(80, 3)

    def lay_out(self, width: int, folded_rows: int) -> list[Row]:
        return self._fixed


def test_a_match_goes_on_over_the_end_of_a_row() -> None:
    """Past the citation at the right and the bar in front of the next row."""
    item = Rows("│ point-to-point, guaranteed   [1] [2]", "│ delivery and more guaranteed", "  delivery")
    search = RowSearch()
    search.begin("Guaranteed  DELIVERY")
    assert search.step([item], 1, 0) == (item, 0)
    assert search.place([item]) == (1, 2)
    assert [(span.row, here) for span, here in search.marks(item, 0)] == [(0, True)]
    assert [(span.row, here) for span, here in search.marks(item, 1)] == [(1, True), (1, False)]
    first, second = (span for span, _ in search.marks(item, 1))
    row = item.text.split("\n")[1]
    assert row[: first.end] == "│ delivery"
    assert row[second.start : second.end].strip() == "guaranteed"


def test_a_search_without_items_finds_nothing() -> None:
    search = RowSearch()
    search.begin("x")
    assert search.step([], 1, 0) is None
    assert search.place([Label("y", "")]) == (0, 0)
    assert search.marks(Label("y", ""), 0) == []


async def test_a_removed_answer_takes_its_matches_with_it(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "queue")
        await on.app.run_action("forget")
        await on.until(lambda: not list(on.transcript.cards()))
        await on.until(lambda: f" {count(on, 'queue')} " in f" {bar(on)} " or bar(on).startswith("No match"))
        on.transcript.put(Card(Turn(99, "A queue?"), View()))
        await on.press("n")
        assert AnswerSearch(on.transcript).find_place()[0] > 0


# In the source.


async def test_the_source_is_searched_where_it_has_the_focus(stage: Staged) -> None:
    """Its count goes with n and N; escape takes the marks away before it closes the pane."""
    async with stage() as on:
        view = await open_source(on)
        await find(on, "queue")
        assert isinstance(on.app.focused, NoteView)
        lines = [number for number in range(1, view.virtual_size.height + 1) if "queue" in view.line(number).casefold()]
        at = lines.index(view.match_line) + 1
        assert bar(on) == f"{at} of {len(lines)} in the source: queue"
        assert view.scroll_y < view.match_line <= view.scroll_y + view.size.height
        await on.press("n")
        assert bar(on).startswith(f"{at % len(lines) + 1} of {len(lines)} ")
        await on.press("N")
        assert bar(on).startswith(f"{at} of {len(lines)} ")
        await on.press("escape")
        assert on.pane.is_open
        assert bar(on) == ""
        assert (view.search_text, view.match_line) == ("", 0)
        await on.press("escape")
        await on.until(lambda: not on.pane.is_open)


async def test_no_match_in_the_source_is_said(stage: Staged) -> None:
    async with stage() as on:
        view = await open_source(on)
        top = view.scroll_y
        await find(on, "zebra")
        assert bar(on) == "No match in the source: zebra"
        assert view.scroll_y == top


async def test_the_search_goes_with_the_focus(stage: Staged) -> None:
    """n looks for the same text in the other pane; marks are in one of them."""
    async with stage((120, 40)) as on:
        view = await open_source(on)
        await find(on, "queue")
        assert "in the source" in bar(on)
        await on.read()
        await on.press("n")
        assert "in the answers: queue" in bar(on)
        assert view.search_text == ""
        assert on.transcript.search.text == "queue"


async def test_a_closed_source_ends_its_search(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        view = await open_source(on)
        await find(on, "queue")
        await on.press("ctrl+o")
        assert not on.pane.is_open
        assert bar(on) == ""
        assert view.search_text == ""


async def test_another_note_ends_the_search(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        (on.engine.notes / "fruit.md").write_text("# Fruit\n\n## Apple\n\nA queue of apples.\n", "utf-8")
        view = await open_source(on)
        await find(on, "queue")
        await on.press("2")
        assert "in the source" in bar(on)
        await on.press("f2")
        await on.pilot.pause(0.5)
        await on.press(*"apple", "enter")
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == "fruit.md")
        await on.until(lambda: bar(on) == "")
        assert view.search_text == ""


async def test_the_row_says_its_keys(stage: Staged) -> None:
    """Also those of the user; a click does what they do."""
    async with stage(keys={"find-next": "f8"}) as on:
        await on.ask(QUEUE)
        await on.read()
        await find(on, "queue")
        row = on.app.screen.query_one(FindBar)
        assert row.texts[1] == "f8 next · N previous · escape ends"
        await on.pilot.click(FindBar, offset=(on.app.size.width - 4, 0))
        await on.until(lambda: bar(on) == "")


# Earlier questions.


async def test_earlier_questions_are_counted(stage: Staged) -> None:
    async with stage() as on:
        for question in (QUEUE, RETRY, DECLINED):
            await on.ask(question)
        await on.press("ctrl+r")
        await on.until(lambda: isinstance(on.app.screen, Picker))
        box = on.app.screen.query_one(Vertical)
        assert str(box.border_title) == "Earlier questions · 3 of 3"
        await on.press(*"service")
        await on.until(lambda: str(box.border_title) == "Earlier questions · 2 of 3")
        await on.press(*" zebra")
        await on.until(lambda: str(box.border_title) == "Earlier questions · 0 of 3")


async def test_all_matches_are_counted_not_those_listed(stage: Staged) -> None:
    async with stage() as on:
        for number in range(800):
            on.prompt.remember(f"question {number}")
        await on.press("ctrl+r")
        await on.until(lambda: isinstance(on.app.screen, Picker))
        assert str(on.app.screen.query_one(Vertical).border_title) == "Earlier questions · 800 of 800"
