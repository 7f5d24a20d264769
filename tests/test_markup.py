"""Markup that is no content: each format is read as what it is, and no line of it is found, quoted or a name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.notes import folder, markdown
from assistant.notes.chunker import embedded, passages
from assistant.records import Note, Passage
from assistant.topics.concept_matcher import matcher
from assistant.topics.extraction import mentions


def decoded(text: str) -> Note:
    return folder.decode("folder/note.md", text.encode())


def of(text: str) -> tuple[Passage, ...]:
    note = decoded(text)
    return passages(markdown.outline(note), note)


def found(text: str) -> list[tuple[str, int, int, str]]:
    return [(passage.kind, passage.start, passage.end, passage.text) for passage in of(text)]


def labelled(text: str) -> list[tuple[str, str]]:
    return [(passage.text, passage.label) for passage in of(text) if passage.kind != "heading"]


def plain(text: str) -> list[str]:
    return [block.plain for section in markdown.outline(decoded(text)).sections for block in section.blocks]


# ---- lines that are nothing else

LINES = (
    '--8<-- "shared/intro.md"',
    "--8<-- [start:usage]",
    '{% include "notice.md" %}',
    "{% raw %}",
    '{{ artifact(repo="serving", file="core.yaml") }}',
    "{# a comment of the template #}",
    "{{< note >}}",
    '{{% notice style="tip" %}}',
    '{{< figure src="a.png"\n    alt="A picture" >}}',
    ":::note",
    ":::",
    "::: {.callout-note}",
    ":::tip My title {#here}",
    "!!! note",
    '!!! warning "Mind the gap"',
    "???+ tip inline end",
    '=== "Terraform"',
    "> [!NOTE]",
    "> [!tip]- Folded",
    "{: .lead }",
    '{:target="_blank"}',
    "{#here .lead}",
    "{:toc}",
    "[TOC]",
    "[[_TOC_]]",
    "<!-- a comment -->",
    '<div class="wide">',
    "</details>",
    "<Tabs>",
    '<TabItem value="go" label="Go">',
    '<Tabs defaultValue="go" values={[{label: "Go", value: "go"}]}>',
    "<Tabs\n  groupId='lang'\n  values={[\n    {label: 'Go', value: 'go'},\n  ]}>",
    "</TabItem>",
    "    </td>",
    "[![Build](https://img.shields.io/a.svg)](https://ci.example/b)",
    "![Coverage](https://example.com/coverage-badge.svg)",
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_markup_is_no_passage(line: str) -> None:
    """Neither by itself nor as part of what stands around it."""
    assert found(f"Before it.\n\n{line}\n\nBehind it.\n") == [
        ("paragraph", 1, 1, "Before it."),
        ("paragraph", 4 + line.count("\n") + 1, 4 + line.count("\n") + 1, "Behind it."),
    ]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_markup_in_a_fence_is_code(line: str) -> None:
    """Notes about a site generator show what to write."""
    assert found(f"```\n{line}\n```\n")[0] == ("fence", 2, 2 + line.count("\n"), re.sub("^    (?=<)", "", line))


@pytest.mark.parametrize(
    "line", ['--8<-- "a.md"', "{% endraw %}", ":::", '=== "Tab"', "!!! note", "</TabItem>", "{: .a }"]
)
def test_markup_ends_a_paragraph(line: str) -> None:
    """Authors leave no blank line around it."""
    assert found(f"Before it.\n{line}\n") == [("paragraph", 1, 1, "Before it.")]


@pytest.mark.parametrize(
    "text",
    [
        "!!! Do not do this",
        "!!!",
        "=== equal ===",
        "export your keys first",
        "import the file from a backup",
        "a ::: b",
        "{:ok, value}",
        "{a, 1}",
        "[!x](y)",
        "-8< is a pair of scissors?",
        "<Name> is what you chose",
    ],
)
def test_what_only_looks_like_markup_is_text(text: str) -> None:
    """A rule is that of its format, not a guess."""
    assert [kind for kind, *_ in found(text)] == ["paragraph"] or found(text)[0][0] == "pointer"


def test_statements_of_mdx_are_no_prose() -> None:
    """They stand at the top of a block; a declaration goes on up to a blank line."""
    text = (
        "import Tabs from '@theme/Tabs';\nimport {\n  A,\n  B,\n} from './parts'\n\nexport const Note = () => {\n"
        "  return 1;\n};\n\nWords.\n\nexport default Layout;\n"
    )
    assert found(text) == [("paragraph", 11, 11, "Words.")]


def test_several_snippets_in_one_block() -> None:
    """The file names between the marks are no text."""
    assert found("--8<--\na.md\nb.md\n--8<--\nText.\n") == [("paragraph", 5, 5, "Text.")]


# ---- content inside


def test_content_of_an_admonition_is_prose_with_lists_and_fences() -> None:
    """CommonMark calls what is indented by four columns code."""
    text = (
        "# A\n\n!!! warning\n\n    Save **first**:\n\n    - one\n    - two\n\n    ```bash\n    save\n    ```\n\n"
        "        indented code\n\nAfter.\n"
    )
    assert found(text)[1:] == [
        ("paragraph", 5, 5, "Save first:"),
        ("item", 7, 7, "one"),
        ("item", 8, 8, "two"),
        ("fence", 11, 11, "save"),
        ("code", 14, 14, "indented code"),
        ("paragraph", 16, 16, "After."),
    ]


def test_admonitions_in_items_and_in_each_other() -> None:
    """The item's own text ends at the marker."""
    text = (
        '1. Do it:\n\n    === "CLI"\n\n        ??? tip "Short form"\n            Type `x`.\n\n'
        "        Then wait.\n1. Next\n"
    )
    assert found(text) == [
        ("item", 1, 1, "Do it:"),
        ("paragraph", 6, 6, "Type x."),
        ("paragraph", 8, 8, "Then wait."),
        ("item", 9, 9, "Next"),
    ]


