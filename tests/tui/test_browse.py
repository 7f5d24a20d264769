"""Browsing the notes: the tree, opening at a heading, asking under a heading, the heading of the next question."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from textual.widgets import Input, Tree

from assistant import tui
from assistant.indexing.overview import Heading
from assistant.records import LineNumber
from assistant.system.settings import Flags, load
from assistant.tui.keymap import COMMANDS
from assistant.tui.outline import Entry, Outline
from assistant.tui.widgets.browse_tree import BrowseTree
from assistant.tui.widgets.dialogs import Help
from assistant.tui.widgets.heading_tree import HeadingTree
from assistant.tui.widgets.note_view import NoteView
from assistant.tui.widgets.palette import command_label
from tests.waiting import comes

from .conftest import FOLLOW_UP, QUEUE, RETRY, Replay, Stage, Staged

NOTE = "application-deployment-and-integration.md"
STREAM = "Streaming Service"


async def browse(on: Stage, *typed: str) -> Tree[Entry | None]:
    """Opens the tree, waits for its headings and types something."""
    await on.press("f2")
    await on.until(lambda: isinstance(on.app.screen, BrowseTree))
    tree: Tree[Entry | None] = on.app.screen.query_one(Tree)
    await on.until(lambda: bool(tree.root.children) and tree.root.children[0].data is not None)
    await on.press(*typed)
    return tree


def shown(tree: Tree[Entry | None]) -> list[str]:
    """The labels of the rows, top to bottom."""
    rows = [tree.get_node_at_line(row) for row in range(tree.last_line + 1)]
    return [str(node.label) for node in rows if node is not None]


def headings(*places: tuple[str, ...]) -> list[Heading]:
    """Each a path and its headings, on a line of its own."""
    return [Heading(path, LineNumber(line), tuple(parts)) for line, (path, *parts) in enumerate(places, 1)]


def many(notes: int) -> list[Heading]:
    """Three headings a note."""
    return headings(
        *[
            (f"note-{number:04}.md", "Title", *below)
            for number in range(notes)
            for below in ((), (f"Purpose {number}",), (f"Limits {number}",))
        ]
    )


# The tree.


async def test_typing_narrows_the_tree_down(stage: Staged) -> None:
    async with stage() as on:
        tree = await browse(on)
        whole = len(shown(tree))
        assert whole > 20
        await on.press(*"streaming service")
        await on.until(lambda: STREAM in shown(tree))
        assert len(shown(tree)) < whole / 4
        assert shown(tree)[0] == NOTE
        assert tree.cursor_node is not None
        assert str(tree.cursor_node.label) == STREAM
        await on.press("ctrl+u")
        await on.until(lambda: len(shown(tree)) == whole)


async def test_a_text_that_no_heading_has_is_reported(stage: Staged) -> None:
    async with stage() as on:
        tree = await browse(on, *"zzz")
        assert shown(tree) == ["No match. Type less of it."]
        await on.press("enter", "ctrl+t")
        assert isinstance(on.app.screen, BrowseTree)


async def test_the_tree_says_its_keys(stage: Staged) -> None:
    async with stage() as on:
        await browse(on)
        box = on.app.screen.children[0]
        assert str(box.border_title) == "Browse notes"
        assert str(box.border_subtitle) == "enter opens · ctrl+t asks under it · escape closes"
        assert on.app.screen.query_one(Input).has_focus


async def test_the_tree_opens_before_the_engine_is_there(stage: Staged) -> None:
    """What was typed meanwhile narrows it when the headings come."""

    def loading(engine: Replay) -> None:
        engine.loading = Event()

    async with stage(ready=False, prepare=loading) as on:
        await on.press("ctrl+b")
        await on.until(lambda: isinstance(on.app.screen, BrowseTree))
        tree: Tree[Entry | None] = on.app.screen.query_one(Tree)
        assert shown(tree) == ["Reading the headings…"]
        await on.press(*"streaming service")
        await on.until(lambda: on.app.screen.query_one(Input).value == "streaming service")
        assert on.engine.loading is not None
        on.engine.loading.set()
        await on.until(lambda: STREAM in shown(tree))


async def test_new_headings_are_in_the_tree(stage: Staged) -> None:
    """Those of the last time are shown at once, and replaced."""
    async with stage() as on:
        tree = await browse(on)
        assert "fruit.md" not in shown(tree)
        await on.press("escape")
        (on.engine.notes / "fruit.md").write_text("# Fruit\n\n## Apple\n\nApples keep.\n", "utf-8")
        await browse(on)
        fresh: Tree[Entry | None] = on.app.screen.query_one(Tree)
        await on.until(lambda: "fruit.md" in [str(node.label) for node in fresh.root.children])


async def test_of_many_notes_the_nodes_are_made_as_they_are_needed(stage: Staged) -> None:
    """Headings when their note is unfolded, further notes when the last row is reached."""
    async with stage() as on:
        on.app.push_screen(HeadingTree("Notes", Outline(many(2000))))
        await on.until(lambda: isinstance(on.app.screen, HeadingTree))
        tree: Tree[Entry | None] = on.app.screen.query_one(Tree)
        await on.pilot.pause()
        assert len(shown(tree)) == 201
        assert shown(tree)[-1] == "… 1,800 more notes"
        await on.press("down", "right")
        await on.until(lambda: "Title" in shown(tree))
        assert shown(tree)[:4] == ["note-0000.md", "note-0001.md", "Title", "note-0002.md"]
        await on.press("down", "right")
        await on.until(lambda: shown(tree)[3:5] == ["Purpose 1", "Limits 1"])
        tree.move_cursor_to_line(tree.last_line)
        await on.until(lambda: shown(tree)[-1] == "… 1,600 more notes")
        assert tree.cursor_node is not None
        assert str(tree.cursor_node.label) == "note-0200.md"
        await on.press(*"purpose 1999")
        await on.until(lambda: shown(tree) == ["note-1999.md", "Title", "Purpose 1999"])


def test_headings_of_the_same_name_are_entries_of_their_own() -> None:
    outline = Outline(headings(("a.md", "T"), ("a.md", "T", "Example"), ("a.md", "T", "Example"), ("b.md", "T")))
    title = outline.notes[0].children[0]
    assert [(one.label, one.line) for one in title.children] == [("Example", 2), ("Example", 3)]
    assert [note.path for note in outline.notes] == ["a.md", "b.md"]
    assert len(outline.entries) == 6


def test_a_heading_whose_parents_are_missing_gets_parents() -> None:
    outline = Outline(headings(("a.md", "T", "Part", "Leaf")))
    assert [one.label for one in outline.entries] == ["a.md", "T", "Part", "Leaf"]
    assert [one.label for one in outline.entries[-1].ancestors] == ["Part", "T", "a.md"]


def test_words_may_stand_in_the_headings_above() -> None:
    """One of them must be the entry's own; an entry that has them all itself comes first."""
    outline = Outline(
        headings(
            ("a.md", "Limits"), ("a.md", "Limits", "Queue"), ("a.md", "Queue"), ("a.md", "Queue limits"), ("b.md", "X")
        )
    )
    matches = outline.with_words("QUEUE limits")
    assert [one.heading_path[1:] or one.heading_path for one in matches.entries] == [("Queue",), ("Queue limits",)]
    assert matches.first is not None
    assert matches.first.label == "Queue limits"
    assert outline.with_words("b.md limits").first is None


