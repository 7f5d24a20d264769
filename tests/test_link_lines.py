"""The links that stand in the lines of a note, and those that the source pane shows."""

from __future__ import annotations

import pytest

from assistant.notes import link_lines
from assistant.records import Note
from assistant.tui.source.note_text import NoteText

BOTH: tuple[tuple[str, list[str]], ...] = (
    ("[a](x.md) and [b](<y z.md> 'T') and [c](u_(v).md)", ["x.md", "y z.md", "u_(v).md"]),
    ("[[x]] [[x#H|words]] [a] [b][a] [c][]", ["[[x]]", "[[x#H]]", "r.md", "r.md"]),
    ("`[a](x.md)` and ``[[`x`]]`` [s](s.md)", ["s.md"]),
    ("if [[ -f x ]]; then", []),
    ("[[1]](x.md)", ["x.md"]),
    ("A note[^1].", []),
    ("[a](javascript:alert(1))", ["javascript:alert(1)"]),
    ("[a]()", []),
)
DEFINED = "\n\n[a]: r.md\n[c]: <>\n[^1]: Small print"


def rendered(text: str) -> list[str]:
    """The targets of the links that the source pane shows, in order."""
    note = NoteText(Note("x.md", tuple(text.split("\n")), ""))
    spans = [span for chunk in range(len(note.chunks)) for block in note.blocks(chunk) for span in block.spans]
    targets = [span.target for span in spans]
    return [target for target, before in zip(targets, ["", *targets], strict=False) if target and target != before]


@pytest.mark.parametrize(("text", "targets"), BOTH)
def test_links_of_a_line(text: str, targets: list[str]) -> None:
    lines = (text + DEFINED).split("\n")
    assert sorted(link.target for link in link_lines.links(lines)) == sorted(targets)
    assert {link.line for link in link_lines.links(lines)} <= {1}


@pytest.mark.parametrize(("text", "targets"), BOTH)
def test_the_source_pane_has_the_same_links(text: str, targets: list[str]) -> None:
    shown = [target.replace("%20", " ") for target in rendered(text + DEFINED)]
    assert shown == targets


def test_links_in_fences_are_none() -> None:
    quoted = "> ~~~~\n> [c](c.md)\n> ~~~\n> ~~~~"
    lines = f"[a](a.md)\n\n```md\n[b](b.md)\n```\n\n{quoted}\n\n- ```\n  [d](d.md)\n  ```\n[e](e.md)"
    assert [(one.line, one.target) for one in link_lines.links(lines.split("\n"))] == [(1, "a.md"), (15, "e.md")]


def test_a_wiki_link_in_a_table_may_escape_its_bar() -> None:
    table = "| a |\n| - |\n| [[x\\|y]] |"
    assert [one.target for one in link_lines.links(table.split("\n"))] == ["[[x]]"]
    blocks = NoteText(Note("x.md", tuple(table.split("\n")), "")).blocks(0)
    assert [(one.text, one.target) for one in blocks[1].cells[0]] == [("y", "[[x]]")]


def test_a_link_may_be_defined_far_below_where_it_is_used() -> None:
    text = "[a]\n\n" + "# H\n\ntext\n\n" * 100 + "[a]: far%20away.md\n[A]: second.md\n"
    assert len(NoteText(Note("x.md", tuple(text.split("\n")), "")).chunks) > 2
    assert rendered(text) == ["far%20away.md"]


def test_hostile_lines_are_read_quickly() -> None:
    for line in ("[" * 20_000, "](" * 9_999, "[[" * 9_999 + "]]", "` `` " * 4_000 + "[]", "[a](" + "(" * 19_000 + "]"):
        assert list(link_lines.links([line, "[a]: x"])) == []