def test_an_admonition_indented_too_far_in_an_item() -> None:
    """It is code outside of items."""
    assert found("- a\n\n        !!! note\n            b\n") == [("item", 1, 1, "a"), ("paragraph", 4, 4, "b")]
    assert [kind for kind, *_ in found("        !!! note\n            b\n")] == ["code"]


def test_alerts() -> None:
    """GitHub's stand alone on the first line of a quotation; text behind one is kept."""
    assert found("> [!WARNING]\n> Save first.\n") == [("paragraph", 2, 2, "Save first.")]
    long = "> [!NOTE] This goes on for so many words that it is no title but a sentence.\n"
    assert found(long)[0][3].startswith("This goes on")


def test_details_keep_the_text_of_their_summary() -> None:
    """Lines of nothing but tags are left out of the passage."""
    text = "<details>\n<summary>How to <b>reset</b></summary>\n\nPress it.\n\n</details>\n"
    assert found(text) == [("paragraph", 2, 2, "How to reset"), ("paragraph", 4, 4, "Press it.")]


def test_text_between_tags_of_components_is_markdown() -> None:
    """As MDX reads it, without blank lines too."""
    assert found('<TabItem value="a">\nRun **it**.\n</TabItem>\n') == [("paragraph", 2, 2, "Run it.")]


# ---- titles


def test_the_title_of_a_tab_labels_what_is_in_it() -> None:
    """Behind the words that introduce the tabs, for each of them; it ends with the tab."""
    text = 'Run it with:\n\n=== "CLI"\n\n    ```\n    x\n    ```\n\n=== "_API_"\n\n    Call `y`.\n\nDone.\n'
    assert labelled(text) == [
        ("Run it with:", ""),
        ("x", "Run it with, CLI"),
        ("Call y.", "Run it with, API"),
        ("Done.", ""),
    ]


