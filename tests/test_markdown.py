"""A note's outline: laws on generated Markdown and on the CommonMark examples, then what single constructs become."""

import html
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.notes import folder as notes_folder
from assistant.notes.markdown import inline, outline
from assistant.notes.markdown.grammar import parse
from assistant.records import Block, Note, Outline

TEXT = ("paragraph", "item", "heading", "row", "code")


def note(text: str, path: str = "folder/some note.md") -> Note:
    return notes_folder.decode(path, text.encode())


def outlined(text: str) -> Outline:
    return outline(note(text))


def blocks(text: str) -> list[Block]:
    return [block for section in outlined(text).sections for block in section.blocks]


def summary(text: str) -> list[tuple[str, int, int, str]]:
    return [(block.kind, block.start, block.end, block.plain) for block in blocks(text)]


# ---- laws

STARTS = (
    *("# ", "## ", "### ", "###### ", "#", "- ", "* ", "1. ", "10) ", "> ", ">", "    ", "  ", "\t", "| ", "", ""),
    *(
        "```",
        "~~~~",
        "    ```",
        "```yaml ",
        "<!-- ",
        "<div>",
        "[a]: ",
        "!!! ",
        "---",
        "===",
        "***",
        "**b**: ",
        "- [ ] ",
    ),
)
WORDS = (
    *(
        "word",
        "two words",
        "**bold**",
        "**Label:** x",
        "_em_",
        "`co de`",
        "[text](#word)",
        "[a]",
        "![alt](pic.png)",
        "|",
    ),
    *(
        "a | b",
        "--- | ---",
        "<br>",
        "<b>",
        "-->",
        "```",
        "\\*",
        "***x***",
        "\0",
        "\f",
        "\v",
        "\u2028",
        "\x85",
        "\x1c",
        "é",
    ),
    *("\u202e", "\x1b[31m", "==", "---", ":-", "", "  ", "[", "](", "~~gone~~", "\u00a0"),
)
MARKDOWN = st.lists(
    st.tuples(
        st.lists(st.sampled_from(STARTS), max_size=3).map("".join),
        st.lists(st.sampled_from(WORDS), max_size=3).map("".join),
        st.sampled_from(["\n", "\n", "\n\n", "\r\n", "\r", ""]),
    ).map("".join),
    max_size=14,
).map("".join)


def covers_every_line_once(read: Note, found: Outline) -> None:
    lines = [n for section in found.sections for n in range(section.start, section.end + 1)]
    assert lines == list(range(1, len(read.lines) + 1))
    assert all(section.heading_path for section in found.sections)
    assert [section.level for section in found.sections if not section.level] in ([], [0])
    anchors = [section.anchor for section in found.sections]
    assert len(anchors) == len(set(anchors))


def keeps_blocks_in_order(found: Outline) -> None:
    for section in found.sections:
        before = section.start - 1
        for position, block in enumerate(section.blocks):
            assert before < block.start <= block.end <= section.end
            assert (block.kind == "heading") == (position == 0 and section.level > 0)
            if block.parent is not None:
                parent = section.blocks[block.parent]
                assert block.parent < position
                assert parent.kind in ("item", "marker")
                assert parent.depth <= block.depth
            before = block.end


def loses_no_text(read: Note, found: Outline) -> None:
    held = {n for s in found.sections for block in s.blocks for n in range(block.start, block.end + 1)}
    outside = [line for number, line in enumerate(read.lines, 1) if number not in held]
    assert [line for line in outside if any(c.isalnum() for c in line)] == []


