"""The chat in a real terminal: tmux on a socket of its own, the real engine, the real note."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, until

from .conftest import HERE, HOSTILE, QUEUE, TRAP

NOTE = "application-deployment-and-integration.md"
pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Terminal:
    """A shell in tmux; what is on its screen, as text."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.socket = folder / "tmux.sock"
        self.environment = {name: value for name, value in environment.items() if name not in ("TMUX", "TMUX_PANE")}
        self.ran = 0
        # A login shell's own files could print anything: a bare one.
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "env PS1='$ ' sh")
        self.wait(lambda text: "$" in text)

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *words],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def send(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def wait(self, holds: Callable[[str], bool]) -> str:
        """The first screen of which it holds."""
        until(lambda: holds(self.screen()), lambda: f"the terminal never came to it:\n{self.screen()}")
        return self.screen()

    def run(self, command: str) -> str:
        """What a command prints in the shell, which must be at its prompt."""
        self.ran += 1
        mark = f"done{self.ran}."  # its own: an earlier one may still stand there
        self.type(f"clear; {command}; echo done$(({self.ran})).")
        self.send("Enter")
        return self.wait(lambda text: mark in text).split(mark)[0].strip()


@pytest.fixture
def terminal(tmp_path: Path, surroundings: dict[str, str]) -> Iterator[Terminal]:
    environment = {**surroundings, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path / "state")}
    shell = Terminal(tmp_path, environment)
    yield shell
    shell.tmux("kill-server")


def chat(folder: Path) -> str:
    return f"{sys.executable} -P -m assistant --notes {folder}/corpus --index {folder}/index chat"


def test_ask_open_edit_copy_and_quit_in_a_terminal(
    terminal: Terminal, tmp_path: Path, root: Path, corpus_index: Path
) -> None:
    """Ask, read, open the source, edit, ask again, copy, resize, quit; the terminal is as it was before."""
    shutil.copytree(root / "corpus", tmp_path / "corpus")
    shutil.copytree(corpus_index, tmp_path / "index")
    opened = tmp_path / "opened"
    script = tmp_path / "editor"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {opened}\n')
    script.chmod(0o755)
    before = terminal.run("stty -a")
    terminal.run(f"export EDITOR={script}")
    terminal.type(chat(tmp_path))
    terminal.send("Enter")
    terminal.wait(lambda text: ("index fresh" in text and "244 passages" in text) or "236 passages" in text)

    terminal.type(QUEUE)
    terminal.send("Enter")
    screen = terminal.wait(lambda text: "Queue Service" in text and "guaranteed delivery, async processing" in text)
    assert " strong" in screen or " fair" in screen
    number = next(row.rstrip()[-2] for row in screen.splitlines() if "guaranteed delivery, async processing" in row)
    terminal.send("Tab")
    terminal.send(number)
    terminal.wait(lambda text: "▌" in text)
    terminal.send("m")
    screen = terminal.wait(lambda text: "822▌" in text)
    assert "822▌- Queue: Point-to-point, guaranteed delivery" in screen

    terminal.send("e")
    terminal.wait(lambda _: opened.is_file() and opened.read_text().count("\n") == 3)
    assert opened.read_text().splitlines() == ["+822", "--", f"{tmp_path}/corpus/{NOTE}"]
    terminal.wait(lambda text: "822▌" in text)

    note = tmp_path / "corpus" / NOTE
    note.write_text(note.read_text("utf-8").replace("async processing", "polling by long pulls"), "utf-8")
    terminal.wait(lambda text: "polling by long pulls" in text)
    terminal.send("Escape")
    terminal.wait(lambda text: "Also: " in text)
    terminal.send("r")
    terminal.wait(lambda text: "│ Queue: Point-to-point, guaranteed delivery, polling by long pulls" in text)

    terminal.send("y")
    terminal.wait(lambda text: "Copied the answer by tmux" in text)
    assert "guaranteed delivery, polling by long pulls" in terminal.tmux("show-buffer")

    terminal.tmux("resize-window", "-x", "60", "-y", "16")
    screen = terminal.wait(lambda text: len(text.splitlines()) <= 16 and "index fresh" in text)
    assert all(len(row) <= 60 for row in screen.splitlines())
    terminal.tmux("resize-window", "-x", "80", "-y", "24")

    terminal.send("C-q")
    terminal.wait(lambda text: text.rstrip().endswith("$"))
    assert terminal.run("stty -a") == before


