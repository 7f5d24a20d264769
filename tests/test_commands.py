"""`topics`, `doctor` and `help` as processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[str]
NOTES = "# Fruit\n\n## Apple\n\nAn apple keeps for months.\n\n- **Pear**: best within a week\n- need a drink → Cider\n"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "fruit.md").write_text(NOTES)
    return folder


def run(notes: Path, surroundings: dict[str, str], *words: str) -> Ran:
    line = [sys.executable, "-P", "-m", "assistant", "--notes", str(notes), "--index", str(notes.parent / "index")]
    return subprocess.run([*line, *words], env=surroundings, capture_output=True, text=True, check=False)


def test_topics_lists_what_a_verdict_can_name(notes: Path, surroundings: dict[str, str]) -> None:
    done = run(notes, surroundings, "topics", "--json")
    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0
    assert {"Apple", "Pear", "Cider"} <= found.keys()
    assert (found["Pear"]["line"], found["Pear"]["heading_path"]) == (7, ["Fruit", "Apple"])
    assert "Cider  fruit.md:8  Apple" in run(notes, surroundings, "topics").stdout


def test_doctor_prints_the_command_that_fixes_a_damaged_index(notes: Path, surroundings: dict[str, str]) -> None:
    before = run(notes, surroundings, "doctor", "--json")
    assert before.returncode == 3
    update = f"assistant --notes {notes} --index {notes.parent / 'index'} index"
    assert [f["remedy"] for f in json.loads(before.stdout)["findings"] if f["part"] == "index"] == [update]
    run(notes, surroundings, "index", "--quiet")
    healthy = run(notes, surroundings, "doctor")
    assert (healthy.returncode, "✗" in healthy.stdout) == (0, False), healthy.stdout
    vectors = next((notes.parent / "index").glob("vectors-*.faiss"))
    harmed = bytearray(vectors.read_bytes())
    harmed[len(harmed) // 2] ^= 1
    vectors.write_bytes(harmed)
    damaged = run(notes, surroundings, "doctor")
    assert damaged.returncode == 3
    assert f"fix: {update} --full" in damaged.stdout
    run(notes, surroundings, "index", "--full", "--quiet")
    assert run(notes, surroundings, "doctor").returncode == 0


def test_doctor_sees_that_the_notes_changed_and_that_there_are_none(notes: Path, surroundings: dict[str, str]) -> None:
    run(notes, surroundings, "index", "--quiet")
    (notes / "more.md").write_text("# More\n")
    assert "changed since" in run(notes, surroundings, "doctor").stdout
    shutil.rmtree(notes)
    gone = run(notes, surroundings, "doctor")
    assert gone.returncode == 3
    assert "--notes" in gone.stdout + gone.stderr


def test_help_lists_shows_and_asks_its_pages(notes: Path, surroundings: dict[str, str]) -> None:
    listed = run(notes, surroundings, "help")
    assert "how-an-answer-is-found  How an answer is found" in listed.stdout
    assert run(notes, surroundings, "help", "how", "an", "answer", "is", "found").stdout.startswith("# How an answer")
    asked = run(notes, surroundings, "help", "where do my own words for the vocabulary go?")
    assert asked.returncode in (0, 4), asked.stderr
    assert "how-an-answer-is-found.md:" in asked.stdout
