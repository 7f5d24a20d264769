"""What can be found in the shipped notes, each with its own lines, and what holds for any passage."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.notes import folder, markdown
from assistant.notes.chunker import embedded, passages
from assistant.records import Note, Passage

NOTE = "application-deployment-and-integration.md"
BRANCH = re.compile(r"^[\s│]*[├└]─")
COMMENT = re.compile(r"^\s*# \w")


@pytest.fixture(scope="module")
def note(root: Path) -> Note:
    return folder.read(root / "corpus", NOTE)


@pytest.fixture(scope="module")
def shipped(note: Note) -> tuple[Passage, ...]:
    return passages(markdown.outline(note), note)


def fences(note: Note) -> Iterator[tuple[int, int]]:
    """First and last line between each pair of marks, 1-based; the shipped notes nest none."""
    marks = [number for number, line in enumerate(note.lines, 1) if line.startswith("```")]
    return ((opening + 1, closing - 1) for opening, closing in zip(marks[::2], marks[1::2], strict=True))


def of(text: str) -> tuple[Passage, ...]:
    note = folder.decode("a.md", text.encode())
    return passages(markdown.outline(note), note)


def spans(found: tuple[Passage, ...], kind: str) -> list[tuple[int, int]]:
    return [(passage.start, passage.end) for passage in found if passage.kind == kind]


def test_each_question_with_its_answer_is_one_passage(shipped: tuple[Passage, ...]) -> None:
    assert spans(shipped, "pair") == [(837, 838), (840, 841), (843, 844), (846, 847), (849, 850)]
    fourth = next(passage for passage in shipped if passage.start == 846)
    assert "Archive logs automatically?" in fourth.text
    assert "Service Connector Hub (Logging → Object Storage)" in fourth.text
    assert fourth.heading_path[1:] == ("Exam Tips", "Common Scenarios")


def test_each_definition_of_the_critical_concepts_is_one_passage(note: Note, shipped: tuple[Passage, ...]) -> None:
    expected = [number for number in range(816, 835) if note.lines[number - 1].startswith("- ")]
    assert len(expected) == 11
    inside = [passage for passage in shipped if passage.heading_path[-1] == "Critical Concepts"]
    assert spans(tuple(inside), "definition") == [(number, number) for number in expected]
    labels: dict[int, str] = {passage.start: passage.label for passage in inside if passage.kind == "definition"}
    assert (labels[818], labels[822], labels[827], labels[832]) == (
        "Deployment Strategies",
        "Messaging",
        "Service Mesh",
        "Integration",
    )


def test_each_line_of_a_tree_is_one_passage(note: Note, shipped: tuple[Passage, ...]) -> None:
    branches = [number for number, line in enumerate(note.lines, 1) if BRANCH.match(line)]
    assert {225, 228, 320, 324, 438, 445, 558, 624, 637} <= set(branches)
    found: dict[int, Passage] = {
        passage.start: passage for passage in shipped if passage.kind == "tree" and passage.start == passage.end
    }
    assert set(branches) <= set(found)
    assert found[228].text == "Guaranteed delivery"
    assert found[445].text == "Enforces policies"
    assert "Data Plane (Envoy Proxies)" in found[445].label
    assert found[322].heading_path[1:] == ("Messaging and Streaming", "Streaming Service")


def test_each_fence_is_one_passage(note: Note, shipped: tuple[Passage, ...]) -> None:
    expected = list(fences(note))
    assert len(expected) == 30
    assert spans(shipped, "fence") == expected
    infos: dict[int, tuple[str, str]] = {
        passage.start: (passage.info, passage.label) for passage in shipped if passage.kind == "fence"
    }
    assert infos[233] == ("terraform", "Creating Queue")
    assert infos[98] == ("bash", "Traffic Switch")


def test_each_commented_step_starts_a_passage_of_its_own_lines(note: Note, shipped: tuple[Passage, ...]) -> None:
    """A comment on a comment's heels belongs to the same step and is found by its own line too."""
    own = {passage.start for passage in shipped if passage.kind in ("step", "code")}
    for first, last in fences(note):
        for number in range(first, last + 1):
            if COMMENT.match(note.lines[number - 1]):
                assert number in own, note.lines[number - 1]
    steps = spans(shipped, "step")
    assert {(98, 99), (101, 102), (104, 105), (246, 250), (339, 341), (677, 684), (795, 796)} <= set(steps)


