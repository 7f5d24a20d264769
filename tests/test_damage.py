"""Whatever happens to the index's files: the right answer, or one sentence on what is wrong; never a wrong quote."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from assistant.errors import AssistantError, IndexUnusable
from assistant.indexing import build
from assistant.question import parser
from assistant.records import Answer, Request
from assistant.retrieval.retriever import HybridRetriever
from assistant.storage import IndexDamaged, Store, problems
from assistant.storage.sqlite import vector_file
from tests.asking import ENCODER, NOTE, QUESTIONS, asking_again, refresh, said
from tests.conftest import scale

DATABASE = "notes.sqlite"


@pytest.fixture(scope="module", params=["rows", "codes"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Notes and their index, which no test changes; its vector file holds rows, or codes as that of many notes does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "CODED_FROM", 1 if request.param == "codes" else 10_000)
        yield _built(tmp_path_factory.mktemp(request.param, numbered=False))


def _built(folder: Path) -> Path:
    (folder / "notes").mkdir()
    (folder / "notes" / "a.md").write_text(NOTE)
    (folder / "notes" / "b.md").write_text("# Mesh\n\nThe mesh retries three times.\n\n- Queue Service keeps order\n")
    for path in (folder / "notes").iterdir():
        os.utime(path, (1, 1))
    refresh(folder / "notes", folder / "index")
    return folder


def answers(notes: Path, index: Path) -> list[Answer]:
    with closing(asking_again(notes, index)) as made:
        return [said(made.ask(Request(question, explain=True))) for question in QUESTIONS]


def copied(built: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built / "index", folder)
    return folder


def damaged(path: Path, chance: random.Random) -> str:
    """Harms one file in one of six ways, and says how."""
    data = bytearray(path.read_bytes())
    of_trees = ["page", "page", "page", "version"] if path.suffix == ".sqlite" else []
    what = chance.choice(["flip", "flip", "cut", "zero", "header", *of_trees])
    at = chance.choice(structural(data)) if what == "page" else chance.randrange(len(data))
    if what in ("flip", "page"):
        data[at] ^= 1 << chance.randrange(8)
    elif what == "cut":
        del data[at:]
    elif what == "zero":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif what == "version":
        data[60:64] = (99).to_bytes(4, "big")
    else:
        data[: 1 + at % 100] = bytes(1 + at % 100)
    path.write_bytes(data)
    return f"{what} of {path.name} at {at}"


def structural(data: bytearray) -> list[int]:
    """Where the bytes stand that hold the trees of a database together: each page's header, the places of its cells,
    and how each cell begins (its size, its key, the types of its columns)."""
    size = int.from_bytes(data[16:18], "big")
    found: list[int] = []
    for page in range(0, len(data), size):
        start = page + (100 if page == 0 else 0)
        if data[start] not in (2, 5, 10, 13):
            continue  # no page of a tree
        header = 12 if data[start] in (2, 5) else 8
        cells = int.from_bytes(data[start + 3 : start + 5], "big")
        found += range(start, start + header + 2 * cells)
        for cell in range(cells):
            place = start + header + 2 * cell
            begin = page + int.from_bytes(data[place : place + 2], "big")
            found += range(begin, min(begin + 12, len(data)))
    return found


def test_damage_of_any_file_gives_the_right_answer_or_a_sentence(
    built: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    notes = built / "notes"
    right = answers(notes, built / "index")
    untouched = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in notes.iterdir()}
    chance = random.Random(11)
    told: Counter[str] = Counter()
    for _ in range(round(30 * scale)):
        index = copied(built, tmp_path / "index")
        files = [path for path in sorted(index.iterdir()) if path.suffix in (".sqlite", ".faiss")]
        how = damaged(chance.choice(files), chance)
        shutil.rmtree(tmp_path / "harmed", ignore_errors=True)
        harmed = shutil.copytree(index, tmp_path / "harmed")  # a later question may have the index rebuilt
        with closing(asking_again(notes, index)) as made:
            try:
                found = [made.ask(Request(question, explain=True)) for question in QUESTIONS]
            except AssistantError:  # it always ends with the next step
                told["refused with a sentence"] += 1
                continue
        if [said(answer) for answer in found] == right:
            fixed = any("corrupt" in warning for answer in found for warning in answer.warnings)
            told["right, and said that it was fixed" if fixed else "right at once"] += 1
            continue
        # What is only found by reading everything, as `doctor` does, may rank otherwise, and is never misquoted.
        assert problems(harmed), how
        for answer in found:
            assert misquoted(notes, answer) == [], how
        told["ranked otherwise, which doctor explains"] += 1
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in notes.iterdir()} == untouched
    record_property(f"damaged files, {built.name}", ", ".join(f"{n} {what}" for what, n in sorted(told.items())))


def misquoted(notes: Path, answer: Answer) -> list[str]:
    """Quotes that do not stand in the lines they are said to stand in."""
    lines = {cited.path: (notes / cited.path).read_text().split("\n") for cited in answer.citations}
    return [
        cited.quote
        for cited in answer.citations
        if cited.quote not in "\n".join(lines[cited.path][cited.start_line - 1 : cited.end_line])
    ]


VALUES = ("NULL", "'x'", "''", "'[]'", "-1", "3", "4611686018427387904", "2.5", "X'ff'")
"""Written into columns, whatever their type."""


def test_any_value_in_any_column_is_recognised(built: Path, tmp_path: Path) -> None:
    """No failure to decode it reaches the user as an internal error, and no quote is wrong."""
    chance = random.Random(14)
    for _ in range(round(40 * scale)):
        index = copied(built, tmp_path / "index")
        how = overwritten(index / DATABASE, chance)
        with closing(asking_again(built / "notes", index)) as made:
            try:
                answers = [made.ask(Request(question, explain=True)) for question in QUESTIONS]
            except AssistantError:
                continue
        assert [misquoted(built / "notes", answer) for answer in answers] == [[]] * len(answers), how


def overwritten(database: Path, chance: random.Random) -> str:
    """Overwrites a column of one row or of all, and says which; a value that a constraint refuses changes nothing."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for words in (") STRICT, WITHOUT ROWID", ") STRICT", " NOT NULL", " CHECK (one = 1)"):
            kept = ") WITHOUT ROWID" if "WITHOUT" in words else ")" if "STRICT" in words else ""
            connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name NOT LIKE 'contents%'",
                (words, kept),
            )
        connection.commit()
    with closing(sqlite3.connect(database)) as connection:
        found = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'contents%' ORDER BY name"
        table = chance.choice([name for (name,) in connection.execute(found)])
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        key, column, value = columns[0], chance.choice(columns), chance.choice(VALUES)
        where = f" WHERE {key} = (SELECT max({key}) FROM {table})" if chance.random() < 0.5 else ""
        with suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
            connection.execute(f"UPDATE {table} SET {column} = {value}{where}")
            connection.commit()
    return f"{table}.{column} = {value}{where}"


