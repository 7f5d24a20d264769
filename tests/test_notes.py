"""Notes as read from a folder: which files are notes, what a file's lines are, and what cannot become a note."""

import os
import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import NoNotes
from assistant.notes import folder as notes_folder
from assistant.notes.folder import UnreadableNote


def write(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n", "utf-8")


def paths(folder: Path, *skip: Path) -> list[str]:
    return [file.path for file in notes_folder.scan(folder, skip).files]


def lines(data: bytes) -> tuple[str, ...]:
    return notes_folder.decode("a.md", data).lines


# ---- which files are notes


def test_notes_are_markdown_files_at_any_depth(tmp_path: Path) -> None:
    """In order of their paths, whatever the folder's order is."""
    write(tmp_path, "b.md", "a/z.MARKDOWN", "a/b/ü c.md", "a.md", "c.txt", "md", "d.md.bak", "e.mdx")
    assert paths(tmp_path) == ["a.md", "a/b/ü c.md", "a/z.MARKDOWN", "b.md"]


def test_a_look_says_size_time_and_inode(tmp_path: Path) -> None:
    """What a later look compares, without opening the file."""
    write(tmp_path, "a.md")
    (tmp_path / "a.md").chmod(0)
    (found,) = notes_folder.scan(tmp_path).files
    expected = (tmp_path / "a.md").stat()
    assert (found.size, found.mtime_ns, found.inode) == (expected.st_size, expected.st_mtime_ns, expected.st_ino)


def test_hidden_and_vendored_folders_hold_no_notes(tmp_path: Path) -> None:
    """Nor do hidden files, and virtual environments of any name."""
    vendored = ["node_modules/a.md", "x/venv/a.md", "x/site-packages/p/a.md", "__pycache__/a.md", "env/a.md"]
    write(tmp_path, "a.md", ".git/a.md", "x/.venv/a.md", ".b.md", "env/pyvenv.cfg", *vendored)
    assert paths(tmp_path) == ["a.md"]


def test_the_folder_asked_for_may_have_any_name(tmp_path: Path) -> None:
    """Who names a hidden folder means it."""
    write(tmp_path, ".notes/venv/a.md")
    assert paths(tmp_path / ".notes" / "venv") == ["a.md"]


def test_the_index_among_the_notes_is_skipped(tmp_path: Path) -> None:
    """Under whatever name it is reached; a skipped folder need not exist."""
    write(tmp_path, "a.md", "index/README.md")
    (tmp_path / "link").symlink_to("index")
    assert paths(tmp_path, tmp_path / "link", tmp_path / "missing") == ["a.md"]


def test_the_users_vocabulary_is_no_note(tmp_path: Path) -> None:
    """At the top of the folder; elsewhere the name means nothing."""
    write(tmp_path, "assistant-vocabulary.md", "a/assistant-vocabulary.md")
    assert paths(tmp_path) == ["a/assistant-vocabulary.md"]


def test_links_are_followed(tmp_path: Path) -> None:
    """A file has each of its names; a folder is read once, under its own name where that is in the notes."""
    write(tmp_path / "notes", "a.md", "real/b.md")
    write(tmp_path / "elsewhere", "c.md")
    for link, target in [("again.md", "a.md"), ("alias", "real"), ("away", "../elsewhere"), ("more", "../elsewhere")]:
        (tmp_path / "notes" / link).symlink_to(target)
    assert paths(tmp_path / "notes") == ["a.md", "again.md", "away/c.md", "real/b.md"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    """To a parent, to each other, to itself."""
    write(tmp_path, "a/x.md", "b/y.md")
    for link, target in [("a/up", ".."), ("a/b", "../b"), ("b/a", "../a"), ("self", "self"), ("self.md", "self.md")]:
        (tmp_path / link).symlink_to(target)
    found = notes_folder.scan(tmp_path)
    assert [file.path for file in found.files] == ["a/x.md", "b/y.md"]
    assert [re.sub(":.*", "", warning) for warning in found.warnings] == ["self.md is a broken link"]


def test_what_is_passed_over_is_named(tmp_path: Path) -> None:
    """A FIFO, a device, a broken link, a name that is no text: one sentence each, and the others are there."""
    write(tmp_path, "a.md", "folder.md/b.md")
    os.mkfifo(tmp_path / "fifo.md")
    (tmp_path / "device.md").symlink_to("/dev/zero")
    (tmp_path / "gone.md").symlink_to("nowhere")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md")).write_text("x")
        odd = ["\\xff.md has a name that is not UTF-8"]
    except OSError:  # macOS refuses such a name
        odd = []
    found = notes_folder.scan(tmp_path)
    assert [file.path for file in found.files] == ["a.md", "folder.md/b.md"]
    assert list(found.warnings) == [
        *odd,
        "device.md is not a regular file",
        "fifo.md is not a regular file",
        "gone.md is a broken link: no such file or directory",
    ]


def test_names_with_odd_characters_are_names(tmp_path: Path) -> None:
    """Kept raw: whoever shows them makes them visible."""
    names = ["a\nb.md", "\x1b[31m.md", "\u202egnp.md", "-rf.md"]
    write(tmp_path, *names)
    assert paths(tmp_path) == sorted(names)
    assert notes_folder.read(tmp_path, "a\nb.md").lines == ("a", "b.md")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    """And the others are walked."""
    write(tmp_path, "a.md", "b/c.md")
    (tmp_path / "b").chmod(0)
    found = notes_folder.scan(tmp_path)
    assert ([file.path for file in found.files], found.warnings) == (
        ["a.md"],
        ("b/ cannot be listed: permission denied",),
    )


def test_no_folder_is_an_error_and_an_empty_one_is_not(tmp_path: Path) -> None:
    """What an empty folder means is for the caller to say."""
    assert notes_folder.scan(tmp_path) == notes_folder.Scan((), ())
    write(tmp_path, "a.md")
    for folder in (tmp_path / "missing", tmp_path / "a.md"):
        with pytest.raises(NoNotes, match=re.escape(str(folder))):
            notes_folder.scan(folder)


# ---- what a file's lines are


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ()),
        (b"\n", ("",)),
        (b"a", ("a",)),
        (b"a\n", ("a",)),
        (b"a\n\n", ("a", "")),
        (b"a\r\nb\rc\nd", ("a", "b", "c", "d")),
        (b"a\r\r\nb\n\rc", ("a", "", "b", "", "c")),
        (b"\xef\xbb\xbf# a\n\xef\xbb\xbfb", ("# a", "\ufeffb")),
        (b"\xef\xbb\xbf", ()),
        ("a\fb\vc\u2028d\u2029e\x85f\x1cg\0h\n".encode(), ("a\fb\vc\u2028d\u2029e\x85f\x1cg\0h",)),
    ],
)
def test_lines_are_those_of_an_editor(data: bytes, expected: tuple[str, ...]) -> None:
    """Split at the three line ends only, without a byte order mark."""
    assert lines(data) == expected


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))),
    st.sampled_from(["\n", "\r", "\r\n"]),
)
def test_line_ends_do_not_matter(texts: list[str], end: str) -> None:
    """The same lines with any of the three, each of them whole."""
    data = "".join(text + end for text in texts).encode()
    assert lines(data) == tuple([texts[0].removeprefix("\ufeff"), *texts[1:]] if texts else [])


