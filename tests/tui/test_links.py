"""Links of the rendered source: marked, opened, gone back from; the notes that link to a note."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from textual.geometry import Offset
from textual.widgets import OptionList

from assistant.records import Note
from assistant.tui.source.note_text import NoteText
from assistant.tui.source.rendered_rows import RenderedRows
from assistant.tui.widgets.dialogs import Picker
from assistant.tui.widgets.note_view import Marks
from assistant.tui.worker.job_queue import JobQueue
from assistant.tui.worker.link_resolver import LinkResolver, lies_in
from assistant.tui.worker.messages import BacklinksAwaited, BacklinksRead
from tests.waiting import PATIENCE

from .conftest import QUEUE, RecordingChat, Replay, Stage, Staged
from .test_source_rendered import open_line, settle, shown

START = """# Start

Read the [setup](guide/setup.md#step-two), then [all of
it][all] and [[Overview|the rest]].

| Where | What |
| ----- | ---- |
| [Top](#start) | [[setup#Step Two]] |

A [site](https://example.com/a%20b), an [escape](../../etc/passwd), a [script](javascript:alert(1)),
[linked](linked.md), [gone](gone%20note.md), [no heading](guide/setup#nowhere).

[all]: guide/setup.md
"""
SETUP = "# Setup\n\n" + "Text.\n\n" * 40 + "## Step two\n\nBack to [start](../start).\n" + "\nMore.\n" * 10


def links(on: Stage) -> None:
    """Writes notes that link to each other and a symbolic link out of the folder."""
    notes = on.engine.notes
    (notes / "guide").mkdir()
    (notes / "start.md").write_text(START, "utf-8")
    (notes / "guide" / "setup.md").write_text(SETUP, "utf-8")
    (notes / "guide" / "other.md").write_text("# Overview\n\nAll.\n", "utf-8")
    secret = notes.parent / "secret.md"
    secret.write_text("# Secret\n\n[start](start.md)\n", "utf-8")
    (notes / "linked.md").symlink_to(secret)


def reversed_text(on: Stage) -> str:
    """What is shown in reverse, row by row."""
    view = on.pane.view
    rows = (view.render_line(y) for y in range(view.size.height))
    return " ".join(s.text for row in rows for s in row if s.style is not None and s.style.reverse and s.text.strip())


async def start(on: Stage) -> None:
    links(on)
    await open_line(on, "start.md", 1)
    on.pane.view.focus()
    await on.pilot.pause()


async def mark(on: Stage, text: str) -> None:
    """Presses tab until the link with that text is marked."""
    for _ in range(20):
        if reversed_text(on) == text:
            return
        await on.press("tab")
    pytest.fail(f"no link {text}")


async def opened(on: Stage, path: str, line: int) -> None:
    await on.until(lambda: on.pane.note is not None and on.pane.note.path == path and on.pane.view.marks.first == line)
    await settle(on)


async def test_tab_marks_each_link_in_view_and_then_leaves(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        seen = []
        for _ in range(11):
            await on.press("tab")
            seen.append(reversed_text(on))
        assert seen == [
            *("setup", "all of it", "the rest", "Top", "setup#Step Two"),
            *("site", "escape", "script", "linked", "gone", "no heading"),
        ]
        await on.press("tab")
        assert on.prompt.has_focus
        assert reversed_text(on) == ""


async def test_shift_tab_marks_backwards_and_then_leaves(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        await on.press("tab", "tab", "shift+tab")
        assert reversed_text(on) == "setup"
        await on.press("shift+tab")
        assert on.transcript.has_focus


async def test_the_mark_is_seen_without_colour_and_not_among_numbered_lines(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage((120, 40)) as on:
        await start(on)
        await on.press("tab")
        assert reversed_text(on) == "setup"
        await on.press("m", "tab")
        assert on.prompt.has_focus


async def test_enter_opens_a_link_at_its_heading_and_alt_left_comes_back(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        await mark(on, "setup")
        await on.press("enter")
        await opened(on, "guide/setup.md", 83)
        assert "▌Step two" in shown(on)
        assert on.pane.view.has_focus
        await mark(on, "start")
        await on.press("enter")
        await opened(on, "start.md", 1)
        await on.press("alt+left")
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == "guide/setup.md")
        await settle(on)
        assert reversed_text(on) == "start"
        await on.press("alt+left")
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == "start.md")
        await settle(on)
        assert reversed_text(on) == "setup"
        await on.press("alt+left")
        assert on.toasts[-1] == "Nothing to go back to: no link was followed."


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("all of it", "guide/setup.md", 1),
        ("the rest", "guide/other.md", 1),
        ("setup#Step Two", "guide/setup.md", 83),
        ("Top", "start.md", 1),
    ],
)
async def test_each_form_of_link_opens(stage: Staged, text: str, path: str, line: int) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        await mark(on, text)
        on.pane.view.mark(Marks())
        await on.press("enter")
        await opened(on, path, line)
        assert on.toasts == []


async def test_back_comes_to_the_row_that_was_read(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        links(on)
        await open_line(on, "guide/setup.md", 83)
        on.pane.view.focus()
        on.pane.view.scroll_by_hand(y=-5)
        top = on.pane.view.top_line
        await mark(on, "start")
        await on.press("enter")
        await opened(on, "start.md", 1)
        await on.press("alt+left")
        await on.until(lambda: on.pane.note is not None and on.pane.note.path == "guide/setup.md")
        await settle(on)
        assert on.pane.view.top_line == top


async def test_a_click_opens_a_link(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        row = next(y for y, text in enumerate(shown(on)) if "[" not in text and "setup" in text)
        column = shown(on)[row].index("setup")
        await on.pilot.click(on.pane.view, offset=Offset(column - 1, row))
        assert on.pane.path == "start.md"
        await on.pilot.click(on.pane.view, offset=Offset(column + 4, row))
        await opened(on, "guide/setup.md", 83)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("site", "https://example.com/a%20b"),
        ("escape", "../../etc/passwd"),
        ("script", "javascript:alert(1)"),
        ("linked", "linked.md"),
    ],
)
async def test_what_leads_out_of_the_notes_is_copied_and_not_opened(stage: Staged, text: str, address: str) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        await mark(on, text)
        await on.press("enter")
        await on.until(lambda: on.toasts == [f"Copied: {address}"])
        assert on.app.copier.last_copy == address
        assert on.pane.path == "start.md"
        await on.press("alt+left")
        assert on.toasts[-1].startswith("Nothing to go back to")


async def test_a_link_to_no_note_and_to_no_heading_says_so(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        await mark(on, "gone")
        await on.press("enter")
        await on.until(lambda: on.toasts == ["No note for: gone note.md"])
        await mark(on, "no heading")
        await on.press("enter")
        await opened(on, "guide/setup.md", 1)
        assert on.toasts[-1] == "No heading for: nowhere. This is the top of the note."


async def test_enter_opens_the_citation_where_no_link_is_marked_in_view(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await start(on)
        await on.press("enter")
        await on.until(lambda: on.pane.path == "application-deployment-and-integration.md")


async def test_a_link_of_a_wide_table_scrolls_into_view(stage: Staged) -> None:
    async with stage((80, 24)) as on:
        row = " | ".join("a_word_of_some_length" for _ in range(8))
        table = f"| {row} | x |\n{'| - ' * 9}|\n| {row} | [far](far.md) |\n"
        (on.engine.notes / "wide.md").write_text(f"# Wide\n\n{table}", "utf-8")
        await open_line(on, "wide.md", 1)
        on.pane.view.focus()
        assert "far" not in "\n".join(shown(on))
        await on.press("tab")
        assert reversed_text(on) == "far"


def test_a_wrapped_link_is_one_at_any_width() -> None:
    text = NoteText(Note("x.md", ("See [a link of **some words**](x.md) and [[y]].",), ""))
    ids = set()
    for columns in (80, 14, 8):
        rows = RenderedRows(text)
        rows.parsed([(0, text.blocks(0))])
        rows.fit(columns)
        found = [(link, rows.row(at)) for at in range(rows.height) for link in rows.row(at).links]
        first = [row.text.plain[link.start : link.end] for link, row in found if link.target == "x.md"]
        assert " ".join(first) == "a link of some words"
        assert len({link.id for link, _ in found}) == 2
        ids |= {link.id for link, _ in found}
    assert len(ids) == 2


async def backlinks(on: Stage) -> list[str]:
    await on.press("b")
    await on.until(lambda: isinstance(on.app.screen, Picker))
    options = on.app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(at).prompt) for at in range(options.option_count)]


async def test_notes_that_link_here_are_listed_and_opened_at_the_line(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        links(on)
        await open_line(on, "guide/setup.md", 1)
        on.pane.view.focus()
        found = await backlinks(on)
        assert found == [
            "start.md:3  Read the [setup](guide/setup.md#step-two), then [all of",
            "start.md:4  it][all] and [[Overview|the rest]].",
            "start.md:8  | [Top](#start) | [[setup#Step Two]] |",
            "start.md:11  [linked](linked.md), [gone](gone%20note.md), [no heading](guide/setup#nowhere).",
        ]
        await on.press("down", "down", "enter")
        await opened(on, "start.md", 8)
        await on.press("alt+left")
        await on.until(lambda: on.pane.path == "guide/setup.md")


async def test_links_to_a_note_follow_changes_and_leave_out_notes_of_other_folders(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await start(on)
        assert await backlinks(on) == ["guide/setup.md:85  Back to [start](../start)."]
        await on.press("escape")
        (on.engine.notes / "new.md").write_text(
            "[s](start.md) and `[x](start.md)`\n\n```\n[x](start.md)\n```\n", "utf-8"
        )
        (on.engine.notes / "guide" / "setup.md").unlink()
        assert await backlinks(on) == ["new.md:1  [s](start.md) and `[x](start.md)`"]


async def test_a_note_that_none_links_to_and_no_note(stage: Staged) -> None:
    async with stage((120, 40)) as on:
        await on.ask(QUEUE)
        await on.read()
        await on.press("b")
        assert on.toasts[-1] == "No note is open. Open a citation with enter, or browse the notes."
        links(on)
        await open_line(on, "guide/other.md", 1)
        (on.engine.notes / "start.md").unlink()
        await on.press("b")
        await on.until(lambda: on.toasts[-1] == "No note links to guide/other.md.")


def test_questions_come_between_the_notes_that_are_read_for_links(
    chat_app: Callable[..., tuple[RecordingChat, Replay]],
) -> None:
    _, engine = chat_app()
    for number in range(300):
        (engine.notes / f"n{number}.md").write_text(f"# N{number}\n\n[s](start.md)\n", "utf-8")
    (engine.notes / "start.md").write_text("# Start\n", "utf-8")
    happened, done = list[object](), Event()

    def post(message: object) -> None:
        happened.append(message)
        if isinstance(message, BacklinksRead):
            done.set()

    jobs = JobQueue(post)
    resolver = LinkResolver(lambda: engine, jobs, post)
    resolver.read_backlinks("start.md")
    jobs.put(lambda: happened.append("a question"))
    jobs.start(lambda: None)
    assert done.wait(PATIENCE)
    jobs.close()
    awaited, question, read = happened
    assert isinstance(awaited, BacklinksAwaited)
    assert awaited.notes == 303
    assert question == "a question"
    assert isinstance(read, BacklinksRead)
    assert len(read.links) == 300


def test_the_folder_itself_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("x", "utf-8")
    (tmp_path / "other.md").write_text("x", "utf-8")
    (tmp_path / "alias").symlink_to(tmp_path / "notes")
    (tmp_path / "notes" / "b.md").symlink_to(tmp_path / "other.md")
    assert lies_in(tmp_path / "alias", "a.md")
    assert not lies_in(tmp_path / "alias", "b.md")