def test_a_value_with_a_remark_is_found_by_its_line(shipped: tuple[Passage, ...]) -> None:
    found: dict[int, Passage] = {
        passage.start: passage for passage in shipped if passage.kind == "code" and passage.start == passage.end
    }
    assert found[182].text.startswith("maxSurge: 2")
    assert "Long polling" in found[290].text
    assert "10 minutes" in found[718].text


def test_every_passage_lies_in_the_note_and_in_its_fence(note: Note, shipped: tuple[Passage, ...]) -> None:
    for passage in shipped:
        assert 1 <= passage.start <= passage.end <= len(note.lines)
        assert passage.heading_path
        assert passage.text.strip()
        assert embedded(passage).strip()
        if passage.fence is not None:
            assert passage.fence[0] <= passage.start
            assert passage.end <= passage.fence[1]


def test_passages_come_in_the_order_of_their_lines(shipped: tuple[Passage, ...]) -> None:
    order = [(passage.start, -passage.end) for passage in shipped]
    assert order == sorted(order)


def test_a_table_of_contents_and_front_matter_are_no_passages(shipped: tuple[Passage, ...]) -> None:
    assert not any(4 <= passage.start <= 8 for passage in shipped)
    found = of("---\ntitle: Keys\ntags: [a]\n---\n\nRotate them.\n")
    assert [(passage.text, passage.start) for passage in found] == [("Rotate them.", 6)]


def test_the_file_name_in_place_of_a_title_is_not_embedded() -> None:
    (found,) = of("Rotate the keys in May.\n")
    assert not found.titled
    assert embedded(found) == "Rotate the keys in May."


def test_the_title_of_a_picture_is_no_passage() -> None:
    figure = '<figure><img src="a.png" alt=""><figcaption><p>{}</p></figcaption></figure>\n'
    assert not of(figure.format("Auth Callout"))
    assert [p.text for p in of(figure.format("A caption that says as much as a sentence does."))]


def test_a_row_says_its_columns() -> None:
    (row,) = [
        passage for passage in of("# T\n\n| Name | Port |\n| --- | --- |\n| api | 8080 |\n") if "8080" in passage.text
    ]
    assert (row.kind, row.start, row.end) == ("row", 5, 5)
    assert "Port" in row.text


def test_a_nested_item_is_labelled_by_the_item_above() -> None:
    found = of("# T\n\n- Storage is either\n  - block, for disks\n  - object, for files\n")
    inner: dict[int, Passage] = {passage.start: passage for passage in found}
    assert "Storage is either" in inner[5].label
    assert inner[3].end == 3


def test_a_heading_that_asks_is_a_pair_with_its_first_block() -> None:
    found = of("# T\n\n## How do I log in?\n\nWith the token.\n\nThen wait.\n")
    (pair,) = [passage for passage in found if passage.kind == "pair"]
    assert "With the token." in pair.text
    assert "Then wait." not in pair.text


def test_a_label_holds_until_the_next_label_or_heading() -> None:
    found = of("# T\n\n**Cost**:\n\nIt is free.\n\nReally.\n\n**Speed**:\n\nIt is fast.\n\n## Next\n\nNothing.\n")
    labels = {passage.text: passage.label for passage in found}
    assert (labels["It is free."], labels["Really."], labels["It is fast."]) == ("Cost", "Cost", "Speed")
    assert labels["Nothing."] == ""


def test_mistakes_in_a_fence_are_named_by_their_line(shipped: tuple[Passage, ...]) -> None:
    """`kind:VirtualService` in line 477 is the author's slip, and stays."""
    (fence,) = [passage for passage in shipped if passage.kind == "fence" and passage.start <= 477 <= passage.end]
    assert fence.problems
    assert all(fence.start <= problem.line <= fence.end for problem in fence.problems)
