"""What the documentation shows is what the program prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "assistant" / "docs").glob("*.md"))


def examples() -> Iterator[tuple[str, str, list[str]]]:
    """(page, command, the lines shown of what it prints; "…" stands for what is left out)."""
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            command, *shown = block.rstrip("\n").split("\n")
            assert command.startswith("$ assistant "), command
            yield page.name, command[2:], shown


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> Path:
    """A finished one: a first question is answered before all vectors are there."""
    folder = tmp_path_factory.mktemp("docs") / "index"
    words = [sys.executable, "-P", "-m", "assistant", "--notes", "corpus", "--index", str(folder), "index", "--quiet"]
    subprocess.run(words, cwd=ROOT, env=surroundings, check=True, capture_output=True)
    return folder


def test_there_are_pages_and_examples() -> None:
    assert PAGES
    assert list(examples())


def _shows(printed: str, line: str) -> bool:
    """Whether a line is printed, or where "…" leads it, a part of it."""
    wanted = line.rstrip()
    return wanted[1:] in printed if wanted.startswith("…") else printed.startswith(wanted)


@pytest.mark.parametrize(("page", "command", "shown"), examples())
def test_an_example_prints_what_its_page_shows(
    page: str, command: str, shown: list[str], surroundings: dict[str, str], index: Path
) -> None:
    words = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "assistant", "--notes", "corpus", "--index", str(index), *words],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = [line.rstrip() for line in done.stdout.split("\n")]
    at = 0
    for line in shown:
        if line.strip() == "…":
            continue
        at = next(
            (n for n in range(at, len(printed)) if _shows(printed[n], line)),
            -1,
        )
        assert at >= 0, f"{page}: {line!r} is not printed, or not there:\n{done.stdout}{done.stderr}"
        at += 1
