"""Any series of edits → the answers, scores and order of an index that was built from nothing (stateful); the same
of an index in a database, compared with one in a folder.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from assistant.answering import pipeline, weights
from assistant.indexing import build
from assistant.indexing.changes import Embed
from assistant.question import parser
from assistant.records import Answer, Hit, Request
from assistant.retrieval.retriever import HybridRetriever
from assistant.storage import Store
from assistant.storage.sqlite import vector_file
from assistant.system.collection import Collection, IndexPlace
from tests.asking import REMEMBERING
from tests.conftest import scale
from tests.hashing_encoder import HashingEncoder

ENCODER = HashingEncoder()
LINES = (
    *("# Release strategies", "## Canary release", "## Queue Service", "### Dead letters", ""),
    *("A few users see the new version first.", "- Queue Service: point to point", "- instant rollback"),
    *("**Blue-green**: two environments, instant rollback", "**Steps**:", "```yaml", "kind: Rollout", "```"),
    *("| need | service |", "| --- | --- |", "| ordered messages | Streaming |", "Q: Which one?", "A: The queue."),
)
NAMES = ("a.md", "b.md", "deep/c.md", "deep/er/d.md")
QUESTIONS = (
    "Which strategy shows the new version to a few users?",
    "instant rollback",
    "Which service is point to point?",
    "Show the yaml of a rollout.",
    "Who makes the best espresso?",
)
texts = st.lists(st.sampled_from(LINES), max_size=14).map("\n".join)


def answered(index: IndexPlace) -> list[tuple[Answer, list[tuple[object, ...]]]]:
    """To each question the answer, and all that was found, in order, with its scores; ids left out, which differ."""
    with Store.open(index, ENCODER.identity) as store:
        assert store.pending == store.waiting() == 0
        retriever = HybridRetriever(store, ENCODER)
        return [
            (
                pipeline.answer(Request(text, explain=True), None, retriever, REMEMBERING, weights.load())[0],
                [_without_id(hit) for hit in retriever.retrieve(parser.parse(text)).hits],
            )
            for text in QUESTIONS
        ]


def _without_id(hit: Hit) -> tuple[object, ...]:
    return hit.passage, hit.dense, hit.lexical, hit.score


class Notes(RuleBasedStateMachine):
    """A folder that is edited, and an index that is brought up to date now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.notes, self.index = self.folder / "notes", self.new_index()
        self.notes.mkdir()

    def new_index(self) -> IndexPlace:
        return self.folder / "index"

    def refresh(self, index: IndexPlace, embed: Embed = "all") -> None:
        with pytest.MonkeyPatch.context() as patch:
            # The edited index proposes by codes, the one from nothing searches every row.
            patch.setattr(vector_file, "CODED_FROM", 1 if index == self.index else 10_000)
            build.refresh(self.notes, index, lambda: ENCODER, embed=embed)

    def path(self, name: str) -> Path:
        (self.notes / name).parent.mkdir(parents=True, exist_ok=True)
        return self.notes / name

    @initialize(text=texts)
    def first(self, text: str) -> None:
        self.path("first.md").write_text(text)

    @rule(name=st.sampled_from(NAMES), text=texts)
    def write(self, name: str, text: str) -> None:
        self.path(name).write_text(text)

    @rule(name=st.sampled_from(NAMES), line=st.sampled_from(LINES))
    def append(self, name: str, line: str) -> None:
        with self.path(name).open("a") as file:
            file.write(f"\n{line}")

    @rule(name=st.sampled_from(NAMES))
    def change_within_the_same_moment(self, name: str) -> None:
        """The same size, and the same time where it is a second old at most; an older one would have to be forged."""
        path = self.path(name)
        if path.exists():
            before = path.stat()
            path.write_bytes(path.read_bytes().swapcase())
            if before.st_mtime_ns > time.time_ns() - 10**9:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def rename(self, name: str, other: str) -> None:
        if self.path(name).exists():
            self.path(name).replace(self.path(other))

    @rule(name=st.sampled_from(NAMES))
    def spoil(self, name: str) -> None:
        self.path(name).write_bytes(b"caf\xe9")

    @rule(name=st.sampled_from(NAMES), when=st.sampled_from([1, 10**9]))
    def touch(self, name: str, when: int) -> None:
        if self.path(name).exists():
            os.utime(self.path(name), (when, when))

    @rule(sentence=st.sampled_from(["wait in line", "a few see it first", ""]))
    def teach(self, sentence: str) -> None:
        self.path("assistant-vocabulary.md").write_text(f"## Queue Service\n\n- {sentence}\n" if sentence else "")

    @rule(embed=st.sampled_from(["all", "all", "few", "none"]))
    def index_now(self, embed: Embed) -> None:
        self.refresh(self.index, embed)

    @rule()
    def index_after_damage(self) -> None:
        assert isinstance(self.index, Path)
        self.refresh(self.index)
        for path in self.index.glob("*.faiss"):
            path.unlink()

    def teardown(self) -> None:
        try:
            if any(self.notes.rglob("first.md")):
                self.refresh(self.index)
                self.refresh(self.folder / "anew")
                assert answered(self.index) == answered(self.folder / "anew")
        finally:
            shutil.rmtree(self.folder)


TestNotes = Notes.TestCase


class NotesOfATeam(Notes):
    """The same of an index in a database."""

    new_collection: ClassVar[Callable[[], Collection]]

    def new_index(self) -> IndexPlace:
        return type(self).new_collection()

    @rule()
    def index_after_damage(self) -> None:
        self.refresh(self.index)
        build.refresh(self.notes, self.index, lambda: ENCODER, salvage=True)


@pytest.fixture
def database(new_collection: Callable[[], Collection]) -> None:
    NotesOfATeam.new_collection = staticmethod(new_collection)


TestNotesOfATeam = pytest.mark.usefixtures("database")(NotesOfATeam.TestCase)
TestNotesOfATeam.settings = settings(max_examples=max(1, round(4 * scale)), stateful_step_count=20)
