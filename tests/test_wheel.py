"""The wheel, installed without the checkout: what `pip install` of it gives somebody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

NOTE = "# Fruit\n\n## Apple\n\nAn apple keeps for seven months in a cool cellar.\n"
APPLE = "How long does an apple keep in a cellar?"


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and every other package from the one that runs the tests."""

    wheel: Path
    folder: Path
    """Somewhere that is no checkout and below none; also the home folder."""
    environment: dict[str, str]

    @property
    def program(self) -> Path:
        return self.folder / "v w" / "bin" / "notes-assistant"

    def run(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *words],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(root: Path, surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built from the checkout as it is, in an environment whose path has a blank."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = {**surroundings, "HOME": str(folder), "PIP_NO_INDEX": "1"}
    del environment["PYTHONPATH"]
    quiet = ["--disable-pip-version-check", "--quiet", "--no-deps"]

    def python(*words: str) -> None:
        subprocess.run([sys.executable, "-P", "-m", *words], cwd=folder, env=environment, check=True)

    python("pip", "wheel", *quiet, "--no-build-isolation", "-w", str(folder), str(root))
    (wheel,) = folder.glob("*.whl")
    python("venv", "--without-pip", str(folder / "v w"))
    made = folder / "v w" / "bin" / "python"
    python("pip", "--python", str(made), "install", *quiet, str(wheel))
    (site,) = (folder / "v w" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")  # a .pth inside that folder is not read
    return Installed(wheel, folder, environment)


def test_the_wheel_has_the_package_and_nothing_else(installed: Installed, root: Path) -> None:
    """Every file of the package, data and pages included; no test, note or index; the licence."""
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        record = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    package = {
        str(path.relative_to(root))
        for path in (root / "assistant").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if not name.startswith("notes_assistant-")} == package
    assert any(name.endswith("/LICENSE") for name in names)
    assert "Requires-Python: >=3.11" in record


def test_it_answers_away_from_the_checkout(installed: Installed, tmp_path: Path) -> None:
    """By both names, with the installed modules, from a folder whose name needs care."""
    notes = tmp_path / "mes nötes"
    notes.mkdir()
    (notes / "fruit.md").write_text(NOTE)
    (notes / "click.py").write_text("raise SystemExit('a file among the notes was imported')\n")
    done = installed.run("--notes", ".", "ask", "--json", APPLE, cwd=notes)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["outcome"], answer["notes"]) == (0, "answered", str(notes)), done.stderr
    assert "seven months" in answer["citations"][0]["quote"]
    other = installed.program.with_name("assistant")
    assert subprocess.run([other, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "notes-as"
    )
    where = "import assistant, sys; print(assistant.__file__)"
    found = subprocess.run(
        [installed.program.with_name("python"), "-P", "-c", where],
        env=installed.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(installed.folder / "v w"))


def test_without_notes_around_one_sentence_says_how_to_start(installed: Installed, tmp_path: Path) -> None:
    for words in (("ask", APPLE), ("index",), ("topics",), ("chat", "--plain")):
        done = installed.run(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "Point --notes at a folder with .md files" in done.stderr


def test_its_pages_are_there_and_doctor_knows_where_it_lives(installed: Installed, tmp_path: Path) -> None:
    assert "troubleshooting" in installed.run("help").stdout
    assert installed.run("help", "troubleshooting").stdout.startswith("# Troubleshooting")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(NOTE)
    path = f"{installed.program.parent}{os.pathsep}{os.environ['PATH']}"
    found = Installed(installed.wheel, installed.folder, {**installed.environment, "PATH": path})
    assert found.run("--notes", str(tmp_path / "notes"), "index", "--quiet").returncode == 0
    done = found.run("--notes", str(tmp_path / "notes"), "doctor")
    assert done.returncode == 0, done.stdout
    assert f"notes-assistant is {installed.program}" in done.stdout


def test_a_broken_installation_is_named_with_what_mends_it(installed: Installed, tmp_path: Path) -> None:
    """A library that cannot be loaded, in the place where the real one would be found."""
    (site,) = (installed.folder / "v w" / "lib").glob("python*/site-packages")
    broken = site / "watchfiles.py"
    broken.write_text("raise ImportError('cannot open shared object file')\n")
    faiss = site / "faiss.py"
    faiss.write_text("raise ImportError('cannot open shared object file')\n")
    (tmp_path / "fruit.md").write_text(NOTE)
    try:
        done = installed.run("--notes", str(tmp_path), "doctor", "--json")
        asked = installed.run("--notes", str(tmp_path), "ask", APPLE)
    finally:
        broken.unlink()
        faiss.unlink()
    assert (asked.returncode, asked.stdout, asked.stderr.splitlines()) == (
        *(3, ""),
        [
            "Error: A required library cannot be loaded (cannot open shared object file). "
            "`assistant doctor` prints the fix."
        ],
    )
    record = json.loads(done.stdout)
    (finding,) = [one for one in record["findings"] if "watchfiles" in one["says"] and one["remedy"]]
    assert (done.returncode, record["healthy"]) == (3, False)
    assert "cannot be loaded (ImportError: cannot open shared object file)" in finding["says"]
    assert finding["remedy"].endswith("-m pip install --force-reinstall --no-deps 'watchfiles>=1.1'")
