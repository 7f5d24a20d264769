"""Many at once on one folder while its notes change: no error, no wrong quote, no lock message, no reader who waits."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from tests.conftest import scale

READERS, WRITERS = 8, 2
SECONDS = 60
"""Of the full run; the everyday one is a fraction of it."""
TEXT = "# Fruit {n}\n\n## Apple {n}\n\nAn apple of lot {n} keeps for {n} months in a cellar.\n\n- Crate {n} is full.\n"
QUESTION = "How long does an apple of lot {n} keep in a cellar?"
KNOWN = ("Another process is updating the index", "found by words only", "has changed since it was indexed")


class Crowd:
    """One folder, and all that goes on in it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.notes, self.index = folder / "notes", folder / "index"
        self.notes.mkdir()
        self.environment = environment
        self.stop = Event()
        self.wrong: list[str] = []
        self.done = {"answers": 0, "batch answers": 0, "builds": 0, "edits": 0}
        for n in range(12):
            self.save(n, n)

    def save(self, file: int, number: int) -> None:
        path = self.notes / f"{file}.md"
        draft = self.notes / f".{file}.swp"
        draft.write_text(TEXT.format(n=number))
        draft.replace(path)

    def command(self, *words: str) -> list[str]:
        where = ["--notes", str(self.notes), "--index", str(self.index)]
        return [sys.executable, "-P", "-m", "assistant", *where, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )
        known = KNOWN if words[0] == "ask" else (*KNOWN, "Waiting for another process")
        said = [line for line in done.stderr.splitlines() if not any(part in line for part in known)]
        if said or done.returncode not in (0, 1, 4):
            self.wrong.append(f"{words[0]} ended with {done.returncode}: {said}")
        return done

    def check(self, line: str) -> None:
        """A citation that is not called stale stands in a note as some save wrote it, on its very lines."""
        answer = json.loads(line)
        if "error" in answer:
            self.wrong.append(str(answer["error"]))
            return
        for cited in answer["citations"]:
            digits = "".join(c if c.isdigit() else " " for c in cited["quote"]).split()
            lines = TEXT.format(n=digits[0] if digits else 0).split("\n")
            quoted = "\n".join(lines[cited["start_line"] - 1 : cited["end_line"]])
            if cited["quote"] not in quoted:
                self.wrong.append(f"{cited['quote']!r} is not {quoted!r}")

    def edit(self) -> None:
        while not self.stop.wait(0.3):
            n = self.done["edits"] = self.done["edits"] + 1
            self.save(n % 12, 12 + n)
            if n % 5 == 0:
                (self.notes / f"{(n + 3) % 12}.md").unlink(missing_ok=True)

    def read(self, number: int) -> None:
        while not self.stop.is_set():
            self.check(self.run("ask", "--json", "--no-background", QUESTION.format(n=number)).stdout)
            self.done["answers"] += 1

    def write(self) -> None:
        while not self.stop.is_set():
            self.run("index", "--json")
            self.done["builds"] += 1

    def batch(self) -> None:
        with subprocess.Popen(
            self.command("ask", "--batch", "-"),
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            while not self.stop.is_set():
                process.stdin.write(json.dumps({"question": QUESTION.format(n=self.done["edits"])}) + "\n")
                process.stdin.flush()
                self.check(process.stdout.readline())
                self.done["batch answers"] += 1
            process.stdin.close()
            said = process.stderr.read()
            self.wrong += [line for line in said.splitlines() if not any(known in line for known in KNOWN)]
        if process.returncode:
            self.wrong.append(f"batch ended with {process.returncode}")


def test_a_crowd_on_one_folder(
    tmp_path: Path, surroundings: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    crowd = Crowd(tmp_path, surroundings)
    crowd.run("index", "--json")
    threads = [Thread(target=crowd.edit), Thread(target=crowd.batch)]
    threads += [Thread(target=crowd.read, args=(n,)) for n in range(READERS)]
    threads += [Thread(target=crowd.write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS * min(1.0, scale / 10))
    crowd.stop.set()
    for thread in threads:
        thread.join()
    assert crowd.wrong == []
    assert all(crowd.done.values())
    assert json.loads(crowd.run("index", "--json").stdout)["pending"] == 0
    record_property("at once", f"{READERS} ask, 1 batch, {WRITERS} index: " + str(crowd.done).strip("{}"))


def test_a_writer_that_finds_another_says_so(tmp_path: Path, surroundings: dict[str, str]) -> None:
    crowd = Crowd(tmp_path, surroundings)
    hold = (
        "import pathlib, sys; from assistant.storage import Writer\n"
        "with Writer(pathlib.Path(sys.argv[1])): print(flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", hold, crowd.index],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        left = subprocess.run(
            crowd.command("index", "--no-wait"), env=surroundings, capture_output=True, text=True, check=True
        )
        assert (left.stdout, left.stderr.count("Another process")) == ("", 1)
        waiting = subprocess.Popen(
            crowd.command("index"), env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert waiting.stderr is not None
        assert "Waiting for another process" in waiting.stderr.readline()
        holder.communicate("\n")
    report, _ = waiting.communicate(timeout=300)
    assert waiting.returncode == 0
    assert "12 added" in report
