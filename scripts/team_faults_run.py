"""The trying part of `scripts/team_faults`: real servers, and writers and readers as processes.

Every note of a generation carries one number, so that whoever reads two numbers together has read two generations. An
encoder that hashes words takes the model's place: what is tried is the store.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.errors import AssistantError
from assistant.indexing import build, embedder
from assistant.storage import Busy, Store, StoreError, Superseded, problems
from assistant.system.collection import Collection, IndexPlace

if TYPE_CHECKING:
    from tests.postgres_server import Server

NOTES = 8
"""In the folder of each part; each has the number of its generation, and lines of its own that stay."""
MOVING = 6
"""Lines of each note that are new with each generation, besides one that stands alone."""
BATCH = 8
"""Texts between two commits of vectors."""
AT_ONCE = 512
"""The same where nothing is tried."""
BUILDS = 2
"""A writer is killed within so many times the time that a build of its own took."""
THINKING_SECONDS = 1.0
"""Between two questions of a client: twenty that never pause would keep two cores from everything else."""
WAITED_SECONDS = 0.5
"""From which a question is said to have waited."""
BUSY_SECONDS = 10
"""How long the next writer waits at most for the server to see that the last one is gone."""
WORDS = ("thing", "number", "box", "canary")


class Hashing:
    """Hashed words, unit rows of 64 numbers; remembers what it was asked for and tells it in `log`."""

    identity, dimension = "hashing", 64

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        self.asked: list[str] = []

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            self.asked.append(text)
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(text) + "\n")
            yield self.question(text)[np.newaxis]

    def question(self, text: str) -> NDArray[np.float32]:
        row = np.zeros(self.dimension, dtype=np.float32)
        row[0] = 0.01
        for word in text.casefold().split():
            row[hash_of(word) % self.dimension] += 1
        return np.asarray(row / np.linalg.norm(row), dtype=np.float32)

    def ahead(self, texts: Sequence[str]) -> None:
        pass


def hash_of(word: str) -> int:
    """The same in every process."""
    return int.from_bytes(word.encode(), "big") % 1_000_003


def write_notes(notes: Path, number: int) -> None:
    """Another generation."""
    for note in range(NOTES):
        kept = "".join(f"- thing {line} of box {note} is kept\n" for line in range(4))
        moving = "".join(f"- canary {number} of {note}, line {line}\n" for line in range(MOVING))
        (notes / f"{note}.md").write_text(
            f"# Box {note}\n\n## Moving\n\nThing number {number} is in box {note}.\n\n{moving}\n## Kept\n\n{kept}"
        )


def numbers(texts: Iterator[str] | Sequence[str]) -> set[int]:
    """Of the generations that passages are of."""
    found = set()
    for text in texts:
        for lead in ("Thing number ", "canary "):
            if text.startswith(lead):
                found.add(int(text.removeprefix(lead).split()[0]))
    return found


def look(store: Store) -> set[int]:
    """The numbers of the generations that everything read of one store is of: by words, by vectors, by lines, whole."""
    by_words = store.passages(store.bm25_candidates(list(WORDS), 50))
    (near,) = store.nearest_passages(Hashing().question("thing number is in box")[np.newaxis], 50)
    by_vectors = store.passages(list(near))
    lines = [line for note in range(NOTES) for line in store.lines(f"{note}.md", 1, 20)]
    whole = store.passages(store.passage_ids())
    texts = [passage.text for found in (by_words, by_vectors, whole) for passage in found.values()]
    if len(whole) % NOTES:
        return {-1, -2}  # some note is not whole
    return numbers([*texts, *(line.removeprefix("- ") for line in lines)])


def content(place: IndexPlace) -> object:
    """All that an index says, in terms that do not depend on ids."""
    with Store.open(place) as store:
        passages = store.passages(store.passage_ids())
        at = {number: (passage.path, passage.start, passage.text) for number, passage in passages.items()}
        queries = np.stack([Hashing().question(text) for text in ("thing number 3", "canary", "box 2 is kept")])
        chunks = store.stored_chunks(sorted(set(store.chunks(list(passages)).values())))
        return (
            *(list(passages.values()), sorted(chunks.values(), key=repr), store.sections(), store.pending),
            [(m.key, m.name, m.kind, at[m.passage]) for m in store.topics()],
            [[at[number] for number in store.bm25_candidates([word], 50)] for word in WORDS],
            [[(at[number], score) for number, score in near.items()] for near in store.nearest_passages(queries, 50)],
            [sorted(near.values()) for near in store.nearest_chunks(queries, 50)],
            sorted((at[number], rows.tobytes()) for number, rows in store.vectors(list(passages)).items()),
        )


def refresh(notes: Path, place: IndexPlace, encoder: Hashing) -> float:
    """Indexes the notes; seconds that were waited for another writer to be gone. Busy where it is not."""
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        try:
            build.refresh(notes, place, lambda: encoder)
        except Busy:
            if waited > BUSY_SECONDS:
                raise
            time.sleep(0.02)
        else:
            return waited


# Processes.


def write_on(notes: Path, address: str, log: Path) -> None:
    """Changes the notes and indexes them until killed; begins with the number that stdin gives and says each of them
    before it is written and after it was published. Every seventh build computes everything anew."""
    place, encoder = Collection.parse(address), Hashing(log)
    with tempfile.TemporaryDirectory() as folder:  # loads what a writer loads
        warm = Path(folder, "notes")
        warm.mkdir()
        write_notes(warm, 0)
        build.refresh(warm, Path(folder, "index"), Hashing)
    Store.open(place).close()
    print("ready", 0, flush=True)
    embedder.BATCH_TEXTS = BATCH
    for number in itertools.count(int(sys.stdin.readline())):
        full = number % 7 == 0
        log.write_text("", "utf-8")
        print("full" if full else "began", number, flush=True)
        write_notes(notes, number)
        build.refresh(notes, place, lambda: encoder, full=full)
        print("published", number, flush=True)


def read_on(address: str) -> None:
    """Asks until stdin is closed; prints what came of it."""
    place, got = Collection.parse(address), Counter[str]()
    longest = 0.0
    store: Store | None = None
    stopped = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stopped.set()

    threading.Thread(target=wait, daemon=True).start()
    said = ""
    while not stopped.wait(THINKING_SECONDS):
        began = time.monotonic()
        try:
            while True:  # as the engine does: the newest generation, once more where it was replaced meanwhile
                try:
                    if store is not None and not store.current():
                        store.close()
                        store = None
                    store = store or Store.open(place)
                    found = look(store)
                    store.rest()
                    break
                except Superseded:
                    store = None
                    got["again"] += 1
            got["mixed"] += len(found) != 1
        except (StoreError, AssistantError) as error:
            got["errors"] += 1
            said = f"{type(error).__name__}: {error}"
            store = None
        took = time.monotonic() - began
        got["questions"] += 1
        got["waited"] += took > WAITED_SECONDS
        longest = max(longest, took)
    print(json.dumps({"got": got, "longest": longest, "said": said}))


@dataclass(slots=True)
class Faults:
    """The parts, each of which gives lines of the table."""

    root: Path
    folder: Path
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    number: int = 1
    """Of the next generation."""

    def process(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", __file__, *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(self.root)},
        )  # fmt: skip

    def notes(self, name: str) -> Path:
        notes = self.folder / name
        notes.mkdir()
        write_notes(notes, self.number)
        return notes

    def as_anew(self, notes: Path, place: Collection) -> bool:
        """Whether the collection says what an index of these notes says that is made from nothing, in a folder."""
        anew = self.folder / "anew"
        shutil.rmtree(anew, ignore_errors=True)
        kept, embedder.BATCH_TEXTS = embedder.BATCH_TEXTS, AT_ONCE
        refresh(notes, anew, Hashing())
        embedder.BATCH_TEXTS = kept
        return content(place) == content(anew)

    # Killed writers.

    def kills(self, server: Server, count: int) -> list[str]:
        """SIGKILL at a random moment of a writer that indexes one generation after another."""
        notes, log = self.notes("killed"), self.folder / "log"
        place = Collection.parse(server.address("killed"))
        refresh(notes, place, Hashing())
        got = Counter[str]()
        longest = 0.0
        following = self.process("write", notes, place.address, log)
        for _ in range(count):
            log.write_text("", "utf-8")
            writer, following = following, self.process("write", notes, place.address, log)
            killed = self.kill(writer)
            got["inside"] += killed.inside
            got["full"] += killed.full
            with Store.open(place) as store:
                found = look(store)
            got["mixed"] += len(found) != 1
            got["not published"] += not found <= killed.allowed
            got["problems"] += len(problems(place))
            write_notes(notes, self.number)  # some may be of the generation before
            encoder = Hashing()
            longest = max(longest, refresh(notes, place, encoder))
            computed = log.read_text("utf-8").splitlines()
            again = {json.dumps(text) for text in encoder.asked} & set(computed)
            if not killed.full:
                got["computed"], got["again"] = got["computed"] + len(computed), got["again"] + len(again)
                got["too many again"] += len(again) > BATCH + 1
            got["another"] += not self.as_anew(notes, place)
            self.number += 1
        following.kill()
        following.communicate()
        wrong = sum(got[name] for name in ("mixed", "not published", "problems", "too many again", "another"))
        return [
            f"{count} writers killed at a random moment: {got['inside']} while they indexed, {got['full']} of those"
            " while they computed everything anew",
            f"  {got['mixed']} times a reader saw two generations, {got['not published']} times one not published",
            f"  the next writer: {count} of {count} completed, and waited {longest:.1f} s at the most for the server to"
            " see that the last was gone",
            f"  {got['another']} indexes differ from one made from nothing; `problems` found {got['problems']}",
            f"  vectors: {got['computed']} were computed by those killed, {got['again']} of them again by the next,"
            f" more than {BATCH + 1} after {got['too many again']} kills (a batch has {BATCH}; all but those computing"
            " everything anew)",
            verdict(wrong),
        ]

    def kill(self, writer: subprocess.Popen[str]) -> Killed:
        """Has a writer complete a build, and kills it in one of the next."""
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.stdin.write(f"{self.number}\n")
        writer.stdin.flush()
        first = [writer.stdout.readline()]
        started = time.monotonic()
        first.append(writer.stdout.readline())
        time.sleep(self.chance.uniform(0, BUILDS * (time.monotonic() - started)))
        writer.kill()
        said = [line.split() for line in (*first, *writer.stdout)]
        writer.communicate()
        began = [int(number) for what, number in said if what != "published"]
        published = [int(number) for what, number in said if what == "published"]
        inside = len(began) > len(published)
        self.number = max([self.number, *began])
        last = published[-1]
        return Killed({last, *(number for number in began if number > last)}, inside, inside and said[-1][0] == "full")

    # Restarted servers.

    def restarts(self, server: Server, count: int, clients: int) -> list[str]:
        """Half in good order, half as in a crash, while clients ask and a writer writes."""
        notes = self.notes("restarted")
        place = Collection.parse(server.address("restarted"))
        refresh(notes, place, Hashing())
        asking = [self.process("read", place.address) for _ in range(clients)]
        stopped, written = threading.Event(), Counter[str]()

        def write() -> None:
            while not stopped.is_set():
                self.number += 1
                write_notes(notes, self.number)
                try:
                    refresh(notes, place, Hashing())
                except StoreError:
                    written["told"] += 1
                else:
                    written["done"] += 1

        time.sleep(3)
        writer = threading.Thread(target=write)
        writer.start()
        down = []
        for number in range(count):
            time.sleep(self.chance.uniform(1, 5))  # so that builds complete between them
            began = time.monotonic()
            server.stop(signal.SIGINT if number % 2 else signal.SIGQUIT)
            time.sleep(self.chance.uniform(0, 1))
            server.start()
            down.append(time.monotonic() - began)
        time.sleep(2)
        stopped.set()
        writer.join()
        results = [json.loads(one.communicate()[0]) for one in asking]
        got = sum((Counter[str](one["got"]) for one in results), Counter[str]())
        longest = max(one["longest"] for one in results)
        refresh(notes, place, Hashing())
        differs = not self.as_anew(notes, place)
        said = next((one["said"] for one in results if one["said"]), "")
        wrong = got["mixed"] + got["errors"] + len(problems(place)) + differs
        return [
            f"{count} restarts of the server, half of them as in a crash, each {min(down):.1f} to {max(down):.1f} s,"
            f" while {clients} clients asked and one wrote",
            f"  {got['questions']} questions: {got['waited']} waited more than {WAITED_SECONDS} s, the longest"
            f" {longest:.1f} s; {got['again']} read again since a newer generation had come;"
            f" {got['errors']} errors{f' ({said})' if said else ''}",
            f"  {got['mixed']} times a reader saw two generations",
            f"  the writer: {written['done']} generations published, {written['told']} times it gave up and said so",
            f"  the index afterwards {'differs from' if differs else 'is the same as'} one made from nothing",
            verdict(wrong),
        ]

    # Cut connections.

    def cuts(self, server: Server, count: int) -> list[str]:
        """`pg_terminate_backend` on the writer's connection at a random moment."""
        notes = self.notes("cut")
        place = Collection.parse(server.address("cut"))
        refresh(notes, place, Hashing())
        got = Counter[str]()
        began = time.monotonic()
        self.number += 1
        write_notes(notes, self.number)
        refresh(notes, place, Hashing())
        took = time.monotonic() - began
        for _ in range(count):
            before = self.number
            self.number += 1
            write_notes(notes, self.number)
            told: list[str] = []
            writer = threading.Thread(target=self.attempt, args=(notes, place, told))
            writer.start()
            time.sleep(self.chance.uniform(0, took))
            got["cut"] += "t" in server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'assistant index%'"
            )
            writer.join()
            got["told"] += len(told)
            with Store.open(place) as store:
                found = look(store)
            got["mixed"] += len(found) != 1
            got["not published"] += not found <= ({before, self.number} if told else {self.number})
            refresh(notes, place, Hashing())
            got["problems"] += len(problems(place))
            got["another"] += not self.as_anew(notes, place)
        return [
            f"{count} connections of writers ended by the server at a random moment, {got['cut']} while one was open",
            f"  {count - got['told']} builds completed all the same, {got['told']} said that the connection was lost",
            f"  {got['mixed']} times a reader saw two generations, {got['not published']} times one not published",
            f"  the next writer: {count} of {count} completed; {got['another']} indexes differ from one made from"
            f" nothing; `problems` found {got['problems']}",
            verdict(got["mixed"] + got["not published"] + got["another"] + got["problems"]),
        ]

    def attempt(self, notes: Path, place: Collection, told: list[str]) -> None:
        """Indexes, or adds to `told` what a writer says."""
        try:
            refresh(notes, place, Hashing())
        except (StoreError, AssistantError) as error:
            told.append(f"{type(error).__name__}: {error}")

    # Full disks.

    def full_disk(self, *, whole: bool) -> list[str]:
        """A small disk for the `whole` data folder with its log, or for the collection's tables alone, filled up."""
        name = "whole data folder, its log too" if whole else "tables"
        with small_disk(self.folder) as disk:
            if disk is None:
                return [f"a full disk below the {name}: left out, since it takes root on Linux to mount a small one"]
            from tests.postgres_server import Server, binaries

            programs = binaries()
            assert programs is not None
            home = disk / "server" if whole else Path(tempfile.mkdtemp(prefix="pg-"))
            home.mkdir(exist_ok=True)
            server = Server(programs, home, ("max_wal_size=32MB", "min_wal_size=32MB", "restart_after_crash=on"))
            server.start()
            try:
                return [f"a full disk below the {name}", *self.filled(server, disk, whole=whole)]
            finally:
                server.stop(signal.SIGQUIT)
                shutil.rmtree(home, ignore_errors=True)

    def filled(self, server: Server, disk: Path, *, whole: bool) -> list[str]:
        """Writes until there is no room, reads, makes room, writes."""
        database = "postgres"
        if not whole:
            space = disk / "space"
            space.mkdir()
            shutil.chown(space, server.folder.owner(), server.folder.group())
            server.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
            server.sql("CREATE DATABASE small TABLESPACE small")
            database = "small"
        notes = self.notes(f"full {whole}")
        place = Collection.parse(server.address("full", database))
        refresh(notes, place, Hashing())
        before = self.number
        rows = list[str]()
        with Store.open(place) as store:
            filler = disk / "filler"
            fill(filler, disk)
            told: list[str] = []
            began = time.monotonic()
            while not told and time.monotonic() - began < 120:
                self.number += 1
                write_notes(notes, self.number)
                (notes / "large.md").write_text(
                    "# Large\n\n" + "".join(f"- word{self.number} {n} here\n" for n in range(4000))
                )
                self.attempt(notes, place, told)
                before = before if told else self.number
            rows.append(f"  the writer said: {told[0] if told else 'nothing FAILED'}")
            with suppress(Superseded, StoreError):
                look(store)
        reading = self.try_to_read(place)
        rows.append(f"  while it was full readers had {'the last generation' if reading == {before} else reading}")
        filler.unlink()
        began = time.monotonic()
        while not isinstance(reading := self.try_to_read(place), set) and time.monotonic() - began < 60:
            if whole and server.ended():
                server.start()
        rows.append(f"  with room readers had {'the last generation' if reading == {before} else f'{reading} FAILED'}")
        (notes / "large.md").unlink(missing_ok=True)
        refresh(notes, place, Hashing())
        same = self.as_anew(notes, place) and not problems(place)
        rows.append(
            f"  the next writer completed; its index {'is the same as' if same else 'differs from'} one made from"
            " nothing"
        )
        return [*rows, verdict(not told, reading != {before}, not same)]

    def try_to_read(self, place: Collection) -> set[int] | str:
        """The generations that a reader sees, or what it says."""
        try:
            with Store.open(place) as store:
                return look(store)
        except (StoreError, AssistantError) as error:
            return f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class Killed:
    """What is known of a writer that was killed."""

    allowed: set[int]
    """The generations one of which readers may see."""
    inside: bool
    """Whether it was between the beginning of a generation and its end."""
    full: bool
    """Whether it was computing everything anew."""