@given(st.binary(max_size=60))
def test_any_bytes_are_a_note_or_unreadable(data: bytes) -> None:
    """Never another exception; what was read is all of the file."""
    try:
        read = notes_folder.decode("a.md", data)
    except UnreadableNote:
        with pytest.raises(UnicodeDecodeError):
            data.decode()
    else:
        assert read.digest == sha256(data).hexdigest()
        assert re.sub(r"[\r\n]", "", data.decode().removeprefix("\ufeff")) == "".join(read.lines)


# ---- what cannot be read


def test_read_is_decode_of_the_files_bytes(tmp_path: Path) -> None:
    """With the path as the scan has it."""
    write(tmp_path, "a/b.md")
    assert notes_folder.read(tmp_path, "a/b.md") == notes_folder.decode("a/b.md", b"a/b.md\n")


@pytest.mark.parametrize(
    ("data", "reason"), [(b"ab\xff", "is not UTF-8 (byte 3)"), ("a".encode("utf-16"), "is not UTF-8 (byte 1)")]
)
def test_other_encodings_are_not_guessed(tmp_path: Path, data: bytes, reason: str) -> None:
    """The reason says where it breaks off, and completes a sentence."""
    (tmp_path / "a.md").write_bytes(data)
    with pytest.raises(UnreadableNote) as error:
        notes_folder.read(tmp_path, "a.md")
    assert (error.value.path, error.value.reason, str(error.value)) == ("a.md", reason, f"a.md {reason}")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """Not even where one took the place of a note after the scan: a FIFO would wait for ever."""
    os.mkfifo(tmp_path / "fifo.md")
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    (tmp_path / "folder.md").mkdir()
    for name in ("fifo.md", "zero.md", "folder.md"):
        with pytest.raises(UnreadableNote, match="cannot be read: it is not a regular file"):
            notes_folder.read(tmp_path, name)


def test_a_note_that_is_gone_or_too_large(tmp_path: Path) -> None:
    """Both say so; a sparse file costs no memory."""
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnreadableNote, match="cannot be read: it is larger than 16 MB"):
        notes_folder.read(tmp_path, "huge.md")
    with pytest.raises(UnreadableNote, match="cannot be read: no such file or directory"):
        notes_folder.read(tmp_path, "gone.md")