def test_a_title_that_names_only_the_kind_is_no_label() -> None:
    """What was the label before still is."""
    text = '**Backups**:\n\n!!! note "Note"\n    Daily.\n\n:::tip\nWeekly.\n:::\n\n!!! info "Old ones"\n    Monthly.\n'
    assert labelled(text)[1:] == [
        ("Daily.", "Backups"),
        ("Weekly.", "Backups"),
        ("Monthly.", "Backups, Old ones"),
    ]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        (":::note Keys", ":::"),
        (":::note[Keys]", ":::"),
        ('::: {.callout title="Keys"}', ":::"),
        ('<TabItem value="k" label="Keys">', "</TabItem>"),
        ("<Accordion title={'Keys'}>", "</Accordion>"),
    ],
)
def test_a_directive_or_component_labels_what_stands_in_it(opening: str, closing: str) -> None:
    """Up to the line that closes it, and never into another section."""
    assert labelled(f"{opening}\n\nIn.\n\n{closing}\n\nOut.\n") == [("In.", "Keys"), ("Out.", "")]
    assert labelled(f"{opening}\n\n# A\n\nIn.\n") == [("In.", "")]


def test_a_callout_labels_its_quotation() -> None:
    """The next paragraph is out of it."""
    assert labelled("> [!tip] Keys\n> In.\n\nOut.\n") == [("In.", "Keys"), ("Out.", "")]


def test_a_question_and_its_answer_are_one_passage_around_markup() -> None:
    """An admonition under the question is no answer to it."""
    assert found("# Why?\n\n{% raw %}\n\nSo.\n")[0][:3] == ("pair", 1, 5)
    assert [kind for kind, *_ in found("# Why?\n\n!!! note\n    So.\n")] == ["heading", "paragraph"]


# ---- inside a line


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("See [it](a.md){.button}.", "See it."),
        ('See [it](a.md){:target="_blank"} now.', "See it now."),
        ("![alt](a.png){ width=300 } words", "alt words"),
        ("Use `x`{.bash} or **y**{: .hot }.", "Use x or y."),
        ("See [it]({{ docs() }}/a.md){target=_blank}.", "See it."),
        ('| a | b |\n|---|---|\n| [c]({{ file(name="c") }}) | d |', "c | d"),
        ("Say {% raw %}this{% endraw %}{{< br >}}.", "Say this."),
        ("Go [on :octicons-arrow-right-24:](a.md){ .md-button }", "Go on"),
        ('<TabItem label={"x"}>Text</TabItem>', "Text"),
        ("[![B](https://img.shields.io/b.svg)](c) words", "words"),
        ("Name `{% raw %}{{ .Name }}{% endraw %}`.", "Name {{ .Name }}."),
        ("Keep `{{ a }}`, `{% b %}` and `{#c}`.", "Keep {{ a }}, {% b %} and {#c}."),
        ("The pair {:ok, x} and {{ name }} and {.a.b}", "The pair {:ok, x} and {{ name }} and {.a.b}"),
    ],
)
def test_markup_inside_a_line_is_no_text(line: str, text: str) -> None:
    """Code keeps what it shows, and what stands for words stays."""
    assert plain(line)[-1] == text


def test_the_attribute_list_of_a_heading_gives_its_anchor() -> None:
    """A heading's text is without it."""
    (section,) = markdown.outline(decoded("## Back up {#save .wide}\n")).sections
    assert (section.heading_path[-1], section.anchor) == ("Back up", "save")
    (section,) = markdown.outline(decoded("## Maps {a: 1}\n")).sections
    assert section.heading_path[-1] == "Maps {a: 1}"


def test_front_matter_of_hugo() -> None:
    """TOML between plus signs; what is none is text."""
    outline = markdown.outline(decoded('+++\ntitle = "T"\n[taxonomies]\ntags = ["a"]\n+++\nWords.\n'))
    assert (outline.title, outline.tags) == ("T", ("a",))
    assert found('+++\ntitle = "T"\n+++\nWords.\n') == [("paragraph", 4, 4, "Words.")]
    assert found("+++\nno toml\n+++\n")[0][0] == "paragraph"


