"""A collection in PostgreSQL asked by whoever has its address: the same answers, with the notes' files and without."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.indexing import build
from assistant.indexing.index_manager import IndexManager
from assistant.models.encoder import Encoder
from assistant.models.lazy import LazyEncoder
from assistant.storage import Writer, codec
from assistant.storage.sqlite.database import Database
from assistant.system.collection import Collection
from tests.asking import APPLE, ENCODER, FRUIT, write_notes
from tests.command import PROGRAM, Command, Ran, run

QUESTION = "Which service delivers each message to exactly one worker, with guaranteed delivery?"
SECRET = "h1dden-secret"
OF_ONE_RUN = ("index", "notes", "elapsed_ms")
"""Fields of an answer that say where it comes from, not what it is."""


class Remembering:
    """An encoder that takes what a finished index holds from there."""

    def __init__(self, inner: Encoder, index: Path) -> None:
        self.inner = inner
        with closing(Database(index)) as database:
            rows = database.rows("SELECT t.text, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id")
            self.known = {text: codec.unpack_matrix(*matrix) for text, *matrix in rows}

    @property
    def identity(self) -> str:
        return self.inner.identity

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        assert self.known.keys() >= set(texts)
        yield from (self.known[text] for text in texts)

    def question(self, text: str) -> NDArray[np.float32]:
        return self.inner.question(text)

    def ahead(self, texts: Sequence[str]) -> None:
        self.inner.ahead(texts)


@pytest.fixture(scope="module")
def handbook(root: Path, prepared: Path, corpus_index: Path, new_collection: Callable[[], Collection]) -> Collection:
    """The shipped notes."""
    collection = new_collection()
    build.refresh(root / "corpus", collection, lambda: Remembering(LazyEncoder("", prepared, None), corpus_index))
    return collection


@pytest.fixture
def reader(tmp_path: Path, surroundings: dict[str, str], handbook: Collection) -> Callable[..., Ran]:
    """Runs the command on a machine without the notes."""
    environment = {**surroundings, "ASSISTANT_INDEX": handbook.address}

    def ran(*words: str, stdin: str = "", **more: str) -> Ran:
        return run([*PROGRAM, *words], {**environment, **more}, folder=tmp_path, stdin=stdin)

    return ran


@pytest.fixture
def command(tmp_path: Path, surroundings: dict[str, str]) -> Command:
    return Command(tmp_path, surroundings)


def answers(ran: Ran) -> list[dict[str, object]]:
    """Records of `ask --batch`, without what is of one run."""
    assert ran.returncode in (0, 1), ran.stderr
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    return [{key: value for key, value in record.items() if key not in OF_ONE_RUN} for record in records]


def test_the_answers_are_those_of_a_folder(
    root: Path, tmp_path: Path, corpus_index: Path, surroundings: dict[str, str], reader: Callable[..., Ran]
) -> None:
    questions = "\n".join(json.dumps(question) for question in QUESTIONS)
    batch = ("ask", "--batch", "-", "--json")
    folder = [*PROGRAM, "--notes", str(root / "corpus"), "--index", str(corpus_index), "--no-background", *batch]
    expected = answers(run(folder, surroundings, folder=tmp_path, stdin=questions))
    assert len(expected) == len(QUESTIONS)
    assert answers(reader(*batch, stdin=questions)) == expected
    assert answers(reader("--notes", str(root / "corpus"), *batch, stdin=questions)) == expected


def test_it_says_of_when_the_answer_is(reader: Callable[..., Ran], handbook: Collection) -> None:
    shown = reader("ask", QUESTION)
    assert shown.stdout.startswith("Queue Service ")
    assert re.search(r"^as of generation 1, \d{4}-\d\d-\d\d \d\d:\d\d UTC$", shown.stdout, re.MULTILINE)
    assert shown.stderr == ""
    record = json.loads(reader("ask", "--json", QUESTION).stdout)
    assert datetime.fromisoformat(record["index"]["committed"]).tzinfo is UTC
    assert record["index"]["pending"] == 0
    assert not any(citation["stale"] for citation in record["citations"])


def test_notes_that_differ_are_told(root: Path, tmp_path: Path, reader: Callable[..., Ran]) -> None:
    shutil.copytree(root / "corpus", tmp_path / "clone")
    (note,) = (tmp_path / "clone").glob("*.md")
    note.write_text(note.read_text("utf-8").replace("Guaranteed delivery", "Some delivery"), "utf-8")
    shown = reader("--notes", str(tmp_path / "clone"), "ask", QUESTION)
    assert "has changed since it was indexed" in shown.stderr
    assert "Guaranteed delivery" in shown.stdout  # as it was indexed


def test_lists_and_searches_need_no_files(reader: Callable[..., Ran], root: Path) -> None:
    assert "Queue Service" in reader("topics").stdout
    assert "Queue" in reader("search", "point-to-point delivery").stdout
    (name,) = (path.name for path in (root / "corpus").glob("*.md"))
    assert name in reader("search", "--format", "quickfix", "point-to-point delivery").stdout


def test_doctor_knows_the_server(reader: Callable[..., Ran], handbook: Collection) -> None:
    said = reader("doctor").stdout
    assert re.search(r"^✓ index: intact: generation 1, 1 notes, .* in postgresql://.*collection=", said, re.MULTILINE)
    assert re.search(r"^✓ index: PostgreSQL \d+.*pgvector 0\.\d", said, re.MULTILINE)
    assert "notes:" not in said


def test_a_server_that_is_not_there_is_told(reader: Callable[..., Ran], tmp_path: Path) -> None:
    nowhere = f"postgresql://somebody:{SECRET}@/notes?host={tmp_path}&collection=handbook"
    failed = reader("ask", QUESTION, ASSISTANT_INDEX=nowhere)
    assert failed.returncode == 3
    assert failed.stderr.startswith("Error: The index in postgresql:///notes?collection=handbook cannot be reached")
    assert SECRET not in failed.stderr
    assert "✗ index" in reader("doctor", ASSISTANT_INDEX=nowhere).stdout


@pytest.mark.parametrize("package", ["psycopg", "pgvector"])
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    package: str, reader: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{package!r}] = None\n")
    path = f"{tmp_path}:{Path(__file__).parents[1]}"
    failed = reader("ask", QUESTION, PYTHONPATH=path)
    assert failed.returncode == 3
    assert failed.stderr.endswith("Install them: pip install 'notes-assistant[team]'\n")
    doctor = reader("doctor", PYTHONPATH=path)
    assert "pip install 'notes-assistant[team]'" in doctor.stdout


def test_a_password_is_never_printed(command: Command, new_collection: Callable[[], Collection]) -> None:
    """The server takes any: it trusts whoever reaches its socket."""
    address = new_collection().address.replace("assistant@", f"assistant:{SECRET}@")
    write_notes(command.notes)
    for words in (["index"], ["ask", APPLE], ["ask", "--json", APPLE], ["doctor"], ["topics"], ["mcp", "--install"]):
        places = [*PROGRAM, "--notes", str(command.notes), "--index", address]
        ran = run([*places, *words], command.environment, folder=command.folder)
        assert SECRET not in ran.stdout + ran.stderr, words
        assert ran.returncode in (0, 1), ran.stderr


def test_whoever_has_the_notes_writes_and_all_others_read(
    command: Command, tmp_path: Path, new_collection: Callable[[], Collection]
) -> None:
    """`index` alone writes; the collection has the folder's name where none is given."""
    write_notes(command.notes)
    base = new_collection().conninfo
    environment = {**command.environment, "ASSISTANT_INDEX": base}
    writer = [*PROGRAM, "--notes", str(command.notes)]
    asked = run([*writer, "ask", APPLE], environment, folder=tmp_path)
    assert asked.returncode == 3
    assert "There is no index in" in asked.stderr
    assert "generation 1" in run([*writer, "index"], environment, folder=tmp_path).stdout
    anybody = [*PROGRAM, "--index", f"{base}&collection=notes"]
    assert "seven months" in run([*anybody, "ask", APPLE], environment, folder=tmp_path).stdout
    (command.notes / "fruit.md").write_text(FRUIT.replace("seven", "nine"), "utf-8")
    assert "seven months" in run([*anybody, "ask", APPLE], environment, folder=tmp_path).stdout
    run([*writer, "index"], environment, folder=tmp_path)
    again = run([*anybody, "ask", APPLE], environment, folder=tmp_path).stdout
    assert "nine months" in again
    assert "as of generation 2" in again