def says_what_its_lines_say(read: Note, found: Outline) -> None:
    for block in (block for section in found.sections for block in section.blocks):
        lines = read.lines[block.start - 1 : block.end]
        if block.kind == "fence":
            body = read.lines[block.body[0] - 1 : block.body[1]] if block.body else ()
            said = block.plain.split("\n") if body else []
            assert len(said) == len(body)
            assert all(_letters(a) == _letters(b) for a, b in zip(said, body, strict=True))
            assert block.info.replace("\0", "\ufffd") in lines[0].replace("\0", "\ufffd")
        elif block.kind in TEXT:
            written = "\n".join(lines)
            assert any(_in_order(_letters(block.plain), _letters(w)) for w in (written, html.unescape(written)))
            assert "\n" not in block.plain or block.kind == "code"
            assert block.lead in block.plain


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _in_order(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(c in rest for c in part)


def opens_a_section_for_each_heading(read: Note, found: Outline) -> None:
    kinds = {block.kind for section in found.sections for block in section.blocks}
    if parse(read.lines).loose or kinds & {"front_matter", "marker"}:
        return  # markdown-it alone sees none of them
    tokens = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").parse("\n".join(read.lines) + "\n")
    opened = [(t.map[0] + 1, int(t.tag[1])) for t in tokens if t.type == "heading_open" and t.level == 0 and t.map]
    assert [(section.start, section.level) for section in found.sections if section.level] == opened


def check_laws(read: Note) -> None:
    found = outline(read)
    covers_every_line_once(read, found)
    keeps_blocks_in_order(found)
    loses_no_text(read, found)
    says_what_its_lines_say(read, found)
    opens_a_section_for_each_heading(read, found)


@given(MARKDOWN)
@example("")
@example("\n")
@example("- - - x\n")
@example("- a\n\n  [b]: c\n\n  d\n")
@example("- [a]: \nword\n")
def test_laws_hold_for_generated_markdown(text: str) -> None:
    """Whatever the mixture of constructs, line ends and odd characters."""
    check_laws(note(text))


@given(st.text(max_size=200))
def test_laws_hold_for_any_text(text: str) -> None:
    """Also where nothing is meant as Markdown."""
    check_laws(note(text.encode("utf-8", "replace").decode()))


def test_laws_hold_for_the_commonmark_examples(shared: Path) -> None:
    """All 652 of them."""
    examples = json.loads((shared / "corpora" / "commonmark-spec.json").read_text("utf-8"))
    assert len(examples) == 652
    for case in examples:
        check_laws(note(case["markdown"]))


# ---- agreement with the judge of the question sets


class _Judged(Protocol):
    paths: list[tuple[str, ...]]
    fences: list[tuple[int, int, str]]


class _Judge(Protocol):
    def read_note(self, text: str) -> _Judged: ...
    def plain(self, text: str) -> str: ...


def disagreements(judge: _Judge, folder: Path) -> Iterator[str]:
    """Lines whose heading path, and fences whose lines or info string, the judge sees differently."""
    for file in notes_folder.scan(folder).files:
        read = notes_folder.read(folder, file.path)
        found, judged = outline(read), judge.read_note((folder / file.path).read_bytes().decode())
        for section in found.sections:
            path = tuple(judge.plain(heading) for heading in section.heading_path)
            for number in range(section.start, section.end + 1):
                true = judged.paths[number - 1]
                if len(path) > len(true) + 1 or path[len(path) - len(true) :] != true:
                    yield f"{file.path}:{number}: {true}, not {path}"
        ours = {(*_inside(b), b.info) for s in found.sections for b in s.blocks if b.kind == "fence"}
        for fence in sorted(ours ^ set(judged.fences)):
            yield f"{file.path}: {fence} is a fence for one of us"


def _inside(fence: Block) -> tuple[int, int]:
    return fence.body or (fence.start + 1, fence.start)


def test_agrees_with_the_judge_on_the_shipped_notes(root: Path, judge: _Judge) -> None:
    """Heading path of every line and every fence."""
    assert list(disagreements(judge, root / "corpus")) == []


def test_agrees_with_the_judge_on_notes_of_another_subject(shared: Path, judge: _Judge) -> None:
    """Notes in several files, as the exam has them."""
    assert list(disagreements(judge, shared / "eval" / "exam" / "notes")) == []


def test_outlines_a_large_documentation(shared: Path, judge: _Judge, tmp_path: Path) -> None:
    """399 notes with tabs, admonitions and front matter; a quarter of their fences are none for CommonMark."""
    with tarfile.open(shared / "corpora" / "knative-docs.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    files = notes_folder.scan(tmp_path).files
    assert len(files) == 399
    unseen = 0
    for file in files:
        read = notes_folder.read(tmp_path, file.path)
        found = outline(read)
        tokens = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").parse("\n".join(read.lines) + "\n")
        unseen -= sum(token.type == "fence" for token in tokens)
        unseen += sum(block.kind == "fence" for section in found.sections for block in section.blocks)
        covers_every_line_once(read, found)
        keeps_blocks_in_order(found)
        says_what_its_lines_say(read, found)
    assert unseen > 500
    assert list(disagreements(judge, tmp_path)) == []


def test_shipped_notes_are_outlined_as_before(root: Path, golden: Callable[[Path, bytes], None]) -> None:
    """Section by section, block by block; renew with --snapshot-update and read the difference."""
    (file,) = notes_folder.scan(root / "corpus").files
    found = outline(notes_folder.read(root / "corpus", file.path))
    golden(root / "tests" / "golden" / "corpus-outline.txt", ("\n".join(shown(found)) + "\n").encode())


def shown(found: Outline) -> Iterator[str]:
    yield f"{found.path}: {found.title}"
    for section in found.sections:
        yield f"\n{section.start}-{section.end} #{section.anchor} {' > '.join(section.heading_path)}"
        for block in section.blocks:
            marks = ["contents"] if block.contents else [f"body {block.body[0]}-{block.body[1]}"] if block.body else []
            text = block.plain.split("\n")[0]
            yield " ".join(f"  {block.start}-{block.end} {block.kind} {block.info} {' '.join(marks)} | {text}".split())


# ---- headings, titles, anchors


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("# A\n## B\n#### C\n## D\n", [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D")]),
        ("intro\n\n## B\n# A\n## C\n", [("A",), ("A", "B"), ("A",), ("A", "C")]),
        ("# A\n## B\n# C\n## D\n", [("A",), ("A", "B"), ("C",), ("C", "D")]),
        ("## B\n", [("some note", "B")]),
        ("---\ntitle: T\n---\n## B\n", [("T",), ("T", "B")]),
        ("", [("some note",)]),
        ("A\nb\n===\n\nC\n---\n", [("A b",), ("A b", "C")]),
        ("# **A** `b` [c](d) ![e](f) &amp; \\* ##\n", [("A b c e & *",)]),
        ("# A\n##\n### C\n", [("A",), ("A", ""), ("A", "", "C")]),
        ("#\n## C\n", [("some note", ""), ("", "C")]),
    ],
)
def test_heading_paths(text: str, paths: list[tuple[str, ...]]) -> None:
    """From the first H1, the front matter's title or the file name down; an H1 starts its own path."""
    assert [section.heading_path for section in outlined(text).sections] == paths


def test_only_headings_that_stand_alone_open_sections() -> None:
    """None in a quote, an item, a fence, a comment or the text of another heading."""
    text = "# A\n> # B\n\n- # C\n\n```\n# D\n```\n<!--\n# E\n-->\n    # F\n"
    assert len(outlined(text).sections) == 1


def test_a_heading_in_a_quote_is_text_that_stands_out() -> None:
    """It labels what follows, as a bold line does."""
    (block,) = blocks("> ## Note\n")
    assert (block.kind, block.plain, block.lead) == ("paragraph", "Note", "Note")


def test_title_and_whether_there_is_one() -> None:
    """The first H1, wherever it stands; the file name is only a stand-in."""
    assert (outlined("## B\n\n# A\n").title, outlined("## B\n\n# A\n").titled) == ("A", True)
    assert (outlined("---\ntitle: T\n---\n").title, outlined("---\ntitle: T\n---\n").titled) == ("T", True)
    assert (outlined("x").title, outlined("x").titled) == ("some note", False)


def test_anchors_are_those_of_github() -> None:
    """Punctuation goes, letters of all scripts stay, duplicates are numbered, also past one that has the number."""
    text = "# A & B\n# A-B_c!\n# Über größe\n# 🚀 Go\n# X\n# X-1\n# X\n> # X\n\n# X\n# `code` **b** ![i](j)\n# !\n"
    assert [section.anchor for section in outlined(text).sections] == [
        *("a--b", "a-b_c", "über-größe", "-go", "x", "x-1", "x-2", "x-4", "code-b-", "-1")
    ]


# ---- front matter


def test_front_matter_gives_title_and_tags() -> None:
    """And is no prose."""
    found = outlined("---\ntitle: 2024-01-02\ntags: [a, b c]\n---\ntext\n")
    assert (found.title, found.tags) == ("2024-01-02", ("a", "b c"))
    assert [(b.kind, b.start, b.end) for b in found.sections[0].blocks] == [("front_matter", 1, 4), ("paragraph", 5, 5)]


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a, b", ("a", "b")),
        ("'#a b a'", ("a", "b")),
        ("\n- a\n- '#b'", ("a", "b")),
        ("[]", ()),
        ("{a: b}", ()),
        ("[[a], b]", ("b",)),
    ],
)
def test_tags(value: str, tags: tuple[str, ...]) -> None:
    """A list, or words between commas and spaces."""
    assert outlined(f"---\ntags: {value}\n---\n").tags == tags


