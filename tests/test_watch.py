"""`index --watch`: what is saved is in the index soon after, however an editor saves it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from watchfiles import Change

from assistant.indexing import changes, watcher
from assistant.storage import Store
from tests.waiting import PATIENCE, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# Apples\n\nAn apple keeps for seven months.\n")
    return tmp_path / "notes"


def command(folder: Path, *words: str) -> list[str]:
    index = str(folder.with_name("index"))
    return [sys.executable, "-P", "-m", "assistant", "--notes", str(folder), "--index", index, *words]


@contextmanager
def watching(folder: Path, surroundings: dict[str, str]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Gives what reads the next report; the first is there when this begins."""
    process = subprocess.Popen(
        command(folder, "index", "--watch", "--json"),
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["added"] == 1
    try:
        yield lambda: json.loads(process.stdout.readline())  # type: ignore[union-attr]  # it is a pipe
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said) == (130, "")


def indexed(folder: Path, path: str) -> str:
    with Store.open(folder.with_name("index")) as store:
        return "\n".join(store.lines(path, 1, 1000))


def test_each_way_to_save_a_note_is_followed(folder: Path, surroundings: dict[str, str]) -> None:
    with watching(folder, surroundings) as report:
        (folder / "a.md").write_text("# Apples\n\nAn apple keeps for nine months.\n")
        assert report()["changed"] == 1
        assert "nine" in indexed(folder, "a.md")
        (folder / ".a.md.swp").write_text("# Apples\n\nAn apple keeps for ten months.\n")
        (folder / ".a.md.swp").replace(folder / "a.md")  # as editors do that write by rename
        assert report()["changed"] == 1
        assert "ten" in indexed(folder, "a.md")
        (folder / "deep").mkdir()
        (folder / "deep" / "b.md").write_text("# Pears\n\nA pear is best within a week.\n")
        assert report()["added"] == 1
        (folder / "deep").rename(folder / "deeper")
        moved = report()
        assert (moved["added"], moved["removed"], moved["embedded"]) == (1, 1, 0)
        (folder / "deeper" / "b.md").unlink()
        assert report()["removed"] == 1


def test_a_burst_of_half_saved_notes_ends_with_the_last_save(folder: Path, surroundings: dict[str, str]) -> None:
    with watching(folder, surroundings) as report:
        for number in range(40):
            with (folder / "a.md").open("w") as file:
                file.write("# Apples\n\nAn apple ke")
                file.flush()
                file.write(f"eps for {number} months.\n")
        report()
        until(lambda: "keeps for 39 months" in indexed(folder, "a.md"))


def test_a_question_has_nothing_to_do_once_a_change_has_settled(folder: Path, surroundings: dict[str, str]) -> None:
    with watching(folder, surroundings) as report:
        (folder / "a.md").write_text("# Apples\n\nAn apple keeps for nine months.\n")
        report()

        def settled() -> bool:
            with Store.open(folder.with_name("index")) as store:
                return not changes.diff(changes.NotesSnapshot.take(folder, ()), store, store.identity).stale

        until(settled)


def test_a_folder_that_goes_away_is_waited_for(folder: Path, surroundings: dict[str, str]) -> None:
    process = subprocess.Popen(
        command(folder, "index", "--watch", "--json"), env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    folder.rename(folder.with_name("away"))
    assert b"Error: " in process.stderr.readline()
    folder.with_name("away").rename(folder)
    (folder / "b.md").write_text("# Pears\n\nA pear is best within a week.\n")
    assert json.loads(process.stdout.readline())["added"] == 1
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, b"")


@pytest.mark.parametrize(
    ("path", "concerns"),
    [
        *(("a.md", True), ("deep/b.md", True), ("deep", True), (".git/x.md", False), ("deep/.b.md.swp", False)),
        *(("index/notes.sqlite", False), ("index", False), ("index.md", True)),
    ],
)
def test_hidden_files_and_the_index_are_no_news(folder: Path, path: str, concerns: bool) -> None:
    watched = watcher.WatchedFolder(folder, [folder / "index"])
    assert watched.concerns(Change.modified, str(folder / path)) is concerns


def in_terminal(words: list[str], environment: dict[str, str]) -> str:
    """What a terminal gets on stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, env=environment, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    shown = b""
    with suppress(OSError):
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return shown.decode()


def test_a_terminal_gets_bars_with_rate_and_time_left(folder: Path, surroundings: dict[str, str]) -> None:
    (folder / "b.md").write_text("".join(f"- Tree {row} bears fruit in row {row}.\n" for row in range(120)))
    shown = in_terminal(command(folder, "index"), surroundings)
    assert "Reading notes" in shown
    assert re.search(r"Embedding passages .*\d of 12\d.*\d/s.*\d:\d\d", shown)
    assert "Embedding" not in in_terminal(command(folder, "--quiet", "index", "--full"), surroundings)


def test_elsewhere_there_is_no_progress(folder: Path, surroundings: dict[str, str]) -> None:
    done = subprocess.run(
        command(folder, "index", "--json"), env=surroundings, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert json.loads(done.stdout)["added"] == 1
