"""An index in a database in place of the folder: where its address comes from, and what follows from it."""

from pathlib import Path

import click
import pytest

from assistant.cli.mcp_clients import blocks
from assistant.cli.options import common_options, location_options
from assistant.errors import BadRequest, NoNotes
from assistant.indexing.index_process import IndexPaths
from assistant.system.collection import Collection
from assistant.system.settings import Flags, Settings, load, user_state

ADDRESS = "postgresql://ann:secret@db.example:5433/notes?sslmode=require"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a corpus."""
    (tmp_path / "project" / "corpus").mkdir(parents=True)
    return tmp_path / "project"


def loaded(here: Path, flags: Flags = Flags(), **environment: str) -> Settings:  # noqa: B008 - frozen
    return load(flags, {"HOME": str(here), "XDG_CACHE_HOME": str(here / "cache"), **environment}, here)


def collection(settings: Settings) -> Collection:
    assert isinstance(settings.index, Collection)
    return settings.index


def test_flag_environment_and_file_name_a_database(project: Path) -> None:
    (project / "assistant.toml").write_text('index = "postgresql://db/file?collection=c"\n')
    assert str(loaded(project).index) == "postgresql://db/file?collection=c"
    environment = "postgresql://db/environment?collection=c"
    assert str(loaded(project, ASSISTANT_INDEX=environment).index) == environment
    flag = "postgresql://db/flag?collection=c"
    assert str(loaded(project, Flags(index=flag), ASSISTANT_INDEX=environment).index) == flag
    assert loaded(project, Flags(index="folder"), ASSISTANT_INDEX=environment).index == project / "folder"


def test_a_projects_database_is_not_used_for_other_notes(project: Path) -> None:
    (project / "assistant.toml").write_text('index = "postgresql://db/file?collection=c"\n')
    assert isinstance(loaded(project, Flags(notes="other")).index, Path)


def test_notes_are_named_by_flag_environment_or_file_and_not_by_a_corpus_nearby(project: Path) -> None:
    flags = Flags(index=f"{ADDRESS}&collection=team")
    assert loaded(project, flags).folder is None
    assert loaded(project, flags, ASSISTANT_NOTES="mine").folder == project / "mine"
    assert loaded(project, Flags(index=flags.index, notes="mine")).folder == project / "mine"
    assert loaded(project, Flags(index=flags.index, takes_corpus=True)).folder == project / "corpus"
    (project / "assistant.toml").write_text('notes = "corpus"\n')
    assert loaded(project, flags).folder == project / "corpus"
    with pytest.raises(NoNotes, match="--notes"):
        _ = loaded(project.parent, flags).notes


def test_a_collection_is_called_as_the_folder_of_notes(project: Path) -> None:
    assert collection(loaded(project, Flags(index=ADDRESS, notes="corpus"))).name == "corpus"
    assert collection(loaded(project, Flags(index=ADDRESS, takes_corpus=True))).name == "corpus"
    named = loaded(project, Flags(index=f"{ADDRESS}&collection=team", notes="corpus"))
    assert (collection(named).name, named.name) == ("team", "corpus")
    assert loaded(project, Flags(index=f"{ADDRESS}&collection=team")).name == "team"
    with pytest.raises(BadRequest, match="collection=NAME") as raised:
        loaded(project, Flags(index=ADDRESS))
    assert "secret" not in str(raised.value)


def test_asking_only_reads_unless_notes_are_named_and_a_refresh_is_asked_for(project: Path) -> None:
    index = f"{ADDRESS}&collection=team"
    found = loaded(project, Flags(index=index, notes="corpus", background=True))
    assert (found.refresh, found.background, found.fallback_index, found.follows_index) == ("never", False, None, True)
    asked = loaded(project, Flags(index=index, notes="corpus", refresh="insist"))
    assert (asked.refresh, asked.follows_index) == ("insist", False)
    with pytest.raises(BadRequest, match="--notes"):
        loaded(project, Flags(index=index, refresh="insist"))
    (project / "assistant.toml").write_text('refresh = "look"\n')
    assert loaded(project, Flags(index=index)).refresh == "never"
    assert loaded(project, Flags(index=index, notes="corpus")).refresh == "look"
    assert not loaded(project, Flags(notes="corpus", refresh="never")).follows_index


def test_no_password_is_shown(project: Path) -> None:
    found = loaded(project, Flags(index=f"{ADDRESS}&collection=team", notes="corpus"))
    paths = IndexPaths.of(found)
    assert "secret" in paths.index  # the child has to connect, too
    assert "secret" not in f"{found.index} {found!r} {paths!r}"


def test_an_mcp_client_is_told_the_address_in_the_environment(project: Path) -> None:
    printed = blocks(loaded(project, Flags(index=f"{ADDRESS}&collection=team")))
    shown = "ASSISTANT_INDEX=postgresql://db.example:5433/notes?collection=team"
    assert "secret" not in printed
    assert "--index" not in printed
    assert "--notes" not in printed
    assert printed.startswith("# Write ASSISTANT_INDEX as you use it")
    assert f"claude mcp add --scope user notes --env '{shown}' -- " in printed
    assert f"env '{shown}' " in printed.splitlines()[-1]
    assert printed.count('"env": {') == 3


def test_questions_about_the_program_have_an_index_of_their_own(project: Path) -> None:
    found = loaded(project, Flags(index=f"{ADDRESS}&collection=team")).with_pages(project / "pages")
    assert (found.index, found.folder) == (found.cache / "help", project / "pages")
    assert (found.refresh, found.follows_index) == ("look", False)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--index", f"{ADDRESS}&collection=team"], "postgresql://db.example:5433/notes?collection=team"),
        (["--notes", "a/corpus", "--index", ADDRESS], "postgresql://db.example:5433/notes?collection=corpus"),
        (["--index", "postgresql://ann:secret@db:none/"], "URL"),
        (["--index", "folder"], "folder"),
    ],
)
def test_the_words_of_a_remedy_hold_no_password(words: list[str], shown: str) -> None:
    @click.command()
    @common_options(hidden=True)
    @click.pass_context
    def command(context: click.Context) -> list[str]:
        return location_options(context)

    assert command.main(words, standalone_mode=False)[-1] == shown


def test_the_chat_remembers_each_collection_by_itself(project: Path) -> None:
    home = {"HOME": str(project)}
    one, other = (Collection.parse(f"{ADDRESS}&collection={name}") for name in ("one", "other"))
    found = user_state(home, one)
    assert found is not None
    assert found.name.startswith("one-")
    assert user_state(home, Collection.parse("postgresql://bob@db.example:5433/notes?collection=one")) == found
    assert user_state(home, other) != found


def test_links_are_put_behind_a_web_address(project: Path) -> None:
    assert loaded(project).links_base == ""
    (project / "assistant.toml").write_text('[links]\nbase = "https://host/blob/main/"\n')
    assert loaded(project).links_base == "https://host/blob/main/"


@pytest.mark.parametrize(
    "text",
    [
        '[links]\nbase = "file:///notes/"',
        '[links]\nbase = "https://"',
        '[links]\nbase = "https://host/ a"',
        '[links]\nbase = "http://[host/"',
        "[links]\nbase = 3",
        '[links]\nother = "https://host/"',
        'links = "https://host/"',
    ],
)
def test_what_is_no_web_address_is_an_error_that_shows_one(project: Path, text: str) -> None:
    (project / "assistant.toml").write_text(text)
    with pytest.raises(BadRequest, match="https://host/path/"):
        loaded(project)