def test_damage_never_changes_what_a_passage_scores(built: Path, tmp_path: Path) -> None:
    """Any byte of a row that scores are made of: text and vector of passage and chunk, which chunk is a passage's, and
    how many passages hold a term."""
    chance = random.Random(13)
    right = hits(built / "index")
    for _ in range(round(12 * scale)):
        index = copied(built, tmp_path / "index")
        with closing(sqlite3.connect(index / DATABASE)) as connection:
            table, key, column = chance.choice(
                [
                    *(("vectors", "text", "data"), ("passages", "id", "body"), ("frequencies", "term", "n")),
                    *(("chunks", "id", "body"), ("chunks", "id", "words"), ("passages", "id", "chunk")),
                ]
            )
            rows = connection.execute(f"SELECT {key}, {column} FROM {table} ORDER BY {key}").fetchall()
            row, value = chance.choice(rows)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (_other(value, chance), row))
            connection.commit()
        with suppress(IndexDamaged):
            found = hits(index)
            assert {place: score for place, score in found.items() if place in right} == right
        assert problems(index)


def _other(value: bytes | str | int, chance: random.Random) -> bytes | str | int:
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(8)
    at = chance.randrange(len(value))
    if isinstance(value, str):
        return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
    return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]


def hits(index: Path) -> dict[tuple[str, str, int, int], tuple[object, ...]]:
    """By question and place: the scores of everything that is found."""
    with Store.open(index) as store:
        retriever = HybridRetriever(store, ENCODER)
        return {
            (question, hit.passage.path, hit.passage.start, hit.passage.end): (hit.dense, hit.lexical, hit.score)
            for question in QUESTIONS
            for hit in retriever.retrieve(parser.parse(question)).hits
        }


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


