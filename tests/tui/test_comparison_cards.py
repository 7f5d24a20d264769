"""Cards: a comparison's sides beside each other, and what tells the parts of an answer apart."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from assistant.records import Answer, Side
from assistant.rendering import confidence
from assistant.tui.cards.answer_rows import answer_rows
from assistant.tui.cards.card_view import View
from assistant.tui.cards.rows import Row, plain, width
from assistant.tui.history.turn import Turn

from .conftest import CHOICE, COMPARE, QUEUE, RETRY, UNMET, Replay, Staged, recorded

CELL = 12.2
"""Width of a column in an exported picture."""
LONG = "Producers → Stream (Partitions) → Consumers"


def compared() -> Answer:
    """The recorded comparison with its sides; [3] is a line of both."""
    return replace(recorded()[COMPARE], sides=(Side("Queue Service", (1,)), Side("Streaming Service", (2, 4))))


def rows_of(answer: Answer, columns: int, folded_rows: int = 3) -> list[Row]:
    return answer_rows(Turn(1, answer.question, (), "answered", answer, {}), View(), columns, {}, folded_rows)


def texts(rows: list[Row]) -> list[str]:
    return [plain(row).rstrip() for row in rows]


def with_sides(engine: Replay) -> None:
    engine.answers[COMPARE] = compared()


def test_sides_stand_in_two_columns_in_a_wide_card() -> None:
    """Lines of both above them over the whole width; each number at the right of its column."""
    rows = rows_of(compared(), 100)
    assert all(width(row) <= 100 for row in rows)
    shown = texts(rows)
    assert re.fullmatch(r"│ Queue: Point-to-point, .* {20,}\[3\]", shown[1])
    assert len(shown[1]) == 100
    assert re.fullmatch(r"Queue Service {39}Streaming Service", shown[2])
    assert [row[:48].rstrip() for row in shown[3:7]] == [
        f"│ Producer → Queue → Consumer{' ' * 16}[1]",
        f"│ Use Cases:{' ' * 33}[1]",
        "",
        "",
    ]
    assert [row[52:] for row in shown[3:7]] == [
        "│ Producers → Stream (Partitions) →          [2]",
        "│ Consumers",
        f"│ Streaming (pipeline){' ' * 23}[4]",
        f"│ Features:{' ' * 34}[2]",
    ]


@pytest.mark.parametrize("columns", [64, 78, 99])
def test_sides_stand_below_each_other_in_a_narrower_card(columns: int) -> None:
    shown = texts(rows_of(compared(), columns))
    first, second = shown.index("Queue Service"), shown.index("Streaming Service")
    assert shown[first - 1].startswith("│")
    assert second == first + 3
    quoted = shown[first + 1 : second] + shown[second + 1 : second + 4]
    assert [row.split("  ")[0] for row in quoted] == [
        "│ Producer → Queue → Consumer",
        "│ Use Cases:",
        f"│ {LONG}",
        "│ Streaming (pipeline)",
        "│ Features:",
    ]
    assert all(len(row) == columns and row.endswith("]") for row in quoted)


def test_an_answer_without_sides_is_as_it_was() -> None:
    shown = texts(rows_of(recorded()[COMPARE], 100))
    assert [row.split("  ")[0] for row in shown[1:7]] == [
        "│ Producer → Queue → Consumer",
        f"│ {LONG}",
        "│ Queue: Point-to-point, guaranteed delivery, async processing",
        "│ Streaming (pipeline)",
        "│ Use Cases:",
        "│ Features:",
    ]


async def test_a_citation_in_either_column_opens_and_columns_go_when_there_is_no_room(stage: Staged) -> None:
    async with stage((160, 50), prepare=with_sides) as on:
        await on.ask(COMPARE)
        rows = on.last.split("\n")
        at = next(y for y, row in enumerate(rows) if row.endswith("[4]"))
        card = list(on.transcript.cards())[-1]
        await on.pilot.click(on.transcript, offset=(1 + rows[at].index("[4]") + 1, card.top + at))
        await on.until(lambda: on.pane.view.marks.first == 636)
        assert "\nQueue Service\n" in on.last, "the source takes the room of the second column"


def test_confidence_is_a_word_and_a_bar() -> None:
    shown = [confidence.shown(value) for value in (0.0, 0.2, 0.4, 0.7, 0.81, 0.9, 1.0)]
    assert shown == [
        *("weak █░░░░", "weak ██░░░", "fair ███░░", "strong ████░", "strong ████░", "strong █████", "strong █████"),
    ]
    for question in (QUEUE, RETRY):
        rows = texts(rows_of(recorded()[question], 100))
        assert not any(re.search(r"\d %", row) for row in rows)
    assert "Also: Streaming Service weak █░░░░  Common Scenarios weak █░░░░" in "\n".join(
        texts(rows_of(recorded()[QUEUE], 100))
    )


@pytest.mark.parametrize("columns", range(40, 104, 4))
def test_no_row_is_too_wide(columns: int) -> None:
    for answer in (compared(), *recorded().values()):
        assert max(map(width, rows_of(answer, columns))) <= columns


@pytest.mark.parametrize("question", [QUEUE, RETRY, CHOICE, UNMET, COMPARE])
def test_an_answer_has_two_accent_colours(question: str) -> None:
    """Beside those of a warning and an error, which an answer has only where something is wrong."""
    rows = rows_of(recorded()[question], 100)
    colours = {word for row in rows for piece in row for word in piece.style.split() if word.startswith("$")}
    assert colours - {"$text-warning", "$text-error", "$warning"} <= {"$text-primary", "$text-accent"}


def test_blank_rows_tell_the_parts_apart_where_there_is_room() -> None:
    """On a screen of 32 rows or more; on a lower one no row is spent on it."""
    roomy, low = texts(rows_of(recorded()[RETRY], 100, 4)), texts(rows_of(recorded()[RETRY], 100, 3))
    assert [roomy[at + 1].split()[0] for at, row in enumerate(roomy) if not row] == ["│", "Retry", "Sources"]
    assert "" not in low
    assert roomy[1].startswith("Common Scenarios"), "nothing between the question and its answer"


async def test_blanks_between_runs_survive_in_an_exported_picture(stage: Staged) -> None:
    """Every run stands in its column of the screen, and the blanks beside a word stand in its run."""
    async with stage((120, 40), prepare=with_sides) as on:
        await on.ask(COMPARE)
        await on.ask(QUEUE)
        pictured = runs(on.app.export_screenshot())
        shown = [joined(row) for row in pictured]
        region = on.transcript.content_region
        for y in range(region.height):
            strip = on.transcript.render_line(y).text.rstrip()
            assert shown[region.y + y][region.x :].startswith(strip), strip
        (verdict,) = ("".join(text for _, text in row) for row in pictured if "strong" in joined(row))
        assert "Queue Service   strong █████" in verdict


def runs(picture: str) -> list[list[tuple[int, str]]]:
    """Each row's runs of text with their column; a run of blanks alone is not drawn."""
    found: dict[float, list[tuple[int, str]]] = {}
    for tag, text in re.findall(r"<text ([^>]*)>([^<]*)</text>", picture):
        place = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "textLength" in place:
            run = unescape(text).replace("\xa0", " ")
            found.setdefault(float(place["y"]), []).append((round(float(place["x"]) / CELL), run))
    return [found[y] for y in sorted(found)]


def joined(row: list[tuple[int, str]]) -> str:
    """A row as it is drawn."""
    shown = ""
    for at, text in row:
        shown = shown.ljust(at) + text
    return shown