# ---- laws

_CONTENT = (
    *("Words here.", "- item of a list", "**Bold**: text", "`code`", "1. step", "# Heading", "> quoted", "| a | b |"),
)
_MARKS = [line for line in LINES if "\n" not in line and not line.startswith((">", "    "))]
_MARKUP = re.compile(
    r"""--8<--|\{[%{#:]|^:::|^!!!|^\?\?\?|^===\ "|\[TOC|_TOC_|</?[A-Z]|<div|</details|shields|badge""", re.VERBOSE
)
NOTES = st.lists(
    st.tuples(
        st.sampled_from(["", "", "    ", "        "]),
        st.sampled_from([*_CONTENT, *_MARKS]),
        st.sampled_from(["\n", "\n\n"]),
    ).map("".join),
    max_size=12,
).map("".join)


@given(NOTES)
def test_laws_of_markup(text: str) -> None:
    """Lines of passages are lines of the note; no passage is only markup, outside of indented code none holds any."""
    note = decoded(text)
    for passage in passages(markdown.outline(note), note):
        assert 1 <= passage.start <= passage.end <= len(note.lines)
        quoted = "\n".join(note.lines[passage.start - 1 : passage.end])
        assert quoted.strip()
        if passage.kind != "code":
            assert not _MARKUP.search(passage.text)
            assert not _MARKUP.search(embedded(passage))
            assert any(word in quoted for word in ("Words", "item", "Bold", "code", "step", "Heading", "quoted", "a"))


@given(NOTES)
def test_no_topic_is_called_by_markup(text: str) -> None:
    """Whatever names a note has, they are words of its content."""
    note = decoded(text)
    written = " ".join(_CONTENT).lower()
    outside = [passage for passage in passages(markdown.outline(note), note) if passage.kind != "code"]
    for mention in mentions(tuple(outside), matcher(())):
        assert all(word in written for word in re.findall(r"\w+", mention.name.lower())), mention


@given(st.lists(st.sampled_from(["{", "}", "{%", "%}", "{{", "}}", "{:", "<A ", "b=", '"', ">", "](", ":::", "\n"])))
def test_unfinished_markup_is_read_without_a_mistake(parts: list[str]) -> None:
    """Any mixture of what opens and closes it."""
    note = decoded("".join(parts))
    assert all(passage.end <= len(note.lines) for passage in passages(markdown.outline(note), note))


# ---- hostile notes: nothing is looked for again for each line that opens it


@pytest.mark.parametrize(
    "text",
    [
        "{% \n" * 30_000,
        "{{< a\n" * 30_000,
        "a {% " * 30_000,
        "a {:b=" * 30_000,
        "{" * 100_000,
        "<A b={\n" * 30_000,
        "a <A b={" * 20_000,
        "<A>\n" * 20_000 + "</B>\n" * 20_000,
        ":::a\n" * 30_000 + ":::\n" * 30_000,
        ":::a A title that is long\n" * 20_000 + "words\n",
        "--8<--\n" * 30_000,
        "import {\n" * 30_000,
        "export const a =\n" * 30_000,
        "".join(" " * 4 * level + "!!! note\n" for level in range(300)),
        "!!! note\n\n" * 30_000,
        '=== "' + '" ' * 50_000,
        "](" * 50_000 + "{{",
        "# a " + "{.a " * 30_000,
        '<p title="' * 20_000,
        "<p a={'\n" * 20_000,
        "> [!NOTE]\n" * 20_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_markup(text: str) -> None:
    """Passages whatever comes; a quadratic rule would take minutes."""
    note = decoded(text)
    assert all(passage.end <= len(note.lines) for passage in passages(markdown.outline(note), note))