@pytest.mark.parametrize(
    "text", ["---\njust text\n---\n", "---\n- a\n---\n", "---\na: b\n", "---\n---\n", "x\n---\na: b\n---\n"]
)
def test_no_mapping_is_no_front_matter(text: str) -> None:
    """A rule at the top of a note is a rule."""
    assert "front_matter" not in [block.kind for block in blocks(text)]


def test_front_matter_with_a_slip_still_is_one() -> None:
    """A colon in an unquoted title is no YAML, and yet nobody meant a heading."""
    found = outlined("---\ntitle: Canary: how\ntags: a b\n---\n")
    assert (found.title, found.tags) == ("Canary: how", ("a", "b"))


def test_hostile_front_matter_is_prose() -> None:
    """Nested deeper than a parser goes, or tagged to build an object."""
    assert outlined("---\na: " + "[" * 5000 + "\n---\n").sections
    assert outlined("---\ntitle: !!python/object/apply:os.system ['x']\n---\n").titled is False


# ---- items


def test_an_items_lines_end_at_its_first_nested_block() -> None:
    """What follows in it knows the item, and no two blocks share a line."""
    text = "- **One**: a\n  b\n\n  c\n  - two\n    - three\n\n  d\n\n  ```sh\n  e\n  ```\n- four\n"
    found = [(b.kind, b.start, b.end, b.plain, b.depth, b.parent) for b in blocks(text)]
    assert found == [
        ("item", 1, 4, "One: a b c", 1, None),
        ("item", 5, 5, "two", 2, 0),
        ("item", 6, 6, "three", 3, 1),
        ("paragraph", 8, 8, "d", 1, 0),
        ("fence", 10, 12, "e", 1, 0),
        ("item", 13, 13, "four", 1, None),
    ]
    assert blocks(text)[0].lead == "One"