def verdict(*wrong: int | bool) -> str:
    """The last line of a part."""
    count = sum(map(int, wrong))
    return "  nothing lost, nothing mixed" if not count else f"  {count} times FAILED"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of 160 MB, mounted; None where that cannot be done."""
    disk = Path(tempfile.mkdtemp(prefix="pgd-"))
    mounted = os.getuid() == 0 and sys.platform == "linux" and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", disk], check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    try:
        yield disk if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", disk], check=True)
        disk.rmdir()


def fill(file: Path, disk: Path) -> None:
    """Leaves half a megabyte."""
    room = os.statvfs(disk)
    with file.open("wb") as filler:
        filler.write(bytes(max(0, room.f_bavail * room.f_frsize - 500_000)))


def main(checkout: str, where: str, *counts: str) -> int:
    kills, restarts, cuts, clients = map(int, counts)
    from tests.postgres_server import running

    embedder.BATCH_TEXTS = BATCH
    faults = Faults(Path(checkout), Path(where))
    with running(("fsync=on",)) as server:
        print(
            f"Faults of an index in PostgreSQL {server.sql('SHOW server_version')}, {os.cpu_count()} cores;"
            f" psycopg {version('psycopg')}; fsync on; an encoder that hashes words"
        )
        show(faults.kills(server, kills))
        show(faults.cuts(server, cuts))
        show(faults.restarts(server, restarts, clients))
    for whole in (False, True):
        show(faults.full_disk(whole=whole))
    return 0


def show(rows: Sequence[str]) -> None:
    """A part of the table, after an empty line; on stderr too, as it comes."""
    print("", *rows, sep="\n", flush=True)
    print("", *rows, sep="\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    kind, *words = sys.argv[1:]
    if kind == "write":
        write_on(Path(words[0]), words[1], Path(words[2]))
    elif kind == "read":
        read_on(words[0])
    else:
        sys.path.insert(0, kind)
        sys.exit(main(kind, *words))
