"""What the program writes is for its owner alone, whatever the umask says and whoever made the folder before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.system import permissions
from assistant.system.settings import make_private
from tests.asking import NOTE, refresh
from tests.command import PROGRAM, run


@pytest.fixture
def open_to_all() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Octal modes of the folder and of all that is in it, links aside."""
    found = {".": oct(stat.S_IMODE(folder.stat().st_mode))}
    for path in folder.rglob("*"):
        if not path.is_symlink():
            found[str(path.relative_to(folder))] = oct(stat.S_IMODE(path.stat().st_mode))
    return found


def only_the_owner_s(folder: Path) -> None:
    found = modes(folder)
    assert len(found) > 1
    assert not {name: mode for name, mode in found.items() if mode[-2:] != "00"}


def note(folder: Path) -> Path:
    folder.mkdir()
    (folder / "note.md").write_text(NOTE)
    return folder


def test_index_and_cache_are_private_under_any_umask(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """Also while they are being made: a folder is never open first and closed later."""
    notes, cache = note(tmp_path / "notes"), tmp_path / "new" / "cache"
    (cache / "notes-assistant").mkdir(parents=True, mode=0o755)
    (cache / "notes-assistant" / "models").symlink_to(
        Path(surroundings["XDG_CACHE_HOME"], "notes-assistant", "models").resolve()
    )
    for words in (
        ["index"],
        ["ask", "Where do many readers go?"],
        ["--index", str(tmp_path / "own" / "index"), "index"],
    ):
        line = [*PROGRAM, "--notes", str(notes), *words]
        done = run(line, {**surroundings, "XDG_CACHE_HOME": str(cache)}, folder=tmp_path, umask=0)
        assert done.returncode == 0, done.stderr
    only_the_owner_s(cache / "notes-assistant")
    only_the_owner_s(tmp_path / "own")


@pytest.mark.usefixtures("open_to_all")
def test_an_index_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """As an earlier version, or a checkout, left it."""
    notes, index = note(tmp_path / "notes"), tmp_path / "index"
    refresh(notes, index)
    (index / "README.md").write_text("What this folder is for.\n")
    for path in (index, *index.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (notes / "note.md").write_text(NOTE + "\nOne line more.\n")
    refresh(notes, index)
    found = modes(index)
    assert (found["."], found["notes.sqlite"], found["writer.lock"]) == ("0o700", "0o600", "0o600")


@pytest.mark.usefixtures("open_to_all")
def test_a_folder_with_other_files_is_left_open(tmp_path: Path) -> None:
    """Somebody who names their home with --index must not find it closed to a web server; our files are closed."""
    notes, home = note(tmp_path / "notes"), tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letter.txt").write_text("Dear all")
    refresh(notes, home)
    found = modes(home)
    assert found.pop(".") == "0o755"
    assert found.pop("letter.txt") == "0o666"
    assert found
    assert set(found.values()) == {"0o600"}


@pytest.mark.usefixtures("open_to_all")
def test_a_cache_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    cache = tmp_path / "a" / "b" / "notes-assistant"
    make_private(cache)
    assert modes(tmp_path / "a") == {
        ".": "0o700",
        "b": "0o700",
        "b/notes-assistant": "0o700",
        "b/notes-assistant/CACHEDIR.TAG": "0o600",
    }
    cache.chmod(0o777)
    make_private(cache)
    assert modes(cache)["."] == "0o700"


def test_a_pipe_or_device_keeps_its_modes(tmp_path: Path) -> None:
    """Where root opens one by way of a link, the whole machine would lose it."""
    os.mkfifo(tmp_path / "pipe", 0o666)
    (tmp_path / "pipe").chmod(0o666)
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR)
    permissions.tighten(descriptor)
    os.close(descriptor)
    assert stat.S_IMODE((tmp_path / "pipe").stat().st_mode) == 0o666


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    """Another user could lay one into a folder that is open to all."""
    (tmp_path / "there").write_text("theirs")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with pytest.raises(OSError):
        permissions.touch(tmp_path / "link")
    assert (tmp_path / "there").read_text() == "theirs"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """A link stays one, a file keeps its mode, a new one is private, and nothing else is left in the folder."""
    own, link = tmp_path / "own.toml", tmp_path / "link.toml"
    permissions.replace(own, "a\n")
    assert stat.S_IMODE(own.stat().st_mode) == permissions.FILE
    own.chmod(0o640)
    link.symlink_to(own)
    permissions.replace(link, "b\n")
    assert link.is_symlink()
    assert own.read_text() == "b\n"
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.toml", "own.toml"]