def test_an_item_without_lines_of_its_own_is_no_block() -> None:
    """Where a list, a fence or HTML begins on its first line; an empty one stands for itself."""
    assert summary("- - a\n") == [("item", 1, 1, "a")]
    assert summary("- ```\n  a\n  ```\n") == [("fence", 1, 3, "a")]
    assert summary("-\n- b\n") == [("item", 1, 1, ""), ("item", 2, 2, "b")]


def test_the_box_of_a_task_is_no_text() -> None:
    """Done or not."""
    assert summary("- [ ] **a** b\n- [x] c\n") == [("item", 1, 1, "a b"), ("item", 2, 2, "c")]
    assert blocks("- [ ] **a** b\n")[0].lead == "a"


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("**a b:** c", "a b:"),
        ("__a__", "a"),
        ("***a*** b", "a"),
        ("[**a**](b) c", "a"),
        ("x **a**", ""),
        ("*a* **b**", ""),
    ],
)
def test_lead(text: str, lead: str) -> None:
    """The bold run that comes first, without marks."""
    assert blocks(text)[0].lead == lead


def test_a_list_of_links_to_headings_is_a_table_of_contents() -> None:
    """With all nested items, and only where each link leads to a heading of the note."""
    contents = "- [A](#a)\n  1. [B & C](#b-c)\n  2. **[D](#%C3%BC)**\n\n"
    heads = "# A\n# B & C\n# ü\n"
    assert [b.contents for b in blocks(contents + heads) if b.kind == "item"] == [True] * 3
    assert [b.contents for b in blocks(contents + "# A\n# ü\n") if b.kind == "item"] == [False] * 3
    assert [b.contents for b in blocks("- [A](#a) first\n\n# A\n") if b.kind == "item"] == [False]
    assert [b.contents for b in blocks("- [A](a.md)\n\n# A\n") if b.kind == "item"] == [False]
    assert [b.contents for b in blocks("- Contents\n  - [A](#a)\n\n# A\n") if b.kind == "item"] == [False, True]