# Opening.


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_enter_opens_the_note_at_the_heading(stage: Staged, size: tuple[int, int]) -> None:
    async with stage(size) as on:
        await browse(on, *"streaming service")
        await on.press("enter")
        await on.until(lambda: on.pane.is_open and on.pane.note is not None and on.pane.view.marks.first > 0)
        assert not isinstance(on.app.screen, BrowseTree)
        assert on.pane.path == NOTE
        line = on.pane.view.marks.first
        assert STREAM in on.pane.view.line(line)
        assert on.pane.view.line(line).startswith("#")
        view = on.pane.view
        await on.until(lambda: 0 <= view.rows.row_of(line) - view.scroll_y < view.size.height)
        assert isinstance(on.app.focused, NoteView)
        assert not on.engine.asked


async def test_enter_on_a_note_opens_its_beginning(stage: Staged) -> None:
    async with stage() as on:
        await browse(on)
        await on.press("enter")
        await on.until(lambda: on.pane.note is not None and on.pane.view.marks.first == 1)
        assert on.pane.view.scroll_y == 0


# Asking under a heading.


async def test_what_is_typed_is_asked_under_the_heading(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(RETRY)
        await on.press(*QUEUE)
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.until(lambda: len(on.engine.asked) == 2 and not on.app.conversation.pending)
        assert on.engine.asked[1].question == QUEUE
        assert on.engine.asked[1].under is not None
        assert on.engine.asked[1].under.endswith("Messaging and Streaming > Streaming Service")
        assert on.prompt.text == ""
        assert "under: " in on.last


async def test_else_the_chosen_answers_question_is_asked(stage: Staged) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.ask(RETRY)
        await on.read()
        await on.press("k")
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.until(lambda: len(on.engine.asked) == 3 and not on.app.conversation.pending)
        assert on.engine.asked[2].question == QUEUE
        assert (on.engine.asked[2].under or "").endswith("> Streaming Service")


async def test_a_note_stands_for_its_title(stage: Staged) -> None:
    async with stage() as on:
        tree = await browse(on)
        title = tree.root.children[0].children[0].data
        assert title is not None
        await on.press("ctrl+t")
        assert on.app.status.scope == title.heading_path


async def test_a_note_with_several_titles_is_not_asked_under(stage: Staged) -> None:
    async with stage() as on:
        entry = Outline(headings(("a.md", "One"), ("a.md", "Two"))).notes[0]
        on.app.conversation.ask_below(entry, None)
        assert on.toasts[-1] == "a.md has no title of its own. Choose a heading."
        assert on.app.status.scope == ()


async def test_without_a_question_the_next_one_is_asked_under_the_heading(stage: Staged) -> None:
    """The strip says so; it counts for one question."""
    async with stage() as on:
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.until(lambda: on.context == ("Under: Streaming Service", "escape all notes"))
        assert on.app.view.context_strip.display
        assert on.prompt.has_focus
        await on.ask(QUEUE)
        assert (on.engine.asked[0].under or "").endswith("> Streaming Service")
        assert "Under: " not in on.context[0]
        await on.ask(FOLLOW_UP)
        assert on.engine.asked[1].under is None


async def test_an_earlier_sessions_answer_is_not_asked_again(stage: Staged) -> None:
    """Nobody has chosen it."""
    async with stage() as on:
        await on.ask(QUEUE)
        await on.until(lambda: on.app.engine_thread.subjects.get(1, False) is not False)
        await on.pilot.pause(0.1)
    async with stage() as on:
        assert list(on.transcript.cards())
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.until(lambda: on.context[0] == "Under: Streaming Service")
        assert not on.engine.asked


@pytest.mark.parametrize("key", ["escape", "ctrl+n"])
async def test_the_heading_of_the_next_question_can_be_dropped(stage: Staged, key: str) -> None:
    async with stage() as on:
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.press(*"draft")
        assert on.app.status.scope
        await on.press(key)
        assert on.app.status.scope == ()
        assert not on.app.view.context_strip.display
        assert on.prompt.text == "draft"
        assert on.prompt.has_focus
        await on.ask(QUEUE)
        assert on.engine.asked[0].under is None


async def test_a_click_drops_the_heading(stage: Staged) -> None:
    async with stage() as on:
        await browse(on, *"streaming service")
        await on.press("ctrl+t")
        await on.until(lambda: bool(on.app.view.context_strip.display))
        await on.pilot.click("#context", offset=(on.app.size.width - 4, 0))
        await on.until(lambda: on.app.status.scope == ())


async def test_the_heading_stands_beside_what_a_follow_up_leans_on(stage: Staged) -> None:
    async with stage((60, 16)) as on:
        await on.ask(QUEUE)
        on.app.status.set_scope(("Title", "A heading that is much too long for the row"))
        left, right = on.context
        assert left.startswith("Under: A heading that is")
        assert "follows on: Queue Service" in left
        assert right == "escape all notes · ctrl+n new topic"


async def test_a_cancelled_question_keeps_its_heading(stage: Staged) -> None:
    async with stage() as on:
        on.engine.hold = Event()
        await browse(on, *"streaming service")
        await on.press("ctrl+t", *QUEUE, "enter")
        await on.until(lambda: bool(on.app.conversation.pending))
        assert on.context[0] == ""
        await on.press("escape")
        on.engine.hold.set()
        assert on.prompt.text == QUEUE
        assert on.context[0] == "Under: Streaming Service"


async def test_browse_can_have_another_key(stage: Staged) -> None:
    async with stage(keys={"browse": "f9"}) as on:
        await on.press("f9")
        await on.until(lambda: isinstance(on.app.screen, BrowseTree))


async def test_help_and_palette_name_both_keys(stage: Staged) -> None:
    async with stage() as on:
        await on.press("f1")
        assert isinstance(on.app.screen, Help)
        text = on.app.screen.text().plain
        assert "  ctrl+b, f2  Browse notes" in text
        assert "tmux keeps ctrl+b for itself: there f2 browses the notes." in text
    browse_action = next(one for one in COMMANDS if one.id == "browse")
    assert command_label(browse_action, {}) == "Browse notes  (ctrl+b, f2)"


# On the real engine.


async def test_the_real_engine_answers_under_the_heading(
    tmp_path: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, surroundings[name])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "pantry.md").write_text("# Pantry\n\n## Apples\n\nApples keep for three months in the cellar.\n", "utf-8")
    (notes / "kitchen.md").write_text("# Kitchen\n\n## Bowl\n\nApples keep for three days in the bowl.\n", "utf-8")
    app = tui.chat(load(Flags(notes=str(notes), index=str(tmp_path / "index")), surroundings, tmp_path))
    async with app.run_test(size=(100, 40)) as pilot:

        async def until_fresh() -> None:
            await comes(
                lambda: app.status.index == "index fresh" and not app.conversation.pending,
                pilot.pause,
                lambda: app.status.index,
            )

        await until_fresh()
        await pilot.press("ctrl+b")
        await pilot.pause()
        tree: Tree[Entry | None] = app.screen.query_one(Tree)
        await comes(lambda: "Bowl" in shown(tree), pilot.pause)
        assert shown(tree) == ["kitchen.md", "Kitchen", "Bowl", "pantry.md", "Pantry", "Apples"]
        await pilot.press(*"bowl", "ctrl+t")
        await pilot.pause()
        assert app.status.scope == ("Kitchen", "Bowl")
        await pilot.press(*"How long do apples keep?", "enter")
        await until_fresh()
        answer = list(app.view.transcript.cards())[-1].turn.answer
        assert answer is not None
        assert {cited.path for cited in answer.citations} == {"kitchen.md"}


async def test_enter_takes_what_was_typed_just_before_it(stage: Staged) -> None:
    """Though the input has not told of it yet."""
    async with stage((120, 40)) as on:
        await browse(on)
        screen = on.app.screen
        assert isinstance(screen, BrowseTree)
        with screen.query_one(Input).prevent(Input.Changed):
            screen.query_one(Input).value = "streaming service"
        await on.press("enter")
        await on.until(lambda: on.pane.is_open and on.pane.note is not None and on.pane.view.marks.first > 0)
        assert STREAM in on.pane.view.line(on.pane.view.marks.first)
