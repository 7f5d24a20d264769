"""Chunks: whole blocks, about 120 words of one section, and every passage in exactly one."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.notes import chunker, chunks, folder, markdown
from assistant.records import Chunk, Passage

SENTENCE = "The queue keeps each message until a worker has taken it. "
LINES = (
    *("# Title", "## Part", "### Is it kept?", "#### Empty", "", "", "---", "**Steps**:", "**Label**", "It does this:"),
    *("Q: Which one?", "A: The queue.", "- item", "  - nested", "  * [deep](#title)", "1. first:", "| a | b |"),
    *("| --- | --- |", "| one | two |", "```yaml", "```", "kind: Rollout", "    indented", "> quoted", "<b>x</b>"),
    *("[ref]: /there", SENTENCE * 3, SENTENCE * 14, "\x1f", "\u2028"),
)


def made(text: str, path: str = "a.md") -> tuple[tuple[Chunk, ...], tuple[Passage, ...]]:
    note = folder.decode(path, text.encode())
    outline = markdown.outline(note)
    passages = chunker.passages(outline, note)
    return chunks.chunks(outline, passages), passages


def words(chunk: Chunk) -> int:
    return len(chunk.text.split())


def test_a_short_section_is_one_chunk() -> None:
    ((chunk, other), _) = made("# Title\n\n## Part\n\nOne line.\n\n- an item\n\n```sh\nls\n```\n")
    assert (other.heading_path, other.anchor, other.start, other.end) == (("Title", "Part"), "part", 3, 11)
    assert other.text == "One line.\nan item\nls"
    assert (chunk.heading_path, chunk.text) == (("Title",), "")


def test_title_and_headings_stand_in_front_of_what_is_embedded() -> None:
    ((title, part), _) = made("# Title\n\n## Part\n\nOne line.\n")
    assert chunks.embedded(part) == "Title > Part: One line."
    assert chunks.embedded(title) == "Title"


def test_a_file_name_is_not_embedded() -> None:
    ((chunk,), _) = made("One line.\n")
    assert (chunk.heading_path, chunks.embedded(chunk)) == (("a",), "One line.")


def test_a_long_section_is_cut_between_blocks() -> None:
    paragraphs = [f"{SENTENCE * 3}Part {number}." for number in range(12)]  # of 35 words each
    found, _ = made("# Title\n\n" + "\n\n".join(paragraphs) + "\n")
    assert [words(chunk) for chunk in found] == [105, 105, 105, 105]
    assert "\n".join(chunk.text for chunk in found).split("\n") == [" ".join(text.split()) for text in paragraphs]


def test_a_few_words_at_the_end_do_not_stand_alone() -> None:
    found, _ = made("# Title\n\n" + f"{SENTENCE * 5}\n\n" * 2 + SENTENCE * 3)
    assert [words(chunk) for chunk in found] == [143]


def test_a_longer_block_stands_alone_and_its_start_is_embedded() -> None:
    code = "\n".join(f"key_{number}: value {number}" for number in range(100))
    found, _ = made(f"# Title\n\n{SENTENCE * 8}\n\n```yaml\n{code}\n```\n\n{SENTENCE * 8}\n")
    assert [chunk.text.startswith("key_0") for chunk in found] == [False, True, False]
    assert found[1].text == code
    assert len(chunks.embedded(found[1])) == len("Title: ") + chunks.EMBEDDED


@pytest.mark.parametrize("lead", ["This is how:", "**Steps**", "**Steps**:", "- do this:"])
def test_what_leads_in_stays_with_what_follows(lead: str) -> None:
    code = "\n".join(f"key_{number}: value {number}" for number in range(100))
    found, _ = made(f"# Title\n\n{SENTENCE * 8}\n\n{lead}\n\n```yaml\n{code}\n```\n")
    assert len(found) == 2
    assert found[1].text.endswith(code)
    assert len(found[1].text) > len(code)


def test_a_table_of_contents_and_front_matter_are_in_no_chunk() -> None:
    found, _ = made("---\ntags: [a]\n---\n\n# Title\n\n- [Part](#part)\n- [Title](#title)\n\n## Part\n\nOne line.\n")
    assert [chunk.text for chunk in found] == ["", "One line."]
    assert [(chunk.start, chunk.end) for chunk in found] == [(5, 5), (10, 12)]


@given(st.lists(st.sampled_from(LINES), max_size=60).map("\n".join))
@example("# Title\n\n### Is it kept?\n\n" + SENTENCE * 14 + "\n\nQ: " + SENTENCE * 14 + "?\n\nA: " + SENTENCE * 14)
def test_every_passage_stands_in_exactly_one_chunk(text: str) -> None:
    found, passages = made(text)
    for passage in passages:
        around = [c for c in found if c.start <= passage.start and passage.end <= c.end]
        assert len(around) == 1
        assert around[0].heading_path == passage.heading_path
    for chunk, following in pairwise(found):
        assert chunk.end < following.start
    for chunk in found:
        assert chunk.start <= chunk.end
        assert (chunk.text == "") == all(p.kind == "heading" for p in passages if chunk.start <= p.start <= chunk.end)


@given(st.lists(st.sampled_from(LINES), max_size=60).map("\n".join))
def test_a_chunk_of_several_blocks_is_short(text: str) -> None:
    longest = len(SENTENCE.split()) * 14
    for chunk in made(text)[0]:
        assert words(chunk) <= longest + chunks.UNCUT


def test_each_chunk_of_the_shipped_notes_is_short_or_one_block(root: Path) -> None:
    note = folder.read(root / "corpus", "application-deployment-and-integration.md")
    outline = markdown.outline(note)
    found = chunks.chunks(outline, chunker.passages(outline, note))
    starts = {block.start: block for section in outline.sections for block in section.blocks}
    for chunk in found:
        blocks = [block for start, block in starts.items() if chunk.start <= start <= chunk.end]
        assert words(chunk) <= chunks.UNCUT or max(len(block.plain.split()) for block in blocks) > chunks.WORDS / 2
        assert max(block.end for block in blocks) == chunk.end
