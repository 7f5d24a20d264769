"""The measuring part of `scripts/bench_chat`: whole programs on pseudo-terminals, the chat and a bare Textual app."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench_chat_pty import Program

QUEUE = "Which service decouples producers and consumers, with guaranteed delivery?"
STRATEGY = "Which strategy gives zero downtime and instant rollback?"
VERDICTS = {QUEUE: r"Queue Service\s+(?:strong|fair)", STRATEGY: r"Blue-Green Deployment\s+(?:fair|weak)"}
CITED = r"▌Q: Decouple"
"""The line of the first citation of QUEUE as it is rendered; the note has `**Q: Decouple`."""
IMPORTS = "import textual.app, textual.widgets, textual.scroll_view, textual.command"
BARE = r"""
import sys
from pathlib import Path
from textual.app import App
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Static, TextArea
LINES = Path(sys.argv[1]).read_text("utf-8").splitlines()
class Bare(App):
    BINDINGS = [("ctrl+t", "add", "Add"), ("ctrl+o", "open", "Open"), ("ctrl+q", "quit", "Quit")]
    CSS = "TextArea { height: 4; } #note { height: 20; }"
    def compose(self):
        yield VerticalScroll(*[Static(Content("\n".join(LINES[n : n + 25]))) for n in range(int(sys.argv[2]))])
        yield TextArea(id="prompt")
        yield Footer()
    def on_mount(self):
        self.query_one("#prompt").border_title = "Ask"
        self.query_one("#prompt").focus()
    def action_add(self):
        self.count = getattr(self, "count", 0) + 1
        cards = self.query_one(VerticalScroll)
        cards.mount(Static(Content("\n".join(LINES[:25]) + f"\nADDED{self.count}")))
        self.call_after_refresh(cards.scroll_end, animate=False)
    def action_open(self):
        area = TextArea("\n".join([*LINES[:5000], "OPENED", *LINES[5000:]]), id="note", read_only=True)
        self.mount(area, before="#prompt")
        self.call_after_refresh(area.move_cursor, (5000, 0))
