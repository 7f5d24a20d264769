"""The measuring part of `scripts/bench_team`: one collection in a real server beside one folder, of the same notes."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from drawn_notes import A_CHUNK, A_NOTE, CENTRES, DIMENSION, Drawn, Question

from assistant.indexing.embedder import BATCH_TEXTS
from assistant.records import PassageId
from assistant.retrieval import scoring
from assistant.retrieval.query_expansion import SPEAKERS
from assistant.retrieval.retriever import CANDIDATES, CHUNKS, OF_A_CHUNK, OF_A_REQUIREMENT
from assistant.storage import Store, StoreError, Writer
from assistant.storage.postgres import nearest
from assistant.system.collection import Collection, IndexPlace

SETTINGS = ("fsync=on", "shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min")
"""Of the server, besides those of its tests; everything else as PostgreSQL has it."""
STEPS = (10_000, 25_000, 50_000, 100_000)
"""Passages at which a search of all codes is measured beside HNSW."""
WARM, ASKED, SEARCHED = 20, 200, 100
"""Questions that are not counted, that are, and searches of each kind."""
BEST = 10
"""Of which recall is told, besides that of all that were wanted."""
A_PROCESS = 5
"""Connections of each process of clients."""
NEVER = 2**62


@dataclass(slots=True)
class Took:
    """Seconds that each step of indexing took."""

    text: float = 0.0
    vectors: float = 0.0
    filing: float = 0.0


@dataclass(slots=True)
class Asked:
    """How long questions took, in ms: as a whole, and the parts of each."""

    whole: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def index(place: IndexPlace, drawn: Drawn, passages: int) -> Took:
    """Puts in notes, from where the last call stopped, until there are so many passages; drawing is not counted."""
    took = Took()
    with Writer(place) as writer:
        if writer.identity != drawn.identity:
            writer.begin(drawn.identity, "drawn")
        for number in range(writer.state.notes, passages // A_NOTE):
            note = drawn.note(number)
            took.text += seconds(partial(writer.notes.put, note))
        took.text += seconds(writer.publish)
        while waiting := writer.texts.waiting(20_000):
            for first in range(0, len(waiting), BATCH_TEXTS):
                ids = [number for number, _ in waiting[first : first + BATCH_TEXTS]]
                rows = drawn.vectors(ids[0], len(ids))
                batch = [(number, row[None]) for number, row in zip(ids, rows, strict=True)]
                took.vectors += seconds(partial(writer.texts.put_vectors, batch))
        took.filing = seconds(writer.file_vectors)
    return took


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def ask(store: Store, question: Question) -> dict[str, float]:
    """Reads what a retriever reads for a question, and the topics that an answer is made of; ms by part."""
    parts: dict[str, float] = {}
    began = time.perf_counter()

    def done(part: str) -> None:
        nonlocal began
        now = time.perf_counter()
        parts[part] = 1000 * (now - began)
        began = now

    store.current()
    known = store.frequencies(sorted(question.terms))
    candidates = set(store.bm25_candidates(scoring.rarest(known), CANDIDATES))
    done("full text")
    whole = store.nearest_passages(question.vectors[:1], CANDIDATES)
    each = store.nearest_passages(question.vectors[1:], OF_A_REQUIREMENT)
    done("nearest passages")
    (chunks,) = store.nearest_chunks(question.vectors[:1], CHUNKS)
    done("nearest chunks")
    candidates |= {number for near in (*whole, *each) for number in near}
    candidates.update(store.chunk_passages(sorted(chunks), OF_A_CHUNK))
    named = store.topic(question.topics, SPEAKERS)
    candidates.update(mention.passage for mentions in named.values() for mention in mentions)
    done("topics")
    ids = sorted(candidates)
    passages = store.passages(ids)
    store.vectors(ids)
    around = sorted(set(store.chunks(ids).values()))
    store.stored_chunks(around)
    store.chunk_vectors(around)
    store.mentions(ids[:: max(1, len(ids) // 40)])
    of = passages[ids[0]]
    store.section_passages(of.path, of.anchor)
    store.lines(of.path, 1, 5)
    store.rest()
    done("records")
    return parts


def asked(place: IndexPlace, drawn: Drawn) -> Asked:
    """One client alone, after questions to warm up."""
    got = Asked()
    with Store.open(place) as store:
        for number in range(WARM + ASKED):
            question = drawn.question(number)
            parts = ask(store, question)
            if number >= WARM:
                got.whole.append(sum(parts.values()))
                for part, took in parts.items():
                    got.parts[part].append(took)
    return got


def near(place: IndexPlace, drawn: Drawn, limit: int) -> tuple[list[float], list[list[PassageId]]]:
    """How many ms searches took for that many passages, and what each found, best first."""
    took, found = list[float](), list[list[PassageId]]()
    with Store.open(place) as store:
        for number in range(-WARM, SEARCHED):
            query = drawn.question(max(0, number)).vectors[:1]
            began = time.perf_counter()
            (best,) = store.nearest_passages(query, limit)
            if number >= 0:
                took.append(1000 * (time.perf_counter() - began))
                found.append(list(best))
    return took, found


def recall(found: Sequence[Sequence[PassageId]], exact: Sequence[Sequence[PassageId]], first: int) -> float:
    """The share of the `first` of the exact ones that was found, anywhere."""
    return statistics.mean(len({*best[:first]} & {*those}) / first for those, best in zip(found, exact, strict=True))


def p(values: Sequence[float], share: float) -> float:
    """The value that this share of them is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def refile(place: Collection, from_: int) -> float:
    """Has HNSW from so many codes; seconds."""
    nearest.HNSW_FROM = from_
    with Writer(place) as writer:
        return seconds(writer.file_vectors)


