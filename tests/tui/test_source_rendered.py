"""The source pane shows a note as people read it, and as its numbered lines."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import MouseScrollUp
from textual.geometry import Offset
from textual.selection import Selection

from assistant.records import Citation, LineNumber, Note, Problem
from assistant.tui.source.note_text import NoteText
from assistant.tui.source.rendered_rows import RenderedRows

from .conftest import BRACKET, HOSTILE, QUEUE, RETRY, STRATEGY, Stage, Staged

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
NOTE = "application-deployment-and-integration.md"
KITCHEN = """---
title: Kitchen
---
# Kitchen

A paragraph in *one* long line with **bold words**, `code`, a [link](http://example.com/x) and ~~old~~ text, wrapped.
Its second line.

## Lists

- Flour
  - Rye, which has a long explanation that is wrapped below its own text
    1. First
    2. Second
- [x] Bought
- [ ] Needed

> A quotation in one line that is so long that it has to be wrapped to two rows at least.
>
> > Deeper

!!! warning "Hot oven"
    Mind your fingers.

> [!NOTE]
> An alert.

:::tip Salt
Last.
:::

| Dish | Remarks |
| ---- | ------- |
| Bread | Rests for a night in a cold place before it is baked, else it does not rise at all, say some |
| Soup | **Salt** last |

```python
def bake(bread):
    return bread
```

1. Step

   ```yaml
   oven: hot
   ```

***

[r]: http://example.com/r
See [the reference][r] and ![a picture](p.png).<br>End of <host>.

Old heading
===========
"""


def shown(on: Stage) -> list[str]:
    """The rows in view, without blanks at the end."""
    view = on.pane.view
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def open_line(on: Stage, path: str, line: int, last: int = 0) -> None:
    """Opens a place as a citation of these lines, and waits until all that is in view is rendered."""
    lines = (on.engine.notes / path).read_text("utf-8").split("\n")
    last = last or line
    quote = "\n".join(lines[line - 1 : last])
    on.app.view.show_source()
    if not on.pane.open(Citation(1, path, ("",), quote, LineNumber(line), LineNumber(last), "")):
        on.app.engine_thread.read_note(path, line)
    await on.until(lambda: on.pane.note is not None and on.pane.note.path == path and on.pane.view.marks.first == line)
    await settle(on)


async def settle(on: Stage) -> None:
    await on.until(lambda: on.pane.view.size.height > 0 and bool(shown(on)) and on.pane.view.settled)
    await on.pilot.pause()


def kitchen(on: Stage) -> None:
    (on.engine.notes / "kitchen.md").write_text(KITCHEN, "utf-8")


def at(line: str) -> int:
    """The number of the line of `KITCHEN` that begins so."""
    return next(number for number, row in enumerate(KITCHEN.split("\n"), 1) if row.strip().startswith(line))


async def test_each_construct_of_markdown_is_rendered(stage: Staged) -> None:
    async with stage((160, 100)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("# Kitchen"))
        text = "\n".join(shown(on))
        for expected in (
            "   ---\n   title: Kitchen\n   ---\n▌Kitchen\n▌━━━━━━━\n",
            " A paragraph in one long line with bold words, code, a link and old\n text, wrapped. Its second line.\n",
            " Lists\n ─────\n",
            " • Flour\n   • Rye, which has a long explanation that is wrapped below its own\n     text\n",
            "     1. First\n     2. Second\n • ☑ Bought\n • ☐ Needed\n",
            " ▎ A quotation in one line that is so long that it has to be wrapped\n ▎ to two rows at least.\n ▎\n",
            " ▎ ▎ Deeper\n",
            " ▎ Warning: Hot oven\n ▎ Mind your fingers.\n",
            " ▎ Note\n ▎ An alert.\n",
            " ▎ Tip: Salt\n ▎ Last.\n",
            " Dish   Remarks\n ─────  ─────",
            " Bread  Rests for a night in a cold place before it is baked, else it\n        does not",
            " Soup   Salt last\n",
            " python\n   def bake(bread):\n       return bread\n",
            " 1. Step\n\n    yaml\n      oven: hot\n",
            " " + "─" * 40,
            " [r]: http://example.com/r\n See the reference and [image: a picture].\n End of <host>.\n",
            " Old heading\n ━━━━━━━━━━━",
        ):
            assert expected in text, text
        assert "```" not in text
        assert "example.com/x" not in text


async def test_emphasis_links_and_headings_have_styles(stage: Staged) -> None:
    async with stage((160, 100)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("***"))
        view = on.pane.view
        styles = {
            segment.text.strip(): segment.style
            for y in range(view.size.height)
            for segment in view.render_line(y)
            if segment.style is not None
        }
        y = next(y for y, row in enumerate(shown(on)) if "def bake" in row)
        assert styles["link"].underline
        assert styles["one"].italic
        assert styles["bold words"].bold
        assert styles["old"].strike
        assert styles["Kitchen"].bold
        coloured = {one.style.color for one in view.render_line(y) if one.text.strip() and one.style is not None}
        assert len(coloured) > 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_cited_lines_are_marked_and_in_view(stage: Staged, size: tuple[int, int]) -> None:
    async with stage(size) as on:
        await on.ask(QUEUE)
        await on.read()
        for cited in on.engine.answers[QUEUE].citations:
            await on.press(str(cited.number))
            await on.until(lambda cited=cited: on.pane.view.marks.first == cited.start_line)  # type: ignore[misc]
            await settle(on)
            view, bars = on.pane.view, [row for row in shown(on) if row.startswith("▌")]
            lines = (on.engine.notes / NOTE).read_text("utf-8").split("\n")[cited.start_line - 1 : cited.end_line]
            words = [word for row in lines for word in re.findall(r"\w+", row)]
            assert [word for row in bars for word in re.findall(r"\w+", row)] == words
            y = view.rows.row_of(cited.start_line) - round(view.scroll_y)
            bold = [one for one in view.render_line(y) if one.text.strip()]
            assert all(one.style is not None and one.style.bold for one in bold)
            assert len({row[: row.find("▌") + 1] for row in bars}) == 1


async def test_only_the_cited_line_of_a_wrapped_paragraph_is_bold(stage: Staged) -> None:
    async with stage((160, 40)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("Its second line"))
        view = on.pane.view
        y = next(y for y, row in enumerate(shown(on)) if "Its second line." in row)
        bold = "".join(one.text for one in view.render_line(y) if one.style is not None and one.style.bold)
        assert bold.replace("▌", "").strip() == "Its second line."
        assert not shown(on)[y - 1].startswith("▌")


async def test_m_switches_to_numbered_lines_and_back(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.view.marks.first == 840)
        await settle(on)
        rendered = shown(on)
        assert any("▌Q: Decouple" in row for row in rendered)
        await on.press("m")
        assert any("840▌**Q: Decouple" in row for row in shown(on))
        await on.press("escape")
        await on.ask(RETRY)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.is_open and on.pane.view.marks.first != 840)
        assert re.match(r" *\d+[▌ ]", shown(on)[0])  # the choice is kept
        await on.press("m")
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.view.marks.first == 840)
        await settle(on)
        assert shown(on) == rendered


async def test_m_keeps_what_is_read_in_view(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("1")
        await on.until(lambda: on.pane.view.marks.first == 840)
        view = on.pane.view
        view.focus()
        await on.press(*["pageup"] * 8)
        await settle(on)
        line = view.top_line
        await on.press("m")
        assert view.top_line == line
        await on.press("m")
        assert view.top_line == line


async def test_numbers_stay_in_view_when_raw_lines_scroll_sideways(stage: Staged) -> None:
    async with stage((60, 16)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("A paragraph"))
        on.pane.view.focus()
        await on.press("m", "right", "right")
        row = next(row for row in shown(on) if row.startswith("  6▌"))
        assert on.pane.view.scroll_x == 16
        assert row.startswith("  6▌one* long line")
        assert row.endswith("…")


async def test_code_scrolls_sideways_and_prose_does_not(stage: Staged) -> None:
    async with stage((60, 16)) as on:
        (on.engine.notes / "wide.md").write_text(f"Prose stands.\n\n```\n{'x' * 20}{'y' * 90}\n```\n", "utf-8")
        await open_line(on, "wide.md", 1)
        on.pane.view.focus()
        assert "   " + "x" * 20 + "y" in "\n".join(shown(on))
        await on.press("right", "right")
        assert "   " + "x" * 4 + "y" in "\n".join(shown(on))
        assert "▌Prose stands." in shown(on)[0]


@pytest.mark.parametrize("size", [(60, 16), (120, 40), (160, 50)])
async def test_a_resize_keeps_the_cited_line_in_view(stage: Staged, size: tuple[int, int]) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        await on.read()
        await on.press("5")
        await on.until(lambda: on.pane.view.marks.first == 476)
        await on.pilot.resize_terminal(*size)
        await on.pilot.pause()
        await settle(on)
        assert any(row.startswith("▌") for row in shown(on))


async def test_the_pane_follows_the_newest_answer_until_it_is_scrolled(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        await on.until(lambda: on.pane.view.marks.first == 840)
        await on.ask(RETRY)
        cited = on.engine.answers[RETRY].citations[0]
        await on.until(lambda: on.pane.view.marks.first == cited.start_line)
        assert "▶[1]" in on.last
        on.pane.view.focus()
        await on.press("down")
        await on.ask(QUEUE)
        await on.pilot.pause()
        assert on.pane.view.marks.first == cited.start_line
        await on.read()
        await on.press("2")
        second = on.engine.answers[QUEUE].citations[1]
        await on.until(lambda: on.pane.view.marks.first == second.start_line)
        await on.ask(STRATEGY)
        newest = on.engine.answers[STRATEGY].citations[0]
        await on.until(lambda: on.pane.view.marks.first == newest.start_line)


async def test_the_wheel_keeps_the_pane_from_following(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.press("ctrl+o")
        await on.until(lambda: on.pane.view.marks.first == 840)
        await on.pilot._post_mouse_events([MouseScrollUp], on.pane.view, button=0)
        await on.pilot.pause()
        assert on.pane.view.scrolled_by_hand
        await on.ask(RETRY)
        assert on.pane.view.marks.first == 840


async def test_a_closed_pane_stays_closed(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        assert not on.pane.is_open


async def test_an_answer_below_the_one_that_is_read_moves_no_pane(stage: Staged) -> None:
    async with stage((120, 24)) as on:
        for question in (QUEUE, RETRY, STRATEGY):
            await on.ask(question)
        await on.read()
        await on.press("g", "1")
        await on.until(lambda: on.pane.view.marks.first == 840)
        await on.ask(RETRY)
        assert on.pane.view.marks.first == 840


@pytest.mark.parametrize("raw", [False, True])
async def test_hostile_notes_are_shown_as_cleaned_text(stage: Staged, raw: bool) -> None:
    async with stage((120, 40)) as on:
        await on.ask(BRACKET)
        await on.read()
        await on.press("1", *(["m"] if raw else []))
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == HOSTILE)
        await settle(on)
        text = "\n".join(shown(on))
        assert not CONTROL.search(text.replace("\n", ""))
        for expected in (
            "Hostile [bold]notes[/bold] ␛]0;owned␇",
            "The [/x] bracket <U+009B>31m setti",
            "[@click=app.quit]Never click[/] this",
            'print("␛[2J[red]cleared[/red]")',
            'trap = "[link=file:///etc/passwd]" + "<U+202E>"',
        ):
            assert expected in text


async def test_a_search_goes_to_the_row_with_the_match_in_both_views(stage: Staged) -> None:
    async with stage((80, 24)) as on:
        (on.engine.notes / "long.md").write_text(f"# Long\n\n{'word ' * 600}needle {'word ' * 600}\n\nEnd.\n", "utf-8")
        await open_line(on, "long.md", 1)
        view = on.pane.view
        assert view.find("needle", 1)
        await on.pilot.pause()
        row = next(row for row in shown(on) if "needle" in row)
        assert row.startswith(">")
        assert len([row for row in shown(on) if row.startswith(">")]) == 1
        view.toggle_raw()
        await on.pilot.pause()
        assert any(row.startswith("  3>word") for row in shown(on))


async def test_a_line_that_does_not_parse_is_marked_in_both_views(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("oven:"))
        view = on.pane.view
        view.mark(replace(view.marks, problems=(Problem(LineNumber(at("oven:")), "too hot"),)))
        assert any("oven: hot  ◀ does not parse: too hot" in row for row in shown(on))
        view.toggle_raw()
        assert any("   oven: hot  ◀ does not parse: too hot" in row for row in shown(on))


async def test_a_selection_is_copied_without_bars_and_numbers(stage: Staged) -> None:
    """A line that is wrapped is copied as one line."""
    async with stage((160, 100)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("> A quotation"))
        view = on.pane.view
        rows = view.rows
        first, last = rows.row_of(at("- [x]")), rows.row_of(at("!!!"))
        chosen = Selection(Offset(0, rows.key(first)), Offset(60, rows.key(last)))
        copied = view.get_selection(chosen)
        assert copied is not None
        assert copied[0].split("\n") == [
            "• ☑ Bought",
            "• ☐ Needed",
            "",
            "A quotation in one line that is so long that it has to be wrapped to two rows at least.",
            "",
            "Deeper",
            "",
            "Warning: Hot oven",
        ]
        view.toggle_raw()
        lines = view.get_selection(Selection(Offset(0, at("- [x]") - 1), Offset(60, at("- [ ]") - 1)))
        assert lines is not None
        assert lines[0] == "- [x] Bought\n- [ ] Needed"


async def test_dragging_selects_rendered_text(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        kitchen(on)
        await open_line(on, "kitchen.md", at("# Kitchen"))
        y = next(y for y, row in enumerate(shown(on)) if row.startswith(" A paragraph"))
        await on.pilot.mouse_down(on.pane.view, offset=(3, y))
        await on.pilot.hover(on.pane.view, offset=(9, y + 1))
        await on.pilot.mouse_up(on.pane.view, offset=(9, y + 1))
        await on.pilot.pause()
        copied = on.app.screen.get_selected_text()
        assert copied is not None
        assert copied.startswith("paragraph in one long line with bold words, code, a l")


async def test_what_is_read_stays_in_view_when_rows_above_are_parsed(stage: Staged) -> None:
    """Rows that are not parsed yet are only estimated: scrolling up through them never skips a line."""
    async with stage((80, 24)) as on:
        parts = [f"## Part {n}\n\n{'Some **words** here. ' * 30}\n\n```sh\nls {n}\n```\n" for n in range(300)]
        (on.engine.notes / "long.md").write_text("\n".join(parts), "utf-8")
        lines = "\n".join(parts).split("\n")
        await open_line(on, "long.md", lines.index("## Part 200") + 1)
        view = on.pane.view
        view.focus()
        seen = set[str]()
        for _ in range(40):
            seen |= {row.strip(" ▌") for row in shown(on) if "Part" in row}
            await on.press("pageup")
            await settle(on)
        numbers = sorted(int(row.split()[1]) for row in seen)
        assert numbers == list(range(numbers[0], 201 + len([n for n in numbers if n > 200])))
        assert numbers[0] < 170


def test_every_line_with_text_has_a_row(root: Path) -> None:
    """In order, at any width; marks of fences and rules under headings alone have none of their own."""
    for path in [*(root / "corpus").glob("*.md"), Path(__file__).parent / "hostile.txt"]:
        lines = tuple(path.read_text("utf-8").split("\n"))
        for columns in (20, 56, 100):
            text = NoteText(Note(path.name, lines, ""))
            rows = RenderedRows(text)
            rows.fit(columns)
            rows.parsed((number, text.blocks(number)) for number in range(len(text.chunks)))
            every = [rows.row(y) for y in range(rows.height)]
            firsts = [row.first for row in every]
            assert firsts == sorted(firsts)
            for number, line in enumerate(lines, 1):
                row = every[min(rows.row_of(number), rows.height - 1)]
                assert row.has(number) or not line.strip() or line.strip().startswith(("```", "---", "===")), line
            assert all(len(row.prefix) + row.text.cell_length <= columns or row.sideways for row in every), (
                f"{path} at {columns}"
            )
