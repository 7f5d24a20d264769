"""Text is data: what notes, names, questions and errors hold reaches the terminal as characters that can be seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from textual.command import CommandPalette

from assistant.errors import UnreadableNotes
from assistant.indexing.overview import Heading
from assistant.records import Answer, Candidate, Citation, LineNumber, Snippet, Statement
from assistant.rendering.answer_json import answer_json
from assistant.text import sanitize
from assistant.tui import clipboard, export, highlighting
from assistant.tui.cards.answer_rows import answer_rows
from assistant.tui.cards.card_view import View
from assistant.tui.cards.rows import plain
from assistant.tui.history.session_file import SessionFile
from assistant.tui.history.turn import Turn
from assistant.tui.history.turn_json import answer_from_json, decode, encode
from assistant.tui.outline import Outline
from assistant.tui.widgets.heading_tree import HeadingTree

from .conftest import BRACKET, HOSTILE, QUEUE, TRAP, Stage, Staged, recorded

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
EVIL = "\x1b]0;t\x07 \x9b31m \u202e [/x] [bold] [@click=app.quit]q[/] $text \\[ \u2028 \x0c"
nasty = st.text(st.sampled_from([*"\x1b\x07\x9b\u202e\u200b[]/\\$@=`*_#<>&!|~-+1.\t ab"]), max_size=30)


def screen_rows(on: Stage) -> Iterator[str]:
    """What the compositor would send to the terminal, row by row, of all screens."""
    for screen in on.app.screen_stack:
        for strip in screen._compositor.render_strips():
            yield strip.text


def clean(on: Stage) -> None:
    for row in screen_rows(on):
        assert not CONTROL.search(row), row


async def test_no_screen_shows_a_control_character(stage: Staged) -> None:
    """Walks over cards, source, lists, help, palette, toasts with hostile notes, names and questions."""
    async with stage((120, 40)) as on:
        for question in (BRACKET, TRAP):
            await on.ask(question)
            clean(on)
        assert any("The [/x] bracket" in row for row in screen_rows(on))
        await on.read()
        for key in ("1", "2", "space", "space", "space", "r"):
            await on.press(key)
            await on.until(lambda: not on.app.conversation.pending and on.pane.note is not None)
            clean(on)
        title = on.pane.border_title
        assert str(title).replace("\\", "") == "tr[b]ap ␛]0;owned␇.md"
        for key in ("ctrl+r", "ctrl+s", "f1", "ctrl+p"):
            await on.press(key)
            await on.pilot.pause()
            clean(on)
            await on.press("escape")
            await on.until(lambda: len(on.app.screen_stack) == 1)
        await on.read()
        await on.press("u")
        await on.until(lambda: len(on.app.screen_stack) == 2)
        clean(on)
        await on.press("escape", "c")
        await on.until(lambda: bool(on.app.copier.last_copy))
        await on.app.run_action("last_copy")
        await on.pilot.pause()
        clean(on)
        await on.press("escape")
        on.app.view.toast(EVIL)
        await on.pilot.pause()
        clean(on)


async def test_a_hostile_question_and_a_hostile_error_are_shown_as_text(stage: Staged) -> None:
    async with stage() as on:
        on.engine.error = UnreadableNotes(f"Not {EVIL}.", f"Look {EVIL}.")
        on.app.conversation.ask(EVIL)
        await on.until(lambda: not on.app.conversation.pending)
        await on.pilot.pause()
        clean(on)
        assert "[@click=app.quit]q[/]" in on.last
        await on.press("ctrl+r")
        clean(on)


async def test_hostile_names_and_headings_are_shown_as_text(stage: Staged) -> None:
    """In a verdict, the list of names, the strip above the prompt and the tree of headings."""
    async with stage((160, 50)) as on:
        evil = Candidate(EVIL, (EVIL, EVIL), 0.9, ())
        on.engine.answers[BRACKET] = replace(recorded()[BRACKET], verdict=evil, alternatives=(evil, evil, evil))
        await on.ask(BRACKET)
        clean(on)
        assert "[@click=app.quit]q[/]" in on.last
        await on.read()
        await on.press("a")
        await on.until(lambda: len(on.app.screen_stack) == 2)
        clean(on)
        await on.press("escape")
        outline = Outline([Heading(f"{EVIL}.md", LineNumber(1), (EVIL, f"\\{EVIL}\\"))])
        on.app.push_screen(HeadingTree("Ask again under", outline))
        await on.until(lambda: isinstance(on.app.screen, HeadingTree))
        clean(on)
        assert sum("[@click=app.quit]q[/]" in row for row in screen_rows(on)) > 3


async def test_the_palette_stays_a_list(stage: Staged) -> None:
    async with stage() as on:
        await on.press("ctrl+p", *"[/x]")
        await on.pilot.pause()
        assert isinstance(on.app.screen, CommandPalette)


def hostile_answer(text: str, code: str) -> Answer:
    citation = Citation(1, f"{text}.md", (text or "t", text), "", 1, 1, f"{text} {code}")
    return Answer(
        question=text or "q",
        outcome="answered",
        statements=(Statement(text or "s", (1,)),),
        snippets=(Snippet(text, text, text, code, 1, None),),
        citations=(citation,),
        warnings=(text,),
        notes="/notes",
    )


@given(nasty, nasty, st.integers(24, 120))
def test_a_card_has_no_control_and_fits_its_width(text: str, code: str, columns: int) -> None:
    turn = Turn(1, text, (text,), "answered", hostile_answer(text, code), changed=True)
    for view in (View(), View(folded=True), View(chosen=True, citation=1, unfolded=frozenset({0}))):
        for laid_out in answer_rows(turn, view, columns, {}, folded_rows=3):
            row = plain(laid_out)
            assert not CONTROL.search(row)
            assert sanitize.width(row) <= columns


@given(nasty)
def test_colours_change_no_character(code: str) -> None:
    for language in ("python", "yaml", "bash", "terraform", "no such language"):
        assert [line.plain for line in highlighting.lines(code, language)] == [
            line.plain for line in highlighting.lines(code, "")
        ]


@given(nasty, nasty)
def test_a_turn_reads_back_as_it_was_written(text: str, code: str) -> None:
    turn = Turn(-1, text or "q", (text,), "answered", hostile_answer(text, code), {"a.md": "x"})
    assert decode(encode(turn), -1) == turn


@given(nasty, nasty)
def test_a_saved_file_gives_the_same_quotes_back(text: str, code: str) -> None:
    """Read by a Markdown reader, quotes and snippets are the characters that were shown."""
    answer = hostile_answer(text, code)
    page = export.markdown([Turn(1, text, (), "answered", answer)], Path("/saved"), "t")
    assert not CONTROL.search(page.replace("\n", "").replace("\t", ""))
    tokens = MarkdownIt().parse(page)
    quotes = [
        token.children
        for at, token in enumerate(tokens)
        if token.type == "inline" and at > 1 and tokens[at - 2].type == "blockquote_open"
    ]
    assert len(quotes) == 1
    assert quotes[0] is not None
    said = "".join(child.content if child.type == "text" else "\n" for child in quotes[0])
    expected = " ".join((" ".join(sanitize.line(text or "s").split()) + " [1]").split())
    assert " ".join(said.split()) == expected
    fences = [token.content for token in tokens if token.type == "fence"]
    shown = "\t".join(sanitize.block(part) for part in code.split("\t"))
    assert fences == [shown if shown.endswith("\n") else shown + "\n"]


@given(st.text())
def test_a_copy_keeps_all_but_controls_and_counts_them(text: str) -> None:
    kept, left_out = clipboard.clean(text)
    assert len(kept) + left_out == len(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", kept)
    assert clipboard.clean(kept) == (kept, 0)


@pytest.mark.parametrize("question", list(recorded()))
def test_recorded_answers_survive_their_json(question: str) -> None:
    answer = recorded()[question]
    assert answer_from_json(json.loads(answer_json(answer))) == answer


def test_a_damaged_line_is_skipped_and_counted(tmp_path: Path) -> None:
    session = SessionFile(tmp_path / "deep" / "session.jsonl")
    answer = recorded()[QUEUE]
    for number in (1, 2):
        session.append(Turn(number, QUEUE, (), "answered", replace(answer, elapsed_ms=number)))
    path = tmp_path / "deep" / "session.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    lines = path.read_text("ascii").splitlines()
    path.write_text("\n".join([lines[0][:50], lines[0], '{"answer": 3}', "\x00", "[]", lines[1], ""]))
    earlier = session.read()
    assert [turn.answer.elapsed_ms for turn in earlier.turns if turn.answer] == [1, 2]
    assert earlier.damaged == 4
    session.forget()
    assert session.read().turns == ()


async def test_an_unwritable_session_file_is_reported_once(stage: Staged, tmp_path: Path) -> None:
    """A file where the folder should be: neither read nor written, said once each, and answers come all the same."""
    (tmp_path / "state").write_text("")
    async with stage() as on:
        await on.until(lambda: any("The earlier session was not read" in said for said in on.toasts))
        await on.ask(QUEUE)
        await on.until(lambda: any("Session not saved" in said for said in on.toasts))
        await on.ask(QUEUE)
        said = [one for one in on.toasts if "Session not saved" in one]
        assert len(said) == 1
        assert said[0].endswith("Make it readable and writable for you, or start the chat with --no-history.")
        on.app.action_forget()
        await on.until(lambda: any("Session file not deleted" in one for one in on.toasts))


def test_without_history_nothing_is_written(tmp_path: Path) -> None:
    SessionFile(None).append(Turn(1, QUEUE, (), "answered", recorded()[QUEUE]))
    assert SessionFile(None).read().turns == ()


async def test_an_earlier_session_comes_back_folded(stage: Staged, tmp_path: Path) -> None:
    async with stage() as on:
        await on.ask(QUEUE)
        await on.until((tmp_path / "state" / "session.jsonl").is_file)
    async with stage() as on:
        cards = list(on.transcript.cards())
        assert [card.turn.question for card in cards] == [QUEUE]
        assert "Press space to unfold" in cards[0].text
        await on.press("up")
        assert on.prompt.text == QUEUE
        await on.read()
        await on.press("g", "space")
        assert "Sources" in cards[0].text


def test_the_hostile_note_is_hostile(folder: Path) -> None:
    """So that the tests above mean something."""
    assert CONTROL.search(HOSTILE)
    assert CONTROL.search((folder / HOSTILE).read_text("utf-8").replace("\n", ""))
