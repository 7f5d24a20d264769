"""Where links lead: each form that notes write them in, and none that leads out of the folder."""

from __future__ import annotations

import pytest

from assistant.notes import markdown
from assistant.notes.link_targets import InNotes, LinkTargets, NoNote, Outside, section
from assistant.records import Note

PATHS = (
    "README.md",
    "guide/a b.md",
    "guide/index.md",
    "guide/setup.md",
    "guide/deep/setup.md",
    "guide/deep/notes.markdown",
    "other/Setup.md",
    "other/setup.md",
    "other/Überblick.md",
    "twins/one.md",
    "twins/two.md",
    "z.md",
)
TITLES = {
    "guide/a b.md": "The A and B",
    "twins/one.md": "Twin",
    "twins/two.md": "Twin",
    "z.md": "twin",
    "other/Überblick.md": "Note: An Overview",
}
TARGETS = LinkTargets(PATHS, lambda: TITLES)


@pytest.mark.parametrize(
    ("link", "path", "fragment"),
    [
        ("setup.md", "guide/setup.md", ""),
        ("setup", "guide/setup.md", ""),
        ("./setup", "guide/setup.md", ""),
        (" ./setup.md ", "guide/setup.md", ""),
        ("deep/../setup.md", "guide/setup.md", ""),
        ("../z.md", "z.md", ""),
        ("../z.md?plain=1#top", "z.md", "top"),
        ("a%20b.md", "guide/a b.md", ""),
        ("a b", "guide/a b.md", ""),
        ("deep/notes", "guide/deep/notes.markdown", ""),
        ("deep/notes.markdown#x", "guide/deep/notes.markdown", "x"),
        (".", "guide/index.md", ""),
        ("../", "README.md", ""),
        ("../guide/#use", "guide/index.md", "use"),
        ("#use-it", "guide/start.md", "use-it"),
        ("", "guide/start.md", ""),
        ("SETUP.MD", "guide/setup.md", ""),
        ("../other/Setup.md", "other/Setup.md", ""),
        ("../other/setup.md", "other/setup.md", ""),
        ("../other/%C3%9Cberblick.md#%C3%BCber", "other/Überblick.md", "über"),
        ("../other/U%CC%88berblick", "other/Überblick.md", ""),
    ],
)
def test_addresses_of_notes(link: str, path: str, fragment: str) -> None:
    assert TARGETS.target(link, "guide/start.md") == InNotes(path, fragment)


@pytest.mark.parametrize(
    ("link", "path", "fragment"),
    [
        ("[[notes]]", "guide/deep/notes.markdown", ""),
        ("[[notes.markdown]]", "guide/deep/notes.markdown", ""),
        ("[[z#Some Heading|words]]", "z.md", "Some Heading"),
        ("[[z#Above#Below]]", "z.md", "Below"),
        ("[[z#^block]]", "z.md", ""),
        ("[[#Here]]", "guide/start.md", "Here"),
        ("[[A B]]", "guide/a b.md", ""),
        ("[[the a  and b]]", "guide/a b.md", ""),
        ("[[deep/setup]]", "guide/deep/setup.md", ""),
        ("[[guide/deep/setup.md]]", "guide/deep/setup.md", ""),
        ("[[../z]]", "z.md", ""),
        ("[[überblick]]", "other/Überblick.md", ""),
        ("[[Note: An Overview]]", "other/Überblick.md", ""),
    ],
)
def test_wiki_links_by_file_name_and_title(link: str, path: str, fragment: str) -> None:
    assert TARGETS.target(link, "guide/start.md") == InNotes(path, fragment)


@pytest.mark.parametrize(
    ("link", "source", "path"),
    [
        ("[[setup]]", "guide/deep/x.md", "guide/deep/setup.md"),
        ("[[setup]]", "guide/x.md", "guide/setup.md"),
        ("[[Setup]]", "guide/x.md", "other/Setup.md"),
        ("[[setup]]", "x.md", "guide/setup.md"),
        ("[[Twin]]", "twins/three.md", "twins/one.md"),
        ("[[Twin]]", "x.md", "z.md"),
        ("[[Twin]]", "guide/x.md", "z.md"),
    ],
)
def test_one_of_several_notes_of_a_name_is_nearest(link: str, source: str, path: str) -> None:
    assert TARGETS.target(link, source) == InNotes(path)


@pytest.mark.parametrize(
    "link",
    [
        "https://example.com/z.md",
        "HTTP://example.com",
        "//example.com/z.md",
        "mailto:a@example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "C:\\z.md",
        "\\\\host\\z.md",
        "/z.md",
        "/etc/passwd",
        "../../z.md",
        "../../../../etc/passwd",
        "..%2F..%2Fz.md",
        "%2e%2e/%2e%2e/z.md",
        "deep/../../../z.md",
        "%2Fetc%2Fpasswd",
        "[[/etc/passwd]]",
        "[[../../z]]",
        "[[https://example.com]]",
    ],
)
def test_nothing_leads_out_of_the_folder(link: str) -> None:
    assert TARGETS.target(link, "guide/start.md") == Outside(link.removeprefix("[[").removesuffix("]]"))


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("gone.md#x", "gone.md"),
        ("picture.png", "picture.png"),
        ("z.md%00", "z.md\x00"),
        ("%ff", "\ufffd"),
        ("[[Nobody]]", "Nobody"),
        ("[[Note: Nobody]]", "Note: Nobody"),
        ("[[..]]", ".."),
    ],
)
def test_a_note_that_is_not_there_is_named(link: str, name: str) -> None:
    assert TARGETS.target(link, "guide/start.md") == NoNote(name)


def test_titles_are_read_only_where_no_file_has_the_name() -> None:
    def never() -> dict[str, str]:
        raise AssertionError

    assert LinkTargets(PATHS, never).target("[[z]]", "x.md") == InNotes("z.md")


HEADINGS = """# Größe & Maße
## Use it!
## Use it
## Use it
## C++ / C#
## 日本語 の見出し
## Own {#given-id}
## A -- B
"""


@pytest.mark.parametrize(
    ("fragment", "line"),
    [
        ("größe--maße", 1),
        ("größe-maße", 1),
        ("Größe--Maße", 1),
        ("gro\u0308ße--maße", 1),
        ("Größe & Maße", 1),
        ("use-it", 2),
        ("use-it-1", 3),
        ("use-it-2", 4),
        ("Use it", 3),
        ("USE-IT", 2),
        ("c--c", 5),
        ("日本語-の見出し", 6),
        ("given-id", 7),
        ("a----b", 8),
        ("a-b", 8),
        ("gone", 0),
        ("", 0),
        ("  ", 0),
    ],
)
def test_headings_by_github_slug_or_words(fragment: str, line: int) -> None:
    outline = markdown.outline(Note("x.md", tuple(HEADINGS.splitlines()), ""))
    found = section(outline.sections, fragment)
    assert (found.start if found else 0) == line
