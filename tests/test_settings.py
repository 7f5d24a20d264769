"""Where settings come from, and where an index goes."""

import os
from pathlib import Path

import pytest

from assistant.errors import BadRequest, NoNotes
from assistant.system.settings import Flags, colours, load, make_private, named_editor, user_cache


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A project with a corpus, and a folder inside it."""
    folder = tmp_path / "project" / "deep" / "er"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "corpus").mkdir()
    return folder


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), **more}


def test_the_notes_are_the_nearest_corpus(here: Path, tmp_path: Path) -> None:
    assert load(Flags(), environment(tmp_path), here).notes == tmp_path / "project" / "corpus"


def test_no_corpus_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(NoNotes, match="--notes"):
        load(Flags(), environment(tmp_path), tmp_path)


def test_a_flag_beats_the_environment_and_that_the_file(here: Path, tmp_path: Path) -> None:
    (tmp_path / "project" / "assistant.toml").write_text('notes = "from-file"\nmodel = "from-file"\nquiet = true\n')
    said = environment(tmp_path, ASSISTANT_NOTES="from-environment", ASSISTANT_MODEL="from-environment")
    assert load(Flags(), environment(tmp_path), here).notes == tmp_path / "project" / "from-file"
    assert load(Flags(), said, here).notes == here / "from-environment"
    assert load(Flags(notes="../flag"), said, here).notes == here.parent / "flag"
    assert load(Flags(model="flag"), said, here).model == "flag"
    assert load(Flags(), said, here).model == "from-environment"
    assert load(Flags(), said, here).quiet
    assert not load(Flags(quiet=False), said, here).quiet


def test_the_index_is_beside_the_notes_only_in_a_project(here: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    cached = load(Flags(), environment(tmp_path), here).index
    assert isinstance(cached, Path)
    assert cached.parent == tmp_path / "cache" / "notes-assistant"
    assert cached.name.startswith("corpus-")
    (project / "assistant.toml").touch()
    assert load(Flags(), environment(tmp_path), here).index == project / "index"
    (project / "assistant.toml").unlink()
    (project / "index").mkdir()
    assert load(Flags(), environment(tmp_path), here).index == project / "index"
    assert load(Flags(), environment(tmp_path), here).fallback_index == cached


def test_notes_in_a_folder_called_index_are_not_their_own_index(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    found = load(Flags(notes="index"), environment(tmp_path), tmp_path)
    assert isinstance(found.index, Path)
    assert found.index.parent == tmp_path / "cache" / "notes-assistant"


def test_links_to_the_same_notes_share_an_index(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "notes")
    one = load(Flags(notes="notes"), environment(tmp_path), tmp_path)
    two = load(Flags(notes="elsewhere/link"), environment(tmp_path), tmp_path)
    assert one.index == two.index


def test_a_projects_index_is_not_used_for_other_notes(here: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "assistant.toml").write_text('index = "built"\n')
    assert load(Flags(), environment(tmp_path), here).index == project / "built"
    assert load(Flags(notes="other"), environment(tmp_path), here).index != project / "built"
    assert load(Flags(notes="other", index="mine"), environment(tmp_path), here).index == here / "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = true", "colour"),
        ("quiet = 1", "true or false"),
        ('refresh = "often"', "look"),
        ("notes = 3", "quotes"),
        ("notes = ", "cannot be read"),
    ],
)
def test_a_bad_file_is_an_error_that_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "assistant.toml").write_text(text)
    with pytest.raises(BadRequest, match=said) as raised:
        load(Flags(), environment(tmp_path), tmp_path)
    assert "assistant.toml" in str(raised.value)


def test_a_model_that_is_a_folder_is_absolute_and_a_name_stays(here: Path, tmp_path: Path) -> None:
    (here / "models" / "mine").mkdir(parents=True)
    assert load(Flags(model="models/mine"), environment(tmp_path), here).model == str(here / "models" / "mine")
    assert load(Flags(model="org/name"), environment(tmp_path), here).model == "org/name"


def test_without_a_writable_home_the_cache_is_temporary(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    found = user_cache({"HOME": str(file), "XDG_CACHE_HOME": str(file)})
    assert found.name == f"notes-assistant-{os.getuid()}"
    assert user_cache({"XDG_CACHE_HOME": "relative", "HOME": str(tmp_path)}) == tmp_path / ".cache" / "notes-assistant"


def test_the_cache_is_for_its_owner_alone_and_backups_leave_it_out(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    make_private(tmp_path / "a" / "b")


def test_colours_and_editor() -> None:
    assert colours({"TERM": "xterm"})
    assert not colours({"TERM": "xterm", "NO_COLOR": "1"})
    assert not colours({"TERM": "dumb"})
    assert named_editor({"VISUAL": " ", "EDITOR": "nano"}) == "nano"
    assert named_editor({"VISUAL": "code -w", "EDITOR": "nano"}) == "code -w"