def test_a_kill_leaves_the_terminal_as_it_was(terminal: Terminal, tmp_path: Path, root: Path) -> None:
    shutil.copytree(root / "corpus", tmp_path / "corpus")
    before = terminal.run("stty -a")
    terminal.type(chat(tmp_path))
    terminal.send("Enter")
    terminal.wait(lambda text: "passages" in text)
    pid = terminal.tmux("list-panes", "-F", "#{pane_pid}").strip()
    child = subprocess.run(["pgrep", "-P", pid, "-f", "assistant"], capture_output=True, text=True, check=True)
    subprocess.run(["kill", "-TERM", child.stdout.split()[0]], check=True)
    terminal.wait(lambda text: text.rstrip().endswith("$"))
    assert terminal.run("stty -a") == before


def test_no_byte_of_a_hostile_note_reaches_the_terminal_as_a_control(terminal: Terminal, tmp_path: Path) -> None:
    """All that the chat writes is looked at as bytes: card, source, tree, questions, saved file, notification."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / HOSTILE).write_bytes((HERE / "hostile.txt").read_bytes())
    written = tmp_path / "written"
    terminal.run(f"cd {tmp_path}")
    terminal.tmux("pipe-pane", f"exec cat > {written}")
    terminal.type(chat(tmp_path))
    terminal.send("Enter")
    terminal.wait(lambda text: "index fresh" in text)
    terminal.type(TRAP)
    terminal.send("Enter")
    terminal.wait(lambda text: "[link=file:///etc/passwd]" in text)
    for keys, shown in (
        (("Tab", "1", "m"), "11▌print"),
        (("u",), "Hostile [bold]notes[/bold]"),
        (("Escape", "C-r"), "Earlier questions"),
        (("Escape", "C-s"), "Save as"),
        (("Enter",), "Saved as"),
    ):
        for key in keys:
            terminal.send(key)
            time.sleep(0.3)  # two at once would be one key with alt
        terminal.wait(lambda text, shown=shown: shown in text)  # type: ignore[misc]
    terminal.send("C-q")
    terminal.wait(lambda text: text.rstrip().endswith("$"))
    raw = written.read_bytes()
    assert "␛]0;owned␇".encode() in raw
    for control in (
        b"\x1b]0;owned",
        b"\x1b]52;",
        b"\x1b[31mred",
        b"\x1b[2J[red",
        *map(str.encode, "\x9b\u202e\u200b\u2066"),
    ):
        assert control not in raw, control
    saved = (tmp_path / "corpus-answers.md").read_text("utf-8")
    assert not any(letter in saved for letter in "\x1b\x07\x9b\u202e\u200b\u2066")


def test_a_window_that_is_closed_over_the_editor_ends_the_chat(
    terminal: Terminal, tmp_path: Path, root: Path, corpus_index: Path
) -> None:
    """It must not live on without a terminal, where it would go on reading the notes."""
    shutil.copytree(root / "corpus", tmp_path / "corpus")
    shutil.copytree(corpus_index, tmp_path / "index")
    began = tmp_path / "began"
    script = tmp_path / "editor"
    script.write_text(f"#!/bin/sh\ntouch {began}\nexec sleep 60\n")
    script.chmod(0o755)
    terminal.tmux("new-window", f"EDITOR={script} exec {chat(tmp_path)}")
    terminal.wait(lambda text: "index fresh" in text)
    terminal.type(QUEUE)
    terminal.send("Enter")
    terminal.wait(lambda text: "guaranteed delivery, async processing" in text)
    pid = int(terminal.tmux("list-panes", "-F", "#{pane_pid}").strip())
    terminal.send("F4")
    terminal.wait(lambda _: began.is_file())
    terminal.tmux("kill-window")
    terminal.wait(lambda _: not Path(f"/proc/{pid}").exists())


def test_without_a_terminal_the_chat_points_to_ask(tmp_path: Path, root: Path, surroundings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "assistant", "--notes", str(root / "corpus"), "chat"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=surroundings,
    )
    assert done.returncode == 2
    assert "The chat needs a terminal." in done.stderr
    assert "assistant ask" in done.stderr


def test_plain_asks_line_by_line(tmp_path: Path, root: Path, surroundings: dict[str, str], corpus_index: Path) -> None:
    """Follow-ups lean on what was asked before, and an empty line starts anew."""
    shutil.copytree(corpus_index, tmp_path / "i")
    words = [sys.executable, "-P", "-m", "assistant", "--notes", str(root / "corpus"), "--index", str(tmp_path / "i")]
    done = subprocess.run(
        [*words, "chat", "--plain"],
        input=f"{QUEUE}\nWhat if I don't want to lose messages?\n\nWhat if I don't want to lose messages?\n",
        capture_output=True,
        text=True,
        check=False,
        env=surroundings,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Understood as: Queue Service, What if") == 1
    assert "New topic." in done.stderr