def test_a_writer_that_waits_says_for_whom(tmp_path: Path, collection: Collection) -> None:
    notes, said = write_notes(tmp_path / "notes"), Queue[str]()
    manager = IndexManager(notes, collection, None, lambda: ENCODER, lambda what, done=0, of=0: said.put(what))
    with ThreadPoolExecutor(1) as pool:
        with Writer(collection):
            report = pool.submit(manager.update, full=False)
            while "Waiting" not in (waits := said.get(timeout=60)):
                pass
        assert report.result(60).generation == 1
    assert re.search(rf": assistant index \(.*, process {os.getpid()}\) as assistant$", waits)


QUESTIONS = (
    {"id": "1", "question": QUESTION},
    {"id": "2", "question": "What is a canary deployment?"},
    {"id": "3", "question": "How do I roll back a blue-green deployment with kubectl?", "conversation": "a"},
    {"id": "4", "question": "and canary?", "conversation": "a"},
    {"id": "5", "question": "Queue or Streaming: what's the difference?"},
    {"id": "6", "question": "Which strategy gives zero downtime and instant rollback?"},
    {"id": "7", "question": "How do I bake bread?"},
    {"id": "8", "question": "How long are messages kept in a stream?"},
    {"id": "9", "question": "show the yaml of a rolling update"},
    {"id": "10", "question": "Which alarm fires after how many minutes?", "under": "Observability"},
    {"id": "11", "question": "What are these notes about?"},
    {"id": "12", "question": "mesages that faling delivery"},
)
