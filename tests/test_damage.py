"""Whatever happens to the index's files: the right answer, or one sentence on what is wrong; never a wrong quote."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from assistant import build
from assistant.engine import Request
from assistant.errors import AssistantError, IndexUnusable
from assistant.records import Answer
from assistant.store import Store, problems, vector_file
from tests.asking import ENCODER, NOTE, QUESTIONS, asking, refresh, said
from tests.conftest import scale

DATABASE = "notes.sqlite"


@pytest.fixture(scope="module", params=["rows", "codes"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Notes and their index, which no test changes; its vector file holds rows, or codes as that of many notes does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "CODED_FROM", 1 if request.param == "codes" else 10_000)
        yield _built(tmp_path_factory.mktemp("built"))


def _built(folder: Path) -> Path:
    (folder / "notes").mkdir()
    (folder / "notes" / "a.md").write_text(NOTE)
    (folder / "notes" / "b.md").write_text("# Mesh\n\nThe mesh retries three times.\n\n- Queue Service keeps order\n")
    for path in (folder / "notes").iterdir():
        os.utime(path, (1, 1))
    refresh(folder / "notes", folder / "index")
    return folder


def answers(notes: Path, index: Path) -> list[Answer]:
    with closing(asking(notes, index)) as made:
        return [said(made.ask(Request(question, explain=True))) for question in QUESTIONS]


def copied(built: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built / "index", folder)
    return folder


def damaged(path: Path, chance: random.Random) -> str:
    """Harms one file in one of four ways, and says how."""
    data = bytearray(path.read_bytes())
    what = chance.choice(["flip", "flip", "flip", "cut", "zero", "header"])
    at = chance.randrange(len(data))
    if what == "flip":
        data[at] ^= 1 << chance.randrange(8)
    elif what == "cut":
        del data[at:]
    elif what == "zero":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    else:
        data[: 1 + at % 100] = bytes(1 + at % 100)
    path.write_bytes(data)
    return f"{what} of {path.name} at {at}"


def test_damage_of_any_file_gives_the_right_answer_or_a_sentence(
    built: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    notes = built / "notes"
    right = answers(notes, built / "index")
    untouched = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in notes.iterdir()}
    chance = random.Random(11)
    tries = round(30 * scale)
    refused = 0
    for _ in range(tries):
        index = copied(built, tmp_path / "index")
        files = [path for path in sorted(index.iterdir()) if path.suffix in (".sqlite", ".faiss")]
        how = damaged(chance.choice(files), chance)
        try:
            found = answers(notes, index)
        except AssistantError:  # it always ends with the next step
            refused += 1
        else:
            # What is only found by reading everything, as `doctor` does, may rank otherwise, and is never misquoted.
            assert found == right or problems(index), how
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in notes.iterdir()} == untouched
    record_property("damaged files", f"{tries}, of which {refused} were refused with a sentence")


def test_after_damage_and_a_build_everything_is_as_it_was(built: Path, tmp_path: Path) -> None:
    notes = built / "notes"
    right = answers(notes, built / "index")
    chance = random.Random(12)
    for _ in range(round(6 * scale)):
        index = copied(built, tmp_path / "index")
        how = [damaged(path, chance) for path in sorted(index.iterdir()) if path.suffix in (".sqlite", ".faiss")]
        with suppress(IndexUnusable):  # a version from the future is nobody's to mend
            build.refresh(notes, index, lambda: ENCODER, full=True)
            assert answers(notes, index) == right, how
            assert not list(index.glob("damaged*")), how


def test_an_index_of_a_newer_version_is_left_alone_with_a_sentence(built: Path, tmp_path: Path) -> None:
    index = copied(built, tmp_path / "index")
    with closing(sqlite3.connect(index / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = (index / DATABASE).read_bytes()
    with pytest.raises(IndexUnusable, match=r"newer version.*Upgrade"):
        answers(built / "notes", index)
    with pytest.raises(IndexUnusable, match=r"newer version.*Upgrade"):
        refresh(built / "notes", index)
    assert (index / DATABASE).read_bytes() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte; skipped where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("needs root on Linux, to mount a small disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_keeps_the_last_generation_and_notes_are_not_touched(built: Path, small_disk: Path) -> None:
    notes = small_disk / "notes"
    shutil.copytree(built / "notes", notes)
    index = small_disk / "index"
    refresh(notes, index)
    right = answers(notes, index)
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    (notes / "a.md").unlink()  # the room of one note is not enough
    with closing(asking(notes, index)) as made:
        answer = made.ask(QUESTIONS[0])
        assert answer.index.stale
        assert any("cannot be written" in warning for warning in answer.warnings)
        with pytest.raises(IndexUnusable, match="--index"):
            made.update()
    (small_disk / "filler").unlink()
    shutil.copy(built / "notes" / "a.md", notes)
    assert answers(notes, index) == right
    with Store.open(index) as store:
        assert store.waiting() == 0


def test_a_first_index_that_finds_no_room_is_one_sentence(built: Path, small_disk: Path) -> None:
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(900_000))
    with closing(asking(built / "notes", small_disk / "index")) as made, pytest.raises(IndexUnusable, match="--index"):
        made.ask(QUESTIONS[0])
    (small_disk / "filler").unlink()
    assert answers(built / "notes", small_disk / "index") == answers(built / "notes", built / "index")
