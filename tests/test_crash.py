"""kill -9 at any moment: the index answers at once, nothing is computed twice, and nothing is left behind."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.storage import Store, abandoned
from tests.asking import NOTE, QUESTIONS, asking_again, refresh, said
from tests.conftest import ROOT, scale
from tests.hashing_encoder import HashingEncoder

BATCH = 3
"""Texts between two commits of the process that is killed; at most so many may be lost."""
IN_FLIGHT = 1

KILLED = f"""
import itertools, pathlib, sys
from assistant.indexing import build, embedder
from tests.hashing_encoder import HashingEncoder
from assistant.storage import Writer
notes, index, log = map(pathlib.Path, sys.argv[1:])

class Telling(HashingEncoder):
    def passages(self, texts):
        with log.open("a") as file:
            for text in texts:
                file.write(repr(text) + "\\n")
                file.flush()
                yield self.question(text)[None]

encoder = Telling()
embedder.BATCH_TEXTS = {BATCH}
for number in itertools.count():
    text = f"# Moving {{number}}\\n\\nline {{number}} of canary\\n\\n- item {{number % 7}}\\n"
    (notes / "moving.md").write_text(text)
    (notes / f"arrived-{{number % 5}}.md").write_text(f"# Arrivals\\n\\nThing {{number}} came.\\n")
    print(number, flush=True)
    if number % 5 == 4:
        log.write_text("")
    build.refresh(notes, index, lambda: encoder, full=number % 5 == 4)
    with Writer(index) as writer:
        writer.file_vectors(insist=True)
"""


class Counting(HashingEncoder):
    """Says which texts it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            self.asked.append(text)
            yield self.question(text)[np.newaxis]


def killed_in_the_middle(notes: Path, index: Path, log: Path, chance: random.Random) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", KILLED, notes, index, log],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": "."},
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(chance.uniform(0, 0.4))
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_build_killed_at_any_moment(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    notes, index, log = tmp_path / "notes", tmp_path / "index", tmp_path / "log"
    notes.mkdir()
    (notes / "a.md").write_text(NOTE)
    (notes / "moving.md").write_text("# Moving\n\nnothing yet\n")
    refresh(notes, index)
    chance = random.Random(3)
    kills = round(5 * scale)
    halfway = 0
    for _ in range(kills):
        log.write_text("")
        killed_in_the_middle(notes, index, log, chance)
        halfway += abandoned(index)
        with Store.open(index) as store:
            assert store.warnings == ()
            assert store.sound()
            assert "a.md" in {passage.path for passage in store.passages(store.passage_ids()).values()}
        with closing(asking_again(notes, index)) as made:
            cited = made.ask(QUESTIONS[0]).citations
            assert any("a few users see the new version first" in one.quote for one in cited)
            assert not any(one.stale for one in cited)
        done = log.read_text().splitlines()[: -BATCH - IN_FLIGHT]
        encoder = Counting()
        refresh(notes, index, encoder)
        assert not {repr(text) for text in encoder.asked} & set(done)
        assert not abandoned(index)
        assert len(list(index.glob("vectors-*"))) <= 2
        left = {path.name for path in index.iterdir() if not path.name.startswith("vectors-")}
        assert left <= {"notes.sqlite", "notes.sqlite-wal", "notes.sqlite-shm", "writer.lock"}
        shutil.rmtree(tmp_path / "anew", ignore_errors=True)
        refresh(notes, tmp_path / "anew")
        for question in QUESTIONS:
            with closing(asking_again(notes, index)) as ours, closing(asking_again(notes, tmp_path / "anew")) as anew:
                assert said(ours.ask(question)) == said(anew.ask(question))
    record_property("kill -9", f"{kills}, of which {halfway} came while an index was being written")


@pytest.mark.parametrize("at", ["before the rename", "after the rename", "after the commit"])
def test_a_kill_around_the_write_of_the_vector_file(tmp_path: Path, at: str) -> None:
    """Where chance seldom strikes: the file has its name and no commit, or a commit and its predecessor."""
    notes, index = tmp_path / "notes", tmp_path / "index"
    notes.mkdir()
    (notes / "a.md").write_text(NOTE)
    refresh(notes, index)
    (notes / "a.md").write_text(NOTE + "\nOne more line.\n")
    code = f"""
import os, pathlib, sys
from assistant.indexing import build
from tests.hashing_encoder import HashingEncoder
from assistant.storage import Writer
from assistant.storage.sqlite import vector_file
notes, index = map(pathlib.Path, sys.argv[1:])
plain, at = vector_file.write, {at!r}
def write(folder, *rest):
    if at == "before the rename":
        (folder / "vectors-1.tmp").write_bytes(b"half")
        os._exit(9)
    stamp = plain(folder, *rest)
    if at == "after the rename":
        os._exit(9)
    return stamp
vector_file.write = write
build.refresh(notes, index, HashingEncoder)
with Writer(index) as writer:
    if at == "after the commit":
        writer.transaction.remove_leftovers = lambda: os._exit(9)
    writer.file_vectors(insist=True)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, notes, index], cwd=ROOT, env={"PYTHONPATH": "."}, check=False
    )
    assert done.returncode == 9
    assert abandoned(index)
    with closing(asking_again(notes, index)) as made:
        answer = made.ask(QUESTIONS[0])
    assert (answer.warnings, answer.index.stale) == ((), False)
    refresh(notes, index)
    assert len(list(index.glob("vectors-*"))) <= 2
    assert not list(index.glob("*.tmp"))
    assert not abandoned(index)
