"""The measuring part of `scripts/bench_serve`: a whole `assistant serve` as a process, asked over real connections."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Lock

PATIENCE = 300.0
ALONE = 60
"""Questions of the one client."""
FALLBACK = (
    "How does a canary release decide to go on?",
    "Which queue keeps the order?",
    "How is a release rolled back?",
)


@dataclass(frozen=True)
class Got:
    """What became of one question."""

    status: int
    """0 where the connection was refused, -1 where it broke after the question had been sent."""
    seconds: float
    tries: int
    """1, and one more for each 503."""


class Bench:
    def __init__(self, root: Path, folder: Path, index: Path, questions: int, clients: int) -> None:
        self.root, self.folder, self.index = root, folder, index
        self.count, self.clients = questions, clients
        self.environment = {**os.environ, "PYTHONPATH": str(root)}
        self.environment.pop("ASSISTANT_TOKEN", None)
        shared = root.parent / "shared"
        self.notes = notes(root, shared, folder)
        self.questions = questions_of(shared)
        self.port = 0
        self.rows: list[str] = []

    def words(self, *words: str) -> list[str]:
        places = ["--notes", str(self.notes), "--index", str(self.index)]
        return [sys.executable, "-P", "-m", "assistant", *places, *words]

    @contextmanager
    def server(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self.words("--quiet", "serve", "--port", "0"), env=self.environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found is None:
                sys.exit(line + process.stderr.read())
            self.port = int(found[1])
            yield process
        finally:
            process.kill()
            process.wait()

    def run(self) -> str:
        subprocess.run(self.words("index"), check=True, env=self.environment, stdout=subprocess.DEVNULL)
        with self.server() as process:
            self.ask("What is this about?")  # the first one loads what the others find loaded
            alone = [self.ask(question) for question in islice(self.endless(), ALONE)]
            self.say("one client alone", alone)
            start = memory(process.pid)
            began = time.monotonic()
            with ThreadPoolExecutor(self.clients) as pool:
                together = list(pool.map(self.ask, islice(self.endless(), self.count)))
            elapsed = time.monotonic() - began
            self.say(f"{self.clients} clients at once", together)
            rate, single = len(together) / elapsed, len(alone) / sum(one.seconds for one in alone)
            self.rows.append(
                f"answers a second: {rate:.1f} for all, {single:.1f} for one alone: {rate / single:.2f} times"
            )
            self.rows.append(f"memory before {start} MB, after {self.count} questions {memory(process.pid)} MB")
            process.send_signal(signal.SIGTERM)
            self.rows.append(f"SIGTERM with nothing in flight: exit code {process.wait(PATIENCE)}")
        with self.server() as process:
            self.stop_in_the_middle(process)
        return "\n".join([*self.about(), "", *self.rows, ""])

    def stop_in_the_middle(self, process: subprocess.Popen[str]) -> None:
        answered, lock = Counter[int](), Lock()

        def client(number: int) -> None:
            for question in islice(self.endless(number), self.count):
                got = self.ask(question)
                with lock:
                    answered[got.status] += 1
                if got.status <= 0:
                    return

        with ThreadPoolExecutor(self.clients) as pool:
            clients = [pool.submit(client, number) for number in range(self.clients)]
            while answered[200] < self.clients:
                time.sleep(0.01)
            before = answered[200]
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE)
            took = time.monotonic() - began
            for one in clients:
                one.result(PATIENCE)
        lost = answered[-1]
        self.rows.append(
            f"SIGTERM with {self.clients} clients asking: {answered[200] - before} answered after it, {lost} lost"
            f"{' LOST' if lost else ''}, {answered[0]} refused, exit code {code} after {took:.1f} s"
            f"{'' if code == 0 else ' FAILED'}"
        )

    def endless(self, start: int = 0) -> Iterator[str]:
        number = start
        while True:
            yield self.questions[number % len(self.questions)]
            number += 1

    def ask(self, question: str) -> Got:
        """On a connection of its own; asks again after the time that a 503 names."""
        began, tries = time.monotonic(), 0
        body = json.dumps({"question": question}).encode()
        while True:
            tries += 1
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
                try:
                    connection.connect()
                except OSError:
                    return Got(0, time.monotonic() - began, tries)
                try:
                    connection.request("POST", "/api/v1/ask", body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    record = json.loads(response.read())
                except (OSError, HTTPException, ValueError):
                    return Got(-1, time.monotonic() - began, tries)
            if response.status != 503 or record["error"]["code"] != "overloaded":
                return Got(response.status, time.monotonic() - began, tries)
            time.sleep(float(response.headers["Retry-After"]))

    def say(self, name: str, got: Sequence[Got]) -> None:
        statuses = Counter(one.status for one in got)
        wrong = len(got) - statuses[200]
        times = sorted(one.seconds * 1000 for one in got)
        p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
        again = sum(one.tries - 1 for one in got)
        self.rows.append(
            f"{name}: {len(got)} questions, {wrong} errors{' FAILED' if wrong else ''}, {again} asked again after 503;"
            f" p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms"
        )

    def about(self) -> list[str]:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=self.root, capture_output=True, text=True, check=False
        ).stdout.strip()
        versions = ", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn", "onnxruntime", "faiss-cpu"))
        count = sum(1 for _ in self.notes.rglob("*.md"))
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        return [
            f"commit {commit}; Python {platform.python_version()}, {machine}, which the clients share",
            versions,
            f"{count} notes, {len(self.questions)} different questions",
        ]


def notes(root: Path, shared: Path, folder: Path) -> Path:
    """The 399 notes of the Knative documentation where they are, else those of the checkout."""
    archive = shared / "corpora" / "knative-docs.tar.gz"
    made = folder / "notes"
    if archive.is_file():
        with tarfile.open(archive) as packed:
            packed.extractall(made, filter="data")
    else:
        shutil.copytree(root / "corpus", made)
    return made


def questions_of(shared: Path) -> list[str]:
    """The development set on those notes where it is, else a few of our own; follow-ups are left out."""
    lines = [
        line
        for path in sorted((shared / "eval" / "dev-docs").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    texts = [record.get("question", "") for record in map(json.loads, lines)]
    return [text for text in texts if text.strip()] or list(FALLBACK)


def memory(pid: int) -> int:
    """Resident MB of a process; 0 where the system has no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) // 1024 if found else 0


if __name__ == "__main__":
    checkout, where, index, count, clients = sys.argv[1:]
    print(Bench(Path(checkout), Path(where), Path(index), int(count), int(clients)).run(), end="")
