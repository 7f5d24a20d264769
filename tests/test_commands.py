"""`topics`, `doctor` and `help` as processes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.command import Command

NOTES = "# Fruit\n\n## Apple\n\nAn apple keeps for months.\n\n- **Pear**: best within a week\n- need a drink → Cider\n"


@pytest.fixture
def command(tmp_path: Path, surroundings: dict[str, str]) -> Command:
    """On one note that is not indexed yet."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(NOTES)
    return Command(tmp_path, surroundings)


def test_topics_lists_what_a_verdict_can_name(command: Command) -> None:
    done = command.run("topics", "--json")
    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0
    assert {"Apple", "Pear", "Cider"} <= found.keys()
    assert (found["Pear"]["line"], found["Pear"]["heading_path"]) == (7, ["Fruit", "Apple"])
    assert "Cider  fruit.md:8  Apple" in command.run("topics").stdout


def test_doctor_prints_the_command_that_fixes_a_damaged_index(command: Command) -> None:
    before = command.run("doctor", "--json")
    assert before.returncode == 3
    update = f"assistant --notes {command.notes} --index {command.index} index"
    assert [f["remedy"] for f in json.loads(before.stdout)["findings"] if f["part"] == "index"] == [update]
    command.run("index", "--quiet")
    healthy = command.run("doctor")
    assert (healthy.returncode, "✗" in healthy.stdout) == (0, False), healthy.stdout
    vectors = next(command.index.glob("vectors-*.faiss"))
    harmed = bytearray(vectors.read_bytes())
    harmed[len(harmed) // 2] ^= 1
    vectors.write_bytes(harmed)
    damaged = command.run("doctor")
    assert damaged.returncode == 3
    assert f"fix: {update} --full" in damaged.stdout
    command.run("index", "--full", "--quiet")
    assert command.run("doctor").returncode == 0


def test_doctor_sees_notes_that_changed_or_are_gone(command: Command) -> None:
    command.run("index", "--quiet")
    (command.notes / "more.md").write_text("# More\n")
    assert "changed since" in command.run("doctor").stdout
    shutil.rmtree(command.notes)
    gone = command.run("doctor")
    assert gone.returncode == 3
    assert "--notes" in gone.stdout + gone.stderr


@pytest.mark.usefixtures("documented")
def test_help_lists_shows_and_asks_its_pages(command: Command) -> None:
    listed = command.run("help")
    assert "how-an-answer-is-found  How an answer is found" in listed.stdout
    assert command.run("help", "how", "an", "answer", "is", "found").stdout.startswith("# How an answer")
    asked = command.run("help", "where do my own words for the vocabulary go?")
    assert asked.returncode in (0, 4), asked.stderr
    assert "how-an-answer-is-found.md:" in asked.stdout