# ---- fences


def test_fences() -> None:
    """Their info string as written, their lines between the marks."""
    fence, empty, open_ = blocks("~~~ {.yaml} x\n  a\n   b\n~~~~\n```\n```\n```py\nc\n\n")
    assert (fence.info, fence.body, fence.plain, fence.end) == ("{.yaml} x", (2, 3), "a\n b", 4)
    assert (empty.body, empty.plain) == (None, "")
    assert (open_.body, open_.plain, open_.end) == ((8, 9), "c\n", 9)


def test_a_fence_in_an_admonition() -> None:
    """For CommonMark it is a paragraph; the line of the admonition itself is a marker."""
    text = "!!! note\n    Do **this**:\n    ```yaml\n    a: 1\n\n      b: 2\n    ```\n    then\n    that\n"
    assert summary(text) == [
        ("marker", 1, 1, ""),
        ("paragraph", 2, 2, "Do this:"),
        ("fence", 3, 7, "a: 1\n\n  b: 2"),
        ("paragraph", 8, 9, "then that"),
    ]
    assert (blocks(text)[2].info, blocks(text)[2].body) == ("yaml", (4, 6))


def test_a_loose_fence_in_a_paragraph() -> None:
    """For CommonMark it is text: the paragraph is split around it."""
    text = "a\n    Do **this**:\n    ```yaml\n    a: 1\n\n      b: 2\n    ```\n    then\n    that\n"
    assert summary(text) == [
        ("paragraph", 1, 2, "a Do this:"),
        ("fence", 3, 7, "a: 1\n\n  b: 2"),
        ("paragraph", 8, 9, "then that"),
    ]


def test_fences_in_a_tab() -> None:
    """For CommonMark it is indented code, and so is the text between them."""
    text = '=== "Tab"\n\n    Run:\n\n    ```bash\n    # no heading\n    x\n    ```\n\n    ~~~\n    ~~~\n    end\n'
    assert summary(text) == [
        ("marker", 1, 1, "Tab"),
        ("paragraph", 3, 3, "Run:"),
        ("fence", 5, 8, "# no heading\nx"),
        ("fence", 10, 11, ""),
        ("paragraph", 12, 12, "end"),
    ]
    assert summary(text.replace('=== "Tab"', "Tab"))[1::3] == [("code", 3, 3, "Run:"), ("code", 12, 12, "end")]


def test_a_loose_fence_in_an_item() -> None:
    """Too far indented for CommonMark; what follows it is read as if the marks had been where they should."""
    text = "1. Do\n\n        ```\n        a\n   ```\n\n# B\n"
    assert summary(text) == [("item", 1, 1, "Do"), ("fence", 3, 5, "a"), ("heading", 7, 7, "B")]
    assert blocks(text)[1].parent == 0


@pytest.mark.parametrize(
    "text",
    [
        "a\n    ```\n    b\n",  # never closed
        "a\n    ```\n    b\n\n# H\n\n    ```\n",  # closed under another heading
        "a\n    ```b```\n    ```\n",  # code in a line, then an opening without end
    ],
)
def test_marks_without_a_closing_line_are_text(text: str) -> None:
    """Nothing that markdown-it sees is swallowed on a guess."""
    assert "fence" not in [block.kind for block in blocks(text)]