Bare().run()
"""

NOTES = 2000
NOTE = "# Pantry\n\n## Shelves\n\nJam stands on top.\n\n## Cellar\n\n### Apples\n\nThey keep for months.\n"


class Bench:
    def __init__(self, root: Path, folder: Path, turns: int) -> None:
        self.root, self.folder, self.turns = root, folder, turns
        self.lines: list[str] = []
        self.environment = {**os.environ, "PYTHONPATH": str(root), "XDG_STATE_HOME": str(folder / "state")}
        self.corpus = (next((root / "corpus").glob("*.md"))).read_text("utf-8")
        (folder / "small").mkdir()
        (folder / "small" / "note.md").write_text(self.corpus, "utf-8")
        (folder / "large").mkdir()
        (folder / "large" / "note.md").write_text(self.corpus * 20, "utf-8")
        (folder / "bare.py").write_text(BARE, "utf-8")
        (folder / "many").mkdir()
        for number in range(NOTES):  # of one text, which is embedded once
            (folder / "many" / f"note-{number:04}.md").write_text(NOTE, "utf-8")
        for name in ("small", "large", "many"):
            subprocess.run([*self.program(name), "--quiet", "index"], check=True, env=self.environment)

    def program(self, name: str) -> list[str]:
        places = ["--notes", str(self.folder / name), "--index", str(self.folder / f"index-{name}")]
        return [sys.executable, "-P", "-m", "assistant", *places]

    def chat(self, name: str = "small") -> Program:
        return Program([*self.program(name), "chat", "--no-history"], self.environment)

    def bare(self, cards: int = 0, note: str = "large") -> Program:
        path = str(self.folder / note / "note.md")
        return Program([sys.executable, "-P", str(self.folder / "bare.py"), path, str(cards)], self.environment)

    def say(self, what: str, seconds: float, budget: float, bare: float | None = None, also: str = "") -> None:
        ratio = f", {seconds / bare:.2f} times the bare app's {bare * 1000:.0f} ms" if bare else ""
        over = "" if seconds * 1000 <= budget else "  OVER"
        self.lines.append(f"{what:<58} {seconds * 1000:6.0f} ms (at most {budget:.0f}){ratio}{also}{over}")

    def run(self) -> str:
        self.start()
        self.long_session()
        self.citation()
        self.browsing()
        versions = ", ".join(f"{name} {version(name)}" for name in ("textual", "onnxruntime", "faiss-cpu"))
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=self.root, capture_output=True, text=True, check=False
        ).stdout.strip()
        about = f"commit {commit}; Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        return "\n".join(
            [f"{about}, {os.cpu_count()} cores; a pseudo-terminal of 100x40", versions, "", *self.lines, ""]
        )

    def start(self) -> None:
        """First frames in turn, so that a busy moment hits all; then keys while the engine opens."""
        chats, bares, imports, freezes = [], [], [], []
        for number in range(6):
            began = time.monotonic()
            subprocess.run([sys.executable, "-P", "-c", IMPORTS], check=True, env=self.environment)
            imported = time.monotonic() - began
            bare = self.bare()
            bare_first = bare.until(lambda text: "Ask" in text)
            bare.after("\x11", lambda text: True)
            bare.ended()
            chat = self.chat()
            first = chat.until(lambda text: "Ask" in text)
            slowest = max(self.keys(chat, 60, pause=0.01))
            chat.until(lambda text: True)
            chat.after("\x11", lambda text: True)
            chat.ended()
            if number:  # the first round warms the file cache
                chats.append(first)
                bares.append(bare_first)
                imports.append(imported)
                freezes.append(slowest)
        first, bare_first = statistics.median(chats), statistics.median(bares)
        floor = statistics.median(imports)
        self.say(
            "first frame after Python with Textual is imported", first - floor, 300, max(bare_first - floor, 0.001)
        )
        self.lines.append(
            f"  whole: {first * 1000:.0f} ms, {first / bare_first:.2f} times the bare app's {bare_first * 1000:.0f} ms"
            f" (at most 1.5); importing Textual alone {floor * 1000:.0f} ms"
        )
        self.say("longest freeze of a key while the engine opens", statistics.median(freezes), 80)

    def long_session(self) -> None:
        chat, bare = self.chat(), self.bare(200)
        bare.until(lambda text: "Ask" in text)
        chat.until(lambda text: "index fresh" in text)
        bare.settled()
        idle, bare_key = p95(self.keys(chat, 60)), p95(self.keys(bare, 60))
        self.say("key to paint, idle, p95", idle, 25, bare_key)
        self.erase(chat)
        for number in range(50):
            self.ask(chat, number)
        self.indexing(chat)
        before = chat.memory()
        for number in range(50, self.turns - 20):
            self.ask(chat, number)
        fresh = self.chat()
        fresh.until(lambda text: "index fresh" in text)
        for number in range(2):  # the first answer of a program warms the model
            self.ask(fresh, number)
        firsts, lasts = [], []
        for number in range(20):  # in turn, so that a busy moment hits both
            lasts.append(self.ask(chat, number))
            firsts.append(self.ask(fresh, number))
        fresh.send("\x11")
        fresh.ended()
        after = chat.memory()
        self.say(
            f"key to paint, {self.turns} answers shown, p95", p95(self.keys(chat, 60)), 25, p95(self.keys(bare, 60))
        )
        self.erase(chat)
        first, last = statistics.median(firsts), statistics.median(lasts)
        self.lines.append(
            f"{'question to painted answer, turns 3 to 22':<58} {first * 1000:6.0f} ms; turns {self.turns - 19} to"
            f" {self.turns} {last * 1000:.0f} ms = {last / first:.2f} times (at most 1.3)"
        )
        added = [bare.after("\x14", lambda text, n=n: f"ADDED{n}" in text) for n in range(1, 6)]  # type: ignore[misc]
        add = statistics.median(added)
        warm = self.engine_alone()
        self.say("  of it the screen (without the engine's warm answer)", max(last - warm, 0.0), 150, add)
        self.lines.append(f"{'memory after 50 turns':<58} {before:6.0f} MB, after {self.turns} {after:.0f} MB")
        sizes = [(80, 24), (120, 40), (100, 40)]
        resized = [self.resize(chat, *size) for size in sizes]
        bare_resized = [self.resize(bare, *size) for size in sizes]
        self.say(f"resize, {self.turns} answers", max(resized), 400, max(bare_resized))
        self.grow(1500)
        chat.until(lambda text: "mbedding" in text or "eading" in text)
        chat.send("\x11")
        bare.send("\x11")
        self.say("quit while an index is built", chat.ended(), 500, bare.ended())

    def indexing(self, chat: Program) -> None:
        """Typing while 50 cards are shown and the index is brought up to date, in the thread and in a child."""
        for passages, where in ((50, "the engine's thread"), (1200, "a child process")):
            self.grow(passages)
            chat.until(lambda text: "mbedding" in text or "eading" in text or "looking" in text)
            self.say(f"key to paint, 50 answers, indexing in {where}, p95", p95(self.keys(chat, 120)), 50)
            self.erase(chat)
            (self.folder / "small" / "more.md").unlink()
            chat.send("")
            chat.until(lambda text: "index fresh" in text)

    def citation(self) -> None:
        """The first one of a chat, of three chats; then others in the same note.

        Rendered means that the cited line is painted without its marks of Markdown.
        """
        bare = self.bare(0)
        bare.until(lambda text: "Ask" in text)
        first, rendered, after = [], [], []
        for _ in range(3):
            chat = self.chat("large")
            chat.until(lambda text: "index fresh" in text)
            self.ask(chat, 0, r"\[1\]")
            chat.send("\t")
            chat.until(lambda text: "escape comes back here" in text)
            chat.settled(0.05)
            first.append(chat.after("1", lambda text: "▌" in text))
            rendered.append(first[-1] + chat.until(lambda text: re.search(CITED, text) is not None))
            after += [chat.after(number, lambda text: "▌" in text) for number in ("2", "1", "2", "1")]
            chat.send("\x11")
            chat.ended()
        bare_opened = bare.after("\x0f", lambda text: "OPENED" in text)
        self.say("open a citation in a note of 17,000 lines", statistics.median(first), 100, bare_opened)
        self.say("  the next one in the same note", statistics.median(after), 100)
        shown = statistics.median(rendered)
        self.say("rendered source pane at a citation in a note of 17,000 lines", shown, 100, bare_opened)
        bare.send("\x11")
        bare.ended()

    def browsing(self) -> None:
        """The first tree of a chat, of five chats."""
        times = []
        for _ in range(5):
            chat = self.chat("many")
            chat.until(lambda text: "index fresh" in text, 60)
            chat.settled(0.35)
            times.append(chat.after("\x02", lambda text: "note-0009.md" in text))
            chat.settled(0.35)
            chat.send("\x1b")
            chat.settled(0.35)
            chat.send("\x11")
            chat.ended()
        self.say("first paint of the browse tree with 2,000 notes", statistics.median(times), 150)

    def keys(self, program: Program, count: int, pause: float = 0.03) -> list[float]:
        """Seconds to the paint of each key, typed one after the other in the prompt."""
        program.settled(0.05)
        typed, times = "", []
        for number in range(count):
            letter = "abcdefghijklmnopqrstuvwxyz"[number % 26]
            typed += letter
            wanted = typed[-2:]
            times.append(program.after(letter, lambda text, wanted=wanted: wanted in text))  # type: ignore[misc]
            time.sleep(pause)
        return times

    def erase(self, program: Program) -> None:
        """Row by row: what was typed is wrapped."""
        program.send("\x05")
        for _ in range(4):
            program.send("\x15")
            program.send("\x7f")
        program.settled()

    def ask(self, chat: Program, number: int, painted: str = "") -> float:
        """Seconds from enter to the verdict (or `painted`) on the screen; each question is a topic of its own."""
        question = (QUEUE, STRATEGY)[number % 2]
        chat.send("\x0e")
        chat.send(question)
        chat.until(lambda text: question[-8:] in text)
        chat.settled(0.05)
        return chat.after("\r", lambda text: re.search(painted or VERDICTS[question], text) is not None)

    def resize(self, program: Program, columns: int, rows: int) -> float:
        """Seconds to the last paint at the new size, of which the footer is the last row."""
        program.settled(0.05)
        program.send("")
        program.resize(columns, rows)
        return program.until(lambda text: "Quit" in text) + program.settled(0.1)

    def grow(self, passages: int) -> None:
        rows = (f"- Item {number} of the pantry holds thing {number * 7919 % 10007}." for number in range(passages))
        (self.folder / "small" / "more.md").write_text("# More\n\n" + "\n".join(rows) + "\n", "utf-8")

    def engine_alone(self) -> float:
        """A warm answer of the engine in a process of its own, the same questions."""
        code = (
            "import os, statistics, sys, time\nfrom pathlib import Path\n"
            "from assistant.engine import Engine\nfrom assistant.system.settings import Flags, load\n"
            "a = Engine.from_settings(load(Flags(notes=sys.argv[1], index=sys.argv[2]), os.environ, Path.cwd()))\n"
            "times = []\n"
            "for q in sys.argv[3:] * 6:\n    b = time.monotonic(); a.ask(q); times.append(time.monotonic() - b)\n"
            "print(statistics.median(times[2:]))"
        )
        words = [sys.executable, "-P", "-c", code, str(self.folder / "small"), str(self.folder / "index-small")]
        done = subprocess.run(
            [*words, QUEUE, STRATEGY], check=True, capture_output=True, text=True, env=self.environment
        )
        return float(done.stdout)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def main(root: str, folder: str, turns: str) -> int:
    write: Callable[[str], object] = sys.stdout.write
    write(Bench(Path(root), Path(folder), int(turns)).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