@contextmanager
def without_hnsw() -> Iterator[None]:
    """Whatever is indexed meanwhile gets no HNSW index."""
    kept, nearest.HNSW_FROM = nearest.HNSW_FROM, NEVER
    try:
        yield
    finally:
        nearest.HNSW_FROM = kept


def client(address: str, for_seconds: float, seed: int) -> None:
    """A_PROCESS clients at once in this process; prints their times in ms and their errors."""
    drawn, place = Drawn(clustered=True), Collection.parse(address)
    took, errors = list[float](), list[str]()

    def one(number: int) -> None:
        with Store.open(place) as store:
            ask(store, drawn.question(number))
            barrier.wait()
            until = time.monotonic() + for_seconds
            while time.monotonic() < until:
                number += 1
                began = time.perf_counter()
                try:
                    ask(store, drawn.question(number))
                except StoreError as error:
                    errors.append(repr(error))
                else:
                    took.append(1000 * (time.perf_counter() - began))

    barrier = threading.Barrier(A_PROCESS)
    threads = [threading.Thread(target=one, args=(100_000 * (A_PROCESS * seed + n + 1),)) for n in range(A_PROCESS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"took": took, "errors": errors}))


class Bench:
    """Fills a table, line by line, and prints each line to stderr as it comes."""

    def __init__(self, root: Path, folder: Path, sizes: Sequence[int], clients: int, for_seconds: float) -> None:
        self.root, self.folder, self.sizes = root, folder, sizes
        self.clients, self.for_seconds = clients, for_seconds
        self.rows: list[str] = []
        self.figures: dict[str, list[float]] = {}
        """By name the figure of each size, for the growth from one to the next."""

    def run(self) -> str:
        """The whole table."""
        sys.path.insert(0, str(self.root))
        from tests.postgres_server import Server, running

        self.steps = [step for step in STEPS if step <= max(self.sizes)]
        with running(SETTINGS) as server:
            self.server: Server = server
            head = self.about()
            for clustered in (False, True):
                self.thresholds(Collection.parse(server.address(f"steps {kind(clustered)}")), clustered=clustered)
            for passages in self.sizes:
                self.size(Collection.parse(server.address(f"of {passages}")), passages)
        self.growth()
        return "\n".join([*head, *self.rows, ""])

    def say(self, line: str) -> None:
        """One line of the table."""
        print(line, file=sys.stderr, flush=True)
        self.rows.append(line)

    def title(self, line: str) -> None:
        """A line with an empty one before it."""
        self.say("")
        self.say(line)

    def thresholds(self, place: Collection, *, clustered: bool) -> None:
        """A search of all codes beside HNSW, of a collection that grows."""
        drawn = Drawn(clustered=clustered)
        self.title(f"The {CANDIDATES} nearest passages among vectors {kind(clustered)}, {SEARCHED} searches:")
        for passages in self.steps:
            with without_hnsw():
                index(place, drawn, passages)
                exact, right = near(place, drawn, CANDIDATES)
                building = refile(place, 1)
                quick, found = near(place, drawn, CANDIDATES)
                few, fewer = near(place, drawn, BEST)
                refile(place, NEVER)
            self.say(
                f"  {passages:,}: all codes p50 {p(exact, 0.5):.1f} ms, p95 {p(exact, 0.95):.1f} ms; HNSW, built in"
                f" {building:.1f} s, p50 {p(quick, 0.5):.1f} ms, p95 {p(quick, 0.95):.1f} ms, finds"
                f" {recall(found, right, BEST):.1%} of the {BEST} nearest and {recall(found, right, CANDIDATES):.1%} of"
                f" all; asked for {BEST} alone p50 {p(few, 0.5):.1f} ms, {recall(fewer, right, BEST):.1%}"
            )

    def size(self, place: Collection, passages: int) -> None:
        """Indexes so many passages, and asks."""
        drawn, folder = Drawn(clustered=True), self.folder / str(passages)
        self.title(f"{passages:,} passages, {passages // A_NOTE:,} notes, vectors {kind(True)}; PostgreSQL, SQLite:")
        ours, beside = index(place, drawn, passages), index(folder, drawn, passages)
        texts = f"of {passages + passages // A_CHUNK:,} texts"
        self.compare("indexing text", "s", ours.text, beside.text)
        self.compare(f"storing the vectors, {texts}, {BATCH_TEXTS} a transaction", "s", ours.vectors, beside.vectors)
        self.compare("making the HNSW indexes, and the FAISS file", "s", ours.filing, beside.filing)
        size, of_indexes = self.size_of(place)
        self.compare(f"on disk, {of_indexes / 1e6:,.0f} MB of it HNSW", "MB", size / 1e6, disk(folder) / 1e6)
        began = asked(place, drawn), asked(folder, drawn)
        for share in (0.5, 0.95):
            whole = [p(each.whole, share) for each in began]
            self.compare(f"p{100 * share:.0f} of a question, {len(began[0].whole)} of them", "ms", *whole)
        for part in began[0].parts:
            self.compare(f"  {part}, p50", "ms", *(p(each.parts[part], 0.5) for each in began))
        (_, found), (_, exact) = near(place, drawn, CANDIDATES), near(folder, drawn, CANDIDATES)
        self.say(
            f"  of the passages that FAISS finds, which misses none: {recall(found, exact, BEST):.1%} of the {BEST}"
            f" nearest, {recall(found, exact, CANDIDATES):.1%} of all {CANDIDATES}"
        )
        self.crowd(place, passages, len(began[0].whole) / sum(began[0].whole) * 1000)

    def compare(self, name: str, unit: str, ours: float, beside: float) -> None:
        """A figure beside that of the folder."""
        self.figures.setdefault(name.partition(",")[0], []).append(ours)
        digits = 0 if ours >= 100 else 1
        self.say(f"  {name}: {ours:,.{digits}f} {unit}, {beside:,.{digits}f} {unit}: {ours / beside:.2f} times")

    def size_of(self, place: Collection) -> tuple[int, int]:
        """Bytes of the collection, and of its HNSW indexes."""
        schema = f"(SELECT serving FROM assistant.collections WHERE name = '{place.name}')"
        of_schema = f"c.relnamespace = ('assistant_' || {schema})::regnamespace"
        whole = self.server.sql(
            f"SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND {of_schema}"
        )
        hnsw = self.server.sql(
            "SELECT coalesce(sum(pg_relation_size(c.oid)), 0) FROM pg_class c"
            f" WHERE c.relname LIKE '%_hnsw' AND {of_schema}"
        )
        return int(whole), int(hnsw)

    def crowd(self, place: Collection, passages: int, alone: float) -> None:
        """Many clients at once, in processes of A_PROCESS each."""
        command = [sys.executable, "-P", __file__, "client", place.address, str(self.for_seconds)]
        running = [
            subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
            for number in range(self.clients // A_PROCESS)
        ]
        results = [json.loads(process.communicate()[0]) for process in running]
        took = [one for each in results for one in each["took"]]
        errors = [one for each in results for one in each["errors"]]
        rate = len(took) / self.for_seconds
        self.say(
            f"  {A_PROCESS * len(running)} clients at once for {self.for_seconds:.0f} s: {len(took)} questions,"
            f" {len(errors)} errors{' FAILED ' + errors[0] if errors else ''}; {rate:.1f} a second,"
            f" {rate / alone:.2f} times one alone; p50 {p(took, 0.5):,.0f} ms, p95 {p(took, 0.95):,.0f} ms"
        )

    def growth(self) -> None:
        """From each size to the next, in PostgreSQL."""
        for number, (before, after) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            self.title(f"From {before:,} to {after:,} passages, {after / before:.0f} times as many, PostgreSQL:")
            for name, values in self.figures.items():
                self.say(f"  {name.strip()}: {values[number + 1] / values[number]:.1f} times")

    def about(self) -> list[str]:
        """What the figures were measured with."""
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=self.root, capture_output=True, text=True, check=False
        ).stdout.strip()
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        postgres = self.server.sql("SHOW server_version")
        versions = ", ".join(f"{name} {version(name)}" for name in ("psycopg", "faiss-cpu", "numpy"))
        return [
            f"commit {commit}; Python {platform.python_version()}, {machine}, which server and clients share",
            f"PostgreSQL {postgres} with {', '.join(SETTINGS)}; {versions}",
            f"Notes and questions are drawn (scripts/drawn_notes.py): {A_NOTE} passages a note, vectors of"
            f" {DIMENSION} numbers.",
            "A question is what a retriever reads for it: no encoder, no reader, no answer.",
            "Vectors of all directions alike are the worst for HNSW, which finds its way by what lies close together;"
            " those of texts lie in clusters.",
        ]


def kind(clustered: bool) -> str:
    """How vectors are drawn."""
    return f"around {CENTRES:,} centres" if clustered else "of all directions alike"


def disk(folder: Path) -> int:
    """Bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    if sys.argv[1] == "client":
        client(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    else:
        checkout, where, sizes, count, for_seconds = sys.argv[1:]
        bench = Bench(
            Path(checkout), Path(where), [int(size) for size in sizes.split(",")], int(count), float(for_seconds)
        )
        print(bench.run(), end="")