def test_a_fence_in_a_quote() -> None:
    """The quote's marks are no part of it."""
    assert summary("> ```\n> a\n> ```\n") == [("fence", 1, 3, "a")]
    assert summary("> a\n>     ```\n>     b\n>     ```\n") == [("paragraph", 1, 1, "a"), ("fence", 2, 4, "b")]


# ---- other blocks


def test_tables() -> None:
    """A block a row, each with the names of its columns; the line of dashes belongs to none."""
    head, row = blocks("| A | **B** |\n|---|---|\n| `c` \\| d | [e](f) |\n")
    assert (head.start, head.header, head.cells) == (1, ("A", "B"), ("A", "B"))
    assert (row.start, row.header, row.cells, row.plain) == (3, ("A", "B"), ("c | d", "e"), "c | d | e")


def test_html() -> None:
    """Its text without tags; a comment and a script say nothing."""
    assert summary("<p>a <b>b</b>&amp;</p>\n\n<!-- c\n\n# d -->\n<script>\ne\n</script>\n") == [
        ("html", 1, 1, "a b &"),
        ("html", 3, 5, ""),
        ("html", 6, 8, ""),
    ]


def test_link_definitions_and_rules() -> None:
    """They hold lines and say nothing; a link by name reads as its text."""
    assert summary("see [x][a] and [a]<br>b\n\n[a]: b\n  'c'\n[a]: d\n\n***\n") == [
        ("paragraph", 1, 1, "see x and a b"),
        ("reference", 3, 4, ""),
        ("reference", 5, 5, ""),
        ("rule", 7, 7, ""),
    ]


def test_indented_code() -> None:
    """Dedented, without the blank lines around it."""
    assert summary("a\n\n    b\n\n      c\n\n\nd\n")[1] == ("code", 3, 5, "b\n\n  c")


# ---- hostile notes: an outline whatever comes, and no second reading for each line


@pytest.mark.parametrize(
    "text",
    [
        "- " * 100_000 + "deep",
        ">" * 100_000 + "deep",
        "\n".join("  " * level + "- deep" for level in range(700)),
        "# " + "*a " * 22_000,
        "deep " * 200_000,
        "[" * 100_000,
        "![" * 9_000,
        "[a](b) " * 100_000,
        "\0" * 100_000 + "\n- \0",
        "    ~~~x\n" * 10_000,
        "    ```a\n\n```\n" * 300,
        "| a " * 2_000 + "\n" + "|-" * 2_000 + "\n" + "| b\n" * 100,
        "<!--\n\n" * 10_000,
        "<script\n" * 10_000,
        "---\n" + "a: b\n" * 5_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_notes(text: str) -> None:
    """They cover their lines, and nothing written is lost."""
    read = note(text)
    found = outline(read)
    covers_every_line_once(read, found)
    keeps_blocks_in_order(found)
    loses_no_text(read, found)


def test_text_nested_too_deep_is_kept_as_a_paragraph() -> None:
    """markdown-it drops it in silence."""
    assert summary("- " * 2000 + "deep\n") == [("paragraph", 1, 1, "- " * 2000 + "deep")]
    assert summary("- " * 400 + "deep\n") == [("item", 1, 1, "deep")]


def test_an_outline_does_not_depend_on_the_depth_it_is_made_at() -> None:
    """Nesting near the limit, read from far down the stack."""

    def below(frames: int) -> Outline:
        return below(frames - 1) if frames else outlined("- " * 450 + "deep\n")

    assert below(400) == below(0)


@given(st.text(st.sampled_from("ab :!]()-+>#|\"'\t \n\u00a0é1.") | st.characters(exclude_characters="&*<[\\_`~")))
def test_a_line_without_marks_is_read_as_the_parser_would(content: str) -> None:
    unread = inline.read(content, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "_MARK", re.compile(""))
        assert unread == inline.read(content, {})