@pytest.mark.parametrize("counter", ["NULL", "'x'", "2.5", "1", "-4", "9223372036854775807"])
def test_a_damaged_counter_of_ids_is_repaired_or_rebuilt(built: Path, tmp_path: Path, counter: str) -> None:
    notes = tmp_path / "notes"
    shutil.copytree(built / "notes", notes)
    index = copied(built, tmp_path / "index")
    with closing(sqlite3.connect(index / DATABASE)) as connection:
        connection.execute(f"UPDATE sqlite_sequence SET seq = {counter} WHERE name IN ('passages', 'texts')")
        connection.commit()
    (notes / "more.md").write_text("# More\n\n- a zebra crossing\n- a pelican crossing\n", "utf-8")
    found = answers(notes, index)
    refresh(notes, tmp_path / "fresh")
    assert found == answers(notes, tmp_path / "fresh")


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
    with closing(asking_again(notes, index)) as made:
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
    with (
        closing(asking_again(built / "notes", small_disk / "index")) as made,
        pytest.raises(IndexUnusable, match="--index"),
    ):
        made.ask(QUESTIONS[0])
    (small_disk / "filler").unlink()
    assert answers(built / "notes", small_disk / "index") == answers(built / "notes", built / "index")


@pytest.fixture
def read_only(built: Path, tmp_path: Path) -> Iterator[Path]:
    """The notes in a folder that takes no changes, whoever asks for them."""
    folder = tmp_path / "notes"
    shutil.copytree(built / "notes", folder)
    if os.getuid() != 0:
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        folder.chmod(0o755)
        return
    mounted = (("mount", "--bind", folder, folder), ("mount", "-o", "remount,bind,ro", folder))
    if sys.platform != "linux" or any(subprocess.run(words, capture_output=True).returncode for words in mounted):
        pytest.skip("root writes everywhere, and no folder can be mounted read-only here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_notes_that_cannot_be_written_are_answered_from(built: Path, read_only: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        (read_only / "new.md").write_text("# New\n")
    untouched = {path.name: _shown(path) for path in read_only.iterdir()}
    right = answers(built / "notes", built / "index")
    assert answers(read_only, tmp_path / "index") == right  # never indexed before
    assert answers(read_only, tmp_path / "index") == right
    with closing(asking_again(read_only, tmp_path / "index")) as made:
        assert made.update(full=True).unchanged == len(untouched)
        assert made.ask(QUESTIONS[0]).warnings == ()
    assert {path.name: _shown(path) for path in read_only.iterdir()} == untouched


def _shown(path: Path) -> tuple[object, ...]:
    found = path.stat()
    return path.read_bytes(), found.st_mode, found.st_ino, found.st_mtime_ns


def test_an_index_inside_notes_that_cannot_be_written_goes_elsewhere(read_only: Path, tmp_path: Path) -> None:
    fallback_index = tmp_path / "fallback_index"
    with closing(asking_again(read_only, read_only / "index", fallback_index)) as made:
        answer = made.ask(QUESTIONS[0])
    assert answer.outcome == "answered"
    assert any(str(fallback_index) in warning for warning in answer.warnings)
    assert (fallback_index / DATABASE).is_file()
